//! Which permission opens which method, and what the caller prefers, once it is settled who asks.

use super::prefer::Prefer;
use super::refusal::Refusal;
use crate::app::App;
use crate::wire::Call;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    ReadUser,
    ReadSettings,
    ReadCalendars,
    WriteCalendars,
    FreeBusy,
}

impl Action {
    fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::ReadUser => &["User.Read", "User.ReadWrite", "User.ReadBasic.All"],
            Self::ReadSettings => &["MailboxSettings.Read", "MailboxSettings.ReadWrite"],
            Self::ReadCalendars | Self::FreeBusy => &[
                "Calendars.Read",
                "Calendars.ReadBasic",
                "Calendars.ReadWrite",
                "Calendars.Read.Shared",
                "Calendars.ReadWrite.Shared",
            ],
            Self::WriteCalendars => &["Calendars.ReadWrite", "Calendars.ReadWrite.Shared"],
        }
    }
}

/// Who asks, and how the answer is to look.
#[derive(Clone, Debug)]
pub struct Caller {
    pub account: String,
    pub prefer: Prefer,
}

/// # Errors
/// 401 without a live token, 403 without a scope that opens the method, 400 for a preference that cannot be had.
pub fn admit(app: &App, call: &Call, action: Action) -> Result<Caller, Refusal> {
    let unknown = |message| Refusal::new(401, "InvalidAuthenticationToken", message);
    let token = call.bearer().ok_or_else(|| unknown("Access token is empty."))?;
    let now = app.clock().now();
    let access = {
        let world = app.world();
        let access = world.outlook.grants.access(token, now).cloned();
        access.ok_or_else(|| {
            unknown(if world.outlook.grants.handed_out(token) {
                "Lifetime validation failed, the token is expired."
            } else {
                "IDX14100: JWT is not well formed, there are no dots (.)."
            })
        })?
    };
    if !access.scopes.iter().any(|scope| action.scopes().contains(&scope.as_str())) {
        return Err(Refusal::access_denied());
    }
    super::limits::count(app, &access.account)?;
    Ok(Caller { account: access.account, prefer: Prefer::read(&call.headers)? })
}
