//! The browser's way round: page, listener, exchange.

use std::collections::BTreeSet;
use std::time::Duration;

use connectors::google;
use connectors::http::Base;
use connectors::oauth::{Client, ConnectError, Pending};
use connectors::tokens::Refresh;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sync::error::{Code, ServiceError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use crate::server::{Asked, Reply, Server, stack};

// {"email":"v@example.com"}
const ID_TOKEN: &str = "e30.eyJlbWFpbCI6InZAZXhhbXBsZS5jb20ifQ.c2ln";

fn token() -> Value {
    json!({"access_token": "a1", "expires_in": 3599, "refresh_token": "r1", "token_type": "Bearer",
        "scope": google::SCOPES.join(" ").replace("email", "https://www.googleapis.com/auth/userinfo.email"),
        "id_token": ID_TOKEN})
}

fn client(server: &Server) -> Client {
    let mut authorize = server.url.join("/o/oauth2/v2/auth").unwrap();
    authorize.set_query(Some("sandbox_auto_consent=1"));
    let token = Base::new(server.url.join("/token").unwrap()).unwrap();
    let config =
        google::sign_in(Base::new(authorize).unwrap(), token, "client", Some("hush".into()), google::SCOPES);
    Client::new(stack(), config)
}

fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
}

/// What the browser does at the end: goes where it was told to, with this query.
fn come_back(pending: &Pending, query: &str) -> tokio::task::JoinHandle<String> {
    let state = parameter(pending.url(), "state");
    let redirect = Url::parse(&parameter(pending.url(), "redirect_uri")).unwrap();
    let query = query.replace("STATE", &state);
    tokio::spawn(visit(redirect, query))
}

async fn visit(redirect: Url, query: String) -> String {
    let host = format!("127.0.0.1:{}", redirect.port().unwrap());
    let mut stream = TcpStream::connect(&host).await.unwrap();
    let text =
        format!("GET {}?{query} HTTP/1.1\r\nHost: {host}\r\nAccept-Language: fr\r\n\r\n", redirect.path());
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn her_consent_becomes_a_grant() {
    let server = Server::start(|_, _| Reply::Json(200, token())).await;
    let pending = client(&server).begin().await.unwrap();
    let url = pending.url().clone();
    assert_eq!(parameter(&url, "sandbox_auto_consent"), "1");
    assert_eq!(parameter(&url, "response_type"), "code");
    assert_eq!(parameter(&url, "client_id"), "client");
    assert_eq!(parameter(&url, "code_challenge_method"), "S256");
    assert_eq!(parameter(&url, "scope"), google::SCOPES.join(" "));
    assert!(parameter(&url, "redirect_uri").starts_with("http://127.0.0.1:"));
    let browser = come_back(&pending, "code=c0de&state=STATE");
    let granted = pending.wait().await.unwrap();
    assert!(browser.await.unwrap().contains("Merci"));
    assert_eq!(granted.account_email.as_deref(), Some("v@example.com"));
    assert_eq!(granted.missing, BTreeSet::new());
    assert_eq!(granted.grant.refresh.unwrap().expose_secret(), "r1");

    let form: Vec<(String, String)> =
        url::form_urlencoded::parse(server.asked()[0].body.as_bytes()).into_owned().collect();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!(field("grant_type"), Some("authorization_code"));
    assert_eq!(field("code"), Some("c0de"));
    assert_eq!(field("client_secret"), Some("hush"));
    assert_eq!(field("redirect_uri"), Some(parameter(&url, "redirect_uri").as_str()));
    let verifier = field("code_verifier").unwrap();
    assert!((43..=128).contains(&verifier.len()));
}

#[tokio::test]
async fn a_scope_she_left_out_is_named() {
    let server = Server::start(|_, _| {
        let mut token = token();
        token["scope"] = json!("openid https://www.googleapis.com/auth/calendar.app.created");
        Reply::Json(200, token)
    })
    .await;
    let pending = client(&server).begin().await.unwrap();
    come_back(&pending, "code=c&state=STATE");
    let granted = pending.wait().await.unwrap();
    let missing: Vec<_> = granted.missing.iter().map(|scope| scope.rsplit('/').next().unwrap()).collect();
    let expected =
        ["email", "calendar.calendarlist.readonly", "calendar.events.readonly", "calendar.freebusy"];
    assert_eq!(missing, expected);
}

#[tokio::test]
async fn her_refusal_ends_the_wait_and_exchanges_nothing() {
    let server = Server::start(|_, _| Reply::Json(200, token())).await;
    for (query, code) in [
        ("error=access_denied&state=STATE", Code::SignInCancelled),
        ("error=admin_policy_enforced&state=STATE", Code::PermissionDenied),
        ("error=org_internal&state=STATE", Code::PermissionDenied),
    ] {
        let pending = client(&server).begin().await.unwrap();
        come_back(&pending, query);
        let error = pending.wait().await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        let is_administrators = matches!(error, ConnectError::NeedsAdministrator { .. });
        assert_eq!(is_administrators, query.contains("admin_policy"), "{error:?}");
        assert_eq!(
            error.to_string().contains("members of one organisation"),
            query.contains("org"),
            "{error}"
        );
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn strangers_are_turned_away_and_the_wait_goes_on() {
    let server = Server::start(|_, _| Reply::Json(200, token())).await;
    let pending = client(&server).begin().await.unwrap();
    let redirect = Url::parse(&parameter(pending.url(), "redirect_uri")).unwrap();
    let state = parameter(pending.url(), "state");
    // A browser opens connections ahead and says nothing on them.
    let _idle = TcpStream::connect(("127.0.0.1", redirect.port().unwrap())).await.unwrap();
    let waiting = tokio::spawn(pending.wait());
    let stranger = visit(redirect.clone(), "code=evil&state=guess".into()).await;
    assert!(stranger.starts_with("HTTP/1.1 400"), "{stranger}");
    let twice = visit(redirect.clone(), format!("code=evil&state={state}&state=x")).await;
    assert!(twice.starts_with("HTTP/1.1 400"), "{twice}");
    let true_one = visit(redirect.clone(), format!("code=c0de&state={state}")).await;
    assert!(true_one.starts_with("HTTP/1.1 200"), "{true_one}");
    assert!(true_one.contains("Cache-Control: no-store") && !true_one.contains("c0de"));
    waiting.await.unwrap().unwrap();
    assert_eq!(server.asked().len(), 1);
    // One answer, and the port is closed.
    assert!(TcpStream::connect(("127.0.0.1", redirect.port().unwrap())).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_answer_gets_a_plain_page_and_changes_nothing() {
    let (open, opened) = std::sync::mpsc::channel::<()>();
    let opened = std::sync::Mutex::new(opened);
    let server = Server::start(move |_, _| {
        // The exchange lasts as long as the browser needs to ask again.
        tokio::task::block_in_place(|| opened.lock().unwrap().recv_timeout(Duration::from_secs(20)).unwrap());
        Reply::Json(200, token())
    })
    .await;
    let pending = client(&server).begin().await.unwrap();
    let redirect = Url::parse(&parameter(pending.url(), "redirect_uri")).unwrap();
    let state = parameter(pending.url(), "state");
    let waiting = tokio::spawn(pending.wait());
    let first = visit(redirect.clone(), format!("code=c0de&state={state}")).await;
    assert!(first.contains("Merci"), "{first}");
    for query in [format!("code=0ther&state={state}"), format!("error=access_denied&state={state}")] {
        let second = visit(redirect.clone(), query).await;
        assert!(second.starts_with("HTTP/1.1 200") && second.contains("Rien n’a changé"), "{second}");
    }
    open.send(()).unwrap();
    let granted = waiting.await.unwrap().unwrap();
    assert_eq!(granted.grant.refresh.unwrap().expose_secret(), "r1");
    let asked = server.asked();
    assert!(asked.len() == 1 && asked[0].body.contains("code=c0de"), "one code is exchanged");
    assert!(TcpStream::connect(("127.0.0.1", redirect.port().unwrap())).await.is_err(), "the port is closed");
}

#[tokio::test]
async fn a_link_that_she_pastes_does_what_the_browser_could_not() {
    let server = Server::start(|_, _| Reply::Json(200, token())).await;
    let pending = client(&server).begin().await.unwrap();
    let pasted = pending.pasted_link();
    let redirect = parameter(pending.url(), "redirect_uri");
    let state = parameter(pending.url(), "state");
    let waiting = tokio::spawn(pending.wait());
    assert!(!pasted.take(&format!("{redirect}?code=evil&state=guess")));
    assert!(pasted.take(&format!("{redirect}?state={state}&code=c0de&scope=x\n")));
    assert_eq!(waiting.await.unwrap().unwrap().account_email.as_deref(), Some("v@example.com"));
    assert!(server.asked()[0].body.contains("code=c0de"));
    assert!(!pasted.take(&format!("{redirect}?state={state}&code=c0de")), "the sign-in is over");
}

#[tokio::test]
async fn nobody_answers_and_the_wait_ends() {
    let server = Server::start(|_, _| Reply::Json(200, token())).await;
    let pending = client(&server).begin().await.unwrap();
    let port = Url::parse(&parameter(pending.url(), "redirect_uri")).unwrap().port().unwrap();
    let error = pending.wait_at_most(Duration::from_millis(20)).await.unwrap_err();
    assert_eq!(error, ConnectError::TimedOut);
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
    let pending = client(&server).begin().await.unwrap();
    let port = Url::parse(&parameter(pending.url(), "redirect_uri")).unwrap().port().unwrap();
    drop(pending);
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err(), "dropping it cancels it");
}

#[tokio::test]
async fn an_exchange_that_fails_says_how() {
    async fn check(reply: fn() -> Reply, expected: fn(&ServiceError) -> bool) {
        let server = Server::start(move |_, _: &Asked| reply()).await;
        let pending = client(&server).begin().await.unwrap();
        come_back(&pending, "code=c&state=STATE");
        let error = pending.wait().await.unwrap_err();
        assert!(matches!(&error, ConnectError::Service(error) if expected(error)), "{error:?}");
    }
    check(|| Reply::html(200), |error| matches!(error, ServiceError::Garbled { .. })).await;
    check(Reply::half, |error| matches!(error, ServiceError::Garbled { .. })).await;
    check(|| Reply::Json(200, json!({"access_token": 5})), |e| matches!(e, ServiceError::Garbled { .. }))
        .await;
    check(|| Reply::html(503), |error| matches!(error, ServiceError::Failing { .. })).await;
    check(
        || Reply::Json(400, json!({"error": "invalid_grant"})),
        |e| matches!(e, ServiceError::Rejected { .. }),
    )
    .await;
    check(
        || Reply::Json(200, json!({"access_token": "a", "token_type": "Bearer", "expires_in": 5})),
        |error| matches!(error, ServiceError::Rejected { .. }),
    )
    .await;
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_and_a_dead_one_recognised() {
    let server = Server::start(|number, _| match number {
        0 => Reply::Json(200, json!({"access_token": "a2", "expires_in": 100, "token_type": "Bearer"})),
        1 => Reply::Json(
            400,
            json!({"error": "invalid_grant", "error_description": "Token has been expired or revoked."}),
        ),
        2 => Reply::Json(400, json!({"error": "invalid_client"})),
        3 => Reply::Json(400, json!({"error": "admin_policy_enforced"})),
        _ => Reply::Json(429, json!({})),
    })
    .await;
    let client = client(&server);
    let grant = client.refresh(&"r1".into()).await.unwrap();
    assert_eq!((grant.access.expose_secret(), grant.refresh.is_none()), ("a2", true));
    assert!(server.asked()[0].body.contains("grant_type=refresh_token"));
    let error = client.refresh(&"r1".into()).await.unwrap_err();
    assert!(matches!(error, ServiceError::SignInExpired { .. }), "{error}");
    let error = client.refresh(&"r1".into()).await.unwrap_err();
    assert!(matches!(error, ServiceError::Rejected { .. }), "{error}");
    let error = client.refresh(&"r1".into()).await.unwrap_err();
    assert!(
        matches!(error, ServiceError::SignInExpired { .. }),
        "only a sign-in shows what to ask for: {error}"
    );
    let error = client.refresh(&"r1".into()).await.unwrap_err();
    assert!(matches!(error, ServiceError::RateLimited { .. }), "{error}");
}
