//! What a person does on a page: looks for something, presses it, and reads.

use fantoccini::elements::Element;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use crate::stage::PATIENCE;

/// Calls a command from the page: `{"ok": …}` or `{"err": …}`.
pub async fn invoke(page: &Client, command: &str) -> Value {
    let script = "const done = arguments[1];
        window.__TAURI_INTERNALS__.invoke(arguments[0]).then(ok => done({ok}), err => done({err: String(err)}))";
    page.execute_async(script, vec![json!(command)]).await.unwrap()
}

/// Waits for something on the page.
pub async fn sees(page: &Client, xpath: &str) -> Element {
    let found = page.wait().at_most(PATIENCE).for_element(Locator::XPath(xpath)).await;
    match found {
        Ok(element) => element,
        Err(error) => {
            let text = page.execute("return document.body.innerText", vec![]).await.unwrap_or_default();
            panic!("{xpath} is not there ({error}), but this: {}", text.as_str().unwrap_or_default())
        }
    }
}

/// Puts `value` into a field, as if she had chosen it there.
pub async fn fills(page: &Client, css: &str, value: &str) {
    let found = page.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await;
    found.unwrap_or_else(|error| panic!("{css} is not there: {error}"));
    let script = "const field = document.querySelector(arguments[0]);
        const [, set] = [field.focus(), Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value').set];
        set.call(field, arguments[1]);
        for (const event of ['input', 'change']) field.dispatchEvent(new Event(event, {bubbles: true}));
        return field.value";
    let kept = page.execute(script, vec![json!(css), json!(value)]).await.unwrap();
    assert_eq!(kept, json!(value), "{css} does not take it");
}

/// As [`presses`], of the buttons inside one element.
pub async fn presses_in(page: &Client, place: &str, button: &str) {
    press(page, &named(&format!("//{place}"), button)).await;
}

/// Waits for a button that begins so, and presses it. What the page draws anew meanwhile is looked for again.
pub async fn presses(page: &Client, button: &str) {
    press(page, &named("", button)).await;
}

/// One that answers: while something is under way, it would take the press and do nothing.
fn named(place: &str, button: &str) -> String {
    format!("{place}//button[starts-with(normalize-space(.), \"{button}\")][not(@aria-disabled='true')]")
}

async fn press(page: &Client, xpath: &str) {
    for _ in 0..5 {
        if sees(page, xpath).await.click().await.is_ok() {
            return;
        }
    }
    sees(page, xpath).await.click().await.unwrap();
}
