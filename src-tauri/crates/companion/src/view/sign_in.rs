//! A sign-in that goes through her browser, as the window follows it.

use serde::Serialize;
use sync::error::Code;

use crate::grants::Lack;

/// Where she signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum SignInTo {
    Bookiji,
    Google,
    Outlook,
    Nextcloud,
}

/// What she did not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Missing {
    ReadEvents,
    ListCalendars,
    WriteBookings,
}

impl From<Lack> for Missing {
    fn from(lack: Lack) -> Self {
        match lack {
            Lack::Events => Self::ReadEvents,
            Lack::List => Self::ListCalendars,
            Lack::OwnCalendar => Self::WriteBookings,
        }
    }
}

/// How far it is. Nothing of it opens anything: the address holds no secret of hers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum SignInView {
    #[default]
    Idle,
    /// For her browser, or for what it brought to be taken in.
    Waiting {
        to: SignInTo,
        /// The page, for her to open herself.
        address: String,
    },
    Done {
        to: SignInTo,
        /// Each switches one feature off.
        missing: Vec<Missing>,
    },
    Refused {
        to: SignInTo,
        code: Code,
        /// What she did not allow, where that is why.
        missing: Vec<Missing>,
        /// Where an administrator of her organisation allows it, where that is what is missing.
        administrator: Option<String>,
    },
    TimedOut {
        to: SignInTo,
    },
}
