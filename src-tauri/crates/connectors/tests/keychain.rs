//! The keychain against a real gnome-keyring: there, absent, locked, late, killed and hanging.
//!
//! Each test runs itself again inside a session bus of its own, with its own home, where nothing starts by itself.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::future::Future;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use connectors::vault::{Keychain, SERVICE, SecretName, Vault, VaultError};
use secrecy::ExposeSecret;
use sync::ids::ConnectionId;

const INSIDE: &str = "KEYCHAIN_TEST_INSIDE";

/// Nothing starts by itself on it.
const BUS: &str = include_str!("../../../../tests/fixtures/session-bus.conf");

/// Runs `scenario` in a session of its own.
fn in_a_session<F: Future<Output = ()>>(name: &str, scenario: impl FnOnce() -> F) {
    if std::env::var_os(INSIDE).is_some() {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(scenario());
        return;
    }
    if !["dbus-run-session", "dbus-send", "gnome-keyring-daemon"].iter().all(|program| installed(program)) {
        eprintln!("*** SKIPPED {name}: install dbus and gnome-keyring to test the keychain ***");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("bus.conf");
    std::fs::write(&config, BUS.replace("FOLDER", &folder.path().display().to_string())).unwrap();
    let output = Command::new("dbus-run-session")
        .arg(format!("--config-file={}", config.display()))
        .arg("--")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1")
        .env("HOME", folder.path())
        .env("XDG_RUNTIME_DIR", folder.path())
        .env("XDG_DATA_HOME", folder.path().join("data"))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("GNOME_KEYRING_CONTROL")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A running keyring. Dropping it ends it.
struct Keyring(Child);

impl Keyring {
    /// The first password makes the keyring; another one later leaves it locked.
    fn start(password: &str) -> Self {
        let mut child = Command::new("gnome-keyring-daemon")
            .args(["--unlock", "--components=secrets", "--foreground"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        until(is_there);
        Self(child)
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.0.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        until(|| !is_there());
    }
}

fn is_there() -> bool {
    let answer = Command::new("dbus-send")
        .args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"])
        .args(["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"])
        .output()
        .unwrap();
    String::from_utf8_lossy(&answer.stdout).contains("boolean true")
}

fn until(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20), "the keyring daemon did not do it");
        std::thread::yield_now();
    }
}

async fn shown(keychain: &Keychain, name: &SecretName) -> Result<Option<String>, VaultError> {
    keychain.get(name).await.map(|secret| secret.map(|secret| secret.expose_secret().to_owned()))
}

#[track_caller]
fn unavailable<T: std::fmt::Debug>(answer: Result<T, VaultError>) {
    assert!(matches!(answer, Err(VaultError::Unavailable { .. })), "{answer:?}");
}

#[test]
fn what_is_put_in_a_keychain_comes_out_and_absent_is_absent() {
    in_a_session("what_is_put_in_a_keychain_comes_out_and_absent_is_absent", || async {
        let _keyring = Keyring::start("pw");
        let name = SecretName::bookiji();
        let keychain = Keychain::new("her");
        assert_eq!(shown(&keychain, &name).await, Ok(None));
        keychain.delete(&name).await.unwrap();
        let long: String = (0..9000).map(|at| char::from(b'a' + (at % 26) as u8)).collect();
        for secret in ["short", &long, "short again", ""] {
            keychain.put(&name, &secret.into()).await.unwrap();
            assert_eq!(shown(&Keychain::new("her"), &name).await, Ok(Some(secret.to_owned())));
        }
        assert_eq!(shown(&Keychain::new("his"), &name).await, Ok(None), "profiles are apart");
        keychain.put(&name, &long.as_str().into()).await.unwrap();
        keychain.delete(&name).await.unwrap();
        assert_eq!(shown(&keychain, &name).await, Ok(None));
        assert_eq!(SERVICE, "app.bookiji.companion");
    });
}

#[test]
fn a_locked_keychain_is_unavailable_and_never_empty() {
    in_a_session("a_locked_keychain_is_unavailable_and_never_empty", || async {
        let name = SecretName::bookiji();
        {
            let _keyring = Keyring::start("pw");
            Keychain::new("her").put(&name, &"s3cret".into()).await.unwrap();
        }
        {
            let _locked = Keyring::start("another password");
            let keychain = Keychain::new("her");
            unavailable(shown(&keychain, &name).await);
            unavailable(keychain.put(&name, &"new".into()).await);
            unavailable(keychain.delete(&name).await);
            let never_stored = SecretName::connection(&"google-1".into());
            unavailable(shown(&keychain, &never_stored).await);
        }
        let _keyring = Keyring::start("pw");
        assert_eq!(shown(&Keychain::new("her"), &name).await, Ok(Some("s3cret".into())));
    });
}

#[test]
fn a_keychain_that_starts_late_or_again_is_found_without_a_restart() {
    in_a_session("a_keychain_that_starts_late_or_again_is_found_without_a_restart", || async {
        let name = SecretName::bookiji();
        let keychain = Keychain::new("her");
        unavailable(shown(&keychain, &name).await);
        {
            let _keyring = Keyring::start("pw");
            keychain.put(&name, &"s3cret".into()).await.unwrap();
        }
        unavailable(shown(&keychain, &name).await);
        let _keyring = Keyring::start("pw");
        assert_eq!(shown(&keychain, &name).await, Ok(Some("s3cret".into())));
    });
}

#[test]
fn a_keychain_that_hangs_is_left_after_a_while_and_asked_again_later() {
    in_a_session("a_keychain_that_hangs_is_left_after_a_while_and_asked_again_later", || async {
        let keyring = Keyring::start("pw");
        let name = SecretName::bookiji();
        let keychain = Keychain::new("her");
        keychain.put(&name, &"s3cret".into()).await.unwrap();
        keyring.signal("-STOP");
        let hurried = keychain.clone().with_deadline(Duration::from_millis(100));
        unavailable(shown(&hurried, &name).await);
        unavailable(shown(&hurried, &name).await);
        keyring.signal("-CONT");
        assert_eq!(shown(&keychain, &name).await, Ok(Some("s3cret".into())));
    });
}

#[test]
fn a_keychain_killed_in_the_middle_of_a_question_is_unavailable_at_once_and_found_again() {
    in_a_session(
        "a_keychain_killed_in_the_middle_of_a_question_is_unavailable_at_once_and_found_again",
        || async {
            let name = SecretName::bookiji();
            let keychain = Keychain::new("her");
            {
                let keyring = Keyring::start("pw");
                keychain.put(&name, &"s3cret".into()).await.unwrap();
                // It has the question, and dies over it.
                keyring.signal("-STOP");
                let asked = keychain.clone();
                let question = tokio::spawn(async move { shown(&asked, &SecretName::bookiji()).await });
                tokio::task::yield_now().await;
                let started = Instant::now();
                keyring.signal("-KILL");
                unavailable(question.await.unwrap());
                assert!(started.elapsed() < Duration::from_secs(30), "the deadline is not waited for");
            }
            let _keyring = Keyring::start("pw");
            assert_eq!(shown(&keychain, &name).await, Ok(Some("s3cret".into())));
        },
    );
}

/// Whoever asks for her password takes the request and shows her nothing, as one whose window she does not see.
async fn silent_prompter() -> zbus::Connection {
    let bus = zbus::Connection::session().await.unwrap();
    let (bus_name, path) = (Some("org.freedesktop.DBus"), "/org/freedesktop/DBus");
    let name = ("org.gnome.keyring.SystemPrompter", 0_u32);
    bus.call_method(bus_name, path, bus_name, "RequestName", &name).await.unwrap();
    bus
}

#[test]
fn a_keychain_killed_while_it_waits_for_her_password_is_asked_anew_once_it_is_back() {
    in_a_session(
        "a_keychain_killed_while_it_waits_for_her_password_is_asked_anew_once_it_is_back",
        || async {
            let name = SecretName::bookiji();
            let keychain = Keychain::new("her");
            {
                let _keyring = Keyring::start("pw");
                keychain.put(&name, &"s3cret".into()).await.unwrap();
            }
            let _prompter = silent_prompter().await;
            for asks_long_before in [false, true] {
                {
                    let _keyring = Keyring::start("another");
                    let hurried = keychain.clone().with_deadline(Duration::from_millis(500));
                    if asks_long_before {
                        unavailable(shown(&hurried, &name).await);
                    } else {
                        let asked = keychain.clone();
                        drop(tokio::spawn(async move { shown(&asked, &SecretName::bookiji()).await }));
                        tokio::time::sleep(Duration::from_millis(500)).await;
                    }
                    unavailable(shown(&hurried, &name).await);
                }
                let _keyring = Keyring::start("pw");
                let started = Instant::now();
                assert_eq!(shown(&keychain, &name).await, Ok(Some("s3cret".into())));
                assert!(started.elapsed() < Duration::from_secs(30), "the deadline is not waited for");
            }
        },
    );
}

#[test]
fn a_keychain_killed_while_a_long_secret_is_put_in_holds_the_old_one_or_the_new_one() {
    in_a_session(
        "a_keychain_killed_while_a_long_secret_is_put_in_holds_the_old_one_or_the_new_one",
        || async {
            let name = SecretName::bookiji();
            let long = |letter: &str| letter.repeat(9000);
            let mut held = long("a");
            {
                let _keyring = Keyring::start("pw");
                Keychain::new("her").put(&name, &held.as_str().into()).await.unwrap();
            }
            for (round, letter) in ["b", "c", "d", "e", "f"].into_iter().enumerate() {
                let new = long(letter);
                let done = {
                    let keyring = Keyring::start("pw");
                    let (keychain, secret) = (Keychain::new("her"), new.clone());
                    let putting =
                        tokio::spawn(
                            async move { keychain.put(&SecretName::bookiji(), &secret.into()).await },
                        );
                    // Each round dies a little later.
                    tokio::time::sleep(Duration::from_millis(15 * u64::try_from(round).unwrap())).await;
                    keyring.signal("-KILL");
                    putting.await.unwrap().is_ok()
                };
                let _keyring = Keyring::start("pw");
                let found = shown(&Keychain::new("her"), &name).await.unwrap().unwrap();
                assert!(found == new || (!done && found == held), "round {round}: neither one nor the other");
                held = found;
            }
        },
    );
}

#[test]
fn a_session_without_a_bus_has_no_keychain() {
    in_a_session("a_session_without_a_bus_has_no_keychain", || async {
        // The bus is still there; its address is not known.
        let program = std::env::current_exe().unwrap();
        if std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some() {
            let output = Command::new(program)
                .args(["--exact", "a_session_without_a_bus_has_no_keychain"])
                .env_remove("DBUS_SESSION_BUS_ADDRESS")
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
            return;
        }
        unavailable(shown(&Keychain::new("her"), &SecretName::bookiji()).await);
    });
}

#[test]
fn clearing_takes_every_entry_of_a_profile_known_or_not_and_none_of_another() {
    in_a_session("clearing_takes_every_entry_of_a_profile_known_or_not_and_none_of_another", || async {
        let _keyring = Keyring::start("pw");
        let (hers, his) = (Keychain::new("/her"), Keychain::new("/her/son"));
        let long: String = (0..9000).map(|at| char::from(b'a' + (at % 26) as u8)).collect();
        let (known, forgotten) = (SecretName::bookiji(), SecretName::connection(&"google-1".into()));
        for keychain in [&hers, &his] {
            keychain.put(&known, &"short".into()).await.unwrap();
            keychain.put(&forgotten, &long.as_str().into()).await.unwrap();
        }
        hers.clear(std::slice::from_ref(&known)).await.unwrap();
        for name in [&known, &forgotten] {
            assert_eq!(shown(&hers, name).await, Ok(None));
            assert!(shown(&his, name).await.unwrap().is_some(), "another profile keeps its own");
        }
        let left = Command::new("dbus-send")
            .args([
                "--session",
                "--print-reply",
                "--dest=org.freedesktop.secrets",
                "/org/freedesktop/secrets",
            ])
            .args([
                "org.freedesktop.Secret.Service.SearchItems",
                &format!("dict:string:string:service,{SERVICE}"),
            ])
            .output()
            .unwrap();
        let items = String::from_utf8_lossy(&left.stdout).matches("object path").count();
        assert_eq!(items, 6, "his two, one of them in a head and four pieces: none of hers lingers");
    });
}

#[test]
fn profiles_that_put_secrets_of_one_name_at_once_each_keep_their_own() {
    in_a_session("profiles_that_put_secrets_of_one_name_at_once_each_keep_their_own", || async {
        let _keyring = Keyring::start("pw");
        // Two that begin alike, one inside the other, and a long secret that is kept in pieces.
        let profiles = ["/salon/ann", "/salon/anna", "/salon/anna/b", "/salon/zoe"].map(Keychain::new);
        let name = SecretName::connection(&ConnectionId::from("google-0123456789abcdef"));
        let secret = |at: usize| format!("{at}").repeat(if at == 2 { 6000 } else { 40 });
        let put = |at: usize| {
            let (profile, name) = (profiles[at].clone(), name.clone());
            tokio::spawn(async move { profile.put(&name, &secret(at).into()).await.unwrap() })
        };
        for put in [0, 1, 2, 3].map(put) {
            put.await.unwrap();
        }
        for (at, profile) in profiles.iter().enumerate() {
            assert_eq!(shown(profile, &name).await, Ok(Some(secret(at))));
            assert_eq!(shown(profile, &SecretName::bookiji()).await, Ok(None));
        }
        profiles[1].delete(&name).await.unwrap();
        assert_eq!(shown(&profiles[1], &name).await, Ok(None));
        for at in [0, 2, 3] {
            assert_eq!(shown(&profiles[at], &name).await, Ok(Some(secret(at))));
        }
    });
}
