//! The few words of the tray, in both languages. The window has its own, in `ui/src/messages`.

use companion::view::State;
use companion::words::Language;

pub struct Words {
    states: [&'static str; 6],
    pub not_started: &'static str,
    pub until: &'static str,
    pub decision: &'static str,
    pub decisions: &'static str,
    pub sample: &'static str,
    pub sync_now: &'static str,
    pub open: &'static str,
    pub quit: &'static str,
}

impl Words {
    #[must_use]
    pub fn state(&self, state: State) -> &'static str {
        let [up_to_date, syncing, paused, offline, needs_you, error] = self.states;
        match state {
            State::UpToDate => up_to_date,
            State::Syncing => syncing,
            State::Paused => paused,
            State::Offline => offline,
            State::NeedsYou => needs_you,
            State::Error => error,
        }
    }
}

#[must_use]
pub fn words(language: Language) -> &'static Words {
    match language {
        Language::English => &ENGLISH,
        Language::French => &FRENCH,
    }
}

static ENGLISH: Words = Words {
    states: ["Up to date", "Syncing", "Paused", "Can’t be reached", "Needs you", "Error"],
    not_started: "Not started",
    until: "until",
    decision: "decision",
    decisions: "decisions",
    sample: "Sample data",
    sync_now: "Sync Now",
    open: "Open",
    quit: "Quit",
};

static FRENCH: Words = Words {
    states: ["À jour", "Synchro en cours", "En pause", "Injoignable", "Besoin de vous", "Erreur"],
    not_started: "Pas commencé",
    until: "jusqu’à",
    decision: "décision",
    decisions: "décisions",
    sample: "Données d’exemple",
    sync_now: "Synchroniser",
    open: "Ouvrir",
    quit: "Quitter",
};
