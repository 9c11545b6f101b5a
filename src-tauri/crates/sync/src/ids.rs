//! Names that must not be mixed up, each a type of its own.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

id! {
    /// The vendor's profile on the platform.
    VendorId;
    /// A linked account. The same account has the same id on every computer: see [`ConnectionId::of`].
    ConnectionId;
    /// One calendar of a connection; also the name of its busy source on the platform: see [`CalendarId::of`].
    CalendarId;
    BookingId;
    /// An event's id as its service names it.
    RemoteId;
    /// A calendar's id as its service names it.
    RemoteCalendarId;
    /// Opaque; quotes, if any, are part of it.
    ETag;
    /// Where the next reading starts. Opaque.
    Cursor;
    RunId;
    /// A bookable slot on the platform. One that we made has an id derived from what it stands for.
    SlotId;
    /// One time that a customer was asked for, as the platform names it.
    ProposalId;
    /// One profile on one computer: random, made once, no secret.
    InstallationId;
}

impl ConnectionId {
    /// Derived, so that a rebuilt mirror and a second computer name the same account alike and the platform never
    /// keeps a busy source that nobody can withdraw.
    #[must_use]
    pub fn of(service: Service, account: &str) -> Self {
        Self(format!("{}-{}", service.as_str(), digest(&[service.as_str(), account], 12)))
    }
}

impl CalendarId {
    #[must_use]
    pub fn of(connection: &ConnectionId, remote: &RemoteCalendarId) -> Self {
        Self(format!("cal-{}", digest(&[connection.as_str(), remote.as_str()], 16)))
    }
}

fn digest(parts: &[&str], hex: usize) -> String {
    let mut full = HEXLOWER.encode(&Sha256::digest(parts.join("|")));
    full.truncate(hex);
    full
}

/// What a connection is linked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "bindings", derive(specta::Type))]
pub enum Service {
    Google,
    Outlook,
    Caldav,
    Ics,
}

impl Service {
    pub const ALL: [Self; 4] = [Self::Google, Self::Outlook, Self::Caldav, Self::Ics];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Outlook => "outlook",
            Self::Caldav => "caldav",
            Self::Ics => "ics",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.as_str() == text)
    }

    /// Whether a calendar of it can take bookings.
    #[must_use]
    pub fn holds_bookings(self) -> bool {
        match self {
            Self::Google | Self::Outlook | Self::Caldav => true,
            Self::Ics => false,
        }
    }

    /// The platform's own word for it, in `provider` fields.
    #[must_use]
    pub fn platform_word(self) -> &'static str {
        match self {
            Self::Outlook => "microsoft",
            Self::Google | Self::Caldav | Self::Ics => self.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_and_its_calendars_have_the_same_names_in_every_version_and_on_every_computer() {
        let connection = ConnectionId::of(Service::Google, "anna@example.com");
        assert_eq!(connection.as_str(), "google-0a8dc275299c");
        let calendar = CalendarId::of(&connection, &"primary".into());
        assert_eq!(calendar.as_str(), "cal-61aeb126c7a993d4");
        assert_ne!(ConnectionId::of(Service::Outlook, "anna@example.com"), connection);
    }

    #[test]
    fn files_and_links_take_no_bookings_and_every_service_is_known_by_its_word() {
        let holding = Service::ALL.into_iter().filter(|service| service.holds_bookings());
        assert_eq!(holding.collect::<Vec<_>>(), [Service::Google, Service::Outlook, Service::Caldav]);
        for service in Service::ALL {
            assert_eq!(Service::parse(service.as_str()), Some(service));
        }
        assert_eq!(Service::parse("microsoft"), None);
        assert_eq!(Service::ALL.map(Service::platform_word), ["google", "microsoft", "caldav", "ics"]);
    }
}
