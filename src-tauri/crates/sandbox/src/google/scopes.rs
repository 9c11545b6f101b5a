//! Which permission opens which method: Google's own table, and the narrow scopes' reach.

use super::refusal::Refusal;
use super::world::{Calendar, Role};
use crate::app::App;
use crate::oauth::grants::Access;
use crate::oauth::request::SCOPE_PREFIX;
use crate::wire::Call;

/// A method, or methods with the same row in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    ListCalendars,
    GetListedCalendar,
    GetCalendar,
    ChangeCalendar,
    FreeBusy,
    ReadEvents,
    WriteEvents,
    Settings,
}

impl Action {
    fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::ListCalendars => {
                &["calendar", "calendar.calendarlist", "calendar.calendarlist.readonly", "calendar.readonly"]
            }
            Self::GetListedCalendar => &[
                "calendar",
                "calendar.calendarlist",
                "calendar.calendarlist.readonly",
                "calendar.readonly",
                "calendar.app.created",
            ],
            Self::GetCalendar => &[
                "calendar",
                "calendar.calendars",
                "calendar.calendars.readonly",
                "calendar.readonly",
                "calendar.app.created",
            ],
            Self::ChangeCalendar => &["calendar", "calendar.calendars", "calendar.app.created"],
            Self::FreeBusy => {
                &["calendar", "calendar.readonly", "calendar.freebusy", "calendar.events.freebusy"]
            }
            Self::ReadEvents => &[
                "calendar",
                "calendar.readonly",
                "calendar.events",
                "calendar.events.readonly",
                "calendar.events.owned",
                "calendar.events.owned.readonly",
                "calendar.events.freebusy",
                "calendar.events.public.readonly",
                "calendar.app.created",
            ],
            Self::WriteEvents => {
                &["calendar", "calendar.events", "calendar.events.owned", "calendar.app.created"]
            }
            Self::Settings => {
                &["calendar", "calendar.readonly", "calendar.settings", "calendar.settings.readonly"]
            }
        }
    }
}

/// Who asks, once that is settled.
#[derive(Clone, Debug)]
pub struct Caller {
    pub account: String,
    action: Action,
    scopes: Vec<String>,
}

/// # Errors
/// 401 without a live token, 403 without a scope that opens the method.
pub fn admit(app: &App, call: &Call, action: Action) -> Result<Caller, Refusal> {
    let Some(token) = call.bearer() else { return Err(Refusal::login_required()) };
    let now = app.clock().now();
    let world = app.world();
    let Access { account, scopes, .. } =
        world.google.grants.access(token, now).cloned().ok_or_else(Refusal::sign_in)?;
    let short: Vec<String> =
        scopes.iter().filter_map(|scope| scope.strip_prefix(SCOPE_PREFIX)).map(str::to_owned).collect();
    let opens: Vec<String> =
        short.into_iter().filter(|scope| action.scopes().contains(&scope.as_str())).collect();
    if opens.is_empty() {
        return Err(Refusal::scope_missing());
    }
    Ok(Caller { account, action, scopes: opens })
}

impl Caller {
    /// Whether some scope it holds reaches this calendar.
    ///
    /// # Errors
    /// 404 where only `calendar.app.created` would have opened it, else 403.
    pub fn reach(&self, calendar: &Calendar) -> Result<(), Refusal> {
        let reaches = |scope: &String| match scope.as_str() {
            "calendar.app.created" => calendar.made_by_app,
            "calendar.events.owned" | "calendar.events.owned.readonly" => calendar.role == Role::Owner,
            "calendar.events.public.readonly" => calendar.public,
            _ => true,
        };
        if self.scopes.iter().any(reaches) {
            Ok(())
        } else if self.scopes.iter().all(|scope| scope == "calendar.app.created") {
            Err(Refusal::not_found())
        } else {
            Err(Refusal::forbidden())
        }
    }

    /// Whether it may see times only.
    #[must_use]
    pub fn sees_times_only(&self, calendar: &Calendar) -> bool {
        let veiled = |scope: &String| match scope.as_str() {
            "calendar.events.freebusy" => true,
            "calendar.app.created" => !calendar.made_by_app,
            "calendar.events.owned" | "calendar.events.owned.readonly" => calendar.role != Role::Owner,
            "calendar.events.public.readonly" => !calendar.public,
            _ => false,
        };
        calendar.role == Role::FreeBusyReader
            || (self.action == Action::ReadEvents && self.scopes.iter().all(veiled))
    }
}
