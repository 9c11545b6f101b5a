//! What each code means to a person, in her language: plain words, the usual cause, and one next step. The only such
//! table; the window and the command both read it.

use serde::{Deserialize, Serialize};
use sync::error::Code;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Language {
    #[default]
    #[serde(rename = "en")]
    English,
    #[serde(rename = "fr")]
    French,
}

impl Language {
    /// What the environment of this process says.
    #[must_use]
    pub fn of_system() -> Self {
        let system = ["LC_ALL", "LC_MESSAGES", "LANG"].map(|name| std::env::var(name).ok());
        Self::pick(None, [system[0].as_deref(), system[1].as_deref(), system[2].as_deref()])
    }

    /// What she set, or else what the system says (`LC_ALL`, `LC_MESSAGES`, `LANG`, in that order), or else English.
    #[must_use]
    pub fn pick(set: Option<Self>, system: [Option<&str>; 3]) -> Self {
        set.unwrap_or_else(|| match system.into_iter().flatten().find(|value| !value.is_empty()) {
            Some(value) if value.to_ascii_lowercase().starts_with("fr") => Self::French,
            Some(_) | None => Self::English,
        })
    }
}

/// What one code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    pub plain: &'static str,
    pub cause: &'static str,
    pub next_step: &'static str,
}

const fn say(plain: &'static str, cause: &'static str, next_step: &'static str) -> Words {
    Words { plain, cause, next_step }
}

#[must_use]
pub fn words(code: Code, language: Language) -> Words {
    match language {
        Language::English => english(code),
        Language::French => french(code),
    }
}

fn english(code: Code) -> Words {
    match code {
        Code::OauthTokenExpired => say(
            "The sign-in is no longer accepted.",
            "It expired, or permission was withdrawn in the account's own settings.",
            "Sign in again: `companion connect google`, `connect outlook` or `connect caldav` for a calendar, `companion login` for Bookiji.",
        ),
        Code::CalendarApiError => say(
            "A service answered in a way that could not be used.",
            "It is having trouble, or something between it and this computer changed the answer.",
            "Nothing is lost. Try again in a few minutes; if it stays, run `companion doctor`.",
        ),
        Code::RateLimitExceeded => say(
            "A service asks us to slow down.",
            "Too many requests were made in a short time.",
            "Wait a few minutes: the next sync carries on by itself.",
        ),
        Code::NetworkError => say(
            "A service cannot be reached.",
            "This computer is offline, or the service is down.",
            "Check the internet connection, then sync again.",
        ),
        Code::InvalidIcsFormat => say(
            "This is not a calendar file.",
            "It is damaged, or it is another kind of file.",
            "Export the calendar again as an .ics file and use that one; open a calendar link in a browser to see what it gives.",
        ),
        Code::ConflictDetected => say(
            "Something changed on both sides.",
            "The event or booking was edited somewhere else at the same moment.",
            "Sync again; if it stays, open the event and choose what should stand.",
        ),
        Code::InvalidCredentials => say(
            "E-mail or password is wrong.",
            "Bookiji does not know this pair.",
            "Check both and sign in again, or reset the password on bookiji.com.",
        ),
        Code::NotSignedIn => say(
            "Nobody is signed in to Bookiji here.",
            "This profile has not been signed in yet, or was signed out.",
            "Sign in: `companion login --email YOU@EXAMPLE.COM`.",
        ),
        Code::NotConnected => say(
            "No such calendar is connected.",
            "No account has been connected yet, or the name is another one.",
            "Connect an account with `companion connect google`, `connect outlook` or `connect caldav`, or see what there is with `companion calendars`.",
        ),
        Code::PermissionDenied => say(
            "The account does not allow this.",
            "A permission was not ticked at sign-in, or the calendar is read-only.",
            "Connect the account again and tick every permission, or choose another calendar.",
        ),
        Code::ProfileNotLinked => say(
            "Bookiji has not linked your profile with your sign-in.",
            "Your profile has another id there than your sign-in, so Bookiji shows nobody your bookings over this door.",
            "Write to Bookiji's support and ask that your profile gets the id of your sign-in; nothing else helps.",
        ),
        Code::SyncSwitchedOff => say(
            "Bookiji has switched calendar sync off for now.",
            "Bookiji can pause it for everyone or for one account.",
            "Nothing to do: sync starts again by itself when it is switched on.",
        ),
        Code::KeychainUnavailable => say(
            "The keychain cannot be opened.",
            "It is locked, not running, or this machine has none.",
            "Unlock it and try again; on a machine without one, set `[vault] kind = \"passphrase-file\"` in settings.toml.",
        ),
        Code::SettingsInvalid => say(
            "The settings cannot be used.",
            "settings.toml holds something the app does not understand.",
            "Correct the line that is named; the file has been left as it is.",
        ),
        Code::DatabaseTooNew => say(
            "This profile belongs to a newer version of the app.",
            "A newer version has opened it before.",
            "Update the app, or use another profile with `--profile`.",
        ),
        Code::DatabaseError => say(
            "The local database failed.",
            "The disk failed, or another program holds the file.",
            "Try again; if it stays, check the disk and run `companion doctor`.",
        ),
        Code::DatabaseDamaged => say(
            "The local database is damaged.",
            "The disk failed, the computer lost power, or another program wrote to the file.",
            "Run `companion sync`: the file is set aside and a new one is built from Bookiji and your calendars.",
        ),
        Code::DiskFull => say(
            "The disk is full.",
            "Nothing more can be written down, so nothing more is changed anywhere.",
            "Free some disk space, then sync again: it carries on where it stopped.",
        ),
        Code::ProfileReadOnly => say(
            "The profile may only be read.",
            "The disk was mounted read-only, or the folder belongs to somebody else.",
            "Make the folder writable, or name another one with `--profile`.",
        ),
        Code::ClockWrong => say(
            "The clock of this computer is wrong.",
            "It differs from the clocks of Bookiji and the calendars, which are right.",
            "Set the clock of this computer, best by switching its automatic time on.",
        ),
        Code::AlreadyRunning => say(
            "Another Companion is using this profile.",
            "The app, or another command, is running with it.",
            "Use the running app, or quit it and try again.",
        ),
        Code::InvalidInput => say(
            "Something in the command cannot be used.",
            "A value has the wrong form or names something that does not exist.",
            "Correct what is named and try again; `companion help` lists what there is.",
        ),
        Code::SignInCancelled => say(
            "The sign-in was not finished.",
            "The page was closed, permission was declined, or it took too long.",
            "Start again and finish the sign-in in the browser.",
        ),
        Code::Stopped => say(
            "You stopped this.",
            "What was done by then stays done, and nothing is lost.",
            "Ask for it again when you like: it goes on from there.",
        ),
        Code::Internal => say(
            "Something went wrong inside the app.",
            "This is a fault of ours.",
            "Try again; if it stays, report it with the last lines of logs/companion.log.",
        ),
    }
}

fn french(code: Code) -> Words {
    match code {
        Code::OauthTokenExpired => say(
            "La connexion n’est plus acceptée.",
            "Elle a expiré, ou l’autorisation a été retirée dans les réglages du compte.",
            "Reconnectez-vous : `companion connect google`, `connect outlook` ou `connect caldav` pour un calendrier, `companion login` pour Bookiji.",
        ),
        Code::CalendarApiError => say(
            "Un service a donné une réponse inutilisable.",
            "Il a des difficultés, ou quelque chose entre lui et cet ordinateur a modifié la réponse.",
            "Rien n’est perdu. Réessayez dans quelques minutes ; si cela persiste, lancez `companion doctor`.",
        ),
        Code::RateLimitExceeded => say(
            "Un service nous demande de ralentir.",
            "Trop de demandes ont été faites en peu de temps.",
            "Attendez quelques minutes : la prochaine synchronisation reprendra d’elle-même.",
        ),
        Code::NetworkError => say(
            "Un service est injoignable.",
            "Cet ordinateur est hors ligne, ou le service est en panne.",
            "Vérifiez la connexion à internet, puis synchronisez à nouveau.",
        ),
        Code::InvalidIcsFormat => say(
            "Ce n’est pas un fichier de calendrier.",
            "Il est abîmé, ou c’est un autre type de fichier.",
            "Exportez à nouveau le calendrier au format .ics et utilisez ce fichier ; ouvrez un lien de calendrier dans un navigateur pour voir ce qu’il donne.",
        ),
        Code::ConflictDetected => say(
            "Quelque chose a changé des deux côtés.",
            "L’évènement ou la réservation a été modifié ailleurs au même moment.",
            "Synchronisez à nouveau ; si cela persiste, ouvrez l’évènement et choisissez ce qui doit rester.",
        ),
        Code::InvalidCredentials => say(
            "L’adresse e-mail ou le mot de passe est incorrect.",
            "Bookiji ne connaît pas cette paire.",
            "Vérifiez les deux et reconnectez-vous, ou changez le mot de passe sur bookiji.com.",
        ),
        Code::NotSignedIn => say(
            "Personne n’est connecté à Bookiji ici.",
            "Ce profil n’a pas encore été connecté, ou a été déconnecté.",
            "Connectez-vous : `companion login --email VOUS@EXEMPLE.FR`.",
        ),
        Code::NotConnected => say(
            "Aucun calendrier de ce nom n’est relié.",
            "Aucun compte n’a encore été relié, ou le nom est différent.",
            "Reliez un compte avec `companion connect google`, `connect outlook` ou `connect caldav`, ou voyez la liste avec `companion calendars`.",
        ),
        Code::PermissionDenied => say(
            "Le compte ne permet pas cela.",
            "Une autorisation n’a pas été cochée à la connexion, ou le calendrier est en lecture seule.",
            "Reliez à nouveau le compte en cochant chaque autorisation, ou choisissez un autre calendrier.",
        ),
        Code::ProfileNotLinked => say(
            "Bookiji n’a pas relié votre profil à votre connexion.",
            "Votre profil y porte un autre identifiant que votre connexion : Bookiji ne montre donc pas vos réservations par cette voie.",
            "Écrivez à l’assistance de Bookiji pour que votre profil reçoive l’identifiant de votre connexion ; rien d’autre n’y peut.",
        ),
        Code::SyncSwitchedOff => say(
            "Bookiji a suspendu la synchronisation des calendriers.",
            "Bookiji peut la suspendre pour tous ou pour un compte.",
            "Rien à faire : elle reprendra d’elle-même dès qu’elle sera rétablie.",
        ),
        Code::KeychainUnavailable => say(
            "Le trousseau ne peut pas être ouvert.",
            "Il est verrouillé, arrêté, ou cette machine n’en a pas.",
            "Déverrouillez-le et réessayez ; sans trousseau, mettez `[vault] kind = \"passphrase-file\"` dans settings.toml.",
        ),
        Code::SettingsInvalid => say(
            "Les réglages sont inutilisables.",
            "settings.toml contient quelque chose que l’application ne comprend pas.",
            "Corrigez la ligne indiquée ; le fichier a été laissé tel quel.",
        ),
        Code::DatabaseTooNew => say(
            "Ce profil appartient à une version plus récente de l’application.",
            "Une version plus récente l’a déjà ouvert.",
            "Mettez l’application à jour, ou utilisez un autre profil avec `--profile`.",
        ),
        Code::DatabaseError => say(
            "La base de données locale est en défaut.",
            "Le disque a failli, ou un autre programme tient le fichier.",
            "Réessayez ; si cela persiste, vérifiez le disque et lancez `companion doctor`.",
        ),
        Code::DatabaseDamaged => say(
            "La base de données locale est abîmée.",
            "Le disque a failli, le courant a été coupé, ou un autre programme a écrit dans le fichier.",
            "Lancez `companion sync` : le fichier est mis de côté et un nouveau est reconstruit depuis Bookiji et vos calendriers.",
        ),
        Code::DiskFull => say(
            "Le disque est plein.",
            "Plus rien ne peut être noté, donc plus rien n’est modifié nulle part.",
            "Libérez de l’espace, puis synchronisez à nouveau : tout reprendra où cela s’est arrêté.",
        ),
        Code::ProfileReadOnly => say(
            "Le profil ne peut être que lu.",
            "Le disque est monté en lecture seule, ou le dossier appartient à quelqu’un d’autre.",
            "Rendez le dossier accessible en écriture, ou indiquez-en un autre avec `--profile`.",
        ),
        Code::ClockWrong => say(
            "L’horloge de cet ordinateur est fausse.",
            "Elle diffère de celles de Bookiji et des calendriers, qui sont justes.",
            "Réglez l’horloge de cet ordinateur, de préférence en activant l’heure automatique.",
        ),
        Code::AlreadyRunning => say(
            "Un autre Companion utilise ce profil.",
            "L’application, ou une autre commande, est en cours.",
            "Utilisez l’application ouverte, ou quittez-la et réessayez.",
        ),
        Code::InvalidInput => say(
            "Un élément de la commande est inutilisable.",
            "Une valeur est mal formée ou désigne quelque chose qui n’existe pas.",
            "Corrigez ce qui est indiqué et réessayez ; `companion help` donne la liste.",
        ),
        Code::SignInCancelled => say(
            "La connexion n’a pas été terminée.",
            "La page a été fermée, l’autorisation refusée, ou l’attente trop longue.",
            "Recommencez et terminez la connexion dans le navigateur.",
        ),
        Code::Stopped => say(
            "Vous avez arrêté cette opération.",
            "Ce qui était déjà fait reste fait, et rien n’est perdu.",
            "Redemandez-la quand vous voulez : elle continuera de là.",
        ),
        Code::Internal => say(
            "Une erreur s’est produite dans l’application.",
            "La faute est de notre côté.",
            "Réessayez ; si cela persiste, signalez-le avec les dernières lignes de logs/companion.log.",
        ),
    }
}

/// That another computer writes, in her language: a sentence, and no problem of hers.
#[must_use]
pub fn standing_by(holder: &str, language: Language) -> String {
    match language {
        Language::English => {
            format!("This computer stands by: {holder} writes to calendars and Bookiji now.")
        }
        Language::French => {
            format!("Cet ordinateur est en veille : {holder} écrit dans les calendriers et Bookiji.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_three_different_sentences_in_both_languages() {
        for code in Code::ALL {
            let (en, fr) = (words(code, Language::English), words(code, Language::French));
            for text in [en.plain, en.cause, en.next_step, fr.plain, fr.cause, fr.next_step] {
                assert!(text.ends_with('.') && text.len() > 15, "{code}: {text}");
            }
            assert!(en.plain != fr.plain && en.cause != fr.cause && en.next_step != fr.next_step, "{code}");
            assert!(en.plain != en.cause && en.cause != en.next_step, "{code}");
        }
    }

    #[test]
    fn her_choice_beats_the_system_and_the_first_system_word_beats_the_next() {
        use Language::{English, French};
        let pick = Language::pick;
        assert_eq!(pick(Some(English), [Some("fr_FR.UTF-8"), None, None]), English);
        assert_eq!(pick(None, [None, None, Some("fr_CA.UTF-8")]), French);
        assert_eq!(pick(None, [Some("C"), None, Some("fr_CA.UTF-8")]), English);
        assert_eq!(pick(None, [Some(""), None, Some("fr")]), French);
        assert_eq!(pick(None, [None, None, None]), English);
    }
}
