//! `connect caldav` before any server is asked. What servers do with it is tried where there are some.

use serde_json::json;

use crate::world::World;

fn plain_http(world: &World, allowed: bool) {
    let settings = world.profile.path().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("caldav_allow_http")).collect();
    let line = format!("[endpoints]\ncaldav_allow_http = {allowed}");
    std::fs::write(settings, kept.join("\n").replacen("[endpoints]", &line, 1)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_not_even_read_for_an_address_that_it_must_not_go_to() {
    let world = World::start().await;
    assert_eq!(world.login().await.status, 0);
    plain_http(&world, false);
    for url in ["http://127.0.0.1:9/", "http://dav.example.org/", "ftp://dav.example.org/"] {
        let refused =
            world.run_with(&["connect", "caldav", "--url", url, "--username", "anna"], "s3cret\n").await;
        assert_eq!((refused.status, &refused.error["code"]), (1, &json!("INVALID_INPUT")), "{refused:?}");
        assert!(!format!("{refused:?}").contains("s3cret"));
    }
    let plain = world
        .run_with(&["connect", "caldav", "--url", "http://127.0.0.1:9/", "--username", "anna"], "x")
        .await;
    assert!(plain.error["next_step"].as_str().unwrap().contains("caldav_allow_http"), "{plain:?}");
    let nameless = world.run_with(&["connect", "caldav", "--preset", "icloud"], "x").await;
    assert_eq!(nameless.error["code"], "INVALID_INPUT");
    assert!(nameless.error["next_step"].as_str().unwrap().contains("--username"), "{nameless:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_leaves_nothing_linked() {
    let world = World::start().await;
    assert_eq!(world.login().await.status, 0);
    plain_http(&world, true);
    let words = ["connect", "caldav", "--url", "http://127.0.0.1:9/", "--username", "anna"];
    let refused = world.run_with(&words, "s3cret\n").await;
    assert_eq!((refused.status, &refused.error["code"]), (1, &json!("NETWORK_ERROR")), "{refused:?}");
    assert_eq!(world.run(&["status"]).await.document["connections"], json!([]));
}
