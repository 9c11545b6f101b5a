//! Signing in to Bookiji: passwords, rotation, reuse, logout.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, Call, World};

async fn refresh(world: &World, token: &Value) -> Answer {
    world.gotrue("/token?grant_type=refresh_token", json!({"refresh_token": token})).await
}

#[track_caller]
fn refused(answer: &Answer, code: &str) {
    assert_eq!((answer.status, answer.body["error_code"].as_str()), (400, Some(code)), "{}", answer.text);
}

#[tokio::test]
async fn the_right_password_opens_a_session_and_a_wrong_one_does_not() {
    let world = World::new().await;
    let session = world.password(&world.sandbox.password).await.ok();
    assert_eq!(
        (session["token_type"].as_str(), session["expires_in"].as_i64()),
        (Some("bearer"), Some(3600))
    );
    assert_eq!(session["access_token"].as_str().unwrap().split('.').count(), 3);
    refused(&world.password("wrong").await, "invalid_credentials");
    let access = session["access_token"].as_str().unwrap();
    let call = Call::by(access).header("apikey", "sb_publishable_sandbox");
    let user = world.call(Method::GET, "/supabase/auth/v1/user", call).await.ok();
    assert_eq!(user["email"], "amelie@studiolumiere.example");
}

#[tokio::test]
async fn every_call_carries_the_key() {
    let world = World::new().await;
    let body = json!({"email": "a", "password": "b"});
    let path = "/supabase/auth/v1/token?grant_type=password";
    let answer = world.call(Method::POST, path, Call::default().body(body.clone())).await;
    assert_eq!((answer.status, &answer.body["message"]), (401, &json!("No API key found in request")));
    let answer = world.call(Method::POST, path, Call::default().header("apikey", "wrong").body(body)).await;
    assert_eq!((answer.status, &answer.body["message"]), (401, &json!("Invalid API key")));
}

#[tokio::test]
async fn refresh_tokens_rotate() {
    let world = World::new().await;
    let first = world.password(&world.sandbox.password).await.ok()["refresh_token"].clone();
    let second = refresh(&world, &first).await.ok()["refresh_token"].clone();
    assert_ne!(first, second);
    let third = refresh(&world, &second).await.ok()["refresh_token"].clone();
    world.advance(11).await;
    refused(&refresh(&world, &first).await, "refresh_token_already_used");
    // Reuse ends the whole family.
    let after = refresh(&world, &third).await;
    assert_eq!(after.status, 400, "{}", after.text);
    refused(&refresh(&world, &json!("invented")).await, "refresh_token_not_found");
}

#[tokio::test]
async fn the_parent_of_the_active_token_answers_with_it_at_any_time() {
    let world = World::new().await;
    let first = world.password(&world.sandbox.password).await.ok()["refresh_token"].clone();
    let second = refresh(&world, &first).await.ok()["refresh_token"].clone();
    world.advance(3 * 86_400).await;
    assert_eq!(
        refresh(&world, &first).await.ok()["refresh_token"],
        second,
        "a lost answer does not sign her out"
    );
    refresh(&world, &second).await.ok();
}

#[tokio::test]
async fn within_ten_seconds_an_older_token_is_forgiven() {
    let world = World::new().await;
    let first = world.password(&world.sandbox.password).await.ok()["refresh_token"].clone();
    let second = refresh(&world, &first).await.ok()["refresh_token"].clone();
    refresh(&world, &second).await.ok();
    refresh(&world, &first).await.ok();
}

#[tokio::test]
async fn an_access_token_lives_an_hour_and_ends_with_its_session() {
    let world = World::new().await;
    let token = world.bookiji().await;
    world.get("/bookiji/api/vendor/settings", &token).await.ok();
    world.advance(3601).await;
    world.get("/bookiji/api/vendor/settings", &token).await.problem(401, "AUTH_REQUIRED");
    let token = world.bookiji().await;
    let call = Call::by(&token).header("apikey", "sb_publishable_sandbox");
    let out = world.call(Method::POST, "/supabase/auth/v1/logout?scope=local", call).await;
    assert_eq!(out.status, 204);
    world.get("/bookiji/api/vendor/settings", &token).await.problem(401, "AUTH_REQUIRED");
}

#[tokio::test]
async fn a_browser_sign_in_ends_in_a_code_with_pkce() {
    let world = World::new().await;
    let (verifier, challenge) =
        ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    let path = format!(
        "/supabase/auth/v1/authorize?sandbox_auto_consent=1&provider=google&redirect_to=http%3A%2F%2F127.0.0.1%3A5000%2Fcb&code_challenge={challenge}&code_challenge_method=s256"
    );
    let code = async || {
        let answer = world.call(Method::GET, &path, Call::default()).await;
        crate::world::parameter(&answer, "code").unwrap()
    };
    let trade = async |code: &str, verifier: &str| {
        let body = json!({"auth_code": code, "code_verifier": verifier});
        world.gotrue("/token?grant_type=pkce", body).await
    };
    let first = code().await;
    assert!(trade(&first, verifier).await.ok()["refresh_token"].is_string());
    assert_eq!(trade(&first, verifier).await.status, 404, "a code is good once");
    assert_eq!(trade(&code().await, "wrong").await.status, 400);
}

#[tokio::test]
async fn her_profile_is_read_by_her_sign_in_and_is_not_the_same_id() {
    let world = World::new().await;
    let session = world.password(&world.sandbox.password).await.ok();
    let user = session["user"]["id"].as_str().unwrap();
    let path = format!("/supabase/rest/v1/profiles?auth_user_id=eq.{user}&select=id,full_name,timezone");
    let call = Call::by(session["access_token"].as_str().unwrap()).header("apikey", "sb_publishable_sandbox");
    let rows = world.call(Method::GET, &path, call).await.ok();
    assert_eq!(rows[0]["timezone"], "America/Toronto");
    assert_ne!(rows[0]["id"], user);
}

#[tokio::test]
async fn without_auto_consent_the_sign_in_page_is_a_form_that_may_be_cancelled() {
    let world = World::new().await;
    let path = "/supabase/auth/v1/authorize?provider=google&redirect_to=http%3A%2F%2F127.0.0.1%3A5000%2Fcb%3Fstate%3Ds3\
                &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=s256";
    let page = world.call(Method::GET, path, Call::default()).await;
    assert_eq!(page.status, 200);
    let refused = world.call(Method::GET, &path.replace("google", "myspace"), Call::default()).await;
    assert_eq!(refused.status, 400, "only providers that are switched on");
    let elsewhere =
        world.call(Method::GET, &path.replace("127.0.0.1", "evil.example"), Call::default()).await;
    assert_eq!(elsewhere.status, 400, "nobody is sent elsewhere");
}
