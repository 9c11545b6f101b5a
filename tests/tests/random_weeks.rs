//! Random weeks: customers, the vendor, failing services and dying processes in any order. Whatever happened, once
//! everything answers again, nothing is lost, nothing is double, and what is hers is as she left it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use calendar::event::{End, When};
use calendar::interval::{Interval, union};
use jiff::SignedDuration;
use proptest::prelude::*;
use sync::booking::BookingStatus;
use sync::decide::times;
use sync::ids::{BookingId, RemoteId};
use sync::ports::{Clock, Mirror, RemoteEvent};
use sync::report::Report;
use sync::world::Direction;
use tests::crash::{DyingMirror, Moment};
use tests::service::{Fault, event};
use tests::simulate::holds::holds_an_event;
use tests::world::World;

#[derive(Clone, Debug)]
enum Step {
    Book { who: u8, hour: i64 },
    Reschedule { who: u8, hour: i64 },
    Cancel { who: u8 },
    Confirm { who: u8 },
    AddEvent { which: u8, hour: i64 },
    DeleteEvent { which: u8 },
    MoveOurs { nth: usize, hour: i64 },
    DeleteOurs { nth: usize },
    RewordOurs { nth: usize },
    CopyOurs { nth: usize, hour: i64 },
    Offer { which: u8, hour: i64 },
    Withdraw { which: u8 },
    Sync { direction: Direction, trouble: Trouble },
    Later { hours: i64 },
}

#[derive(Clone, Debug)]
enum Trouble {
    None,
    Fault { pass: usize, times: usize, fault: Fault },
    Death { write: usize, moment: Moment },
}

fn step() -> impl Strategy<Value = Step> {
    let hour = || 10_i64..600;
    let who = || 0_u8..6;
    let fault = prop_oneof![
        Just(Fault::ReplyLost),
        Just(Fault::Unreachable),
        Just(Fault::RateLimited),
        Just(Fault::SignInExpired),
        Just(Fault::CursorLost),
        Just(Fault::HalfAReading),
        Just(Fault::Rejected),
    ];
    let trouble = prop_oneof![
        2 => Just(Trouble::None),
        3 => (0_usize..14, 1_usize..9, fault).prop_map(|(pass, times, fault)| Trouble::Fault { pass, times, fault }),
        2 => (1_usize..30, prop_oneof![Just(Moment::Before), Just(Moment::After)])
            .prop_map(|(write, moment)| Trouble::Death { write, moment }),
    ];
    let direction = prop_oneof![
        3 => Just(Direction::Bidirectional),
        1 => Just(Direction::ToCalendar),
        1 => Just(Direction::FromCalendar),
    ];
    prop_oneof![
        3 => (who(), hour()).prop_map(|(who, hour)| Step::Book { who, hour }),
        2 => (who(), hour()).prop_map(|(who, hour)| Step::Reschedule { who, hour }),
        2 => who().prop_map(|who| Step::Cancel { who }),
        1 => who().prop_map(|who| Step::Confirm { who }),
        2 => (who(), hour()).prop_map(|(which, hour)| Step::AddEvent { which, hour }),
        1 => who().prop_map(|which| Step::DeleteEvent { which }),
        1 => (0_usize..5, hour()).prop_map(|(nth, hour)| Step::MoveOurs { nth, hour }),
        1 => (0_usize..5).prop_map(|nth| Step::DeleteOurs { nth }),
        1 => (0_usize..5).prop_map(|nth| Step::RewordOurs { nth }),
        1 => (0_usize..5, hour()).prop_map(|(nth, hour)| Step::CopyOurs { nth, hour }),
        2 => (who(), hour()).prop_map(|(which, hour)| Step::Offer { which, hour }),
        1 => who().prop_map(|which| Step::Withdraw { which }),
        6 => (direction, trouble).prop_map(|(direction, trouble)| Step::Sync { direction, trouble }),
        1 => (1_i64..40).prop_map(|hours| Step::Later { hours }),
    ]
}

/// The world, with what only the test knows: which events are hers.
struct Week {
    world: World,
    inside: Arc<dyn Mirror>,
    hers: BTreeMap<RemoteId, RemoteEvent>,
    copies: usize,
    /// The free times of her files, in hours, by event.
    offers: BTreeMap<u8, i64>,
    versions: u32,
}

impl Week {
    fn new() -> Self {
        let inside: Arc<dyn Mirror> = Arc::new(mirror::Sqlite::in_memory().expect("a mirror"));
        let world = World::new(Box::new(DyingMirror::new(inside.clone(), usize::MAX, Moment::Before)));
        Self { world, inside, hers: BTreeMap::new(), copies: 0, offers: BTreeMap::new(), versions: 0 }
    }

    /// Events that we wrote and that still stand, as a person would pick one.
    fn ours(&self, nth: usize) -> Option<RemoteEvent> {
        let ours: Vec<_> = self
            .world
            .booking_events()
            .into_iter()
            .filter(|event| !self.hers.contains_key(&event.id))
            .collect();
        ours.get(nth).cloned()
    }

    fn put_ours(&self, event: RemoteEvent) {
        let target = self.world.target();
        self.world.services.state().put(&target, event);
    }

    async fn take(&mut self, step: &Step) {
        let known = |who: &u8| BookingId(format!("b{who}"));
        match step {
            Step::Book { who, hour } => {
                let free = !self.world.services.state().bookings.contains_key(&known(who));
                if free {
                    self.world.customer_books(&known(who).0, *hour);
                }
            }
            Step::Reschedule { who, hour } => self.change(&known(who), |world, booking| {
                (booking.start, booking.end) = (world.at(*hour), world.at(hour + 1));
            }),
            Step::Cancel { who } => {
                self.change(&known(who), |_, booking| booking.status = BookingStatus::Cancelled);
            }
            Step::Confirm { who } => {
                self.change(&known(who), |_, booking| booking.status = BookingStatus::Confirmed);
            }
            Step::AddEvent { which, hour } => {
                let event = event(&format!("hers{which}"), self.world.at(*hour), self.world.at(hour + 2));
                self.world.services.state().put(&"personal".into(), event.clone());
                self.hers.insert(event.id.clone(), event);
            }
            Step::DeleteEvent { which } => {
                let id = RemoteId(format!("hers{which}"));
                if self.hers.remove(&id).is_some() {
                    self.world.vendor_deletes(&"personal".into(), &id);
                }
            }
            Step::MoveOurs { nth, hour } => {
                if let Some(mut event) = self.ours(*nth) {
                    event.event.start = When::Utc(self.world.at(*hour));
                    event.event.end = End::At(When::Utc(self.world.at(hour + 1)));
                    self.put_ours(event);
                }
            }
            Step::DeleteOurs { nth } => {
                if let Some(event) = self.ours(*nth) {
                    let target = self.world.target();
                    self.world.vendor_deletes(&target, &event.id);
                }
            }
            Step::RewordOurs { nth } => {
                if let Some(mut event) = self.ours(*nth) {
                    event.event.summary = "her own words".to_owned();
                    self.put_ours(event);
                }
            }
            Step::CopyOurs { nth, hour } => {
                if let Some(mut event) = self.ours(*nth) {
                    self.copies += 1;
                    event.id = RemoteId(format!("copy{}", self.copies));
                    event.event.start = When::Utc(self.world.at(*hour));
                    event.event.end = End::At(When::Utc(self.world.at(hour + 1)));
                    self.hers.insert(event.id.clone(), event.clone());
                    self.put_ours(event);
                }
            }
            Step::Offer { which, hour } => {
                self.offers.insert(*which, *hour);
                self.import(*which, *hour, "");
            }
            Step::Withdraw { which } => {
                let hour = self.offers.remove(which).unwrap_or(1);
                self.import(*which, hour, "STATUS:CANCELLED\n");
            }
            Step::Later { hours } => self.world.clock.advance(SignedDuration::from_hours(*hours)),
            Step::Sync { direction, trouble } => self.sync(*direction, trouble).await,
        }
    }

    /// A file with one free time of two hours, newer than all before it.
    fn import(&mut self, which: u8, hour: i64, more: &str) {
        self.versions += 1;
        let at = |at: jiff::Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
        let (start, end) = (at(self.world.at(hour)), at(self.world.at(hour + 2)));
        let file = format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:offer{which}\nDTSTART:{start}\nDTEND:{end}\nSEQUENCE:{}\n\
             TRANSP:TRANSPARENT\n{more}END:VEVENT\nEND:VCALENDAR\n",
            self.versions
        );
        self.world.vendor_imports(&file, None);
    }

    fn change(&self, id: &BookingId, change: impl FnOnce(&World, &mut sync::booking::Booking)) {
        if self.world.services.state().bookings.contains_key(id) {
            self.world.platform_changes(id, |booking| change(&self.world, booking));
        }
    }

    async fn sync(&mut self, direction: Direction, trouble: &Trouble) {
        match trouble {
            Trouble::None => {}
            Trouble::Fault { pass, times, fault } => self.world.fail_from(*pass, *times, *fault),
            Trouble::Death { write, moment } => {
                self.world.mirror = Box::new(DyingMirror::new(self.inside.clone(), *write, *moment));
            }
        }
        // A death is an error here, and nothing else is.
        let ended = self.world.try_sync(direction, false).await;
        assert!(ended.is_ok() || matches!(trouble, Trouble::Death { .. }), "{ended:?}");
        self.world.heal();
        self.world.mirror = Box::new(DyingMirror::new(self.inside.clone(), usize::MAX, Moment::Before));
    }

    fn hold(&self, report: &Report) {
        assert!(report.errors.is_empty(), "{report:#?}");
        let now = self.world.clock.now();
        let waits = report.decisions.iter().filter(|card| holds_an_event(&card.kind));
        let asked: BTreeSet<&BookingId> = waits.filter_map(|card| card.booking_id.as_ref()).collect();
        let live = self.world.booking_events();
        let bookings = self.world.services.state().bookings.clone();
        for (id, (_, booking)) in &bookings {
            let standing: Vec<_> = live
                .iter()
                .filter(|event| !self.hers.contains_key(&event.id))
                .filter(|event| event.marker.as_ref().is_some_and(|marker| marker.booking == *id))
                .collect();
            assert!(standing.len() <= 1, "{id} has {} events", standing.len());
            if booking.end <= now || asked.contains(id) {
                continue;
            }
            match booking.status {
                BookingStatus::Cancelled => {
                    assert!(standing.is_empty(), "{id} was cancelled and its event stands")
                }
                BookingStatus::Pending
                | BookingStatus::Confirmed
                | BookingStatus::Completed
                | BookingStatus::NoShow
                | BookingStatus::Other(_) => assert_eq!(
                    standing.first().and_then(|event| times(event)),
                    Some((booking.start, booking.end)),
                    "{id} is not where it was booked"
                ),
            }
        }
        for (id, event) in &self.hers {
            let state = self.world.services.state();
            let found = state
                .calendars
                .values()
                .find_map(|calendar| calendar.events.get(id).and_then(|(_, e)| e.clone()));
            let found = found.unwrap_or_else(|| panic!("{id} was hers and is gone"));
            assert_eq!(
                (&found.event, &found.marker),
                (&event.event, &event.marker),
                "{id} was hers and was written to"
            );
        }
        self.hold_slots();
        self.hold_busy(&live, &bookings.values().map(|(_, booking)| booking.clone()).collect::<Vec<_>>());
    }

    /// What she offers is bookable where nothing is in the way, and what she took back is not.
    fn hold_slots(&self) {
        let now = self.world.clock.now();
        let span = |hour: i64| Interval::new(self.world.at(hour), self.world.at(hour + 2)).expect("a time");
        let offers: Vec<Interval> = self.offers.values().map(|hour| span(*hour)).collect();
        let state = self.world.services.state();
        let bookings = state.bookings.values().filter(|(_, b)| b.status != BookingStatus::Cancelled);
        let bookings = bookings.filter_map(|(_, b)| Interval::new(b.start, b.end));
        let busy = state.busy.values().flat_map(|set| set.intervals.iter().copied());
        let taken: Vec<Interval> = bookings.chain(busy).collect();
        for slot in state.slots.values().filter(|slot| slot.open && slot.span.start() > now) {
            let wanted = offers.iter().any(|o| o.start() <= slot.span.start() && slot.span.end() <= o.end());
            assert!(wanted, "{slot:?} is bookable and nobody offers it: {offers:?}");
        }
        for offer in &offers {
            let alone = offers.iter().filter(|other| other.overlaps(offer)).count() == 1;
            let ahead = offer.start() > now && offer.start() < self.world.at(600);
            if alone && ahead && !taken.iter().any(|taken| taken.overlaps(offer)) {
                let bookable = state.slots.values().any(|slot| slot.open && slot.span == *offer);
                assert!(bookable, "{offer:?} is free and not bookable: {:?}", state.slots);
            }
        }
    }

    fn hold_busy(&self, live: &[RemoteEvent], bookings: &[sync::booking::Booking]) {
        let zone = jiff::tz::TimeZone::get("America/Toronto").expect("a zone");
        let window = sync::busy_set::window(self.world.clock.now(), &zone, &self.world.policy);
        let clip = |(start, end): (jiff::Timestamp, jiff::Timestamp)| {
            Interval::new(start.max(window.start()), end.min(window.end()))
        };
        let hers: Vec<Interval> = self.hers.values().filter_map(times).filter_map(clip).collect();
        let elsewhere = live.iter().filter(|event| !self.hers.contains_key(&event.id)).filter(|event| {
            let booking =
                event.marker.as_ref().and_then(|marker| bookings.iter().find(|b| b.id == marker.booking));
            booking.is_some_and(|b| {
                b.status == BookingStatus::Cancelled || times(event) != Some((b.start, b.end))
            })
        });
        let moved: Vec<Interval> = elsewhere.filter_map(times).filter_map(clip).collect();
        let published: Vec<Interval> = self
            .world
            .published_busy()
            .into_iter()
            .filter_map(|(start, end)| Interval::new(start, end))
            .collect();
        let least = union(hers.clone());
        let most = union(hers.into_iter().chain(moved).collect());
        let covers = |outer: &[Interval], inner: &[Interval]| {
            inner.iter().all(|i| outer.iter().any(|o| o.start() <= i.start() && i.end() <= o.end()))
        };
        assert!(
            covers(&published, &least),
            "a busy time of hers is bookable: {published:?} lacks some of {least:?}"
        );
        assert!(
            covers(&most, &published),
            "a time nobody takes is blocked: {published:?} is more than {most:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn any_week_ends_well(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let mut week = Week::new();
            for step in &steps {
                week.take(step).await;
            }
            let first = week.world.sync().await;
            week.hold(&first);
            week.world.assert_settled().await;
        });
    }
}
