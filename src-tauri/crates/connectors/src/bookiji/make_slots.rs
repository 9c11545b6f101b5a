//! Makes many slots with few requests, such that one that cannot be made stops no other.
//!
//! The database takes a list whole or not at all. When it refuses one, what stands there tells which rows it means; what
//! is refused all the same is halved until the row is found. Ids are the caller's, so the same call again makes nothing
//! twice, and a call that ended without an answer is simply made again.

use std::collections::{BTreeMap, BTreeSet};

use calendar::interval::Interval;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use sync::error::ServiceError;
use sync::ids::SlotId;
use sync::ports::{Slot, SlotMade};

use super::database::{Refused, error, refused};
use super::slots::{Slots, written};
use crate::http::{Method, Peer};

/// Rows of one request: enough to be quick, few enough that a refusal costs little.
const TOGETHER: usize = 200;
/// Ids that are asked about at once; an address may not be long.
const NAMED: usize = 100;
/// Requests that looking for refused rows may cost, for one whole call.
const SEARCHES: usize = 64;

/// Slots that are sent together, by their place in the call.
struct Group {
    places: Vec<usize>,
    /// What stands there has been looked at.
    looked: bool,
}

#[derive(Deserialize)]
struct Named {
    id: SlotId,
}

impl Slots<'_> {
    /// Makes the slots, and answers in their order.
    pub(super) async fn create(&self, slots: &[Slot]) -> Result<Vec<SlotMade>, ServiceError> {
        let mut made: Vec<Option<SlotMade>> = vec![None; slots.len()];
        let mut searches = SEARCHES;
        let places: Vec<usize> = (0..slots.len()).collect();
        let group = |places: &[usize]| Group { places: places.to_vec(), looked: false };
        let mut groups: Vec<Group> = places.chunks(TOGETHER).rev().map(group).collect();
        while let Some(mut group) = groups.pop() {
            let refused = match self.insert(slots, &group.places).await? {
                Ok(verdicts) => {
                    verdicts.into_iter().for_each(|(place, verdict)| made[place] = Some(verdict));
                    continue;
                }
                Err(refused) => refused,
            };
            if group.places.len() == 1 {
                made[group.places[0]] = Some(verdict(&refused));
                continue;
            }
            if !group.looked && matches!(refused, Refused::Taken | Refused::Overlaps) {
                let standing = self.overlapping(around(slots, &group.places)).await?;
                let (settled, rest) = sort_out(slots, &group.places, &standing);
                settled.into_iter().for_each(|(place, verdict)| made[place] = Some(verdict));
                group = Group { places: rest, looked: true };
                if !group.places.is_empty() {
                    groups.push(group);
                }
                continue;
            }
            if searches < 2 {
                // One of them is at fault, and which is not worth more requests: none of them stands.
                group.places.iter().for_each(|&place| made[place] = Some(unfound(&refused)));
                continue;
            }
            searches -= 2;
            let (first, second) = group.places.split_at(group.places.len() / 2);
            groups.extend([second, first].map(|half| Group { places: half.to_vec(), looked: group.looked }));
        }
        let missed = || SlotMade::Refused(rejected("it was not asked for"));
        Ok(made.into_iter().map(|verdict| verdict.unwrap_or_else(missed)).collect())
    }

    /// Sends the rows of one group: what became of each, or why none was made.
    async fn insert(
        &self,
        slots: &[Slot],
        places: &[usize],
    ) -> Result<Result<Vec<(usize, SlotMade)>, Refused>, ServiceError> {
        let rows: Vec<Value> = places.iter().map(|&place| self.row(&slots[place])).collect();
        let request = self
            .database
            .slots(Method::POST, "return=representation,resolution=ignore-duplicates")
            .query("on_conflict", "id")
            .query("select", "id")
            .json(&Value::Array(rows));
        let answer = self.signed.send(self.fence.on(request)).await?;
        if !answer.status.is_success() {
            return match refused(&answer) {
                Refused::Call(error) => Err(error),
                about_a_row @ (Refused::Taken | Refused::Overlaps | Refused::Row(_)) => Ok(Err(about_a_row)),
            };
        }
        let mut ours = names(answer.json()?);
        let unnamed: Vec<&SlotId> =
            places.iter().map(|&place| &slots[place].id).filter(|id| !ours.contains(&key(id))).collect();
        ours.extend(self.standing(&unnamed).await?);
        let verdict = |&place: &usize| {
            let stands = ours.contains(&key(&slots[place].id));
            let service = Peer::Bookiji.name().to_owned();
            // Passed over for its id, and not among hers: somebody else's slot has that id.
            let other = || SlotMade::Refused(ServiceError::Exists { service });
            (place, if stands { SlotMade::Stands } else { other() })
        };
        Ok(Ok(places.iter().map(verdict).collect()))
    }

    /// Which of these ids are hers: rows that an earlier call made are passed over without a word.
    async fn standing(&self, ids: &[&SlotId]) -> Result<BTreeSet<String>, ServiceError> {
        let mut found = BTreeSet::new();
        for some in ids.chunks(NAMED) {
            let list = some.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(",");
            let request = self
                .database
                .her_slots(Method::GET, "")
                .query("id", &format!("in.({list})"))
                .query("select", "id");
            let answer = self.signed.send(request).await?;
            if !answer.status.is_success() {
                return Err(error(&answer));
            }
            found.extend(names(answer.json()?));
        }
        Ok(found)
    }

    fn row(&self, slot: &Slot) -> Value {
        json!({
            "id": slot.id,
            "provider_id": self.database.vendor,
            "start_time": written(slot.span.start()),
            "end_time": written(slot.span.end()),
            "is_available": true,
            "slot_type": "regular",
        })
    }
}

/// Tells the slots that cannot be made, given what stands, from those that are worth another try. Of two that exclude
/// each other the first has its way.
fn sort_out(slots: &[Slot], places: &[usize], standing: &[Slot]) -> (Vec<(usize, SlotMade)>, Vec<usize>) {
    let ids: BTreeSet<String> = standing.iter().map(|slot| key(&slot.id)).collect();
    let mut times: BTreeSet<Interval> = standing.iter().map(|slot| slot.span).collect();
    // Open slots never overlap, so only the last that starts before a time ends can lie over it.
    let mut open: BTreeMap<Timestamp, Timestamp> =
        standing.iter().filter(|slot| slot.open).map(|slot| (slot.span.start(), slot.span.end())).collect();
    let (mut settled, mut rest) = (Vec::new(), Vec::new());
    for &place in places {
        let Slot { span, id, .. } = &slots[place];
        if ids.contains(&key(id)) {
            settled.push((place, SlotMade::Stands));
        } else if times.contains(span) {
            settled.push((place, SlotMade::Taken));
        } else if open.range(..span.end()).next_back().is_some_and(|(_, end)| *end > span.start()) {
            settled.push((place, SlotMade::Overlaps));
        } else {
            times.insert(*span);
            open.insert(span.start(), span.end());
            rest.push(place);
        }
    }
    (settled, rest)
}

/// The time from the first of them to the last.
fn around(slots: &[Slot], places: &[usize]) -> Interval {
    let spans = || places.iter().map(|&place| slots[place].span);
    let start = spans().map(|span| span.start()).min();
    let end = spans().map(|span| span.end()).max();
    start.zip(end).and_then(|(start, end)| Interval::new(start, end)).unwrap_or(slots[places[0]].span)
}

fn verdict(refused: &Refused) -> SlotMade {
    match refused {
        Refused::Taken => SlotMade::Taken,
        Refused::Overlaps => SlotMade::Overlaps,
        Refused::Row(error) | Refused::Call(error) => SlotMade::Refused(error.clone()),
    }
}

fn unfound(refused: &Refused) -> SlotMade {
    match refused {
        Refused::Taken | Refused::Overlaps => {
            SlotMade::Refused(rejected("it was sent with others of which one is in the way of another slot"))
        }
        Refused::Row(error) | Refused::Call(error) => SlotMade::Refused(error.clone()),
    }
}

fn rejected(reason: &str) -> ServiceError {
    ServiceError::Rejected { service: Peer::Bookiji.name().to_owned(), reason: reason.to_owned() }
}

fn names(rows: Vec<Named>) -> BTreeSet<String> {
    rows.iter().map(|row| key(&row.id)).collect()
}

/// PostgreSQL writes ids in lower case, whatever it was given.
fn key(id: &SlotId) -> String {
    id.as_str().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(id: &str, start: i64, end: i64, open: bool) -> Slot {
        let at = |second| Timestamp::from_second(second).unwrap();
        Slot { span: Interval::new(at(start), at(end)).unwrap(), id: id.into(), open }
    }

    #[test]
    fn what_stands_tells_which_slots_cannot_be_made() {
        let standing = [slot("a", 0, 10, true), slot("b", 20, 30, false), slot("OURS", 40, 50, false)];
        let slots = [
            slot("same", 0, 10, true),
            slot("closed", 20, 30, true),
            slot("over", 5, 15, true),
            slot("over-closed", 25, 35, true),
            slot("touching", 10, 20, true),
            slot("ours", 40, 50, true),
            slot("second", 11, 12, true),
            slot("again", 25, 35, true),
        ];
        let places: Vec<usize> = (0..slots.len()).collect();
        let (settled, rest) = sort_out(&slots, &places, &standing);
        let expected = [
            (0, SlotMade::Taken),
            (1, SlotMade::Taken),
            (2, SlotMade::Overlaps),
            (5, SlotMade::Stands),
            (6, SlotMade::Overlaps),
            (7, SlotMade::Taken),
        ];
        assert_eq!((settled.as_slice(), rest.as_slice()), (&expected[..], &[3, 4][..]));
    }
}
