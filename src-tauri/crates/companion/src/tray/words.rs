//! The few words of the tray, in both languages. The window has its own, in `ui/src/messages`.

use jiff::civil::Weekday;

use crate::view::State;
use crate::words::Language;

/// In which language the tray speaks, and how it writes a time of day: as the window does for the same locale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speech {
    pub language: Language,
    clock: Clock,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    /// 15:05
    Whole,
    /// 15 h 05
    Spelled,
    /// 3:05 PM, with the words for the halves of the day.
    Halves([&'static str; 2]),
}

impl From<Language> for Speech {
    fn from(language: Language) -> Self {
        Self { language, clock: Clock::Whole }
    }
}

impl Speech {
    /// The notation of the computer's locale counts where it is of that language.
    #[must_use]
    pub fn of(language: Language, locale: Option<&str>) -> Self {
        let mut parts = locale.unwrap_or_default().split(['-', '_', '.', '@']);
        let spoken = parts.next().unwrap_or_default().to_ascii_lowercase();
        let region = parts.find(|part| part.len() == 2).unwrap_or_default().to_ascii_uppercase();
        let clock = match (language, spoken.as_str(), region.as_str()) {
            (Language::English, "en", "" | "US" | "PH" | "PR") => Clock::Halves(["AM", "PM"]),
            (Language::English, "en", "CA") => Clock::Halves(["a.m.", "p.m."]),
            (Language::English, "en", "AU" | "NZ" | "IN" | "SG" | "MY" | "HK" | "PK") => {
                Clock::Halves(["am", "pm"])
            }
            (Language::French, "fr", "CA") => Clock::Spelled,
            _ => Clock::Whole,
        };
        Self { language, clock }
    }

    #[must_use]
    pub fn time(self, hour: i8, minute: i8) -> String {
        match self.clock {
            Clock::Whole => format!("{hour:02}:{minute:02}"),
            Clock::Spelled => format!("{hour:02}\u{a0}h\u{a0}{minute:02}"),
            Clock::Halves([before_noon, after_noon]) => {
                let half = if hour < 12 { before_noon } else { after_noon };
                let hour = if hour % 12 == 0 { 12 } else { hour % 12 };
                format!("{hour}:{minute:02}\u{a0}{half}")
            }
        }
    }
}

pub struct Words {
    language: Language,
    states: [&'static str; 6],
    weekdays: [&'static str; 7],
    months: [&'static str; 12],
    pub not_started: &'static str,
    pub silent: &'static str,
    pub just_now: &'static str,
    pub until: &'static str,
    pub sample: &'static str,
    pub colon: &'static str,
    pub next: &'static str,
    pub no_booking: &'static str,
    pub no_account: &'static str,
    pub sync_now: &'static str,
    pub pause: &'static str,
    pub pause_all: &'static str,
    pub pause_one_hour: &'static str,
    pub pause_until_tomorrow: &'static str,
    pub pause_until_resumed: &'static str,
    pub resume: &'static str,
    pub block: &'static str,
    pub block_for: &'static str,
    pub block_half_hour: &'static str,
    pub block_rest_of_day: &'static str,
    pub import_files: &'static str,
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

    #[must_use]
    pub fn minutes_ago(&self, minutes: i64) -> String {
        match self.language {
            Language::English => format!("{minutes} min ago"),
            Language::French => format!("il y a {minutes}\u{a0}min"),
        }
    }

    #[must_use]
    pub fn waiting(&self, decisions: u32) -> String {
        match (self.language, decisions) {
            (Language::English, 0) => "No decisions waiting".to_owned(),
            (Language::English, 1) => "1 decision waiting".to_owned(),
            (Language::English, many) => format!("{many} decisions waiting"),
            (Language::French, 0) => "Aucune décision en attente".to_owned(),
            (Language::French, 1) => "1 décision en attente".to_owned(),
            (Language::French, many) => format!("{many} décisions en attente"),
        }
    }

    #[must_use]
    pub fn weekday(&self, day: Weekday) -> &'static str {
        let index = usize::try_from(day.to_monday_zero_offset()).unwrap_or_default();
        self.weekdays.get(index).copied().unwrap_or_default()
    }

    #[must_use]
    pub fn day(&self, month: i8, day: i8) -> String {
        let index = usize::try_from(month - 1).unwrap_or_default();
        format!("{day} {}", self.months.get(index).copied().unwrap_or_default())
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
    language: Language::English,
    states: ["Up to date", "Syncing", "Paused", "Can’t be reached", "Needs you", "Error"],
    weekdays: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    months: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    not_started: "Not started",
    silent: "Not responding",
    just_now: "just now",
    until: "until",
    sample: "Sample data",
    colon: ":",
    next: "Next:",
    no_booking: "No bookings in the next 7 days",
    no_account: "Open the window to begin",
    sync_now: "Sync Now",
    pause: "Pause",
    pause_all: "Pause for everybody",
    pause_one_hour: "For 1 hour",
    pause_until_tomorrow: "Until tomorrow",
    pause_until_resumed: "Until I resume",
    resume: "Resume",
    block: "Block Time",
    block_for: "Block Time for",
    block_half_hour: "Next 30 minutes",
    block_rest_of_day: "Rest of the day",
    import_files: "Import ICS…",
    open: "Open Bookiji Companion",
    quit: "Quit",
};

static FRENCH: Words = Words {
    language: Language::French,
    states: ["À jour", "Synchro en cours", "En pause", "Injoignable", "Besoin de vous", "Erreur"],
    weekdays: ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."],
    months: [
        "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.",
    ],
    not_started: "Pas commencé",
    silent: "Ne répond plus",
    just_now: "à l’instant",
    until: "jusqu’à",
    sample: "Données d’exemple",
    colon: "\u{a0}:",
    next: "Prochaine\u{a0}:",
    no_booking: "Aucune réservation dans les 7 jours",
    no_account: "Ouvrez la fenêtre pour commencer",
    sync_now: "Synchroniser",
    pause: "Mettre en pause",
    pause_all: "Mettre tout en pause",
    pause_one_hour: "Pendant 1 heure",
    pause_until_tomorrow: "Jusqu’à demain",
    pause_until_resumed: "Jusqu’à la reprise",
    resume: "Reprendre",
    block: "Bloquer du temps",
    block_for: "Bloquer du temps pour",
    block_half_hour: "30 prochaines minutes",
    block_rest_of_day: "Le reste de la journée",
    import_files: "Importer un fichier ICS…",
    open: "Ouvrir Bookiji Companion",
    quit: "Quitter",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_the_window_writes_it() {
        let check = |language, locale: Option<&str>, early: &str, late: &str| {
            let speech = Speech::of(language, locale);
            let said = [speech.time(0, 5), speech.time(15, 30)].map(|time| time.replace('\u{a0}', " "));
            assert_eq!(said, [early, late], "{language:?} {locale:?}");
        };
        check(Language::English, Some("en-US"), "12:05 AM", "3:30 PM");
        check(Language::English, Some("en_US.UTF-8"), "12:05 AM", "3:30 PM");
        check(Language::English, Some("en-CA"), "12:05 a.m.", "3:30 p.m.");
        check(Language::English, Some("en-AU"), "12:05 am", "3:30 pm");
        check(Language::English, Some("en-GB"), "00:05", "15:30");
        check(Language::French, Some("fr-CA"), "00 h 05", "15 h 30");
        check(Language::French, Some("fr-FR"), "00:05", "15:30");
        // Her own choice of language, on a computer that speaks another.
        check(Language::English, Some("fr-CA"), "00:05", "15:30");
        check(Language::French, Some("en-US"), "00:05", "15:30");
        check(Language::English, None, "00:05", "15:30");
    }
}
