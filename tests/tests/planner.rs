//! The planner alone, over one week that went two ways: what the platform and the calendars did, and what the mirror made of
//! it. Plan, carry out in any order, plan again: it ends, and what it promises holds.

use std::collections::BTreeMap;

use calendar::interval::Interval;
use proptest::prelude::*;
use sync::booking::{Booking, BookingStatus};
use sync::decide::{Wish, times, wish};
use sync::decisions::{Decided, answer};
use sync::ids::{BookingId, RemoteId};
use sync::ports::RemoteEvent;
use sync::world::{Choice, Operation, Role};
use tests::service::event;
use tests::week::Week;

/// What happens to the week, on one side or the other.
#[derive(Clone, Debug)]
enum Happens {
    Books { hour: i64 },
    Reschedules { nth: usize, hour: i64 },
    Status { nth: usize, status: u8 },
    Vanishes { nth: usize },
    Adds { hour: i64, target: bool },
    MovesHers { nth: usize, hour: i64 },
    DeletesHers { nth: usize },
    MovesOurs { nth: usize, hour: i64 },
    Stretches { nth: usize },
    DeletesOurs { nth: usize },
    Rewords { nth: usize },
    Copies { nth: usize, hour: i64 },
    ForgetsMapping { nth: usize },
    ForgetsPublished,
    ForgetsAll,
    WasAboutToUpdate { nth: usize, hour: i64, done: bool },
}

fn happens() -> impl Strategy<Value = Happens> {
    use Happens::*;
    let hour = || 10_i64..400;
    let nth = || 0_usize..9;
    prop_oneof![
        4 => hour().prop_map(|hour| Books { hour }),
        3 => (nth(), hour()).prop_map(|(nth, hour)| Reschedules { nth, hour }),
        3 => (nth(), 0_u8..5).prop_map(|(nth, status)| Status { nth, status }),
        1 => nth().prop_map(|nth| Vanishes { nth }),
        3 => (hour(), any::<bool>()).prop_map(|(hour, target)| Adds { hour, target }),
        2 => (nth(), hour()).prop_map(|(nth, hour)| MovesHers { nth, hour }),
        1 => nth().prop_map(|nth| DeletesHers { nth }),
        3 => (nth(), hour()).prop_map(|(nth, hour)| MovesOurs { nth, hour }),
        1 => nth().prop_map(|nth| Stretches { nth }),
        2 => nth().prop_map(|nth| DeletesOurs { nth }),
        1 => nth().prop_map(|nth| Rewords { nth }),
        2 => (nth(), hour()).prop_map(|(nth, hour)| Copies { nth, hour }),
        1 => nth().prop_map(|nth| ForgetsMapping { nth }),
        1 => Just(ForgetsPublished),
        1 => Just(ForgetsAll),
        1 => (nth(), hour(), any::<bool>()).prop_map(|(nth, hour, done)| WasAboutToUpdate { nth, hour, done }),
    ]
}

fn nth<T: Clone>(all: &[T], nth: usize) -> Option<T> {
    if all.is_empty() { None } else { all.get(nth % all.len()).cloned() }
}

struct Story {
    week: Week,
    names: usize,
}

impl Story {
    fn name(&mut self, what: &str) -> String {
        self.names += 1;
        format!("{what}{}", self.names)
    }

    fn booking(&self, at: usize) -> Option<Booking> {
        nth(&self.week.bookings.values().cloned().collect::<Vec<_>>(), at)
    }

    fn put_booking(&mut self, booking: Booking) {
        self.week.bookings.insert(booking.id.clone(), booking);
    }

    fn take(&mut self, happens: &Happens) {
        let target = self.week.with_role(Role::Target);
        match *happens {
            Happens::Books { hour } => {
                let id = BookingId(self.name("b"));
                let (start, end) = (self.week.at(hour), self.week.at(hour + 1));
                self.put_booking(Booking {
                    id,
                    vendor: "vendor-1".into(),
                    status: BookingStatus::Confirmed,
                    start,
                    end,
                    service_name: Some("Haircut".to_owned()),
                    customer_name: Some("Nadia Roy".to_owned()),
                    customer_email: None,
                    notes: None,
                    proposal: sync::proposal::Proposal::NotOffered,
                    updated_at: String::new(),
                });
            }
            Happens::Reschedules { nth, hour } => {
                if let Some(booking) = self.booking(nth) {
                    let (start, end) = (self.week.at(hour), self.week.at(hour + 1));
                    self.put_booking(Booking { start, end, ..booking });
                }
            }
            Happens::Status { nth, status } => {
                if let Some(booking) = self.booking(nth) {
                    let status = match status {
                        0 => BookingStatus::Cancelled,
                        1 => BookingStatus::Completed,
                        2 => BookingStatus::NoShow,
                        3 => BookingStatus::Pending,
                        _ => BookingStatus::Other("on_hold".to_owned()),
                    };
                    self.put_booking(Booking { status, ..booking });
                }
            }
            Happens::Vanishes { nth } => {
                if let Some(booking) = self.booking(nth) {
                    self.week.bookings.remove(&booking.id);
                }
            }
            Happens::Adds { hour, target: into } => {
                let id = self.name("hers");
                let calendar = if into { target } else { self.week.with_role(Role::Busy) };
                let new = event(&id, self.week.at(hour), self.week.at(hour + 2));
                self.week.put(&calendar, new);
            }
            Happens::MovesHers { nth: at, hour } => {
                if let Some((calendar, hers)) = nth(&self.week.hers(), at) {
                    self.week.put(&calendar, self.at_hour(hers, hour, 2));
                }
            }
            Happens::DeletesHers { nth: at } => {
                if let Some((calendar, hers)) = nth(&self.week.hers(), at) {
                    self.week.delete(&calendar, &hers.id);
                }
            }
            Happens::MovesOurs { nth: at, hour } => {
                if let Some(ours) = nth(&self.week.standing_ours(), at) {
                    self.week.put(&target, self.at_hour(ours, hour, 1));
                }
            }
            Happens::Stretches { nth: at } => {
                if let Some(ours) = nth(&self.week.standing_ours(), at)
                    && let Some((start, end)) = times(&ours)
                {
                    let longer = end.saturating_add(jiff::SignedDuration::from_mins(30)).unwrap_or(end);
                    self.week.put(&target, at_times(ours, start, longer));
                }
            }
            Happens::DeletesOurs { nth: at } => {
                if let Some(ours) = nth(&self.week.standing_ours(), at) {
                    self.week.delete(&target, &ours.id);
                }
            }
            Happens::Rewords { nth: at } => {
                if let Some(mut ours) = nth(&self.week.standing_ours(), at) {
                    ours.event.summary = self.name("her words ");
                    self.week.put(&target, ours);
                }
            }
            Happens::Copies { nth: at, hour } => {
                if let Some(mut copy) = nth(&self.week.standing_ours(), at) {
                    copy.id = RemoteId(self.name("copy"));
                    self.week.put(&target, self.at_hour(copy, hour, 1));
                }
            }
            Happens::ForgetsMapping { nth: at } => {
                let keys: Vec<_> = self.week.believed.mappings.keys().cloned().collect();
                if let Some(key) = nth(&keys, at) {
                    self.week.believed.mappings.remove(&key);
                }
            }
            Happens::ForgetsPublished => self.week.believed.published.clear(),
            Happens::ForgetsAll => {
                self.week.believed.mappings.clear();
                self.week.believed.published.clear();
                self.week.believed.bookings.clear();
                self.week.believed.events.values_mut().for_each(BTreeMap::clear);
            }
            Happens::WasAboutToUpdate { nth: at, hour, done } => self.was_about_to_update(at, hour, done),
        }
    }

    /// A crash left an update open that the booking asked for; perhaps it was done.
    fn was_about_to_update(&mut self, at: usize, hour: i64, done: bool) {
        let Some(booking) = self.booking(at).filter(|booking| booking.status == BookingStatus::Confirmed)
        else {
            return;
        };
        let (start, end) = (self.week.at(hour), self.week.at(hour + 1));
        let booking = Booking { start, end, ..booking };
        self.put_booking(booking.clone());
        let mut believed = self.week.clone();
        believed.believed.bookings.insert(booking.id.clone(), booking);
        let plan = believed.plan();
        let Some(write) =
            plan.writes.into_iter().find(|write| matches!(write, Operation::UpdateEvent { .. }))
        else {
            return;
        };
        let id = i64::try_from(self.week.believed.unsettled.len()).unwrap_or(0);
        if let (Operation::UpdateEvent { calendar, event, base, draft, .. }, true) = (&write, done)
            && let Some(there) = self.week.events[calendar].get(event).filter(|there| there.etag == *base)
        {
            self.week.put(calendar, at_times(there.clone(), draft.start, draft.end));
        }
        self.week.believed.unsettled.push((sync::world::OperationId(id), write));
    }

    fn at_hour(&self, event: RemoteEvent, hour: i64, length: i64) -> RemoteEvent {
        at_times(event, self.week.at(hour), self.week.at(hour + length))
    }
}

fn at_times(mut event: RemoteEvent, start: jiff::Timestamp, end: jiff::Timestamp) -> RemoteEvent {
    event.event.start = calendar::event::When::Utc(start);
    event.event.end = calendar::event::End::At(calendar::event::When::Utc(end));
    event
}

/// How many times it may plan anew until nothing is left to do.
const ROUNDS: usize = 5;

/// Plans and carries out until nothing is left.
fn settle(week: &mut Week, order: u64) {
    for round in 0..ROUNDS {
        settle_open(week);
        let plan = week.plan();
        if plan.is_empty() {
            return;
        }
        week.apply(&plan, |actions| shuffle(actions, order.wrapping_add(round as u64)));
    }
    let left = week.plan();
    assert!(left.is_empty(), "after {ROUNDS} rounds there is still {left:#?}");
}

/// What a crash left open is settled by what stands there, as every run does before it plans.
fn settle_open(week: &mut Week) {
    for (_, open) in std::mem::take(&mut week.believed.unsettled) {
        if let Some(sync::world::Settled::Stored { mapping, .. }) =
            sync::recover::conclude(&open, &week.believed, week.now)
        {
            week.believed.mappings.insert((mapping.booking.clone(), mapping.calendar.clone()), *mapping);
        }
    }
}

fn shuffle<T>(all: &mut [T], order: u64) {
    let mut dice = order.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for at in (1..all.len()).rev() {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        all.swap(at, usize::try_from(dice % (at as u64 + 1)).unwrap_or(0));
    }
}

fn covers(outer: &[Interval], inner: &[Interval]) -> bool {
    inner.iter().all(|inner| outer.iter().any(|o| o.start() <= inner.start() && inner.end() <= o.end()))
}

/// One story: a settled week, what happened since on every side, and how well it was read.
fn begin(before: &[Happens], after: &[Happens]) -> Story {
    let mut story = Story { week: Week::new(), names: 0 };
    for happens in before {
        story.take(happens);
    }
    story.week.read(|| true);
    settle(&mut story.week, 1);
    for happens in after {
        story.take(happens);
    }
    story
}

fn assert_promises(week: &Week, hers: &[(sync::ids::CalendarId, RemoteEvent)], whole: bool) {
    assert_eq!(week.broken, Vec::<String>::new());
    assert_eq!(week.hers(), hers, "what is hers is as she left it");
    let plan = week.plan();
    if whole {
        assert_no_booking_is_lost(week, &plan.cards);
    }
    for card in plan.cards.iter().filter(|card| card.question.as_str() == "deleted") {
        let stands = week.standing_ours().iter().any(|event| {
            event.marker.as_ref().is_some_and(|marker| Some(&marker.booking) == card.booking.as_ref())
        });
        assert!(!stands || !whole, "{:?} is said to be deleted, and stands", card.booking);
    }
    assert_busy(week, &plan.cards, whole);
}

fn assert_no_booking_is_lost(week: &Week, cards: &[sync::plan::Card]) {
    for (id, booking) in &week.bookings {
        let standing: Vec<_> = week
            .standing_ours()
            .into_iter()
            .filter(|event| event.marker.as_ref().is_some_and(|marker| marker.booking == *id))
            .collect();
        let asked = cards.iter().any(|card| card.booking.as_ref() == Some(id))
            || week.believed.answers.values().any(|answer| answer.booking.as_ref() == Some(id));
        match wish(Some(booking), week.now) {
            Wish::Event => assert!(
                asked || standing.len() == 1 && week.says(booking, &standing[0]),
                "{id} has {} events and nobody asks",
                standing.len()
            ),
            Wish::Nothing => assert!(asked || standing.is_empty(), "{id} is over, and its event stands"),
            Wish::AsItIs => {}
        }
        assert!(standing.len() <= 1, "{id} has {} events", standing.len());
    }
}

/// What is published contains all that is busy, and is exactly that where everything was read.
fn assert_busy(week: &Week, cards: &[sync::plan::Card], whole: bool) {
    for (calendar, events) in &week.events {
        let told = week.busy.get(calendar).map(|set| set.intervals.clone()).unwrap_or_default();
        let known = &week.believed.events[calendar];
        let hers = events.values().filter(|event| !week.ours.contains(&event.id));
        // A copy whose time she let be booked does not count.
        let is_let = |event: &&RemoteEvent| {
            event.marker.as_ref().is_some_and(|marker| {
                let answers = week.believed.answers.values();
                answers
                    .filter(|a| a.choice == Choice::Unblock)
                    .any(|a| a.booking.as_ref() == Some(&marker.booking))
            })
        };
        let least = hers.clone().filter(|event| known.get(&event.id) == Some(event) && !is_let(event));
        let least = week.blocked(least.cloned());
        assert!(covers(&told, &least), "{calendar} tells {told:?}, and {least:?} is busy");
        if !whole {
            continue;
        }
        let elsewhere = events.values().filter(|event| week.ours.contains(&event.id)).filter(|event| {
            let Some(marker) = &event.marker else { return true };
            // Where she moved it, it blocks too; and one whose booking nobody knows may be anybody's.
            cards.iter().any(|card| card.booking.as_ref() == Some(&marker.booking))
                || week
                    .believed
                    .answers
                    .values()
                    .any(|answer| answer.booking.as_ref() == Some(&marker.booking))
                || week.bookings.get(&marker.booking).is_none_or(|booking| {
                    // Of a status nobody knows, or over by now: left as it is, and blocked where it stands.
                    wish(Some(booking), week.now) == Wish::AsItIs
                })
        });
        let most = week.blocked(hers.chain(elsewhere).cloned());
        assert!(covers(&most, &told), "{calendar} tells {told:?}, and only {most:?} is busy");
    }
    for card in cards.iter().filter(|card| card.question.as_str().starts_with("moved")) {
        let lives = card
            .booking
            .as_ref()
            .and_then(|id| week.bookings.get(id))
            .is_some_and(|booking| wish(Some(booking), week.now) == Wish::Event);
        let Some((start, end)) = card.found.filter(|_| lives) else { continue };
        let found = event("found", start, end);
        let told = week.busy.get(&card.calendar).map(|set| set.intervals.clone()).unwrap_or_default();
        let asked = week.blocked(std::iter::once(found));
        assert!(covers(&told, &asked), "she is asked about {asked:?}, and {told:?} is busy");
    }
}

/// The end of a week, without what depends on when it was written down.
fn end(week: &Week) -> String {
    let events: BTreeMap<_, Vec<_>> = week
        .events
        .iter()
        .map(|(id, events)| {
            (id, events.values().map(|e| (e.id.clone(), times(e), e.event.summary.clone())).collect())
        })
        .collect();
    let rows: Vec<_> = week
        .believed
        .mappings
        .values()
        .map(|row| (&row.booking, &row.event, row.state, row.generation, &row.echo, &row.written))
        .collect();
    format!("{events:?}\n{:?}\n{rows:?}", week.busy)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_that_is_carried_out_leaves_nothing_to_plan_and_keeps_every_promise(
        before in prop::collection::vec(happens(), 4..16),
        after in prop::collection::vec(happens(), 0..12),
        order in any::<u64>(),
    ) {
        let mut week = begin(&before, &after).week;
        let hers = week.hers();
        week.read(|| true);
        settle(&mut week, order);
        assert_promises(&week, &hers, true);
    }

    #[test]
    fn the_order_of_actions_does_not_matter(
        before in prop::collection::vec(happens(), 4..16),
        after in prop::collection::vec(happens(), 0..12),
        orders in any::<(u64, u64)>(),
    ) {
        let story = begin(&before, &after);
        let ends = [orders.0, orders.1].map(|order| {
            let mut week = story.week.clone();
            week.read(|| true);
            settle(&mut week, order);
            end(&week)
        });
        prop_assert_eq!(&ends[0], &ends[1]);
    }

    #[test]
    fn what_was_not_read_is_neither_removed_nor_opened(
        before in prop::collection::vec(happens(), 4..16),
        after in prop::collection::vec(happens(), 0..12),
        sees in prop::collection::vec(any::<bool>(), 40),
        order in any::<u64>(),
    ) {
        let mut week = begin(&before, &after).week;
        let hers = week.hers();
        let mut eyes = sees.into_iter().cycle();
        let whole = week.read(|| eyes.next().unwrap_or(true));
        let known: Vec<_> = week.bookings.keys().cloned().collect();
        let plan = week.plan();
        for write in &plan.writes {
            if let Operation::RemoveEvent { booking, .. } = write {
                let over = week.believed.bookings.get(booking).is_none_or(|b| wish(Some(b), week.now) == Wish::Nothing);
                prop_assert!(over, "{} is removed, and nobody said that it is over", booking);
            }
        }
        settle(&mut week, order);
        assert_promises(&week, &hers, whole);

        // Once all is read, the end is as if it always had been.
        week.read(|| true);
        settle(&mut week, order);
        assert_promises(&week, &hers, true);
        prop_assert_eq!(week.bookings.into_keys().collect::<Vec<_>>(), known);
    }

    #[test]
    fn whatever_she_answers_ends_with_nothing_to_plan(
        before in prop::collection::vec(happens(), 4..16),
        after in prop::collection::vec(happens(), 1..12),
        picks in prop::collection::vec(0_usize..6, 12),
        order in any::<u64>(),
    ) {
        let mut week = begin(&before, &after).week;
        let hers = week.hers();
        week.read(|| true);
        settle(&mut week, order);
        let cards = week.plan().cards;
        for (card, pick) in cards.iter().zip(picks.iter().cycle()) {
            let choice = card.choices()[pick % card.choices().len()];
            if let Ok(Decided::Bookings { answers, .. }) =
                answer(&week.believed, &cards, week.now, &card.id(), choice.as_str())
            {
                for answer in answers {
                    week.believed.answers.insert(answer.card.clone(), answer);
                }
            }
        }
        settle(&mut week, order);
        assert_promises(&week, &hers, true);
    }
}
