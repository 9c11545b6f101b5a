//! The words of bubbles, in both languages. They may be read on a locked screen, so they name no customer and no event.

use sync::ids::Service;

use crate::words::Language;

pub struct Words {
    language: Language,
    pub decision_body: &'static str,
    pub colon: &'static str,
    pub connection: &'static str,
    pub first_sync: &'static str,
    pub first_sync_body: &'static str,
    pub no_tray: &'static str,
    pub no_tray_body: &'static str,
    pub blocked: &'static str,
    pub blocked_body: &'static str,
    pub not_blocked: &'static str,
    pub not_blocked_body: &'static str,
}

impl Words {
    #[must_use]
    pub fn decisions(&self, count: u32) -> String {
        match (self.language, count) {
            (Language::English, 1) => "A decision waits for you".to_owned(),
            (Language::English, many) => format!("{many} decisions wait for you"),
            (Language::French, 1) => "Une décision vous attend".to_owned(),
            (Language::French, many) => format!("{many} décisions vous attendent"),
        }
    }

    #[must_use]
    pub fn files(&self, count: usize) -> String {
        match (self.language, count) {
            (Language::English, 1) => "A calendar file was not taken in".to_owned(),
            (Language::English, many) => format!("{many} calendar files were not taken in"),
            (Language::French, 1) => "Un fichier de calendrier n’a pas été repris".to_owned(),
            (Language::French, many) => format!("{many} fichiers de calendrier n’ont pas été repris"),
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

#[must_use]
pub fn service(service: Service) -> &'static str {
    match service {
        Service::Google => "Google Calendar",
        Service::Outlook => "Outlook",
        Service::Caldav => "CalDAV",
        Service::Ics => "ICS",
    }
}

static ENGLISH: Words = Words {
    language: Language::English,
    decision_body: "Nothing changes until you decide.",
    colon: ":",
    connection: "Calendar Sync needs you",
    first_sync: "The first sync is done",
    first_sync_body: "Your bookings are in your calendar, and what fills it can no longer be booked.",
    no_tray: "Bookiji Companion stays in the task bar",
    no_tray_body: "This desktop shows no tray icons, so closing the window puts it there.",
    blocked: "Time blocked",
    blocked_body: "Nobody can book it.",
    not_blocked: "The time could not be blocked on Bookiji yet",
    not_blocked_body: "Open Bookiji Companion to see why.",
};

static FRENCH: Words = Words {
    language: Language::French,
    decision_body: "Rien ne change avant votre décision.",
    colon: "\u{a0}:",
    connection: "La synchronisation a besoin de vous",
    first_sync: "La première synchronisation est terminée",
    first_sync_body: "Vos réservations sont dans votre calendrier, et ce qui le remplit ne peut plus être réservé.",
    no_tray: "Bookiji Companion reste dans la barre des tâches",
    no_tray_body: "Ce bureau n’affiche pas d’icônes de notification\u{a0}: fermer la fenêtre l’y réduit.",
    blocked: "Temps bloqué",
    blocked_body: "Personne ne peut le réserver.",
    not_blocked: "Ce temps n’a pas encore pu être bloqué sur Bookiji",
    not_blocked_body: "Ouvrez Bookiji Companion pour savoir pourquoi.",
};
