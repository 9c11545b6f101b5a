//! A series as events of ours. One stands for the whole series, under its master's id, with every occurrence that the
//! service told as a date; where occurrences differ in how they take up time, one more stands for each way. So whatever
//! becomes of a series, all that it was is known by the master's id alone: single occurrences are deleted without a word.

use std::collections::BTreeMap;

use calendar::event::{End, Event, ExtraDate, ShownAs, When};
use sync::ids::RemoteId;
use sync::ports::RemoteEvent;

use super::translate::{answer, described, remote, shown_as, span};
use super::wire::{self, Kind};

/// How an occurrence takes up time, where it is not as its master does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    shown: Shown,
    all_day: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shown {
    Free,
    Tentative,
    Busy,
    OutOfOffice,
}

impl Way {
    const ALL: [Self; 8] = [
        Self { shown: Shown::Free, all_day: false },
        Self { shown: Shown::Free, all_day: true },
        Self { shown: Shown::Tentative, all_day: false },
        Self { shown: Shown::Tentative, all_day: true },
        Self { shown: Shown::Busy, all_day: false },
        Self { shown: Shown::Busy, all_day: true },
        Self { shown: Shown::OutOfOffice, all_day: false },
        Self { shown: Shown::OutOfOffice, all_day: true },
    ];

    /// Nothing for one that takes up no time whatever she chose.
    fn of(event: &wire::Event) -> Option<Self> {
        let answered = answer(event.response.as_deref());
        if event.is_cancelled || answered == Some(calendar::event::Answer::Declined) {
            return None;
        }
        let shown = match shown_as(event.show_as.as_deref()) {
            Some(ShownAs::Free | ShownAs::WorkingElsewhere) => Shown::Free,
            Some(ShownAs::Tentative) => Shown::Tentative,
            Some(ShownAs::OutOfOffice) => Shown::OutOfOffice,
            Some(ShownAs::Busy) | None if answered == Some(calendar::event::Answer::Tentative) => {
                Shown::Tentative
            }
            Some(ShownAs::Busy) | None => Shown::Busy,
        };
        Some(Self { shown, all_day: event.is_all_day })
    }

    /// No id of Graph's holds a `#`.
    fn id(self, master: &str) -> RemoteId {
        let day = if self.all_day { "-day" } else { "" };
        let shown = match self.shown {
            Shown::Free => "free",
            Shown::Tentative => "tentative",
            Shown::Busy => "busy",
            Shown::OutOfOffice => "oof",
        };
        RemoteId(format!("{master}#{shown}{day}"))
    }

    fn shown(self) -> ShownAs {
        match self.shown {
            Shown::Free => ShownAs::Free,
            Shown::Tentative => ShownAs::Tentative,
            Shown::Busy => ShownAs::Busy,
            Shown::OutOfOffice => ShownAs::OutOfOffice,
        }
    }
}

/// Every id that something of this series may stand under.
pub(super) fn ids(master: &str) -> impl Iterator<Item = RemoteId> {
    let ways = Way::ALL.map(|way| way.id(master));
    std::iter::once(RemoteId(master.to_owned())).chain(ways)
}

/// What `instances` of the series are. An instance that says nothing of itself but its times is as its master is.
pub(super) fn events(master: &wire::Event, instances: Vec<wire::Event>) -> Vec<RemoteEvent> {
    let usual = Way::of(master);
    let mut groups: BTreeMap<Option<Way>, Vec<(When, End)>> = BTreeMap::new();
    for instance in instances {
        let mut instance = instance;
        let bare = instance.kind == Kind::Occurrence;
        if bare {
            instance.is_all_day = master.is_all_day;
        }
        instance.original_zone = instance.original_zone.or_else(|| master.original_zone.clone());
        let times = span(&instance);
        let group = match Way::of(&instance) {
            _ if bare => None,
            None if usual.is_none() => None,
            None => continue,
            way if way == usual => None,
            way => way,
        };
        groups.entry(group).or_default().push(times);
    }
    groups.into_iter().filter_map(|(way, times)| group(master, way, times)).collect()
}

fn group(master: &wire::Event, way: Option<Way>, mut times: Vec<(When, End)>) -> Option<RemoteEvent> {
    times.sort_by_key(|(start, _)| start.wall());
    times.dedup();
    let mut times = times.into_iter();
    let (start, end) = times.next()?;
    let id = way.map_or_else(|| RemoteId(master.id.clone()), |way| way.id(&master.id));
    let mut event: Event = described(master, start, end);
    event.series = Some(id.0.clone());
    event.recurrence.dates = times.map(|(start, end)| ExtraDate { start, end }).collect();
    if let Some(way) = way {
        event.shown_as = Some(way.shown());
        event.answer = None;
        event.status = calendar::event::Status::Confirmed;
    }
    let whole = remote(master.clone(), event);
    Some(match way {
        None => whole,
        Some(_) => RemoteEvent { id, marker: None, created_as: None, ..whole },
    })
}
