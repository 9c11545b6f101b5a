//! How a sign-in gets to her browser and back: opened here, or printed for her to open; answered by the browser itself, or
//! by the address at which it ended, typed in.

use std::io::{BufRead, IsTerminal, Read};

use connectors::oauth::PastedLink;
use url::Url;

use super::output;
use crate::browser;

/// Longer than any address at which a sign-in ends.
const MAX_LINE: u64 = 64 * 1024;

/// Opens her browser at the sign-in page, or says where it is.
pub fn show(page: &Url, no_browser: bool) {
    let url = page.as_str();
    if no_browser {
        output::note(url);
    } else if browser::open(page) {
        output::note("Your browser opens: finish the sign-in there. If it does not, go to");
        output::note(url);
    } else {
        output::note("No browser could be opened. Go to");
        output::note(url);
    }
}

/// As [`show`], and from then on reads what she may paste.
pub fn send_to(page: &Url, no_browser: bool, pasted: PastedLink) {
    show(page, no_browser);
    let typed = std::io::stdin().is_terminal();
    if typed {
        output::note(
            "If the browser ends at a page that cannot be reached, paste the address of that page here and press Enter.",
        );
    }
    if typed || no_browser {
        // A thread of its own: nobody may ever type, and the sign-in is over without it.
        let _ = std::thread::Builder::new().name("pasted link".to_owned()).spawn(move || listen(&pasted));
    }
}

fn listen(pasted: &PastedLink) {
    loop {
        let mut line = String::new();
        match std::io::stdin().lock().take(MAX_LINE).read_line(&mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if line.trim().is_empty() => {}
            Ok(_) if pasted.take(&line) => return,
            Ok(_) => output::note(
                "That is not the address at which this sign-in ends. It begins with http:// and holds \"state=\".",
            ),
        }
    }
}
