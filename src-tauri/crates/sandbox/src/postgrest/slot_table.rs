//! One statement on the table of slots: it keeps the table's constraints, in PostgreSQL's order and words, and either all
//! of it is taken over or nothing.

use std::collections::BTreeMap;

use calendar::interval::Interval;
use jiff::Timestamp;

use super::cell::plain;
use super::prefer::Resolution;
use super::refusal::Refusal;
use super::slot_body::Draft;
use crate::bookiji::openings::{Openings, Overlap};
use crate::bookiji::platform::{Neighbour, Platform, Slot, SlotType};

type Times = (Timestamp, Timestamp);

/// The constraint that a conflict is looked for on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Id,
    Times,
}

/// The table while a statement changes it.
pub struct Statement {
    /// Whose rows may be written.
    provider: String,
    neighbour: Neighbour,
    slots: BTreeMap<String, Slot>,
    by_times: BTreeMap<Times, String>,
    openings: Openings,
    /// Rows that this statement has written.
    written: Vec<String>,
}

/// Who holds the key that a new row wants.
enum Holder {
    Hers(Slot),
    Neighbours,
}

impl Statement {
    #[must_use]
    pub fn begin(platform: &Platform, provider: &str) -> Self {
        let slots = platform.slots.clone();
        Self {
            provider: provider.to_owned(),
            neighbour: platform.neighbour.clone(),
            by_times: slots.values().map(|slot| ((slot.start, slot.end), slot.id.clone())).collect(),
            openings: Openings::of(slots.values()),
            slots,
            written: Vec::new(),
        }
    }

    /// Takes everything over, and answers with the rows that were written.
    pub fn commit(self, platform: &mut Platform) -> Vec<Slot> {
        let written = self.written.iter().filter_map(|id| self.slots.get(id).cloned()).collect();
        platform.slots = self.slots;
        written
    }

    /// # Errors
    /// When a constraint is against it.
    pub fn insert(&mut self, draft: Draft) -> Result<(), Refusal> {
        let slot = self.checked(draft)?;
        self.add(slot)
    }

    /// Inserts, unless the key is taken: then it does as `resolution` says. `merge` makes the new row from the old one.
    ///
    /// # Errors
    /// When a constraint is against it.
    pub fn upsert(
        &mut self,
        draft: Draft,
        target: Target,
        resolution: Resolution,
        merge: impl FnOnce(&mut Draft) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let slot = self.checked(draft)?;
        match (self.holder(&slot, target), resolution) {
            (None, Resolution::Ignore | Resolution::Merge) => self.add(slot),
            (Some(_), Resolution::Ignore) => Ok(()),
            (Some(Holder::Neighbours), Resolution::Merge) => Err(not_hers(" (USING expression)")),
            (Some(Holder::Hers(old)), Resolution::Merge) => {
                if self.written.contains(&old.id) {
                    let message = "ON CONFLICT DO UPDATE command cannot affect row a second time";
                    return Err(Refusal::new(500, "21000", message));
                }
                let mut draft = Draft::of(&old, &self.provider);
                merge(&mut draft)?;
                self.replace(&old.id, draft)
            }
        }
    }

    /// # Errors
    /// When a constraint is against it.
    pub fn replace(&mut self, id: &str, draft: Draft) -> Result<(), Refusal> {
        let slot = self.checked(draft)?;
        self.remove(id);
        self.add(slot)
    }

    pub fn remove(&mut self, id: &str) -> Option<Slot> {
        let slot = self.slots.remove(id)?;
        self.by_times.remove(&(slot.start, slot.end));
        self.openings.remove(&slot);
        Some(slot)
    }

    /// What is looked at before any index: whose it is, and whether its values are allowed.
    fn checked(&self, draft: Draft) -> Result<Slot, Refusal> {
        if draft.provider != self.provider {
            return Err(not_hers(""));
        }
        let mut slot = draft.slot;
        slot.slot_type = SlotType::parse(&draft.slot_type).ok_or_else(|| {
            let told = format!(
                "Failing row contains ({}, {}, {}, {}, {}, {}).",
                slot.id,
                self.provider,
                plain(slot.start),
                plain(slot.end),
                if slot.is_available { "t" } else { "f" },
                draft.slot_type,
            );
            let message = "new row for relation \"availability_slots\" violates check constraint \
                           \"availability_slots_slot_type_check\"";
            Refusal::new(400, "23514", message).with_details(told)
        })?;
        if draft.recurring_rule {
            let message = "insert or update on table \"availability_slots\" violates foreign key constraint \
                           \"availability_slots_recurring_rule_id_fkey\"";
            return Err(Refusal::new(409, "23503", message));
        }
        Ok(slot)
    }

    fn add(&mut self, slot: Slot) -> Result<(), Refusal> {
        if self.slots.contains_key(&slot.id) || self.neighbour.slots.contains_key(&slot.id) {
            return Err(duplicate("availability_slots_pkey", &format!("(id)=({})", slot.id)));
        }
        if self.by_times.contains_key(&(slot.start, slot.end)) {
            let (provider, start, end) = (&self.provider, plain(slot.start), plain(slot.end));
            let key = format!("(provider_id, start_time, end_time)=({provider}, {start}, {end})");
            return Err(duplicate("availability_slots_provider_time_key", &key));
        }
        if slot.is_available {
            self.not_overlapping(&slot)?;
            self.openings.add(&slot);
        }
        self.by_times.insert((slot.start, slot.end), slot.id.clone());
        self.written.push(slot.id.clone());
        self.slots.insert(slot.id.clone(), slot);
        Ok(())
    }

    /// Only open slots are in the constraint's index, so a closed one may even end before it starts.
    fn not_overlapping(&self, slot: &Slot) -> Result<(), Refusal> {
        if slot.end < slot.start {
            let message = "range lower bound must be less than or equal to range upper bound";
            return Err(Refusal::new(400, "22000", message));
        }
        let Some(span) = Interval::new(slot.start, slot.end) else { return Ok(()) };
        let Some(other) = self.openings.overlapping(&span) else { return Ok(()) };
        let key = |start, end| {
            let range = format!("[\"{}\",\"{}\")", plain(start), plain(end));
            format!("(provider_id, tstzrange(start_time, end_time))=({}, {range})", self.provider)
        };
        let (ours, theirs) = (key(slot.start, slot.end), key(other.start, other.end));
        let details = format!("Key {ours} conflicts with existing key {theirs}.");
        Err(Refusal::new(409, Overlap::CODE, Overlap::MESSAGE).with_details(details))
    }

    fn holder(&self, slot: &Slot, target: Target) -> Option<Holder> {
        let hers = match target {
            Target::Id if self.neighbour.slots.contains_key(&slot.id) => return Some(Holder::Neighbours),
            Target::Id => self.slots.get(&slot.id),
            Target::Times => self.by_times.get(&(slot.start, slot.end)).and_then(|id| self.slots.get(id)),
        };
        hers.cloned().map(Holder::Hers)
    }
}

fn duplicate(constraint: &str, key: &str) -> Refusal {
    let message = format!("duplicate key value violates unique constraint \"{constraint}\"");
    Refusal::new(409, "23505", message).with_details(format!("Key {key} already exists."))
}

/// What row-level security says.
#[must_use]
pub fn not_hers(which: &str) -> Refusal {
    let message =
        format!("new row violates row-level security policy{which} for table \"availability_slots\"");
    Refusal::new(403, "42501", message)
}
