//! Updates from a server that may lie.

use std::io::Cursor;

use data_encoding::BASE64;
use minisign::KeyPair;
use serde_json::json;
use tauri::test::{MockRuntime, mock_builder, mock_context, noop_assets};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

const PACKAGE: &[u8] = b"the package of a newer version";

/// What is told of the newest version, and what is given for it.
struct Shelf {
    announced: &'static str,
    signed_as: Option<&'static str>,
    signed_by: Option<KeyPair>,
    package: Vec<u8>,
}

impl Shelf {
    fn honest(keys: &KeyPair) -> Self {
        Self {
            announced: "9.9.9",
            signed_as: Some("9.9.9"),
            signed_by: Some(keys.clone()),
            package: PACKAGE.to_vec(),
        }
    }

    fn signature(&self) -> String {
        let Some(keys) = &self.signed_by else { return String::new() };
        let version = self.signed_as.map(|version| format!("\tversion:{version}")).unwrap_or_default();
        let comment = format!("timestamp:1700000000\tfile:package{version}");
        let signed = minisign::sign(Some(&keys.pk), &keys.sk, Cursor::new(PACKAGE), Some(&comment), None);
        BASE64.encode(signed.unwrap().into_string().as_bytes())
    }
}

/// Serves what lies on the shelf; nothing on it is an answer without a version. Answers where.
async fn serve(shelf: Option<Shelf>) -> String {
    serve_as(shelf, None).await
}

/// As a proxy to `beyond`, where one is named.
async fn serve_as(shelf: Option<Shelf>, beyond: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let here = beyond.map_or_else(|| address.clone(), str::to_owned);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let asked = String::from_utf8_lossy(&request[..read]).into_owned();
            let (status, body) = match &shelf {
                None => ("204 No Content", Vec::new()),
                Some(shelf) if asked.lines().next().is_some_and(|line| line.contains("/package")) => {
                    ("200 OK", shelf.package.clone())
                }
                Some(shelf) => {
                    let told = json!({
                        "version": shelf.announced, "notes": "Calmer.", "signature": shelf.signature(),
                        "url": format!("{here}/package"),
                    });
                    ("200 OK", told.to_string().into_bytes())
                }
            };
            let length = body.len();
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&body).await;
        }
    });
    address
}

/// The app with the rules that it is built with, the server in place of the real one, and this key.
fn app(address: &str, keys: &KeyPair) -> tauri::App<MockRuntime> {
    let own: serde_json::Value = serde_json::from_str(include_str!("../../tauri.conf.json")).unwrap();
    let mut rules = own["plugins"]["updater"].clone();
    rules["endpoints"] = json!([format!("{address}/newest")]);
    rules["pubkey"] = json!(BASE64.encode(keys.pk.to_box().unwrap().to_string().as_bytes()));
    let mut context = mock_context(noop_assets());
    context.config_mut().plugins.0.insert("updater".to_owned(), rules);
    context.config_mut().version = Some("0.1.0".to_owned());
    mock_builder().plugin(tauri_plugin_updater::Builder::new().build()).build(context).unwrap()
}

async fn fetched(shelf: impl FnOnce(&KeyPair) -> Option<Shelf>) -> Result<Option<Ready>, Problem> {
    let keys = KeyPair::generate_unencrypted_keypair().unwrap();
    let address = serve(shelf(&keys)).await;
    let app = app(&address, &keys);
    let updates = Updates::default();
    match updates.look(app.handle(), &direct()).await? {
        Some(_) => updates.fetch().await.map(Some),
        None => Ok(None),
    }
}

async fn refused(shelf: impl FnOnce(&KeyPair) -> Shelf) {
    let problem = fetched(|keys| Some(shelf(keys))).await.err().expect("refused");
    assert!(problem.message.contains("not what its makers signed"), "{problem}");
}

#[tokio::test]
async fn a_newer_version_is_offered_with_its_notes_and_fetched_as_it_was_signed() {
    let ready = fetched(|keys| Some(Shelf::honest(keys))).await.unwrap().expect("a newer version");
    assert_eq!((ready.update.version.as_str(), ready.bytes.as_slice()), ("9.9.9", PACKAGE));
    assert_eq!(ready.update.body.as_deref(), Some("Calmer."));
}

#[tokio::test]
async fn where_there_is_nothing_newer_nothing_is_offered() {
    assert!(fetched(|_| None).await.unwrap().is_none());
    let older = |keys: &KeyPair| Some(Shelf { announced: "0.0.9", ..Shelf::honest(keys) });
    assert!(fetched(older).await.unwrap().is_none(), "nor what is older");
}

#[tokio::test]
async fn what_was_tampered_with_is_not_taken() {
    refused(|keys| {
        let mut shelf = Shelf::honest(keys);
        shelf.package[5] ^= 1;
        shelf
    })
    .await;
    refused(|keys| Shelf { signed_by: None, ..Shelf::honest(keys) }).await;
    refused(|keys| {
        let others = KeyPair::generate_unencrypted_keypair().unwrap();
        Shelf { signed_by: Some(others), ..Shelf::honest(keys) }
    })
    .await;
}

#[tokio::test]
async fn an_old_version_that_is_called_new_is_not_taken() {
    refused(|keys| Shelf { signed_as: Some("0.0.9"), ..Shelf::honest(keys) }).await;
    refused(|keys| Shelf { signed_as: None, ..Shelf::honest(keys) }).await;
}

/// No word from her about the network.
fn direct() -> NetworkSettings {
    NetworkSettings::default()
}

#[tokio::test]
async fn both_the_word_and_the_package_come_by_the_proxy_that_she_named() {
    let keys = KeyPair::generate_unencrypted_keypair().unwrap();
    let beyond = "http://updates.invalid";
    let proxy = serve_as(Some(Shelf::honest(&keys)), Some(beyond)).await;
    let app = app(beyond, &keys);
    let updates = Updates::default();
    let missed = updates.look(app.handle(), &direct()).await.err().expect("missed");
    assert_eq!(missed.code, Code::NetworkError, "no name server knows it (RFC 6761)");

    let behind = NetworkSettings { proxy: Some(proxy.parse().unwrap()), ..direct() };
    assert!(updates.look(app.handle(), &behind).await.unwrap().is_some());
    assert_eq!(updates.fetch().await.unwrap().bytes, PACKAGE);
}

#[tokio::test]
async fn a_network_that_is_set_wrongly_says_so_and_goes_no_other_way() {
    let keys = KeyPair::generate_unencrypted_keypair().unwrap();
    let app = app(&serve(Some(Shelf::honest(&keys))).await, &keys);
    let wrong = NetworkSettings { ca_file: Some("/nowhere/ours.pem".into()), ..direct() };
    let problem = Updates::default().look(app.handle(), &wrong).await.err().expect("refused");
    assert_eq!(problem.code, Code::SettingsInvalid);
}

/// It is time to look, unless something speaks against it.
fn due() -> Seen {
    let started: jiff::Timestamp = "2026-11-17T08:00:00Z".parse().unwrap();
    let now = "2026-11-17T10:00:00Z".parse().unwrap();
    Seen { now, started, looked: None, wanted: true, syncing: false, lot: 7 }
}

#[tokio::test]
async fn once_a_day_it_is_looked_for_and_never_during_a_sync_or_against_her_will() {
    let keys = KeyPair::generate_unencrypted_keypair().unwrap();
    let address = serve(Some(Shelf::honest(&keys))).await;
    let app = app(&address, &keys);
    assert!(has_source(app.handle()));
    let updates = Updates::default();
    let looked = Some(due().now);
    for not_now in
        [Seen { wanted: false, ..due() }, Seen { syncing: true, ..due() }, Seen { looked, ..due() }]
    {
        assert!(updates.look_if_due(app.handle(), &direct(), &not_now).await.is_some(), "{not_now:?}");
        assert!(updates.known().is_none(), "{not_now:?}");
    }
    assert_eq!(updates.look_if_due(app.handle(), &direct(), &due()).await, None);
    assert_eq!(updates.known().expect("found").version, "9.9.9");
    assert!(updates.fetch().await.is_ok(), "and nothing was fetched before she asked");
}

#[tokio::test]
async fn a_look_that_nobody_asked_for_fails_in_silence() {
    let keys = KeyPair::generate_unencrypted_keypair().unwrap();
    let app = app("http://127.0.0.1:9", &keys);
    let updates = Updates::default();
    assert_eq!(updates.look_if_due(app.handle(), &direct(), &due()).await, None, "the next look is tomorrow");
    assert!(updates.known().is_none());
}

#[test]
fn only_a_release_knows_where_updates_come_from_and_one_that_does_can_check_them() {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let usual = read(include_str!("../../tauri.conf.json"));
    assert_eq!(usual["plugins"]["updater"]["endpoints"], json!([]));
    assert_eq!(usual["plugins"]["updater"]["requireSignedVersion"], json!(true));
    let release = read(include_str!("../../tauri.release.conf.json"));
    assert_eq!(release["bundle"]["createUpdaterArtifacts"], json!(true));
    let rules = &release["plugins"]["updater"];
    assert_eq!(rules.get("requireSignedVersion"), None, "a release does not loosen that");
    let addresses = rules["endpoints"].as_array().unwrap();
    assert!(addresses.iter().all(|address| address.as_str().unwrap().starts_with("https://")));
    assert_eq!(addresses.is_empty(), rules["pubkey"] == "", "an address and a key, or neither");
}

#[tokio::test]
async fn where_nobody_answers_that_is_said_as_what_it_is() {
    let keys = KeyPair::generate_unencrypted_keypair().unwrap();
    let app = app("http://127.0.0.1:9", &keys);
    let problem = Updates::default().look(app.handle(), &direct()).await.err().expect("nobody answers");
    assert_eq!(problem.code, Code::NetworkError, "{problem}");
    assert!(Updates::default().fetch().await.is_err(), "and nothing was found to be fetched");
}
