//! A day of a vendor's life with a clock that only this test moves: what her calendar's service is asked in it, and how
//! late each side learns what happened on the other.

use std::time::Duration;

use companion::pace::Attention;
use companion::schedule::{Linked, Next, Rhythm, Schedule, Work};
use jiff::{SignedDuration, Timestamp};
use sync::booking::BookingStatus;
use sync::ids::BookingId;
use sync::ports::Clock;
use sync::world::{Direction, Role};
use tests::world::World;

const OWN: Duration = Duration::from_secs(5 * 60);

/// What is asked of the calendar's service. The rest goes to Bookiji.
const OF_THE_CALENDAR: [&str; 8] =
    ["read", "create", "create_all", "update", "delete", "probe", "calendars", "create_calendar"];

#[derive(Clone, Debug)]
enum Happens {
    CustomerBooks {
        id: String,
        hour: i64,
    },
    BookingMoves {
        id: String,
        hour: i64,
    },
    CustomerCancels {
        id: String,
    },
    /// She writes an hour of her own into her calendar.
    SheAdds {
        id: String,
        hour: i64,
    },
    SheLooks(bool),
}

/// A number below `below` that depends on nothing but these.
fn draw(seed: u64, what: u64, below: u64) -> u64 {
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ what.wrapping_mul(0xD1B5_4A32_D192_ED03);
    x ^= x >> 31;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^= x >> 29;
    x % below
}

/// The day's events in seconds since noon, which is where the day begins and, a day later, ends.
fn story(seed: u64) -> Vec<(i64, Happens)> {
    let second = |what: u64, from_hour: i64, hours: u64| {
        from_hour * 3600 + i64::try_from(draw(seed, what, hours * 3600)).expect("small")
    };
    let mut story = Vec::new();
    for n in 0..6 {
        let id = format!("new{n}");
        let hour = 30 + i64::try_from(n).expect("small") * 3;
        story.push((second(n, 0, 10), Happens::CustomerBooks { id: id.clone(), hour }));
        if n < 2 {
            let hour = hour + 1;
            story.push((second(20 + n, 10, 2), Happens::BookingMoves { id: id.clone(), hour }));
        }
        if n == 5 {
            story.push((second(30, 19, 4), Happens::CustomerCancels { id }));
        }
    }
    for n in 0..8 {
        // Her own hours are on days of their own, so that no two lie over each other.
        let hour = 100 + i64::try_from(n).expect("small") * 2;
        let from = if n < 5 { (0, 9) } else { (19, 4) };
        story.push((second(40 + n, from.0, from.1), Happens::SheAdds { id: format!("own{n}"), hour }));
    }
    for n in 0..5 {
        let opens = second(60 + n, if n < 3 { 0 } else { 19 }, if n < 3 { 9 } else { 4 });
        story.push((opens, Happens::SheLooks(true)));
        story.push((opens + 300, Happens::SheLooks(false)));
    }
    story.sort_by_key(|(at, _)| *at);
    story
}

/// What a day came to.
#[derive(Debug, Default)]
struct Day {
    calendar_requests: usize,
    /// From her writing an hour to Bookiji's having it.
    slowest_hour: SignedDuration,
    /// From a customer's booking to its event's standing there.
    slowest_booking: SignedDuration,
}

async fn live(seed: u64, adaptive: bool) -> Day {
    let mut world = World::new(Box::new(mirror::Sqlite::in_memory().expect("a mirror")));
    // One calendar for both: it blocks time and takes bookings.
    world.link("personal", Role::Target);
    for n in 0..7 {
        world.customer_books(&format!("today{n}"), [1, 3, 5, 7, 20, 22, 23][n]);
    }
    world.sync().await;
    world.services.state().requests.clear();

    let start = world.clock.now();
    let end = start + SignedDuration::from_hours(24);
    let rhythm = Rhythm { connections: OWN, bookings: Duration::from_secs(60) };
    let (mut schedule, mut attention) = (Schedule::new(rhythm), Attention::default());
    let mut story = story(seed).into_iter().peekable();
    let (mut day, mut asks) = (Day::default(), 0);
    let mut hours: Vec<(String, Timestamp)> = Vec::new();
    let mut booked: Vec<(String, Timestamp)> = Vec::new();
    while world.clock.now() < end {
        let now = world.clock.now();
        let happened = |at: i64| start + SignedDuration::from_secs(at);
        while let Some((at, what)) = story.next_if(|(at, _)| happened(*at) <= now) {
            match what {
                Happens::CustomerBooks { id, hour } => {
                    world.customer_books(&id, hour);
                    booked.push((id, happened(at)));
                }
                Happens::BookingMoves { id, hour } => {
                    let (from, to) = (world.at(hour), world.at(hour + 1));
                    world.platform_changes(&BookingId(id), |one| (one.start, one.end) = (from, to));
                }
                Happens::CustomerCancels { id } => {
                    world.platform_changes(&BookingId(id), |one| one.status = BookingStatus::Cancelled);
                }
                Happens::SheAdds { id, hour } => {
                    world.vendor_adds(&id, hour, 1);
                    hours.push((id, happened(at)));
                }
                Happens::SheLooks(looks) => attention.looks = looks,
            }
        }
        let known = world.mirror.world().expect("a world");
        let linked = known.connections.keys().map(|id| {
            let pace = adaptive.then(|| attention.pace_of(id, &known, OWN, now));
            (id.clone(), Linked { pace, ..Linked::default() })
        });
        schedule.set_connections(linked.collect::<Vec<_>>());
        let work = match schedule.poll(now) {
            Next::Sync(work) => work,
            Next::WaitUntil(then) => {
                let next = story.peek().map_or(then, |(at, _)| happened(*at).min(then)).max(now);
                world.clock.advance(next.duration_since(now).max(SignedDuration::from_secs(1)));
                continue;
            }
        };
        let direction = if work == Work::Bookings { Direction::ToCalendar } else { Direction::Bidirectional };
        let report = world.try_sync(direction, false).await.expect("a report");
        assert!(report.errors.is_empty() && report.decisions.is_empty(), "{report:#?}");
        let known = world.mirror.world().expect("a world");
        let now = world.clock.now();
        attention.note(&report, &known, now);
        asks += 1;
        schedule.done(&work, now, draw(seed, asks, 1000) as f64 / 1000.0);

        let busy = world.published_busy();
        hours.retain(|(id, at)| {
            let number: i64 = id.trim_start_matches("own").parse().expect("a number");
            let hour = (world.at(100 + number * 2), world.at(101 + number * 2));
            let told = busy.contains(&hour);
            if told {
                day.slowest_hour = day.slowest_hour.max(now.duration_since(*at));
            }
            !told
        });
        let standing = world.services.state().live(&"personal".into());
        booked.retain(|(id, at)| {
            let stands =
                standing.iter().any(|event| event.marker.as_ref().is_some_and(|m| m.booking.0 == *id));
            if stands {
                day.slowest_booking = day.slowest_booking.max(now.duration_since(*at));
            }
            !stands
        });
    }
    assert!(story.next().is_none() && hours.is_empty() && booked.is_empty(), "{hours:?} {booked:?}");
    let state = world.services.state();
    day.calendar_requests = state.requests.iter().filter(|request| OF_THE_CALENDAR.contains(request)).count();
    day
}

#[tokio::test]
async fn a_day_at_five_minutes_asks_her_calendars_service_fewer_than_350_times_and_an_adaptive_one_fewer_than_200()
 {
    for seed in 1..=2 {
        let fixed = live(seed, false).await;
        let adaptive = live(seed, true).await;
        println!("seed {seed}: every five minutes {fixed:?}; adaptive {adaptive:?}");
        assert!((280..350).contains(&fixed.calendar_requests), "{fixed:?}");
        assert!(adaptive.calendar_requests < 200, "{adaptive:?}");
        assert!(fixed.slowest_hour <= SignedDuration::from_secs(331), "{fixed:?}");
        // By day, and half an hour by night, a tenth more where chance has it so.
        assert!(adaptive.slowest_hour <= SignedDuration::from_mins(22), "{adaptive:?}");
        for day in [&fixed, &adaptive] {
            assert!(
                day.slowest_booking <= SignedDuration::from_secs(67),
                "a booking waits for nobody: {day:?}"
            );
        }
    }
}
