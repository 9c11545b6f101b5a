//! Whether one occurrence takes up time, and why: a vendor's rules against what the event says of itself.

use crate::busy::{AllDayRule, BusyRules, Reason};
use crate::event::{Answer, Event, Kind, ShownAs, Status, Transparency};

/// Decides for one event. The whole policy is this list; the first line that applies decides.
#[must_use]
pub fn judge(event: &Event, rules: &BusyRules, has_duration: bool) -> (bool, Reason) {
    if event.status == Status::Cancelled {
        return (false, Reason::Cancelled);
    }
    if event.answer == Some(Answer::Declined) {
        return (false, Reason::Declined);
    }
    match event.kind {
        Kind::WorkingLocation => return (false, Reason::WorkingLocation),
        Kind::Birthday => return (false, Reason::Birthday),
        Kind::Ordinary | Kind::OutOfOffice | Kind::FocusTime => {}
    }
    let shown = shown(event);
    if event.is_all_day() {
        match (rules.all_day, shown) {
            (AllDayRule::Ignore, _) => return (false, Reason::AllDayIgnored),
            (AllDayRule::AlwaysBlock, _) => return (true, Reason::AllDayBlocks),
            (AllDayRule::BlockIfBusy, ShownAs::Free) => return (false, Reason::AllDayFree),
            (AllDayRule::BlockIfBusy, ShownAs::WorkingElsewhere) => return (false, Reason::WorkingLocation),
            (AllDayRule::BlockIfBusy, ShownAs::Busy) => return (true, Reason::AllDayBlocks),
            (AllDayRule::BlockIfBusy, ShownAs::Tentative | ShownAs::OutOfOffice) => {}
        }
    }
    if !has_duration {
        return (false, Reason::NoDuration);
    }
    match shown {
        ShownAs::Free => (false, Reason::Free),
        ShownAs::WorkingElsewhere => (false, Reason::WorkingLocation),
        ShownAs::OutOfOffice => (true, Reason::OutOfOffice),
        ShownAs::Tentative if rules.tentative_blocks => (true, Reason::Tentative),
        ShownAs::Tentative => (false, Reason::TentativeIgnored),
        ShownAs::Busy => (true, Reason::Busy),
    }
}

/// The finest word the event has for itself: Outlook's where it is said, else TRANSP, then STATUS and her answer.
fn shown(event: &Event) -> ShownAs {
    let said = match (event.shown_as, event.transparency) {
        (Some(said), _) => said,
        (None, Transparency::Transparent) => ShownAs::Free,
        (None, Transparency::Opaque) => ShownAs::Busy,
    };
    if said != ShownAs::Busy {
        return said;
    }
    if event.kind == Kind::OutOfOffice {
        ShownAs::OutOfOffice
    } else if event.status == Status::Tentative || event.answer == Some(Answer::Tentative) {
        ShownAs::Tentative
    } else {
        ShownAs::Busy
    }
}
