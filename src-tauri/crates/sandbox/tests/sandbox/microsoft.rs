//! Signing in to Microsoft: consent, the administrator's wall, codes, PKCE, rotation.

use reqwest::Method;
use serde_json::json;

use crate::outlook::{CHALLENGE, CLIENT_ID, REDIRECT, SCOPE, V1, VERIFIER};
use crate::world::{Call, World, parameter};

#[tokio::test]
async fn a_plain_get_completes_a_sign_in() {
    let world = World::new().await;
    let answer = world.ask_microsoft(&[]).await;
    assert!(answer.headers["location"].to_str().unwrap().starts_with("http://localhost:49152/?"));
    assert_eq!(parameter(&answer, "state").as_deref(), Some("the-state"));
    let tokens = world.redeem(&[("code", &parameter(&answer, "code").unwrap())]).await.ok();
    // Microsoft says what was granted, and leaves out that it keeps her signed in.
    assert_eq!(tokens["scope"], "openid profile User.Read Calendars.ReadWrite");
    assert_eq!((tokens["token_type"].as_str(), tokens["expires_in"].as_i64()), (Some("Bearer"), Some(3599)));
    let length = |name: &str| tokens[name].as_str().unwrap().len();
    assert!(length("access_token") > 1280 && length("refresh_token") > 1024, "too long for some key stores");
    let who = world.get(&format!("{V1}/me"), tokens["access_token"].as_str().unwrap()).await.ok();
    assert_eq!(who["userPrincipalName"], "amelie@studiolumiere.example");
}

#[tokio::test]
async fn the_consent_page_is_a_form_and_all_or_nothing() {
    let world = World::new().await;
    let page = world.ask_microsoft(&[("sandbox_auto_consent", "")]).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("action=\"/microsoft/common/oauth2/v2.0/consent\""), "{}", page.text);
    assert!(!page.text.contains("checkbox"));
    let post = async |decision: &'static str| {
        let form = [
            ("client_id", CLIENT_ID),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", SCOPE),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("decision", decision),
        ];
        let call = Call::default().form(form.into_iter().collect());
        world.call(Method::POST, "/microsoft/common/oauth2/v2.0/consent", call).await
    };
    let code = parameter(&post("allow").await, "code").unwrap();
    world.redeem(&[("code", &code)]).await.ok();
    let declined = post("cancel").await;
    assert_eq!(parameter(&declined, "error").as_deref(), Some("access_denied"));
    assert!(parameter(&declined, "error_description").unwrap().starts_with("AADSTS65004"));
}

#[tokio::test]
async fn a_code_is_redeemed_once_and_not_for_long_and_with_its_own_verifier() {
    let world = World::new().await;
    let code = async || parameter(&world.ask_microsoft(&[]).await, "code").unwrap();
    let refused = async |more: &[(&str, &str)], error: &str, number: u32| {
        let answer = world.redeem(more).await;
        assert_eq!(answer.body["error"], error, "{}", answer.text);
        assert_eq!(answer.body["error_codes"], json!([number]), "{}", answer.text);
        assert!(answer.body["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{number}: ")));
    };
    let first = code().await;
    world.redeem(&[("code", &first)]).await.ok();
    refused(&[("code", &first)], "invalid_grant", 54005).await;
    refused(&[("code", "invented")], "invalid_grant", 9_002_313).await;
    refused(&[("code", &code().await), ("code_verifier", CHALLENGE)], "invalid_grant", 501_481).await;
    refused(&[("code", &code().await), ("code_verifier", "")], "invalid_request", 900_144).await;
    refused(&[("code", &code().await), ("redirect_uri", "http://localhost:1/")], "invalid_grant", 500_112)
        .await;
    refused(&[("code", &code().await), ("client_secret", "none")], "invalid_client", 700_025).await;
    refused(&[("code", &code().await), ("client_id", "nobody")], "unauthorized_client", 700_016).await;
    refused(&[("grant_type", "password")], "unsupported_grant_type", 70003).await;
    let late = code().await;
    world.advance(601).await;
    refused(&[("code", &late)], "invalid_grant", 70008).await;
}

#[tokio::test]
async fn only_localhost_without_a_path_is_sent_a_code_and_on_any_port() {
    let world = World::new().await;
    for redirect in ["http://localhost", "http://localhost:1/", "http://localhost:65535"] {
        let answer = world.ask_microsoft(&[("redirect_uri", redirect)]).await;
        assert_eq!(answer.status, 302, "{redirect}");
        // An address without a path comes back with one.
        assert!(answer.headers["location"].to_str().unwrap().contains("/?"), "{redirect}");
    }
    for redirect in [
        "http://127.0.0.1:49152/",
        "http://[::1]:49152/",
        "http://localhost:49152/callback",
        "https://localhost/",
        "http://example.com/",
    ] {
        let answer = world.ask_microsoft(&[("redirect_uri", redirect)]).await;
        assert_eq!(answer.status, 400, "{redirect}");
        assert!(answer.text.contains("AADSTS50011"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_challenge_is_asked_for_and_hashed() {
    let world = World::new().await;
    for more in [
        [("code_challenge", ""), ("code_challenge_method", "")],
        [("code_challenge", VERIFIER), ("code_challenge_method", "plain")],
        [("code_challenge", CHALLENGE), ("code_challenge_method", "")],
        [("code_challenge", "short"), ("code_challenge_method", "S256")],
    ] {
        let answer = world.ask_microsoft(&more).await;
        assert_eq!(parameter(&answer, "error").as_deref(), Some("invalid_request"), "{more:?}");
        assert_eq!(parameter(&answer, "state").as_deref(), Some("the-state"));
    }
    let unknown = world.ask_microsoft(&[("scope", "Mail.ReadWrite.Everything")]).await;
    assert_eq!(parameter(&unknown, "error").as_deref(), Some("invalid_scope"));
}

#[tokio::test]
async fn every_refresh_brings_a_new_token_and_the_old_one_stays_good() {
    let world = World::new().await;
    let tokens = world.microsoft_tokens(SCOPE).await;
    let first = tokens["refresh_token"].as_str().unwrap();
    let refresh = |word: String| {
        let world = &world;
        async move { world.redeem(&[("grant_type", "refresh_token"), ("refresh_token", &word)]).await }
    };
    let fresh = refresh(first.to_owned()).await.ok();
    let second = fresh["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(second, first);
    refresh(first.to_owned()).await.ok();
    refresh(second.clone()).await.ok();
    world.advance(91 * 86_400).await;
    let old = refresh(second).await;
    assert_eq!(
        (old.status, &old.body["error"], &old.body["error_codes"]),
        (400, &json!("invalid_grant"), &json!([700_082]))
    );
    let none = world.microsoft_tokens("User.Read").await;
    assert!(none.get("refresh_token").is_none(), "nobody asked to be kept signed in");
}

#[tokio::test]
async fn a_narrower_token_can_be_had_and_a_wider_one_cannot() {
    let world = World::new().await;
    let tokens = world.microsoft_tokens("offline_access Calendars.Read").await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = |scope| [("grant_type", "refresh_token"), ("refresh_token", refresh), ("scope", scope)];
    let same = world.redeem(&form("https://graph.microsoft.com/Calendars.Read")).await.ok();
    assert_eq!(same["scope"], "https://graph.microsoft.com/Calendars.Read");
    let wider = world.redeem(&form("Calendars.ReadWrite")).await;
    assert_eq!(
        (&wider.body["error"], &wider.body["suberror"]),
        (&json!("invalid_grant"), &json!("consent_required"))
    );
}

#[tokio::test]
async fn a_revoked_sign_in_ends_at_both_doors() {
    let world = World::new().await;
    let tokens = world.microsoft_tokens(SCOPE).await;
    world.fault(json!({"service": "outlook", "kind": "token_revoked", "times": 1})).await;
    let refused = world.get(&format!("{V1}/me/calendars"), tokens["access_token"].as_str().unwrap()).await;
    refused.denied(401, "InvalidAuthenticationToken");
    let form =
        [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
    let dead = world.redeem(&form).await;
    assert_eq!((&dead.body["error"], &dead.body["error_codes"]), (&json!("invalid_grant"), &json!([50173])));
}

#[tokio::test]
async fn a_tenant_lets_in_who_belongs_there() {
    let world = World::new().await;
    let private = json!({"as": "vendor", "service": "outlook", "do": "add_account", "email": "a@outlook.example", "personal": true});
    world.edit(private).await;
    let who = async |tenant: &str| {
        let answer = world.ask_tenant(tenant, &[]).await;
        let Some(code) = parameter(&answer, "code") else {
            return format!("{} {}", answer.status, answer.text);
        };
        let token = world.redeem(&[("code", &code)]).await.ok()["access_token"].as_str().unwrap().to_owned();
        world.get(&format!("{V1}/me"), &token).await.ok()["mail"].as_str().unwrap().to_owned()
    };
    assert_eq!(who("organizations").await, "amelie@studiolumiere.example");
    assert_eq!(who("consumers").await, "a@outlook.example");
    assert_eq!(who("9188040d-6c67-4c5b-b112-36a304b66dad").await, "a@outlook.example");
    assert!(who("nowhere").await.contains("AADSTS90002"));
}

#[tokio::test]
async fn an_administrator_has_to_agree_where_she_says_so() {
    let world = World::new().await;
    let tokens = world.microsoft_tokens(SCOPE).await;
    world.edit(json!({"as": "administrator", "do": "require_approval"})).await;
    let walled = world.ask_microsoft(&[]).await;
    assert_eq!(parameter(&walled, "error").as_deref(), Some("access_denied"));
    assert!(parameter(&walled, "error_description").unwrap().starts_with("AADSTS90094"));
    let silent = world.ask_microsoft(&[("prompt", "none")]).await;
    assert!(parameter(&silent, "error_description").unwrap().starts_with("AADSTS65001"));
    let form =
        [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
    let later = world.redeem(&form).await;
    assert_eq!(later.body["error_codes"], json!([65001]));
    let link = format!(
        "/microsoft/common/adminconsent?client_id={CLIENT_ID}&redirect_uri=http%3A%2F%2Flocalhost%3A1%2F&state=s"
    );
    let page = world.call(Method::GET, &link, Call::default()).await;
    assert!(page.status == 200 && page.text.contains("Review for your organization"), "{}", page.text);
    let agreed = world.call(Method::GET, &format!("{link}&sandbox_auto_consent=1"), Call::default()).await;
    assert_eq!(parameter(&agreed, "admin_consent").as_deref(), Some("True"));
    assert!(parameter(&world.ask_microsoft(&[]).await, "code").is_some());
    world.redeem(&form).await.ok();
}

#[tokio::test]
async fn faults_speak_as_microsoft_does() {
    let world = World::new().await;
    world.fault(json!({"service": "microsoft", "route": "POST", "kind": "status:503", "times": 1})).await;
    let busy = world.redeem(&[("code", "x")]).await;
    assert_eq!((busy.status, &busy.body["error_codes"]), (503, &json!([90033])));
    let routes = &world.requests().await["microsoft"]["routes"];
    assert_eq!(routes["POST /{tenant}/oauth2/v2.0/token"], 1, "{routes}");
}
