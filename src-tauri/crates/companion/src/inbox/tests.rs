//! Real folders, with a stand-in for the import that takes in what says it is good.

use std::path::Path;
use std::time::Duration;

use calendar::ics::NotACalendar;
use sync::error::Code;
use tempfile::TempDir;

use super::*;

const PATIENCE: Duration = Duration::from_secs(30);

/// Everything a hundred times as fast.
fn brisk() -> Pace {
    Pace {
        still: Duration::from_millis(60),
        still_after_change: Duration::from_millis(120),
        still_when_empty: Duration::from_millis(300),
        still_when_unfinished: Duration::from_millis(900),
        scan: Duration::from_mins(10),
        scan_when_deaf: Duration::from_millis(60),
        retry: Duration::from_millis(50),
        longest_retry: Duration::from_millis(200),
    }
}

struct World {
    root: TempDir,
    folder: Folder,
    inbox: Inbox,
    /// What was in each file when it was taken in.
    taken: Vec<String>,
    settled: Vec<Settled>,
    problems: Vec<Option<Problem>>,
}

impl World {
    fn of(deaf: bool) -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::of_profile(root.path());
        Self::over(root, folder, deaf)
    }

    fn over(root: TempDir, folder: Folder, deaf: bool) -> Self {
        let inbox = Inbox::start(vec![folder.clone()], manner(deaf));
        Self { root, folder, inbox, taken: Vec::new(), settled: Vec::new(), problems: Vec::new() }
    }

    /// Ends the process in the middle and starts it anew.
    fn again(self, deaf: bool) -> Self {
        drop(self.inbox);
        let inbox = Inbox::start(vec![self.folder.clone()], manner(deaf));
        Self { inbox, ..self }
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::create_dir_all(&self.folder.path).unwrap();
        std::fs::write(self.folder.path.join(name), text).unwrap();
    }

    /// Takes files in until `done` says so.
    async fn until(&mut self, done: impl Fn(&Self) -> bool) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !done(self) {
            tokio::select! {
                Some(batch) = self.inbox.batches.recv() => self.take(batch),
                Some(news) = self.inbox.news.recv() => self.note(news),
                () = tokio::time::sleep_until(deadline) => panic!(
                    "taken {:?}, settled {:?}, {:?}", self.taken, self.settled, self.problems
                ),
            }
        }
    }

    fn take(&mut self, batch: Batch) {
        let verdicts = batch.files.iter().map(|file| {
            let text = String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
            self.taken.push(text.clone());
            judge(&text)
        });
        let verdicts = verdicts.collect();
        let _ = batch.answer.send(Ok(verdicts));
    }

    fn note(&mut self, news: News) {
        match news {
            News::Settled(file) => self.settled.push(file),
            News::Trouble { problem, .. } => self.problems.push(problem),
        }
    }

    async fn batch(&mut self) -> Batch {
        tokio::time::timeout(PATIENCE, self.inbox.batches.recv()).await.unwrap().unwrap()
    }

    fn imported(&self) -> Vec<String> {
        listed(&self.folder.imported)
    }

    fn rejected(&self) -> Vec<String> {
        listed(&self.folder.rejected)
    }

    fn left(&self) -> Vec<String> {
        listed(&self.folder.path)
    }
}

fn manner(deaf: bool) -> Manner {
    Manner { pace: brisk(), deaf, ..Manner::default() }
}

fn judge(text: &str) -> Verdict {
    if text.starts_with("good") {
        Verdict::Good { outcome: FileOutcome::Imported, waiting: 0 }
    } else {
        let problem = Problem::new(Code::InvalidIcsFormat, "This is a web page.");
        let why = Rejection::NotACalendar { what: NotACalendar::Html };
        Verdict::Bad { rejected: Rejected::new(why, problem), lines: vec!["Line 1: no calendar.".to_owned()] }
    }
}

fn listed(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn good_files_go_to_imported_and_bad_ones_to_rejected_with_the_reason() {
    for deaf in [false, true] {
        let mut world = World::of(deaf);
        world.put("a.ics", "good a");
        world.put("b.pdf", "bad b");
        world.until(|world| world.settled.len() == 2).await;
        assert_eq!(world.imported(), ["a.ics"]);
        assert_eq!(world.rejected(), ["b.pdf", "b.pdf.txt"]);
        let reason = std::fs::read_to_string(world.folder.rejected.join("b.pdf.txt")).unwrap();
        for part in ["b.pdf\n\nThis is a web page.\nLine 1: no calendar.\n", "What to do: Export"] {
            assert!(reason.contains(part), "{reason}");
        }
        assert!(world.left().is_empty());
        let outcomes: Vec<_> = world.settled.iter().map(|file| (file.name.as_str(), file.outcome)).collect();
        assert!(outcomes.contains(&("a.ics", FileOutcome::Imported)), "{outcomes:?}");
        assert!(outcomes.contains(&("b.pdf", FileOutcome::Rejected)), "{outcomes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lay_there_before_is_found_and_what_comes_later_is_heard_or_found() {
    for deaf in [false, true] {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::of_profile(root.path());
        std::fs::create_dir_all(&folder.path).unwrap();
        std::fs::write(folder.path.join("early.ics"), "good early").unwrap();
        let mut world = World::over(root, folder, deaf);
        world.until(|world| world.settled.len() == 1).await;
        // With an ear, the next reading of the folder would be ten minutes away.
        world.put("late.ics", "good late");
        world.until(|world| world.settled.len() == 2).await;
        assert_eq!(world.taken, ["good early", "good late"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_under_its_passing_name_is_left_until_it_is_renamed() {
    let mut world = World::of(false);
    world.put("week.ics.part", "good half");
    world.put("first.ics", "good first");
    world.until(|world| world.settled.len() == 1).await;
    std::fs::write(world.folder.path.join("week.ics.part"), "good whole").unwrap();
    std::fs::rename(world.folder.path.join("week.ics.part"), world.folder.path.join("week.ics")).unwrap();
    world.until(|world| world.settled.len() == 2).await;
    assert_eq!(world.taken, ["good first", "good whole"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_replaced_while_it_is_taken_in_is_taken_in_again_and_none_is_lost() {
    let mut world = World::of(false);
    world.put("week.ics", "good one");
    let batch = world.batch().await;
    world.put("new", "good two");
    std::fs::rename(world.folder.path.join("new"), &batch.files[0]).unwrap();
    let _ = batch.answer.send(Ok(vec![judge("good")]));
    world.until(|world| world.settled.len() == 1).await;
    assert_eq!(world.taken, ["good two"]);
    assert_eq!(std::fs::read_to_string(world.folder.imported.join("week.ics")).unwrap(), "good two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_between_taking_in_and_moving_finds_the_file_again() {
    let mut world = World::of(false);
    world.put("week.ics", "good one");
    let batch = world.batch().await;
    assert_eq!(batch.files.len(), 1);
    drop(batch);
    let mut world = world.again(false);
    world.until(|world| world.settled.len() == 1).await;
    assert_eq!(world.taken, ["good one"]);
    assert_eq!((world.imported(), world.left()), (vec!["week.ics".to_owned()], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_files_of_the_same_name_both_stay() {
    let mut world = World::of(false);
    for text in ["good one", "good two", "bad one", "bad two"] {
        let before = world.settled.len();
        world.put("week.ics", text);
        world.until(|world| world.settled.len() == before + 1).await;
    }
    assert_eq!(world.imported(), ["week (2).ics", "week.ics"]);
    let rejected = ["week (2).ics", "week (2).ics.txt", "week.ics", "week.ics.txt"];
    assert_eq!(world.rejected(), rejected);
    assert_eq!(std::fs::read_to_string(world.folder.imported.join("week.ics")).unwrap(), "good one");
    assert_eq!(std::fs::read_to_string(world.folder.rejected.join("week (2).ics")).unwrap(), "bad two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_that_cannot_be_given_to_bookiji_is_no_rejection_and_the_file_waits() {
    let mut world = World::of(false);
    world.put("week.ics", "good one");
    let batch = world.batch().await;
    let offline = Problem::new(Code::NetworkError, "Bookiji cannot be reached.");
    let _ = batch.answer.send(Err(offline.clone()));
    world.until(|world| world.problems == [Some(offline.clone())]).await;
    assert_eq!(world.left(), ["week.ics"]);
    // It would be tried again in a minute; somebody presses the button.
    world.inbox.try_again();
    world.until(|world| world.settled.len() == 1 && world.problems.last() == Some(&None)).await;
    assert_eq!(world.imported(), ["week.ics"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_taken_in_for_now_is_tried_again_by_itself() {
    let mut world = World::of(false);
    world.put("week.ics", "good one");
    for _ in 0..3 {
        let batch = world.batch().await;
        let _ = batch.answer.send(Ok(vec![Verdict::NotNow(Problem::new(Code::DatabaseError, "Busy."))]));
    }
    world.until(|world| world.settled.len() == 1).await;
    assert_eq!(world.problems.iter().flatten().count(), 1, "it is said once: {:?}", world.problems);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_removed_and_made_again_is_watched_again() {
    let mut world = World::of(false);
    world.put("one.ics", "good one");
    world.until(|world| world.settled.len() == 1).await;
    std::fs::remove_dir_all(&world.folder.path).unwrap();
    // Ours is made again by itself.
    let remade = async {
        while !world.folder.path.is_dir() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, remade).await.unwrap();
    world.put("two.ics", "good two");
    world.until(|world| world.settled.len() == 2).await;
    assert_eq!(world.imported(), ["one.ics", "two.ics"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_hers_is_not_made_and_its_absence_is_said_until_it_is_there() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("hers");
    let mut world = World::over(root, Folder::of_hers(&path), false);
    world.until(|world| world.problems.len() == 1).await;
    assert!(
        world.problems[0].as_ref().unwrap().message.contains("hers cannot be read"),
        "{:?}",
        world.problems
    );
    assert!(!path.exists());
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("letter.pdf"), "bad, and none of ours").unwrap();
    world.put("one.ics", "good one");
    world.until(|world| world.settled.len() == 1 && world.problems.len() == 2).await;
    assert_eq!(world.problems[1], None);
    assert_eq!(world.left(), ["imported", "letter.pdf"]);
    assert_eq!(world.imported(), ["one.ics"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_written_to_after_it_was_moved_comes_back() {
    let mut world = World::of(true);
    world.put("week.ics", "good one");
    let mut open = std::fs::File::options().append(true).open(world.folder.path.join("week.ics")).unwrap();
    world.until(|world| world.settled.len() == 1).await;
    std::io::Write::write_all(&mut open, b" and more").unwrap();
    world.until(|world| world.settled.len() == 2).await;
    assert_eq!(world.taken, ["good one", "good one and more"]);
    assert_eq!(world.imported(), ["week.ics"]);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn links_pipes_and_odd_names_hurt_nobody() {
    use std::os::unix::ffi::OsStrExt;
    let mut world = World::of(false);
    let outside = world.root.path().join("secret.txt");
    std::fs::write(&outside, "good secret").unwrap();
    std::fs::create_dir_all(&world.folder.path).unwrap();
    std::os::unix::fs::symlink(&outside, world.folder.path.join("link.ics")).unwrap();
    let pipe = world.folder.path.join("pipe.ics");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let odd = std::ffi::OsStr::from_bytes(b"caf\xe9\n.ics");
    std::fs::write(world.folder.path.join(odd), "good odd").unwrap();
    std::fs::create_dir(world.folder.path.join("folder.ics")).unwrap();
    world.until(|world| world.settled.len() == 3).await;
    assert_eq!(world.taken, ["good odd"]);
    assert_eq!(world.rejected(), ["link.ics", "link.ics.txt", "pipe.ics", "pipe.ics.txt"]);
    assert!(world.folder.imported.join(odd).is_file());
    assert_eq!(world.left(), ["folder.ics"], "a folder is left alone");
    assert_eq!(std::fs::read_to_string(outside).unwrap(), "good secret");
    let line = serde_json::to_string(&world.settled).unwrap();
    assert!(line.contains("caf\u{fffd}\u{fffd}.ics"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_full_of_files_is_worked_off_in_small_batches() {
    let mut world = World::of(false);
    for n in 0..300 {
        world.put(&format!("{n:03}.ics"), &format!("good {n}"));
    }
    world.until(|world| world.settled.len() == 300).await;
    let mut taken = world.taken.clone();
    taken.sort();
    taken.dedup();
    assert_eq!((taken.len(), world.taken.len(), world.imported().len()), (300, 300, 300));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_moved_is_said_and_moved_later_without_being_taken_in_again() {
    let mut world = World::of(false);
    world.put("first.ics", "good first");
    world.until(|world| world.settled.len() == 1).await;
    std::fs::remove_dir_all(&world.folder.imported).unwrap();
    std::fs::write(&world.folder.imported, "in the way").unwrap();
    world.put("week.ics", "good one");
    world.until(|world| !world.problems.is_empty()).await;
    let problem = world.problems[0].clone().unwrap();
    assert!(problem.message.starts_with("week.ics in a watched folder could not be moved: "), "{problem}");
    std::fs::remove_file(&world.folder.imported).unwrap();
    world.until(|world| world.settled.len() == 2).await;
    assert_eq!(world.taken.iter().filter(|text| **text == "good one").count(), 1);
    assert_eq!(world.imported(), ["week.ics"]);
}
