//! What a service holds and nobody can read. It stands for itself, and what is known of it stays until somebody can say
//! what it is now.

use std::collections::BTreeMap;

use calendar::event::{End, Event, Uid, When};
use calendar::zone::Zone;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::ids::RemoteId;
use crate::ports::RemoteEvent;

/// No day to block, and blocking them all would close her calendar: it stands long past.
#[must_use]
pub fn event() -> Event {
    let wall = TimeZone::UTC.to_datetime(Timestamp::UNIX_EPOCH);
    let zone = Zone::Unknown("no readable time".to_owned());
    Event::new(Uid::default(), When::Zoned { wall, zone }, End::Lasting { days: 1, seconds: 0 })
}

fn is_one(found: &Event) -> bool {
    found.uid == Uid::default() && found.start == event().start
}

/// Puts what is known of a file, with all its exceptions, in the place of one that cannot be read any more.
pub(crate) fn keep_known(items: &mut Vec<RemoteEvent>, known: Option<&BTreeMap<RemoteId, RemoteEvent>>) {
    if !items.iter().any(|item| is_one(&item.event)) {
        return;
    }
    let of_the_file = |item: &RemoteEvent| -> Vec<RemoteEvent> {
        let rows = known.into_iter().flat_map(BTreeMap::values);
        rows.filter(|row| row.event.series.is_some() && row.event.series == item.event.series)
            .cloned()
            .collect()
    };
    *items = std::mem::take(items)
        .into_iter()
        .flat_map(|item| {
            let known = if is_one(&item.event) { of_the_file(&item) } else { Vec::new() };
            if known.is_empty() { vec![item] } else { known }
        })
        .collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ETag;

    fn row(id: &str, file: &str, event: Event) -> RemoteEvent {
        let event = Event { series: Some(file.to_owned()), ..event };
        RemoteEvent {
            id: RemoteId(id.to_owned()),
            etag: ETag(id.to_owned()),
            event,
            marker: None,
            created_as: None,
        }
    }

    fn readable() -> Event {
        let at = When::Utc("2026-11-18T09:00:00Z".parse().unwrap());
        Event::new(Uid("u".to_owned()), at.clone(), End::At(at))
    }

    #[test]
    fn a_file_that_cannot_be_read_any_more_stays_as_it_was_and_one_that_never_could_stands_for_itself() {
        let known: BTreeMap<RemoteId, RemoteEvent> =
            [row("a", "a", readable()), row("a#1", "a", readable()), row("b", "b", readable())]
                .map(|row| (row.id.clone(), row))
                .into();
        let mut items = vec![row("a", "a", event()), row("new", "new", event()), row("b", "b", readable())];
        let before = items.clone();
        keep_known(&mut items, Some(&known));
        let expected = [known.values().take(2).cloned().collect(), before[1..].to_vec()].concat();
        assert_eq!(items, expected);

        let mut items = before.clone();
        keep_known(&mut items, None);
        assert_eq!(items, before);
    }
}
