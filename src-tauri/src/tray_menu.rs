//! What the tray shows in each state, as plain data. Draws nothing.

use companion::view::{Overview, State};
use companion::words::Language;
use jiff::tz::TimeZone;

use crate::tray_words::{self, Words};

/// All that the tray knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrayState {
    pub state: State,
    /// Somebody is signed in and something is connected.
    pub started: bool,
    /// When it last went well, on her clock.
    pub last_synced: Option<String>,
    pub paused_until: Option<String>,
    pub decisions: u32,
    pub syncing: bool,
    pub sample: bool,
}

/// What choosing an item does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    SyncNow,
    Open,
    Quit,
}

impl Choice {
    pub const ALL: [Self; 3] = [Self::SyncNow, Self::Open, Self::Quit];

    /// The item's name inside the menu.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::SyncNow => "sync-now",
            Self::Open => "open",
            Self::Quit => "quit",
        }
    }

    #[must_use]
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.id() == id)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Text alone: on Linux a tray has no tooltip, so the state is said here.
    Status(String),
    Separator,
    Choice {
        choice: Choice,
        text: String,
        enabled: bool,
    },
}

impl TrayState {
    #[must_use]
    pub fn of(overview: &Overview) -> Self {
        let zone = overview
            .vendor
            .as_ref()
            .and_then(|vendor| TimeZone::get(&vendor.time_zone).ok())
            .unwrap_or(TimeZone::UTC);
        let now = overview.now.to_zoned(zone.clone());
        let clock = |at: jiff::Timestamp| {
            let at = at.to_zoned(zone.clone());
            let format = if at.date() == now.date() { "%H:%M" } else { "%d.%m. %H:%M" };
            at.strftime(format).to_string()
        };
        Self {
            state: overview.state,
            started: overview.vendor.is_some() && !overview.connections.is_empty(),
            last_synced: overview.last_sync_at.map(clock),
            paused_until: overview.paused_until.map(clock),
            decisions: overview.decisions,
            syncing: overview.syncing,
            sample: overview.sample,
        }
    }
}

/// The menu, top to bottom.
#[must_use]
pub fn menu(tray: &TrayState, language: Language) -> Vec<Item> {
    let words = tray_words::words(language);
    let choice = |choice, text: &str, enabled| Item::Choice { choice, text: text.to_owned(), enabled };
    vec![
        Item::Status(status(tray, words)),
        Item::Separator,
        choice(Choice::SyncNow, words.sync_now, tray.started && !tray.syncing),
        choice(Choice::Open, words.open, true),
        Item::Separator,
        choice(Choice::Quit, words.quit, true),
    ]
}

/// One line, such as "Up to date · 11:38".
fn status(tray: &TrayState, words: &Words) -> String {
    let state = if tray.started { words.state(tray.state) } else { words.not_started };
    let detail = match (&tray.paused_until, tray.decisions, &tray.last_synced) {
        (Some(until), _, _) => Some(format!("{} {until}", words.until)),
        (None, 0, last) => last.clone(),
        (None, 1, _) => Some(format!("1 {}", words.decision)),
        (None, many, _) => Some(format!("{many} {}", words.decisions)),
    };
    let sample = tray.sample.then(|| words.sample.to_owned());
    let parts = [Some(state.to_owned()), detail.filter(|_| tray.started), sample];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well() -> TrayState {
        TrayState {
            state: State::UpToDate,
            started: true,
            last_synced: Some("11:38".into()),
            paused_until: None,
            decisions: 0,
            syncing: false,
            sample: false,
        }
    }

    #[track_caller]
    fn check(tray: TrayState, status: &str, can_sync: bool) {
        let menu = menu(&tray, Language::English);
        assert_eq!(menu[0], Item::Status(status.into()));
        assert!(menu.contains(&Item::Choice {
            choice: Choice::SyncNow,
            text: "Sync Now".into(),
            enabled: can_sync
        }));
    }

    #[test]
    fn the_first_line_says_the_state_and_the_time() {
        check(well(), "Up to date · 11:38", true);
        check(TrayState { state: State::Syncing, syncing: true, ..well() }, "Syncing · 11:38", false);
        check(TrayState { state: State::Offline, ..well() }, "Can’t be reached · 11:38", true);
        check(TrayState { state: State::NeedsYou, decisions: 1, ..well() }, "Needs you · 1 decision", true);
        check(TrayState { state: State::NeedsYou, decisions: 3, ..well() }, "Needs you · 3 decisions", true);
        check(
            TrayState { state: State::Paused, paused_until: Some("12:40".into()), ..well() },
            "Paused · until 12:40",
            true,
        );
        check(TrayState { sample: true, ..well() }, "Up to date · 11:38 · Sample data", true);
    }

    #[test]
    fn nothing_can_be_synced_before_somebody_has_signed_in() {
        check(TrayState { state: State::Paused, started: false, ..well() }, "Not started", false);
    }

    #[test]
    fn opening_and_quitting_are_always_possible() {
        for state in State::ALL {
            for language in [Language::English, Language::French] {
                let menu = menu(&TrayState { state, ..well() }, language);
                let enabled = |wanted| {
                    menu.iter().any(|item| matches!(item, Item::Choice { choice, enabled: true, .. } if *choice == wanted))
                };
                assert!(enabled(Choice::Open) && enabled(Choice::Quit), "{state:?}");
            }
        }
    }

    #[test]
    fn every_state_has_a_line_of_its_own_in_both_languages() {
        for language in [Language::English, Language::French] {
            let lines: std::collections::BTreeSet<_> = State::ALL
                .into_iter()
                .map(|state| format!("{:?}", menu(&TrayState { state, ..well() }, language)[0]))
                .collect();
            assert_eq!(lines.len(), State::ALL.len());
        }
    }

    #[test]
    fn an_item_is_found_again_by_its_name() {
        for choice in Choice::ALL {
            assert_eq!(Choice::of_id(choice.id()), Some(choice));
        }
        assert_eq!(Choice::of_id("status"), None);
    }
}
