//! A disk with no space left, and one that may only be read: real ones, so that they need the right to mount.
//! `cargo test -p companion --test command disk -- --ignored`, as root.

use std::path::Path;
use std::process::Command;

use crate::killed::hold;
use crate::world::World;

/// A small disk of its own at a folder, until dropped.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    /// Moves what is in the folder onto a disk of so many kilobytes.
    fn under(folder: &'a Path, kilobytes: u64) -> Self {
        let before: Vec<(std::ffi::OsString, Vec<u8>)> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().is_file())
            .map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap()))
            .collect();
        mount(&["-t", "tmpfs", "-o", &format!("size={kilobytes}k,mode=0700"), "tmpfs"], folder);
        for (name, bytes) in before {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
        Self(folder)
    }

    fn remount(&self, option: &str) {
        mount(&["-o", &format!("remount,{option}")], self.0);
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l"]).arg(self.0).status();
    }
}

fn mount(options: &[&str], at: &Path) {
    let status = Command::new("mount").args(options).arg(at).status().unwrap();
    assert!(status.success(), "mount {options:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the right to mount"]
async fn a_full_disk_is_told_and_space_heals() {
    let mut told = 0;
    for kilobytes in [200, 280, 360, 440, 520, 600, 700, 800, 1000] {
        let world = World::connected().await;
        let used: u64 = std::fs::read_dir(world.profile.path())
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len().div_ceil(4096) * 4)
            .sum();
        let disk = Disk::under(world.profile.path(), used + kilobytes);
        let sync = world.run(&["sync"]).await;
        if sync.status != 0 {
            assert_eq!((sync.status, &sync.error["code"]), (1, &"DISK_FULL".into()), "{kilobytes}: {sync:?}");
            told += 1;
        }
        disk.remount("size=20m");
        let healed = world.run(&["sync"]).await;
        assert_eq!(healed.status, 0, "{kilobytes}: {healed:?}");
        hold(&world.state().await, &[], 0);
        let settled = world.run(&["sync"]).await;
        assert_eq!(settled.document["bookings"]["created"], 0, "{settled:?}");
    }
    assert!(told > 2, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the right to mount"]
async fn a_profile_that_may_only_be_read_is_read_and_every_writing_command_says_so() {
    let world = World::connected().await;
    assert_eq!(world.run(&["sync"]).await.status, 0);
    let disk = Disk::under(world.profile.path(), 40_000);
    disk.remount("ro");
    for words in
        [&["status"][..], &["calendars"], &["decisions"], &["history"], &["explain", "2026-11-27T10:00"]]
    {
        let read = world.run(words).await;
        assert_eq!(read.status, 0, "{words:?}: {read:?}");
    }
    for words in [&["sync"][..], &["import", "/dev/null"], &["disconnect", "google"]] {
        let refused = world.run(words).await;
        assert_eq!(
            (refused.status, &refused.error["code"]),
            (1, &"PROFILE_READ_ONLY".into()),
            "{words:?}: {refused:?}"
        );
    }
    disk.remount("rw");
    assert_eq!(world.run(&["sync"]).await.status, 0);
}
