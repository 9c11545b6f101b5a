//! Signing in to Microsoft: who is asked, how the browser comes back, and what its codes mean.

use connectors::http::Base;
use connectors::oauth::{Client, ConnectError};
use connectors::outlook::{self, Authority};
use connectors::tokens::Refresh;
use secrecy::ExposeSecret;
use serde_json::json;
use sync::error::{Code, ServiceError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use crate::server::{Reply, Server, stack};

fn authority(login: &Url, graph: &str) -> Authority {
    Authority {
        login: Base::new(login.clone()).unwrap(),
        tenant: "common".into(),
        graph: Base::new(Url::parse(graph).unwrap()).unwrap(),
    }
}

fn client(server: &Server) -> Client {
    let mut login = server.url.join("/microsoft").unwrap();
    login.set_query(Some("sandbox_auto_consent=1"));
    let config = outlook::sign_in(&authority(&login, "http://127.0.0.1:1/graph"), "client");
    Client::new(stack(), config)
}

fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
}

/// The browser comes back, by either protocol, and by the name it was given or another.
async fn knock(from: &str, port: u16, host: &str, query: &str) -> String {
    let mut stream = TcpStream::connect((from, port)).await.unwrap();
    let head = format!("GET /?{query} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_sign_in_is_the_common_ones_without_a_secret_and_comes_back_to_localhost() {
    let server = Server::start(|_, _| {
        Reply::Json(200, json!({"access_token": "a1", "expires_in": 3599, "refresh_token": "r1", "token_type": "Bearer",
            "scope": "https://graph.microsoft.com/Calendars.ReadWrite https://graph.microsoft.com/User.Read openid"}))
    })
    .await;
    let pending = client(&server).begin().await.unwrap();
    let url = pending.url().clone();
    assert_eq!(url.path(), "/microsoft/common/oauth2/v2.0/authorize");
    assert_eq!(parameter(&url, "sandbox_auto_consent"), "1");
    assert_eq!(parameter(&url, "scope"), "Calendars.ReadWrite User.Read offline_access openid email");
    let redirect = Url::parse(&parameter(&url, "redirect_uri")).unwrap();
    assert_eq!(parameter(&url, "redirect_uri"), format!("http://localhost:{}", redirect.port().unwrap()));
    let port = redirect.port().unwrap();
    let state = parameter(&url, "state");

    let waiting = tokio::spawn(pending.wait());
    let mut both = vec!["127.0.0.1"];
    // A computer without the other protocol has nobody to come by it.
    both.extend(tokio::net::TcpListener::bind("[::1]:0").await.is_ok().then_some("::1"));
    for from in &both {
        let answer = knock(from, port, "127.0.0.1", &format!("code=c&state={state}")).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "it was sent by another name: {answer}");
    }
    let from = both.last().unwrap();
    let answer = knock(from, port, "localhost", &format!("code=c&state={state}")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let granted = waiting.await.unwrap().unwrap();
    assert_eq!(granted.grant.refresh.as_ref().unwrap().expose_secret(), "r1");
    assert_eq!(outlook::missing(&granted), Vec::<&str>::new(), "whatever is written before their names");
    assert_eq!(granted.account_email, None);
    let asked = &server.asked()[0];
    assert_eq!(asked.path, "/microsoft/common/oauth2/v2.0/token");
    assert!(
        !asked.body.contains("client_secret") && asked.body.contains("client_id=client"),
        "{}",
        asked.body
    );
    assert!(asked.body.contains("code_verifier="));
}

#[tokio::test]
async fn a_national_cloud_is_asked_for_its_own_graph_and_an_organisation_by_its_name() {
    let login = Url::parse("https://login.microsoftonline.us").unwrap();
    let authority =
        Authority { tenant: "contoso.example".into(), ..authority(&login, "https://graph.microsoft.us") };
    let config = outlook::sign_in(&authority, "client");
    assert_eq!(
        config.authorize.as_url().as_str(),
        "https://login.microsoftonline.us/contoso.example/oauth2/v2.0/authorize"
    );
    assert_eq!(config.scopes[0], "https://graph.microsoft.us/Calendars.ReadWrite");
    assert_eq!(
        authority.admin_consent("client id").as_str(),
        "https://login.microsoftonline.us/contoso.example/adminconsent?client_id=client+id"
    );
    let common = self::authority(
        &Url::parse("https://login.microsoftonline.com").unwrap(),
        "https://graph.microsoft.com",
    );
    assert_eq!(outlook::sign_in(&common, "c").scopes[0], "Calendars.ReadWrite");
    assert_eq!(
        common.admin_consent("c").as_str(),
        "https://login.microsoftonline.com/organizations/adminconsent?client_id=c",
        "personal accounts have no administrator"
    );
}

#[tokio::test]
async fn the_administrators_wall_is_told_from_her_own_refusal() {
    let server = Server::start(|_, _| Reply::Json(500, json!({}))).await;
    type Expected = fn(&ConnectError) -> bool;
    let cases: [(&str, Expected); 5] = [
        ("error=access_denied&error_description=AADSTS65004%3A+User+declined", |error| {
            matches!(error, ConnectError::Cancelled)
        }),
        ("error=access_denied&error_subcode=cancel", |error| matches!(error, ConnectError::Cancelled)),
        ("error=access_denied&error_description=AADSTS90094%3A+admin", |error| {
            matches!(error, ConnectError::NeedsAdministrator { .. })
        }),
        ("error=consent_required&error_description=AADSTS65001%3A+no+consent", |error| {
            matches!(error, ConnectError::NeedsAdministrator { .. })
        }),
        ("error=server_error&error_description=AADSTS90099", |error| {
            matches!(error, ConnectError::Refused { .. })
        }),
    ];
    for (query, expected) in cases {
        let pending = client(&server).begin().await.unwrap();
        let port = Url::parse(&parameter(pending.url(), "redirect_uri")).unwrap().port().unwrap();
        let state = parameter(pending.url(), "state");
        let waiting = tokio::spawn(pending.wait());
        knock("127.0.0.1", port, "localhost", &format!("{query}&state={state}")).await;
        let error = waiting.await.unwrap().unwrap_err();
        assert!(expected(&error), "{query}: {error:?}");
    }
    assert_eq!(
        ConnectError::NeedsAdministrator { service: "Microsoft".into() }.code(),
        Code::PermissionDenied
    );
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_refresh_that_only_she_can_mend_ends_the_sign_in_and_their_trouble_does_not() {
    let refusals = [
        ("invalid_grant", "AADSTS700082: The refresh token has expired due to inactivity.", true),
        ("invalid_grant", "AADSTS50173: The provided grant has expired due to it being revoked.", true),
        ("interaction_required", "AADSTS50076: you must use multi-factor authentication.", true),
        ("consent_required", "", true),
        ("invalid_grant", "AADSTS65001: The user or administrator has not consented.", true),
        ("temporarily_unavailable", "AADSTS90033: A transient error has occurred.", false),
        ("invalid_grant", "AADSTS90033: A transient error has occurred.", false),
    ];
    for (word, description, expires) in refusals {
        let server = Server::start(move |_, _| {
            Reply::Json(400, json!({"error": word, "error_description": description}))
        })
        .await;
        let error = client(&server).refresh(&"r1".into()).await.unwrap_err();
        assert_eq!(
            matches!(error, ServiceError::SignInExpired { .. }),
            expires,
            "{word} {description}: {error:?}"
        );
        assert_eq!(error.may_pass(), !expires);
    }
    let server = Server::start(|_, _| {
        Reply::Json(
            200,
            json!({"access_token": "a2", "expires_in": 100, "refresh_token": "r2", "token_type": "Bearer"}),
        )
    })
    .await;
    let grant = client(&server).refresh(&"r1".into()).await.unwrap();
    assert_eq!(grant.refresh.unwrap().expose_secret(), "r2", "Microsoft gives a new one every time");
}
