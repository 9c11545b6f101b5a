//! The servers that other tests stand on: they start side by side, know their one account and nobody else, and end.

use connectors::http::{Counters, Http, Timeouts};
use tests::servers::{Cyrus, PASSWORD, Radicale, USER, or_say};

async fn asked(url: &str, password: &str) -> u16 {
    // It brings the cryptography that any HTTP client here needs to be built.
    Http::new(Counters::default(), Timeouts::default()).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.request("PROPFIND".parse().unwrap(), url).header("Depth", "0");
    request.basic_auth(USER, Some(password)).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_radicale_knows_its_one_account_and_is_gone_with_its_test() {
    let (Some(one), Some(other)) = (or_say(Radicale::start()), or_say(Radicale::start())) else { return };
    assert_eq!(asked(&one.url, PASSWORD).await, 207);
    assert_eq!(asked(&one.url, "another").await, 401);
    assert_eq!(asked(&other.url, PASSWORD).await, 207);
    let (gone, kept) = (one.url.clone(), one.kept());
    drop(one);
    assert!(!kept.exists());
    assert!(reqwest::Client::builder().no_proxy().build().unwrap().get(gone).send().await.is_err());
}

#[tokio::test]
async fn a_cyrus_knows_its_one_account_and_is_gone_with_its_test() {
    let Some(cyrus) = or_say(Cyrus::start()) else { return };
    let home = format!("{}dav/calendars/user/{USER}/", cyrus.url);
    assert_eq!(asked(&home, PASSWORD).await, 207);
    assert_eq!(asked(&home, "another").await, 401);
    drop(cyrus);
    assert!(reqwest::Client::builder().no_proxy().build().unwrap().get(home).send().await.is_err());
}
