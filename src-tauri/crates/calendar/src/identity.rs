//! Recognises the UIDs that Bookiji writes into calendar files and events. A match says where an event came from,
//! not that it may be touched.

use crate::event::Uid;

/// One of the platform's four ways to name an event of its own, or our way to name a slot in an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnUid {
    /// `bookiji-<24 hex>@bookiji.app`: a synced booking, by a digest of booking, vendor and service.
    Synced { digest: String },
    /// `<booking id>@bookiji.com`: an invitation or a download of one booking.
    Booking(String),
    /// `slot-<slot id>@bookiji.app`: a slot in a file that this app exported.
    Slot(String),
    /// An exported booking or slot: its bare id, which many other programs write too. Ours only where the caller
    /// knows the id.
    Bare(String),
}

/// The UID of a slot in our exports, the same in every one of them.
#[must_use]
pub fn slot_uid(slot: &str) -> Uid {
    Uid(format!("slot-{slot}@bookiji.app"))
}

/// Nothing where the UID follows none of these schemes.
#[must_use]
pub fn own_uid(uid: &Uid) -> Option<OwnUid> {
    let text = uid.0.trim().to_ascii_lowercase();
    let Some((local, host)) = text.split_once('@') else {
        return is_uuid(&text).then_some(OwnUid::Bare(text));
    };
    match host {
        "bookiji.app" if local.starts_with("slot-") => {
            let slot = local.strip_prefix("slot-").filter(|slot| !slot.is_empty())?;
            Some(OwnUid::Slot(slot.to_owned()))
        }
        "bookiji.app" => {
            let digest = local.strip_prefix("bookiji-")?;
            // Where two digests met, eight more hex digits follow.
            let (digest, suffix) = digest.split_once('-').map_or((digest, None), |(d, s)| (d, Some(s)));
            let fits = is_hex(digest, 24) && suffix.is_none_or(|suffix| is_hex(suffix, 8));
            fits.then(|| OwnUid::Synced { digest: digest.to_owned() })
        }
        "bookiji.com" if !local.is_empty() => Some(OwnUid::Booking(local.to_owned())),
        _ => None,
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == 5 && parts.iter().zip([8, 4, 4, 4, 12]).all(|(part, length)| is_hex(part, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemes_of_the_platform_and_our_own_are_ours_and_nothing_else_is() {
        let of = |text: &str| own_uid(&Uid(text.to_owned()));
        let digest = "c5c3f956c64f2c4c5c058107".to_owned();
        assert_eq!(
            of("bookiji-c5c3f956c64f2c4c5c058107@bookiji.app"),
            Some(OwnUid::Synced { digest: digest.clone() })
        );
        assert_eq!(
            of("bookiji-c5c3f956c64f2c4c5c058107-37395806@bookiji.app"),
            Some(OwnUid::Synced { digest })
        );
        assert_eq!(of("B-1@Bookiji.com"), Some(OwnUid::Booking("b-1".to_owned())));
        let id = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
        assert_eq!(of(id), Some(OwnUid::Bare(id.to_owned())));
        assert_eq!(own_uid(&slot_uid(id)), Some(OwnUid::Slot(id.to_owned())));
        for foreign in [
            "",
            "slot-@bookiji.app",
            "slot-1@elsewhere.example",
            "x@google.com",
            "bookiji-c5c3@bookiji.app",
            "bookiji-c5c3f956c64f2c4c5c058107",
            "@bookiji.com",
        ] {
            assert_eq!(of(foreign), None, "{foreign}");
        }
    }
}
