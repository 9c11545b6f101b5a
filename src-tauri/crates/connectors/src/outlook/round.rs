//! What the pages of one round held: an id that comes twice counts as it came last. Asks nobody.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sync::error::ServiceError;
use sync::ids::RemoteId;
use sync::ports::{Reading, RemoteEvent};

use super::translate::{deserves_a_look, single};
use super::wire::{self, Item, Kind};

#[derive(Default)]
pub(super) struct Round {
    pub singles: BTreeMap<String, wire::Event>,
    pub masters: BTreeMap<String, wire::Event>,
    /// Occurrences and exceptions, by master.
    pub instances: BTreeMap<String, BTreeMap<String, wire::Event>>,
    /// Said to be gone, which is true of what is gone and of what lies outside the stretch.
    pub removed: BTreeSet<String>,
    pub nameless: usize,
}

impl Round {
    pub(super) fn take(&mut self, page: &[Value]) {
        for value in page {
            match wire::item(value) {
                Item::Stands(event) => {
                    self.forget(&event.id);
                    self.put(*event);
                }
                Item::Removed(id) => {
                    self.forget(&id);
                    self.removed.insert(id);
                }
                Item::Nameless => {
                    tracing::warn!("an event without an id cannot be held");
                    self.nameless += 1;
                }
            }
        }
    }

    pub(super) fn put(&mut self, event: wire::Event) {
        let id = event.id.clone();
        match (event.kind, event.series.clone()) {
            (Kind::Occurrence | Kind::Exception, Some(series)) => {
                self.instances.entry(series).or_default().insert(id, event);
            }
            (Kind::Master, _) => {
                self.masters.insert(id, event);
            }
            (Kind::Single | Kind::Occurrence | Kind::Exception, _) => {
                self.singles.insert(id, event);
            }
        }
    }

    fn forget(&mut self, id: &str) {
        self.singles.remove(id);
        self.masters.remove(id);
        self.removed.remove(id);
        for instances in self.instances.values_mut() {
            instances.remove(id);
        }
    }

    /// Whether something of the series stands, by what the pages said.
    pub(super) fn tells_of(&self, series: &str) -> bool {
        self.masters.contains_key(series) || self.instances.get(series).is_some_and(|told| !told.is_empty())
    }

    /// Events that are ours, or copies of ours, only if a closer look says so.
    pub(super) fn to_look_at(&self) -> Vec<String> {
        self.singles.values().filter(|event| deserves_a_look(event)).map(|event| event.id.clone()).collect()
    }

    /// What of it stands for itself. Half of a series would free time, so none of it is told.
    pub(super) fn partial(self, reason: ServiceError) -> Reading<RemoteEvent, RemoteId> {
        Reading::Partial { items: self.singles.into_values().map(single).collect(), reason }
    }
}
