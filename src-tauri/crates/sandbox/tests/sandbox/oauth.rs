//! Signing in to Google: consent, codes, PKCE, tokens, revocation.

use reqwest::Method;
use serde_json::json;

use crate::world::{CLIENT, Call, REDIRECT, VERIFIER, World, full, parameter};

#[tokio::test]
async fn a_plain_get_completes_a_sign_in() {
    let world = World::new().await;
    let scope = full(&["openid", "email", "calendar.events.readonly"]);
    let answer = world.authorize(&[("scope", &scope)]).await;
    assert_eq!(parameter(&answer, "state").as_deref(), Some("the-state"));
    let tokens = world.exchange(&parameter(&answer, "code").unwrap(), &[]).await.ok();
    assert_eq!((tokens["token_type"].as_str(), tokens["expires_in"].as_i64()), (Some("Bearer"), Some(3599)));
    assert_eq!(tokens["scope"], scope);
    assert!(tokens["refresh_token"].is_string() && tokens["id_token"].is_string());
    let who = world.get("/google/oauth2/v3/userinfo", tokens["access_token"].as_str().unwrap()).await.ok();
    assert_eq!(who["email"], "amelie@studiolumiere.example");
}

#[tokio::test]
async fn the_consent_page_is_a_form_whose_ticks_count() {
    let world = World::new().await;
    let scope = full(&["openid", "calendar.app.created", "calendar.events.readonly"]);
    let page = world.authorize(&[("scope", &scope), ("sandbox_auto_consent", "")]).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.text.matches("type=\"checkbox\"").count(), 2, "{}", page.text);
    let ticked = full(&["calendar.app.created"]);
    let form = [
        ("client_id", CLIENT.0),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", &scope),
        ("code_challenge", VERIFIER),
        ("grant", &ticked),
    ];
    let post = async |decision: &'static str| {
        let form = form.into_iter().chain([("decision", decision)]).collect();
        world.call(Method::POST, "/google/o/oauth2/v2/consent", Call::default().form(form)).await
    };
    let allowed = post("allow").await;
    let tokens = world.exchange(&parameter(&allowed, "code").unwrap(), &[]).await.ok();
    assert_eq!(tokens["scope"], full(&["openid", "calendar.app.created"]));
    assert_eq!(parameter(&post("cancel").await, "error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn a_scope_can_be_left_out_without_a_page() {
    let world = World::new().await;
    let left_out = full(&["calendar.events.readonly"]);
    let scope = full(&["openid", "calendar.app.created", "calendar.events.readonly"]);
    let code = world.code(&[("scope", &scope), ("sandbox_untick", &left_out)]).await;
    assert_eq!(world.exchange(&code, &[]).await.ok()["scope"], full(&["openid", "calendar.app.created"]));
}

#[tokio::test]
async fn a_code_is_good_once_and_not_for_long() {
    let world = World::new().await;
    let scope = full(&["calendar"]);
    let code = world.code(&[("scope", &scope)]).await;
    world.exchange(&code, &[]).await.ok();
    let again = world.exchange(&code, &[]).await;
    assert_eq!((again.status, &again.body["error"]), (400, &json!("invalid_grant")));
    let late = world.code(&[("scope", &scope)]).await;
    world.advance(601).await;
    assert_eq!(world.exchange(&late, &[]).await.body["error"], "invalid_grant");
}

#[tokio::test]
async fn the_verifier_must_be_the_one_that_was_hashed() {
    let world = World::new().await;
    let scope = full(&["calendar"]);
    // RFC 7636, appendix B.
    let (verifier, challenge) =
        ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    let s256 = [("scope", scope.as_str()), ("code_challenge", challenge), ("code_challenge_method", "S256")];
    let code = world.code(&s256).await;
    world.exchange(&code, &[("code_verifier", verifier)]).await.ok();
    let check = async |verifier: &str| {
        let code = world.code(&s256).await;
        let answer = world.exchange(&code, &[("code_verifier", verifier)]).await;
        assert_eq!((answer.status, &answer.body["error"]), (400, &json!("invalid_grant")), "{verifier}");
        // The try has used the code up.
        assert_eq!(world.exchange(&code, &[("code_verifier", verifier)]).await.status, 400);
    };
    check(challenge).await;
    check("").await;
    check("another-verifier-of-more-than-forty-three-characters").await;
}

#[tokio::test]
async fn only_loopback_is_sent_a_code_and_on_any_port() {
    let world = World::new().await;
    let scope = full(&["calendar"]);
    for redirect in ["http://127.0.0.1:1/", "http://[::1]:65535/x", "http://localhost:8080/cb"] {
        assert_eq!(world.authorize(&[("scope", &scope), ("redirect_uri", redirect)]).await.status, 302);
    }
    for redirect in
        ["https://example.com/", "http://127.0.0.1.example.com/", "bookiji:/cb", "http://10.0.0.1/"]
    {
        let answer = world.authorize(&[("scope", &scope), ("redirect_uri", redirect)]).await;
        assert_eq!(answer.status, 400, "{redirect}");
        assert!(answer.text.contains("redirect_uri_mismatch"));
    }
    let code = world.code(&[("scope", &scope)]).await;
    let other = world.exchange(&code, &[("redirect_uri", "http://127.0.0.1:49152/other")]);
    assert_eq!(other.await.body["error"], "redirect_uri_mismatch");
}

#[tokio::test]
async fn wrong_questions_are_refused_where_the_app_can_hear_it() {
    let world = World::new().await;
    let scope = full(&["calendar"]);
    let check = async |name: &str, value: &str, error: &str| {
        let answer = world.authorize(&[("scope", &scope), (name, value)]).await;
        assert_eq!(parameter(&answer, "error").as_deref(), Some(error), "{name}={value} {}", answer.text);
        assert_eq!(parameter(&answer, "state").as_deref(), Some("the-state"));
    };
    check("response_type", "token", "unsupported_response_type").await;
    check("scope", "https://www.googleapis.com/auth/everything", "invalid_scope").await;
    check("scope", "", "invalid_scope").await;
    check("code_challenge", "too-short", "invalid_request").await;
    assert_eq!(world.authorize(&[("scope", &scope), ("client_id", "nobody")]).await.status, 400);
    let code = world.code(&[("scope", &scope)]).await;
    let refused = world.exchange(&code, &[("client_secret", "")]).await;
    assert_eq!((refused.status, &refused.body["error"]), (400, &json!("invalid_request")));
    let refused = world.exchange(&code, &[("client_secret", "wrong")]).await;
    assert_eq!((refused.status, &refused.body["error"]), (401, &json!("invalid_client")));
}

#[tokio::test]
async fn a_refresh_token_stays_the_same_until_it_is_revoked() {
    let world = World::new().await;
    let tokens = world.google_tokens(&["calendar"]).await;
    let other = world.google_tokens(&["calendar"]).await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let fresh = world.token(&form).await.ok();
    assert!(fresh.get("refresh_token").is_none(), "Google does not rotate");
    let again = world.token(&form).await.ok();
    assert_ne!(fresh["access_token"], again["access_token"]);
    let revoke = async |token: &str| {
        let call = Call::default().form([("token", token)].into_iter().collect());
        world.call(Method::POST, "/google/revoke", call).await
    };
    assert_eq!(revoke(tokens["access_token"].as_str().unwrap()).await.status, 200);
    let dead = world.token(&form).await;
    assert_eq!((dead.status, &dead.body["error"]), (400, &json!("invalid_grant")));
    assert_eq!(dead.body["error_description"], "Token has been expired or revoked.");
    world
        .get("/google/calendar/v3/users/me/calendarList", fresh["access_token"].as_str().unwrap())
        .await
        .refused(401, "authError");
    // One revocation withdraws all that she gave the project, on every computer.
    let other = other["refresh_token"].as_str().unwrap();
    let elsewhere = world.token(&[("grant_type", "refresh_token"), ("refresh_token", other)]).await;
    assert_eq!(elsewhere.body["error"], "invalid_grant");
    assert_eq!(revoke("invented").await.status, 400);
}

#[tokio::test]
async fn the_oldest_of_too_many_refresh_tokens_is_dropped_silently() {
    let world = World::new().await;
    let first = world.google_tokens(&["calendar"]).await;
    for _ in 0..100 {
        world.google_tokens(&["calendar"]).await;
    }
    let form = [("grant_type", "refresh_token"), ("refresh_token", first["refresh_token"].as_str().unwrap())];
    assert_eq!(world.token(&form).await.body["error"], "invalid_grant");
}
