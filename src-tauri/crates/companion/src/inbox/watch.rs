//! Hears from the system what happens in one folder. Decides nothing; what it misses, or cannot hear at all, the next
//! reading of the folder finds.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// Events that may wait to be heard. When there are more, the folder is read instead.
const WAITING: usize = 4096;

/// Something that was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    Name(OsString),
    /// Any file may have changed.
    All,
    /// Something happened to the folder itself: it may be another one by now.
    Folder,
}

/// An ear on one folder.
pub struct Watch {
    folder: PathBuf,
    /// Nothing while the system cannot tell.
    watcher: Option<RecommendedWatcher>,
    heard: mpsc::Receiver<Heard>,
    sender: mpsc::Sender<Heard>,
    missed: Arc<AtomicBool>,
}

impl Watch {
    /// Hears nothing yet.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let (sender, heard) = mpsc::channel(WAITING);
        Self { folder: folder.to_owned(), watcher: None, heard, sender, missed: Arc::default() }
    }

    #[must_use]
    pub fn hears(&self) -> bool {
        self.watcher.is_some()
    }

    /// Begins to listen, or begins anew: a folder that was made again is another one under the old name.
    ///
    /// # Errors
    /// When the system cannot tell: too many folders are watched, or none on this file system.
    pub fn listen(&mut self) -> notify::Result<()> {
        self.watcher = None;
        let (folder, sender, missed) = (self.folder.clone(), self.sender.clone(), self.missed.clone());
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            for heard in heard(event, &folder) {
                if sender.try_send(heard).is_err() {
                    missed.store(true, Ordering::Release);
                }
            }
        })?;
        watcher.watch(&self.folder, RecursiveMode::NonRecursive)?;
        self.watcher = Some(watcher);
        Ok(())
    }

    /// No longer listens.
    pub fn stop(&mut self) {
        self.watcher = None;
    }

    /// The next thing that happens. Can be dropped and asked again without missing any.
    pub async fn next(&mut self) -> Heard {
        let heard = self.heard.recv().await;
        if self.missed.swap(false, Ordering::AcqRel) {
            return Heard::All;
        }
        // The sender is kept here, so the channel does not end.
        heard.unwrap_or(Heard::All)
    }

    /// What happened already.
    pub fn pending(&mut self) -> Option<Heard> {
        if self.missed.swap(false, Ordering::AcqRel) {
            return Some(Heard::All);
        }
        self.heard.try_recv().ok()
    }
}

fn heard(event: notify::Result<Event>, folder: &Path) -> Vec<Heard> {
    let Ok(event) = event else { return vec![Heard::Folder] };
    // Reading a file is heard too, and we read them ourselves.
    if matches!(
        event.kind,
        EventKind::Access(notify::event::AccessKind::Open(_) | notify::event::AccessKind::Read)
    ) {
        return Vec::new();
    }
    if event.need_rescan() || event.paths.is_empty() {
        return vec![Heard::All];
    }
    let named = |path: &PathBuf| match path.file_name() {
        Some(name) if path.parent() == Some(folder) => Heard::Name(name.to_owned()),
        Some(_) if path == folder => Heard::Folder,
        // A way to it that we do not know it by.
        Some(_) | None => Heard::All,
    };
    event.paths.iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{AccessKind, AccessMode, CreateKind, Flag, ModifyKind, RemoveKind, RenameMode};

    #[track_caller]
    fn check(kind: EventKind, paths: &[&str], expected: &[Heard]) {
        let event = paths.iter().fold(Event::new(kind), |event, path| event.add_path(PathBuf::from(path)));
        assert_eq!(heard(Ok(event), Path::new("/in")), expected);
    }

    fn name(name: &str) -> Heard {
        Heard::Name(name.into())
    }

    #[test]
    fn what_happens_to_a_file_names_it_and_what_happens_to_the_folder_says_so() {
        check(EventKind::Create(CreateKind::File), &["/in/a.ics"], &[name("a.ics")]);
        let both = EventKind::Modify(ModifyKind::Name(RenameMode::Both));
        check(both, &["/in/a.part", "/in/a.ics"], &[name("a.part"), name("a.ics")]);
        check(EventKind::Remove(RemoveKind::Folder), &["/in"], &[Heard::Folder]);
        check(EventKind::Create(CreateKind::File), &["/in/deep/a.ics"], &[Heard::All]);
        check(EventKind::Access(AccessKind::Close(AccessMode::Write)), &["/in/a.ics"], &[name("a.ics")]);
        check(EventKind::Access(AccessKind::Read), &["/in/a.ics"], &[]);
        check(EventKind::Other, &[], &[Heard::All]);
    }

    #[test]
    fn an_overflow_or_an_error_means_that_anything_may_have_happened() {
        let overflow = Event::new(EventKind::Other).add_path("/in/a".into()).set_flag(Flag::Rescan);
        assert_eq!(heard(Ok(overflow), Path::new("/in")), [Heard::All]);
        let broken = notify::Error::new(notify::ErrorKind::MaxFilesWatch);
        assert_eq!(heard(Err(broken), Path::new("/in")), [Heard::Folder]);
    }

    #[tokio::test]
    async fn more_than_can_wait_is_heard_as_all() {
        let dir = tempfile::tempdir().unwrap();
        let mut watch = Watch::new(dir.path());
        watch.listen().unwrap();
        for n in 0..WAITING * 2 {
            std::fs::write(dir.path().join(format!("{n}.ics")), "").unwrap();
        }
        let patience = std::time::Duration::from_secs(20);
        let all = async { while watch.next().await != Heard::All {} };
        tokio::time::timeout(patience, all).await.expect("it says that it missed some");
    }
}
