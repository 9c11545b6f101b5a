//! A panic ends the process with status 1 and a plain sentence, and its note holds no value.

use std::process::Command;

use companion::log::install_panic_note;
use companion::profile::Profile;

const CHILD: &str = "COMPANION_TEST_PANICS_IN";

#[test]
fn a_panic_is_a_plain_sentence_and_a_note_without_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_child_panics", "--nocapture"])
        .env(CHILD, dir.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("it has stopped") && !said.contains("hunter2"), "{said}");
    let notes: Vec<_> =
        std::fs::read_dir(dir.path().join("logs")).unwrap().map(|note| note.unwrap().path()).collect();
    let [note] = notes.as_slice() else { panic!("one note: {notes:?}") };
    let note = std::fs::read_to_string(note).unwrap();
    assert!(note.contains("tests/panic.rs") && !note.contains("hunter2"), "{note}");
}

#[test]
fn the_child_panics() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    install_panic_note(Some(&Profile::at(Some(dir.as_ref())).unwrap()));
    let secret = "hunter2";
    panic!("the password is {secret}");
}
