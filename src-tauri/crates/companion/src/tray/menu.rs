//! The menu, top to bottom. It has the same items in every state, because on Linux a menu that was set can only change
//! its texts.

use crate::view::{BlockForm, PauseForm, State};
use crate::words::Language;

use super::words::{self, Words};
use super::{Ago, TrayState};

/// What choosing an item does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    SyncNow,
    Pause(PauseForm),
    Resume,
    Block(BlockForm),
    Decisions,
    ImportFiles,
    Open,
    Quit,
}

impl Choice {
    pub const ALL: [Self; 11] = [
        Self::SyncNow,
        Self::Pause(PauseForm::OneHour),
        Self::Pause(PauseForm::UntilTomorrow),
        Self::Pause(PauseForm::UntilResumed),
        Self::Resume,
        Self::Block(BlockForm::HalfHour),
        Self::Block(BlockForm::RestOfDay),
        Self::Decisions,
        Self::ImportFiles,
        Self::Open,
        Self::Quit,
    ];

    /// The item's name inside the menu.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::SyncNow => "sync-now",
            Self::Pause(PauseForm::OneHour) => "pause-one-hour",
            Self::Pause(PauseForm::UntilTomorrow) => "pause-until-tomorrow",
            Self::Pause(PauseForm::UntilResumed) => "pause-until-resumed",
            Self::Resume => "resume",
            Self::Block(BlockForm::HalfHour) => "block-half-hour",
            Self::Block(BlockForm::RestOfDay) => "block-rest-of-day",
            Self::Decisions => "decisions",
            Self::ImportFiles => "import-files",
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
    Text {
        id: &'static str,
        text: String,
    },
    Separator,
    Choice {
        choice: Choice,
        text: String,
        enabled: bool,
    },
    Submenu {
        id: &'static str,
        text: String,
        enabled: bool,
        items: Vec<Self>,
    },
}

#[must_use]
pub fn menu(tray: &TrayState, language: Language) -> Vec<Item> {
    let words = words::words(language);
    let choice = |choice, text: &str, enabled| Item::Choice { choice, text: text.to_owned(), enabled };
    let submenu =
        |id, text: &str, enabled, items| Item::Submenu { id, text: text.to_owned(), enabled, items };
    let pause = |form, text| choice(Choice::Pause(form), text, true);
    let block = |form, text| choice(Choice::Block(form), text, true);
    let block_whose = match &tray.blocks_for {
        Some(name) => format!("{} {name}", words.block_for),
        None => words.block.to_owned(),
    };
    let next = match (&tray.next_booking, tray.started) {
        (Some(booking), _) => format!("{} {booking}", words.next),
        (None, true) => words.no_booking.to_owned(),
        (None, false) => words.no_account.to_owned(),
    };
    vec![
        Item::Text { id: "status", text: status(tray, words) },
        Item::Text { id: "next", text: next },
        Item::Separator,
        choice(Choice::SyncNow, words.sync_now, tray.started && !tray.syncing),
        submenu(
            "pause",
            if tray.several { words.pause_all } else { words.pause },
            tray.started,
            vec![
                pause(PauseForm::OneHour, words.pause_one_hour),
                pause(PauseForm::UntilTomorrow, words.pause_until_tomorrow),
                pause(PauseForm::UntilResumed, words.pause_until_resumed),
                Item::Separator,
                choice(Choice::Resume, words.resume, tray.paused),
            ],
        ),
        submenu(
            "block",
            &block_whose,
            tray.started,
            vec![
                block(BlockForm::HalfHour, words.block_half_hour),
                block(BlockForm::RestOfDay, words.block_rest_of_day),
            ],
        ),
        Item::Separator,
        choice(Choice::Decisions, &words.waiting(tray.decisions), tray.decisions > 0),
        choice(Choice::ImportFiles, words.import_files, tray.started),
        Item::Separator,
        choice(Choice::Open, words.open, true),
        choice(Choice::Quit, words.quit, true),
    ]
}

/// What a pointer that rests on the icon is told, where that is possible.
#[must_use]
pub fn tooltip(tray: &TrayState, language: Language) -> String {
    format!("Bookiji · {}", status(tray, words::words(language)))
}

/// One line, such as "Up to date · 2 min ago".
fn status(tray: &TrayState, words: &Words) -> String {
    let state = match (tray.started, tray.silent) {
        (false, _) => words.not_started,
        (true, true) => words.silent,
        (true, false) => words.state(tray.state),
    };
    let last = tray.last_synced.as_ref().map(|ago| match ago {
        Ago::Now => words.just_now.to_owned(),
        Ago::Minutes(minutes) => words.minutes_ago(*minutes),
        Ago::At(clock) => clock.clone(),
    });
    let detail = match (tray.state, &tray.paused_until) {
        (State::Paused, Some(until)) => Some(format!("{} {until}", words.until)),
        (State::Paused, None) if tray.paused => None,
        (
            State::UpToDate
            | State::Syncing
            | State::Paused
            | State::Offline
            | State::NeedsYou
            | State::Error,
            _,
        ) => last,
    };
    let state = match &tray.whose {
        Some(name) => format!("{name}{} {state}", words.colon),
        None => state.to_owned(),
    };
    let sample = tray.sample.then(|| words.sample.to_owned());
    let parts = [Some(state), detail.filter(|_| tray.started), sample];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well() -> TrayState {
        TrayState {
            state: State::UpToDate,
            started: true,
            silent: false,
            last_synced: Some(Ago::Minutes(2)),
            paused: false,
            paused_until: None,
            next_booking: None,
            decisions: 0,
            syncing: false,
            sample: false,
            whose: None,
            blocks_for: None,
            several: false,
        }
    }

    /// One line an item; what cannot be chosen in brackets.
    fn drawn(items: &[Item]) -> Vec<String> {
        let shown = |text: &str, enabled: bool| {
            if enabled { text.to_owned() } else { format!("[{text}]") }
        };
        items
            .iter()
            .flat_map(|item| match item {
                Item::Text { text, .. } => vec![shown(text, false)],
                Item::Separator => vec!["-".to_owned()],
                Item::Choice { text, enabled, .. } => vec![shown(text, *enabled)],
                Item::Submenu { text, enabled, items, .. } => {
                    let inside = drawn(items).into_iter().map(|line| format!("> {line}"));
                    [shown(text, *enabled)].into_iter().chain(inside).collect()
                }
            })
            .collect()
    }

    #[test]
    fn on_a_good_day_the_menu_says_so_and_offers_everything() {
        let tray = TrayState { next_booking: Some("14:00 · Colour · Camille Roy".into()), ..well() };
        assert_eq!(
            drawn(&menu(&tray, Language::English)),
            [
                "[Up to date · 2 min ago]",
                "[Next: 14:00 · Colour · Camille Roy]",
                "-",
                "Sync Now",
                "Pause",
                "> For 1 hour",
                "> Until tomorrow",
                "> Until I resume",
                "> -",
                "> [Resume]",
                "Block Time",
                "> Next 30 minutes",
                "> Rest of the day",
                "-",
                "[No decisions waiting]",
                "Import ICS…",
                "-",
                "Open Bookiji Companion",
                "Quit",
            ]
        );
    }

    #[track_caller]
    fn check(tray: TrayState, line: &str) {
        assert_eq!(drawn(&menu(&tray, Language::English))[0], format!("[{line}]"));
    }

    #[test]
    fn the_first_line_says_the_state_and_since_when() {
        check(TrayState { last_synced: Some(Ago::Now), ..well() }, "Up to date · just now");
        check(TrayState { last_synced: Some(Ago::At("11:38".into())), ..well() }, "Up to date · 11:38");
        check(TrayState { state: State::Syncing, syncing: true, ..well() }, "Syncing · 2 min ago");
        check(TrayState { state: State::Offline, ..well() }, "Can’t be reached · 2 min ago");
        check(TrayState { state: State::NeedsYou, decisions: 1, ..well() }, "Needs you · 2 min ago");
        check(TrayState { sample: true, ..well() }, "Up to date · 2 min ago · Sample data");
        check(TrayState { state: State::NeedsYou, silent: true, ..well() }, "Not responding · 2 min ago");
        let paused = TrayState { state: State::Paused, paused: true, ..well() };
        check(TrayState { paused_until: Some("12:40".into()), ..paused.clone() }, "Paused · until 12:40");
        check(paused, "Paused");
    }

    #[test]
    fn before_somebody_has_signed_in_only_opening_and_quitting_is_possible() {
        let tray = TrayState { state: State::Paused, started: false, last_synced: None, ..well() };
        let drawn = drawn(&menu(&tray, Language::English));
        assert_eq!(drawn[..2], ["[Not started]", "[Open the window to begin]"]);
        let possible: Vec<&String> = drawn.iter().filter(|line| !line.starts_with(['[', '-', '>'])).collect();
        assert_eq!(possible, ["Open Bookiji Companion", "Quit"]);
    }

    #[test]
    fn decisions_are_counted_and_a_pause_can_be_ended() {
        let tray = TrayState { state: State::NeedsYou, decisions: 3, paused: true, ..well() };
        let drawn = drawn(&menu(&tray, Language::French));
        assert!(drawn.contains(&"3 décisions en attente".to_owned()), "{drawn:?}");
        assert!(drawn.contains(&"> Reprendre".to_owned()), "{drawn:?}");
    }

    #[test]
    fn the_menu_has_the_same_items_in_every_state() {
        fn shape(items: &[Item]) -> Vec<String> {
            let one = |item: &Item| match item {
                Item::Text { id, .. } => vec![(*id).to_owned()],
                Item::Separator => vec!["-".to_owned()],
                Item::Choice { choice, .. } => vec![choice.id().to_owned()],
                Item::Submenu { id, items, .. } => {
                    [(*id).to_owned()].into_iter().chain(shape(items)).collect()
                }
            };
            items.iter().flat_map(one).collect()
        }
        let usual = shape(&menu(&well(), Language::English));
        for state in State::ALL {
            for started in [true, false] {
                let tray = TrayState { state, started, decisions: 2, paused: true, ..well() };
                assert_eq!(shape(&menu(&tray, Language::French)), usual, "{state:?}");
            }
        }
    }

    #[test]
    fn every_state_has_a_line_of_its_own_in_both_languages() {
        for language in [Language::English, Language::French] {
            let line = |state| drawn(&menu(&TrayState { state, ..well() }, language))[0].clone();
            let lines: std::collections::BTreeSet<_> = State::ALL.into_iter().map(line).collect();
            assert_eq!(lines.len(), State::ALL.len());
        }
    }

    #[test]
    fn every_item_is_found_again_by_its_name() {
        for choice in Choice::ALL {
            assert_eq!(Choice::of_id(choice.id()), Some(choice));
        }
        assert_eq!(Choice::of_id("status"), None);
    }
}
