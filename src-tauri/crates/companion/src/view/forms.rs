//! What the window fills in. Nothing of it is believed before it was looked at here.

use std::path::PathBuf;

use calendar::event::Uid;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use secrecy::SecretString;
use serde::Deserialize;
use sync::error::Code;
use sync::ids::CalendarId;
use sync::import::OnConflict;
use sync::world::Role;

use super::choices::AllDay;
use super::preferences::PreferencesForm;
use crate::cli::args::ForgetArgs;
use crate::cli::invite::usual_name;
use crate::connecting::Provider;
use crate::errand::{Errand, Link};
use crate::export::{Days, Describe, Options};
use crate::import;
use crate::preferences::Preferences;
use crate::problem::Problem;
use crate::roles::Change;
use crate::settings::{NotificationSettings, UpdateSettings, clock_time};
use crate::unusable::Unusable;

/// No id of ours is longer.
const LONGEST_ID: usize = 256;

/// An answer to one question.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct DecideForm {
    pub id: String,
    pub option: String,
    /// Questions of this kind are answered so from now on.
    pub always: bool,
}

impl DecideForm {
    /// # Errors
    /// When it cannot be the answer to any question.
    pub fn errand(self) -> Result<Errand, Problem> {
        let Self { id, option, always } = self;
        (is_word(&id) && is_word(&option))
            .then_some(Errand::Decide { id, option, always })
            .ok_or_else(strange)
    }
}

/// A run that is to be taken back.
///
/// # Errors
/// When it cannot be the name of a run.
pub fn undo(run: String) -> Result<Errand, Problem> {
    is_word(&run).then_some(Errand::Undo { run }).ok_or_else(strange)
}

/// No buffer is longer.
const LONGEST_BUFFER_MINUTES: u16 = 240;

/// What she chose for one calendar, or for all of them where none is named. What is not mentioned stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct ChooseForm {
    pub calendar: Option<String>,
    pub role: Option<Role>,
    pub all_day: Option<AllDay>,
    pub tentative_blocks: Option<bool>,
    pub buffer_before_minutes: Option<u16>,
    pub buffer_after_minutes: Option<u16>,
}

impl ChooseForm {
    /// # Errors
    /// When it names what can be no calendar, or a buffer longer than an afternoon.
    pub fn errand(self) -> Result<Errand, Problem> {
        let long = |minutes: Option<u16>| minutes.is_some_and(|minutes| minutes > LONGEST_BUFFER_MINUTES);
        if self.calendar.as_deref().is_some_and(|id| !is_word(id))
            || long(self.buffer_before_minutes)
            || long(self.buffer_after_minutes)
        {
            return Err(strange());
        }
        let change = Change {
            role: self.role,
            all_day: self.all_day.map(Into::into),
            tentative_blocks: self.tentative_blocks,
            buffer_before_minutes: self.buffer_before_minutes,
            buffer_after_minutes: self.buffer_after_minutes,
        };
        Ok(Errand::Calendar { calendar: self.calendar.map(CalendarId), change })
    }
}

/// What she set for the window itself, all of it at once.
///
/// # Errors
/// When quiet hours are no times of day, or only half of them are there.
pub fn preferences(form: &PreferencesForm) -> Result<Preferences, Problem> {
    let time = |text: &Option<String>| {
        text.as_deref().map(|text| clock_time("time", text).map_err(|_| strange())).transpose()
    };
    let (quiet_from, quiet_until) = (time(&form.quiet_from)?, time(&form.quiet_until)?);
    if quiet_from.is_some() != quiet_until.is_some() {
        return Err(strange());
    }
    let notifications = NotificationSettings { on: form.notifications, quiet_from, quiet_until };
    let updates = UpdateSettings { check: form.updates };
    Ok(Preferences { language: form.language, theme: form.theme, notifications, updates })
}

/// No password, link or address that she types is longer.
const LONGEST_TEXT: usize = 8 * 1024;

/// Her sign-in to Bookiji. It holds a password, so it cannot be formatted.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct LogInForm {
    pub email: String,
    pub password: String,
}

impl LogInForm {
    /// # Errors
    /// When it can be nobody's.
    pub fn read(self) -> Result<(String, SecretString), Problem> {
        let email = typed(&self.email)?.to_owned();
        typed(&self.password)?;
        Ok((email, SecretString::from(self.password)))
    }
}

/// A CalDAV account. It holds a password, so it cannot be formatted.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct CaldavForm {
    /// An address, or the name of a service whose address is known.
    pub server: String,
    pub username: String,
    pub password: String,
}

impl CaldavForm {
    /// Server, user name and password. Blanks around an app-specific password are from pasting it.
    ///
    /// # Errors
    /// When something is missing, or can be no such thing.
    pub fn read(self) -> Result<(String, String, SecretString), Problem> {
        let (server, username) = (typed(&self.server)?.to_owned(), typed(&self.username)?.to_owned());
        Ok((server, username, SecretString::from(typed(&self.password)?)))
    }
}

/// A sign-in that goes through her browser.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum SignInForm {
    Bookiji,
    Google,
    Outlook,
    Nextcloud {
        /// Its address.
        server: String,
    },
}

impl SignInForm {
    /// # Errors
    /// When the address of a server is missing, or can be none.
    pub fn read(self) -> Result<Provider, Problem> {
        Ok(match self {
            Self::Bookiji => Provider::Bookiji,
            Self::Google => Provider::Google,
            Self::Outlook => Provider::Outlook,
            Self::Nextcloud { server } => Provider::Nextcloud(typed(&server)?.to_owned()),
        })
    }
}

/// A calendar link. Who knows it can read the calendar, so it cannot be formatted.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct LinkForm {
    pub link: String,
    /// Nothing means its own name.
    pub name: Option<String>,
}

impl LinkForm {
    /// # Errors
    /// When there is no link, or it is no line of text.
    pub fn errand(self) -> Result<Errand, Problem> {
        let name = self.name.as_deref().map(typed).transpose()?.map(str::to_owned);
        Ok(Errand::ConnectFeed { link: Link(typed(&self.link)?.to_owned()), name })
    }
}

/// An account that is to be left.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct DisconnectForm {
    pub connection: String,
    /// Takes the events of bookings out of it first.
    pub remove_events: bool,
}

impl DisconnectForm {
    /// # Errors
    /// When it cannot be the id of an account.
    pub fn errand(self) -> Result<Errand, Problem> {
        let Self { connection, remove_events } = self;
        is_word(&connection).then_some(Errand::Disconnect { connection, remove_events }).ok_or_else(strange)
    }
}

/// A line that she typed or pasted.
fn typed(text: &str) -> Result<&str, Problem> {
    let line = text.trim();
    let fits = !line.is_empty() && line.len() <= LONGEST_TEXT && !line.chars().any(char::is_control);
    fits.then_some(line).ok_or_else(|| {
        Problem::new(Code::InvalidInput, "Something is missing, or is no line of text.")
            .because(Unusable::Missing)
    })
}

/// That everything of hers on this computer is to be erased, and what is to happen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct ForgetForm {
    /// Takes the events of bookings out of her calendars first.
    pub remove_events: bool,
    /// Bookiji cannot be told, and she knows.
    pub offline: bool,
}

impl ForgetForm {
    /// # Errors
    /// When events are to be removed without a network.
    pub fn args(self) -> Result<ForgetArgs, Problem> {
        let Self { remove_events, offline } = self;
        (!(remove_events && offline))
            .then_some(ForgetArgs { yes: true, remove_events, offline })
            .ok_or_else(strange)
    }
}

/// For how long nothing is to be synced by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum PauseForm {
    OneHour,
    UntilTomorrow,
    UntilResumed,
}

impl PauseForm {
    /// When it ends, in her own zone.
    #[must_use]
    pub fn errand(self, now: Timestamp, zone: &TimeZone) -> Errand {
        let until = match self {
            Self::OneHour => now.checked_add(SignedDuration::from_hours(1)).ok(),
            Self::UntilTomorrow => next_midnight(now, zone),
            Self::UntilResumed => None,
        };
        Errand::Pause { until: until.map(|until| Timestamp::from_second(until.as_second()).unwrap_or(until)) }
    }
}

/// What is to be done with files that were offered.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct ImportForm {
    pub offer: u32,
    /// For every event that meets slots of hers; nothing leaves it to her later.
    pub on_conflict: Option<OnConflict>,
    /// For single events, whatever is said for all.
    pub choices: Vec<ImportChoice>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct ImportChoice {
    pub uid: String,
    pub choice: OnConflict,
}

/// No file of a size that is read has more.
const MOST_CHOICES: usize = 2_000;

impl ImportForm {
    /// # Errors
    /// When it says more than the window could have asked.
    pub fn options(self, dry_run: bool) -> Result<import::Options, Problem> {
        if self.choices.len() > MOST_CHOICES {
            return Err(strange());
        }
        let choices = self.choices.into_iter().map(|chosen| (Uid(chosen.uid), chosen.choice)).collect();
        Ok(import::Options { on_conflict: self.on_conflict, choices, dry_run })
    }
}

/// What is to be in a file of her bookings and slots.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct ExportForm {
    /// Days as `2026-03-29`, both among them.
    pub from: String,
    pub to: String,
    pub include_blocked: bool,
    pub include_past: bool,
    pub describe: Describe,
}

impl ExportForm {
    /// # Errors
    /// When those are no days, or too many.
    pub fn days(&self) -> Result<Days, Problem> {
        Days::read(&self.from, &self.to)
    }

    #[must_use]
    pub fn errand(self, days: Days, to: PathBuf) -> Errand {
        let Self { include_blocked, include_past, describe, .. } = self;
        Errand::Export { days, options: Options { include_blocked, include_past, describe }, to }
    }
}

/// The booking that somebody is to be invited to, or not any more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct InviteForm {
    pub booking: String,
    pub cancel: bool,
}

impl InviteForm {
    /// What the file is called where she does not say otherwise.
    ///
    /// # Errors
    /// When it cannot be the name of a booking.
    pub fn usual_name(&self) -> Result<String, Problem> {
        is_word(&self.booking).then(|| usual_name(&self.booking)).ok_or_else(strange)
    }

    #[must_use]
    pub fn errand(self, to: PathBuf) -> Errand {
        Errand::Invite { booking: self.booking, cancel: self.cancel, to }
    }
}

/// A time that she points at.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub struct SpanForm {
    /// Instants as the overview writes them.
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub from: Timestamp,
    #[cfg_attr(feature = "bindings", specta(type = String))]
    pub until: Timestamp,
}

impl SpanForm {
    /// Lets it be booked just this once.
    #[must_use]
    pub fn unblock(self) -> Errand {
        Errand::Unblock { from: self.from, until: Some(self.until) }
    }

    /// Takes that back.
    #[must_use]
    pub fn block_again(self) -> Errand {
        Errand::BlockAgain { from: self.from, until: self.until }
    }
}

/// For how long from now nobody is to book her, as the tray offers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockForm {
    HalfHour,
    /// Until her midnight.
    RestOfDay,
}

impl BlockForm {
    /// Whole minutes, in her own zone.
    #[must_use]
    pub fn errand(self, now: Timestamp, zone: &TimeZone) -> Errand {
        let start = Timestamp::from_second(now.as_second() / 60 * 60).unwrap_or(now);
        let half_hour = start.checked_add(SignedDuration::from_mins(30)).unwrap_or(Timestamp::MAX);
        let end = match self {
            Self::HalfHour => half_hour,
            Self::RestOfDay => next_midnight(now, zone).unwrap_or(half_hour),
        };
        Errand::Block { start, end }
    }
}

fn next_midnight(now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let tomorrow = now.to_zoned(zone.clone()).date().checked_add(1.day()).ok()?;
    Some(tomorrow.to_zoned(zone.clone()).ok()?.timestamp())
}

pub(super) fn is_word(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | '@');
    (1..=LONGEST_ID).contains(&text.len()) && text.chars().all(is_plain)
}

pub(super) fn strange() -> Problem {
    Problem::new(Code::InvalidInput, "The window asked for something that does not exist.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::PreferencesView;

    #[test]
    fn what_cannot_be_an_answer_goes_no_further() {
        let form =
            |id: &str, option: &str| DecideForm { id: id.into(), option: option.into(), always: false };
        assert!(form("moved-b1-0a1b2c", "put_back").errand().is_ok());
        for (id, option) in [
            ("", "leave"),
            ("moved", ""),
            ("moved\n", "leave"),
            ("moved", "a b"),
            (&"x".repeat(257), "leave"),
        ] {
            assert_eq!(form(id, option).errand().unwrap_err().code, Code::InvalidInput, "{id:?} {option:?}");
        }
        assert!(undo("a/b".into()).is_err());
    }

    #[test]
    fn a_choice_becomes_the_change_of_one_calendar_or_of_all() {
        let form = ChooseForm { calendar: Some("google-1-abc".into()), ..ChooseForm::default() };
        let Ok(Errand::Calendar { calendar, change }) =
            ChooseForm { role: Some(Role::Off), all_day: Some(AllDay::Always), ..form.clone() }.errand()
        else {
            unreachable!()
        };
        assert_eq!(calendar, Some("google-1-abc".into()));
        assert_eq!((change.role, change.all_day), (Some(Role::Off), Some(AllDay::Always.into())));
        for refused in [
            ChooseForm { calendar: Some("a b".into()), ..form.clone() },
            ChooseForm { buffer_after_minutes: Some(241), ..form },
        ] {
            assert_eq!(refused.errand().unwrap_err().code, Code::InvalidInput);
        }
    }

    #[test]
    fn what_is_pasted_loses_its_blanks_and_must_be_one_line() {
        use secrecy::ExposeSecret;
        let form = |server: &str, password: &str| CaldavForm {
            server: server.into(),
            username: "amelie@example.com".into(),
            password: password.into(),
        };
        let (server, _, password) = form(" icloud ", " abcd-efgh-ijkl-mnop\n").read().unwrap();
        assert_eq!((server.as_str(), password.expose_secret()), ("icloud", "abcd-efgh-ijkl-mnop"));
        for refused in
            [form("", "x"), form("icloud", " "), form("i\ncloud", "x"), form("icloud", &"x".repeat(9000))]
        {
            assert!(refused.read().is_err());
        }
        let link = LinkForm { link: " webcal://school.example/a.ics ".into(), name: None };
        let Ok(Errand::ConnectFeed { link, name }) = link.errand() else { unreachable!() };
        assert_eq!((link.0.as_str(), name), ("webcal://school.example/a.ics", None));
        let named = LinkForm { link: "https://a.example".into(), name: Some("  ".into()) };
        assert!(named.errand().is_err());
    }

    #[test]
    fn a_password_keeps_its_blanks_where_she_chose_it_herself() {
        use secrecy::ExposeSecret;
        let form = LogInForm { email: " me@example.com".into(), password: " two words ".into() };
        let (email, password) = form.read().unwrap();
        assert_eq!((email.as_str(), password.expose_secret()), ("me@example.com", " two words "));
    }

    #[test]
    fn quiet_hours_are_times_of_day_and_come_in_pairs() {
        let form = |from: Option<&str>, until: Option<&str>| PreferencesForm {
            notifications: true,
            quiet_from: from.map(str::to_owned),
            quiet_until: until.map(str::to_owned),
            ..PreferencesForm::default()
        };
        let read = preferences(&form(Some("21:30"), Some("08:00"))).unwrap();
        let shown = PreferencesView::of(&read);
        assert_eq!(
            (shown.quiet_from.as_deref(), shown.quiet_until.as_deref()),
            (Some("21:30"), Some("08:00"))
        );
        assert!(shown.notifications);
        assert!(preferences(&form(None, None)).is_ok());
        for (from, until) in
            [(Some("21:30"), None), (Some("9pm"), Some("08:00")), (Some("25:00"), Some("08:00"))]
        {
            assert!(preferences(&form(from, until)).is_err(), "{from:?} {until:?}");
        }
    }

    #[test]
    fn until_tomorrow_ends_at_her_midnight_even_when_the_clocks_change() {
        let zone = TimeZone::get("America/Toronto").unwrap();
        let until = |form: PauseForm, now: &str| {
            let Errand::Pause { until } = form.errand(now.parse().unwrap(), &zone) else { unreachable!() };
            until.map(|until| until.to_string())
        };
        let tomorrow = PauseForm::UntilTomorrow;
        assert_eq!(until(tomorrow, "2026-11-26T15:00:00.5Z").as_deref(), Some("2026-11-27T05:00:00Z"));
        assert_eq!(until(tomorrow, "2026-11-01T05:30:00Z").as_deref(), Some("2026-11-02T05:00:00Z"));
        assert_eq!(
            until(PauseForm::OneHour, "2026-11-26T15:00:00.5Z").as_deref(),
            Some("2026-11-26T16:00:00Z")
        );
        assert_eq!(until(PauseForm::UntilResumed, "2026-11-26T15:00:00Z"), None);
    }

    #[test]
    fn more_choices_than_a_file_has_events_go_no_further() {
        let form = |count: usize| ImportForm {
            offer: 1,
            on_conflict: Some(OnConflict::Skip),
            choices: (0..count)
                .map(|n| ImportChoice { uid: n.to_string(), choice: OnConflict::Merge })
                .collect(),
        };
        let options = form(2).options(true).unwrap();
        assert_eq!((options.choices.len(), options.dry_run), (2, true));
        assert!(form(MOST_CHOICES + 1).options(true).is_err());
    }

    #[test]
    fn days_that_are_none_and_bookings_that_are_none_go_no_further() {
        let form = |from: &str, to: &str| ExportForm {
            from: from.into(),
            to: to.into(),
            include_blocked: false,
            include_past: false,
            describe: Describe::Full,
        };
        assert!(form("2026-11-17", "2026-12-17").days().is_ok());
        for (from, to) in [("2026-12-17", "2026-11-17"), ("", "2026-11-17"), ("2026-11-17", "2036-11-17")] {
            assert_eq!(form(from, to).days().unwrap_err().code, Code::InvalidInput, "{from} {to}");
        }
        let invite = |booking: &str| InviteForm { booking: booking.into(), cancel: false };
        assert_eq!(invite("b-1").usual_name().unwrap(), "booking-b-1.ics");
        assert!(invite("../b").usual_name().is_err());
    }

    #[test]
    fn the_rest_of_the_day_is_blocked_to_her_midnight_and_half_an_hour_from_this_minute() {
        let zone = TimeZone::get("America/Toronto").unwrap();
        let blocked = |form: BlockForm, now: &str| {
            let Errand::Block { start, end } = form.errand(now.parse().unwrap(), &zone) else {
                unreachable!()
            };
            format!("{start}/{end}")
        };
        assert_eq!(
            blocked(BlockForm::HalfHour, "2026-11-26T15:07:31.5Z"),
            "2026-11-26T15:07:00Z/2026-11-26T15:37:00Z"
        );
        assert_eq!(
            blocked(BlockForm::RestOfDay, "2026-11-01T05:30:00Z"),
            "2026-11-01T05:30:00Z/2026-11-02T05:00:00Z",
            "a day of 25 hours"
        );
    }
}
