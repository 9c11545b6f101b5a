//! How far a run, or what else takes long, has come, for whoever watches it. Counts, and decides nothing.

use std::sync::atomic::{AtomicU32, Ordering};

/// Counted by the run, looked at by somebody else meanwhile.
#[derive(Debug, Default)]
pub struct Progress {
    read: AtomicU32,
    to_read: AtomicU32,
    written: AtomicU32,
    to_write: AtomicU32,
}

/// What was counted until now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Calendars, or files that are taken in.
    pub read: u32,
    pub to_read: u32,
    /// Events of bookings in her calendars, or what else is taken back.
    pub written: u32,
    pub to_write: u32,
}

impl Progress {
    /// What an earlier run counted is none of the next one's, which asks for a session before it reads anything.
    pub fn clear(&self) {
        for number in [&self.read, &self.to_read, &self.written, &self.to_write] {
            set(number, 0);
        }
    }

    /// So many calendars or files may be read.
    pub fn begins(&self, calendars: usize) {
        self.clear();
        set(&self.to_read, calendars);
    }

    pub fn has_read(&self) {
        self.read.fetch_add(1, Ordering::Relaxed);
    }

    /// So many events are still to be written, as it is planned now.
    pub(crate) fn plans(&self, events: usize) {
        set(&self.to_write, self.written.load(Ordering::Relaxed) as usize + events);
    }

    pub(crate) fn has_written(&self) {
        self.written.fetch_add(1, Ordering::Relaxed);
    }

    #[must_use]
    pub fn counted(&self) -> Counted {
        let [read, to_read, written, to_write] =
            [&self.read, &self.to_read, &self.written, &self.to_write].map(|n| n.load(Ordering::Relaxed));
        Counted { read: read.min(to_read), to_read, written: written.min(to_write), to_write }
    }
}

fn set(number: &AtomicU32, to: usize) {
    number.store(u32::try_from(to).unwrap_or(u32::MAX), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_an_earlier_run_is_told_and_what_is_planned_anew_comes_on_top_of_what_is_written() {
        let progress = Progress::default();
        progress.begins(2);
        progress.has_read();
        progress.plans(3);
        progress.has_written();
        progress.plans(1);
        assert_eq!(progress.counted(), Counted { read: 1, to_read: 2, written: 1, to_write: 2 });
        progress.clear();
        assert_eq!(progress.counted(), Counted::default());
    }
}
