//! What she is told while she does not look: a decision that waits, a connection that needs her, a file that was refused,
//! the first sync that is done. Compares two overviews. Pure; sends nothing.

mod words;

use jiff::Timestamp;

use crate::place::Place;
use crate::settings::NotificationSettings;
use crate::view::{ConnectionView, FileState, Overview, State};
use crate::words::Language;

/// One bubble. A newer one of the same kind takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    pub kind: Kind,
    pub title: String,
    pub body: String,
    /// What a click on it opens.
    pub place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Decision,
    Connection,
    File,
    FirstSync,
    /// This desktop has no tray.
    NoTray,
    /// The time that she blocked from the tray.
    Blocked,
}

impl Notification {
    /// As it is told where several vendors share the computer: with her name first.
    #[must_use]
    pub fn of(self, whose: Option<&str>) -> Self {
        match whose {
            Some(name) => Self { title: format!("{name} · {}", self.title), ..self },
            None => self,
        }
    }
}

/// What is to be told of the way from `before` to `after`. Nothing at all while she wants quiet: what happens meanwhile is
/// told afterwards, if `before` is kept until then.
#[must_use]
pub fn notifications(
    before: &Overview,
    after: &Overview,
    settings: &NotificationSettings,
    now: Timestamp,
    language: Language,
) -> Option<Vec<Notification>> {
    if !settings.on {
        return Some(Vec::new());
    }
    if !settings.may_tell_at(now.to_zoned(after.zone()).time()) {
        return None;
    }
    // Made-up events are no news, and what nothing was known of before was there all the time.
    if after.sample || before.sample || before.vendor.is_none() || after.vendor != before.vendor {
        return Some(Vec::new());
    }
    let words = words::words(language);
    let told = [
        decisions(before, after).map(|count| Notification {
            kind: Kind::Decision,
            title: words.decisions(count),
            body: words.decision_body.to_owned(),
            place: Place::Decisions,
        }),
        needing(before, after, language).map(|body| Notification {
            kind: Kind::Connection,
            title: words.connection.to_owned(),
            body,
            place: Place::Sync,
        }),
        refused(before, after).map(|names| Notification {
            kind: Kind::File,
            title: words.files(names.len()),
            body: names.join("\n"),
            place: Place::Files,
        }),
        first_sync(before, after).then(|| Notification {
            kind: Kind::FirstSync,
            title: words.first_sync.to_owned(),
            body: words.first_sync_body.to_owned(),
            place: Place::Week,
        }),
    ];
    Some(told.into_iter().flatten().collect())
}

/// That this desktop shows no tray, and where the app is to be found instead.
#[must_use]
pub fn no_tray(language: Language) -> Notification {
    let words = words::words(language);
    Notification {
        kind: Kind::NoTray,
        title: words.no_tray.to_owned(),
        body: words.no_tray_body.to_owned(),
        place: Place::Week,
    }
}

/// What came of blocking time from the tray, where nothing else would show it.
#[must_use]
pub fn blocked(done: bool, language: Language) -> Notification {
    let words = words::words(language);
    let (title, body) =
        if done { (words.blocked, words.blocked_body) } else { (words.not_blocked, words.not_blocked_body) };
    Notification { kind: Kind::Blocked, title: title.to_owned(), body: body.to_owned(), place: Place::Week }
}

/// How many wait, if one of them is new.
fn decisions(before: &Overview, after: &Overview) -> Option<u32> {
    let known = |id: &str| before.cards.iter().any(|card| card.presses && card.id == id);
    let new = after.cards.iter().any(|card| card.presses && !known(&card.id));
    (new && after.decisions > 0).then_some(after.decisions)
}

/// What is wrong with the accounts that need her and did not before, each sentence once.
fn needing(before: &Overview, after: &Overview, language: Language) -> Option<String> {
    let needs = |connection: &&ConnectionView| connection.state == State::NeedsYou;
    let needed = |id: &str| before.connections.iter().filter(needs).any(|other| other.id == id);
    let mut told: Vec<String> = Vec::new();
    for connection in after.connections.iter().filter(needs).filter(|one| !needed(&one.id)) {
        let Some(problem) = &connection.problem else { continue };
        let name = words::service(connection.service);
        let said = crate::words::words(problem.code, language).plain;
        told.push(format!("{name}{} {said}", words::words(language).colon));
    }
    // What stops every run is said as Bookiji's, which it nearly always is.
    let all = |overview: &Overview| {
        let own = overview.problem.as_ref().map(|problem| problem.code);
        let of_a_connection = |code| {
            overview.connections.iter().any(|one| one.problem.as_ref().is_some_and(|p| p.code == code))
        };
        own.filter(|code| State::of_code(*code) == State::NeedsYou && !of_a_connection(*code))
    };
    if let Some(code) = all(after).filter(|code| all(before) != Some(*code)) {
        told.push(crate::words::words(code, language).plain.to_owned());
    }
    told.dedup();
    (!told.is_empty()).then(|| told.join("\n"))
}

/// The names of files that were refused since, the newest first. Those of before a restart were told then.
fn refused(before: &Overview, after: &Overview) -> Option<Vec<String>> {
    let names: Vec<String> = after
        .files
        .iter()
        .filter(|file| file.outcome == FileState::Rejected && file.at >= before.now)
        .filter(|file| !before.files.contains(file))
        .map(|file| file.name.clone())
        .collect();
    (!names.is_empty()).then_some(names)
}

fn first_sync(before: &Overview, after: &Overview) -> bool {
    before.last_sync_at.is_none() && after.last_sync_at.is_some() && !after.connections.is_empty()
}

#[cfg(test)]
mod tests;
