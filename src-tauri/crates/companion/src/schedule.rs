//! Decides when to sync what, as a state machine over the wall clock: `poll(now)` answers with work or with the time to
//! ask again. Runs nothing and reads no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sync::ids::ConnectionId;
use sync::policy::rhythm;

/// Asking again at least this often notices that the computer slept, when timers stand still.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(30);

/// Nothing is left alone for longer: see [`sync::policy::back_off`], and no service is believed that asks for more.
const LONGEST_HOLD: SignedDuration = SignedDuration::from_hours(1);

/// How far a due time may be drawn from its exact place, so that many computers do not ask at once.
const SPREAD: f64 = 0.2;

/// The same for vendors of one computer who were all due together, as after a start or a sleep.
const WIDE_SPREAD: f64 = 1.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    pub connections: Duration,
    pub bookings: Duration,
}

/// What the schedule must know of a linked account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Linked {
    /// It failed, and is left alone until then.
    pub backoff_until: Option<Timestamp>,
    /// How long the publisher of its calendar asks to be left alone.
    pub asked: Option<Duration>,
    /// How often it is worth reading just now, where that is not as the settings say.
    pub pace: Option<Duration>,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Sync(Work),
    /// Nothing is due before then; ask again then.
    WaitUntil(Timestamp),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Somebody asked: both ways, every connection, whatever is due or backing off.
    Everything,
    /// Both ways, for these connections.
    Connections(BTreeSet<ConnectionId>),
    /// Only new and changed bookings.
    Bookings,
}

#[derive(Clone, Debug)]
pub struct Schedule {
    rhythm: Rhythm,
    connections: BTreeMap<ConnectionId, (Due, Duration)>,
    bookings: Due,
    /// Nothing is done by itself before then.
    rest: Option<Timestamp>,
    asked: bool,
    /// What was left to another computer is to be done here.
    left: bool,
    /// Other vendors on this computer keep the same rhythm.
    in_company: bool,
}

/// When one thing is to be done. Nothing known means at once.
#[derive(Clone, Copy, Debug, Default)]
struct Due {
    tried: Option<Timestamp>,
    /// What its rhythm says.
    at: Option<Timestamp>,
    /// It failed: when it may be tried again.
    held: Option<Timestamp>,
}

impl Schedule {
    #[must_use]
    pub fn new(rhythm: Rhythm) -> Self {
        Self {
            rhythm,
            connections: BTreeMap::new(),
            bookings: Due::default(),
            rest: None,
            asked: false,
            left: false,
            in_company: false,
        }
    }

    /// Other vendors on this computer keep the same rhythm: what was due together falls out of step again.
    #[must_use]
    pub fn in_company(self) -> Self {
        Self { in_company: true, ..self }
    }

    /// Takes over what is connected now: new connections are due at once, those that are gone are forgotten, and one that
    /// failed is tried again as soon as it may be, which at first is sooner than its rhythm.
    pub fn set_connections(&mut self, connections: impl IntoIterator<Item = (ConnectionId, Linked)>) {
        let before = std::mem::take(&mut self.connections);
        for (id, linked) in connections {
            let known = before.get(&id).map(|(due, _)| *due).unwrap_or_default();
            let every = rhythm(linked.pace.unwrap_or(self.rhythm.connections), linked.asked);
            self.connections.insert(id, (Due { held: linked.backoff_until, ..known }, every));
        }
    }

    /// Somebody pressed *Sync Now*.
    pub fn ask(&mut self) {
        self.asked = true;
    }

    /// Another computer wrote until now: everything is due, unless nothing is to be done by itself.
    pub fn catch_up(&mut self) {
        self.left = true;
    }

    /// Bookings are said to have changed: they are due now, unless Bookiji is being left alone.
    pub fn hint(&mut self) {
        self.bookings.at = None;
    }

    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked
    }

    /// Nothing is due before then, unless somebody asks; or it is due as ever.
    pub fn rest_until(&mut self, then: Option<Timestamp>) {
        self.rest = then;
    }

    /// There is nothing to sync, so nothing is kept for later.
    pub fn forget_ask(&mut self) {
        self.asked = false;
        self.left = false;
    }

    /// What to do at `now`. The same work is answered until [`Schedule::done`] says that it was tried.
    #[must_use]
    pub fn poll(&self, now: Timestamp) -> Next {
        if self.asked {
            return Next::Sync(Work::Everything);
        }
        if let Some(rest) = self.rest.filter(|rest| now < *rest) {
            return Next::WaitUntil(rest.min(after(now, LONGEST_WAIT)));
        }
        if self.left {
            return Next::Sync(Work::Everything);
        }
        let due: BTreeSet<ConnectionId> = self
            .connections
            .iter()
            .filter(|(_, (due, every))| due.is_reached(now, *every))
            .map(|(id, _)| id.clone())
            .collect();
        if !due.is_empty() {
            return Next::Sync(Work::Connections(due));
        }
        if self.bookings.is_reached(now, self.rhythm.bookings) {
            return Next::Sync(Work::Bookings);
        }
        let soonest = self.next_run_at(now).unwrap_or(Timestamp::MAX);
        Next::WaitUntil(soonest.min(after(now, LONGEST_WAIT)))
    }

    /// When something is due next; nothing before the first run, and nothing in a rest without an end.
    #[must_use]
    pub fn next_run_at(&self, now: Timestamp) -> Option<Timestamp> {
        let connections = self.connections.values().map(|(due, _)| due);
        let next = connections.chain([&self.bookings]).filter_map(|due| due.next(now)).min();
        let rest = self.rest.filter(|rest| now < *rest);
        next.map(|next| rest.map_or(next, |rest| next.max(rest))).filter(|next| *next != Timestamp::MAX)
    }

    /// The work was tried, with whatever outcome; `jitter` is between 0 and 1.
    pub fn done(&mut self, work: &Work, now: Timestamp, jitter: f64) {
        let in_company = self.in_company;
        let again = |due: &mut Due, every| {
            let width = if in_company && due.is_late(now, every) { WIDE_SPREAD } else { SPREAD };
            due.tried = Some(now);
            due.at = Some(after(now, spread(every, width, jitter)));
        };
        for (id, (due, every)) in &mut self.connections {
            let tried = match work {
                Work::Everything => true,
                Work::Connections(synced) => synced.contains(id),
                Work::Bookings => false,
            };
            if tried {
                again(due, *every);
            }
        }
        again(&mut self.bookings, self.rhythm.bookings);
        self.asked &= *work != Work::Everything;
        self.left &= *work != Work::Everything;
    }

    /// Bookiji failed, and is left alone until then; or it did not.
    pub fn hold_bookings(&mut self, until: Option<Timestamp>) {
        self.bookings.held = until;
    }
}

impl Due {
    /// A time further away than its rhythm gives is left over from a clock that was wrong.
    fn is_reached(&self, now: Timestamp, every: Duration) -> bool {
        match (self.failed(now), self.at) {
            (Some(held), _) => held <= now,
            (None, at) => at.is_none_or(|at| at <= now || at > after(now, spread(every, SPREAD, 1.0))),
        }
    }

    /// So much later than it was due that others were, too: after a start, or a sleep.
    fn is_late(&self, now: Timestamp, every: Duration) -> bool {
        let half = SignedDuration::try_from(every / 2).unwrap_or(SignedDuration::MAX);
        self.at.is_none_or(|at| now > after(at, half))
    }

    /// After a failure as soon as it may be, which at first is sooner than the rhythm says.
    fn next(&self, now: Timestamp) -> Option<Timestamp> {
        self.failed(now).or(self.at)
    }

    /// A hold from before the last try speaks of an older failure, and one that is hours away of a clock that was wrong.
    fn failed(&self, now: Timestamp) -> Option<Timestamp> {
        let stands = |held: &Timestamp| {
            self.tried.is_none_or(|tried| tried < *held) && *held <= after(now, LONGEST_HOLD)
        };
        self.held.filter(stands)
    }
}

/// Somewhere in a stretch of that width, whose end is the same for every width.
fn spread(every: Duration, width: f64, jitter: f64) -> SignedDuration {
    let latest = 1.0 + SPREAD / 2.0;
    SignedDuration::from_secs_f64(every.as_secs_f64() * (latest - width * (1.0 - jitter.clamp(0.0, 1.0))))
}

fn after(now: Timestamp, duration: SignedDuration) -> Timestamp {
    now.checked_add(duration).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod jumps;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn schedule(ids: &[&str]) -> Schedule {
        let mut schedule = Schedule::new(Rhythm {
            connections: Duration::from_secs(300),
            bookings: Duration::from_secs(60),
        });
        schedule.set_connections(ids.iter().map(|id| (ConnectionId::from(*id), Linked::default())));
        schedule
    }

    fn held(id: &str, second: i64) -> (ConnectionId, Linked) {
        (ConnectionId::from(id), Linked { backoff_until: Some(at(second)), ..Linked::default() })
    }

    fn well(id: &str) -> (ConnectionId, Linked) {
        (ConnectionId::from(id), Linked::default())
    }

    fn asking(id: &str, seconds: u64) -> (ConnectionId, Linked) {
        (ConnectionId::from(id), Linked { asked: Some(Duration::from_secs(seconds)), ..Linked::default() })
    }

    fn connections(ids: &[&str]) -> Next {
        Next::Sync(Work::Connections(ids.iter().map(|id| ConnectionId::from(*id)).collect()))
    }

    /// Runs what is due at each second of `seconds` and lists it.
    #[track_caller]
    fn check(schedule: &mut Schedule, seconds: &[i64], jitter: f64, expected: &[&str]) {
        let mut story = Vec::new();
        for second in seconds {
            while let Next::Sync(work) = schedule.poll(at(*second)) {
                story.push(match &work {
                    Work::Everything => format!("{second} everything"),
                    Work::Bookings => format!("{second} bookings"),
                    Work::Connections(ids) => {
                        format!(
                            "{second} {}",
                            ids.iter().map(ConnectionId::as_str).collect::<Vec<_>>().join("+")
                        )
                    }
                });
                schedule.done(&work, at(*second), jitter);
            }
        }
        assert_eq!(story, expected);
    }

    #[test]
    fn everything_is_due_at_the_start_and_a_sync_both_ways_spares_the_booking_poll() {
        check(&mut schedule(&["a", "b"]), &[0, 1, 59], 0.5, &["0 a+b"]);
    }

    #[test]
    fn bookings_are_asked_for_every_minute_and_calendars_every_five() {
        let every_ten: Vec<i64> = (0..=310).step_by(10).collect();
        check(
            &mut schedule(&["a"]),
            &every_ten,
            0.5,
            &["0 a", "60 bookings", "120 bookings", "180 bookings", "240 bookings", "300 a"],
        );
    }

    #[test]
    fn jitter_moves_the_next_time_by_a_tenth_either_way() {
        let mut early = schedule(&["a"]);
        check(&mut early, &[0, 53, 54], 0.0, &["0 a", "54 bookings"]);
        let mut late = schedule(&["a"]);
        check(&mut late, &[0, 65, 66], 1.0, &["0 a", "66 bookings"]);
    }

    #[test]
    fn sync_now_runs_once_even_while_everything_backs_off() {
        let mut schedule = schedule(&["a"]);
        schedule.set_connections([held("a", 3000)]);
        schedule.hold_bookings(Some(at(3000)));
        schedule.ask();
        check(&mut schedule, &[0, 1], 0.5, &["0 everything"]);
    }

    #[test]
    fn what_was_left_to_another_computer_is_done_at_once_and_never_in_a_pause() {
        let mut schedule = schedule(&["a"]);
        check(&mut schedule, &[0], 0.5, &["0 a"]);
        schedule.rest_until(Some(at(20)));
        schedule.catch_up();
        check(&mut schedule, &[1, 19, 20, 21], 0.5, &["20 everything"]);
    }

    #[test]
    fn a_hint_makes_bookings_due_at_once_and_only_once_and_not_while_bookiji_is_left_alone() {
        let mut schedule = schedule(&["a"]);
        check(&mut schedule, &[0, 10], 0.5, &["0 a"]);
        schedule.hint();
        check(&mut schedule, &[11, 12, 70], 0.5, &["11 bookings"]);
        schedule.hold_bookings(Some(at(200)));
        schedule.hint();
        check(&mut schedule, &[100, 199, 200], 0.5, &["200 bookings"]);
        schedule.rest_until(Some(at(1000)));
        schedule.hint();
        check(&mut schedule, &[210], 0.5, &[]);
    }

    #[test]
    fn a_connection_that_backs_off_waits_and_the_others_go_on() {
        let mut schedule = schedule(&["a", "b"]);
        schedule.set_connections([held("a", 400), well("b")]);
        check(&mut schedule, &[0, 399, 400], 0.5, &["0 b", "399 b", "400 a"]);
    }

    #[test]
    fn what_failed_is_tried_again_as_soon_as_it_may_be_and_not_sooner() {
        let mut schedule = schedule(&["a"]);
        check(&mut schedule, &[0], 0.5, &["0 a"]);
        schedule.set_connections([held("a", 70)]);
        schedule.hold_bookings(Some(at(90)));
        check(&mut schedule, &[60, 69, 70], 0.5, &["70 a"]);
        assert_eq!(schedule.next_run_at(at(70)), Some(at(90)), "a hold that outlasts the try stands");
    }

    #[test]
    fn an_old_failure_does_not_make_the_same_thing_due_again_and_again() {
        let mut schedule = schedule(&["a"]);
        schedule.set_connections([held("a", -10)]);
        check(&mut schedule, &[0, 1, 2], 0.5, &["0 a"]);
    }

    #[test]
    fn a_hold_from_a_clock_that_was_wrong_does_not_last_for_years() {
        let mut schedule = schedule(&["a"]);
        schedule.set_connections([held("a", 10_000_000)]);
        check(&mut schedule, &[0, 1], 0.5, &["0 a"]);
    }

    #[test]
    fn a_hold_that_was_written_down_counts_for_the_process_that_starts_after_it() {
        // What a mirror holds is all that a new schedule knows.
        let mut restarted = schedule(&[]);
        restarted.set_connections([held("a", 600), well("b")]);
        check(&mut restarted, &[0, 599, 600], 0.5, &["0 b", "599 b", "600 a"]);
    }

    #[test]
    fn a_clock_set_back_by_hours_does_not_prolong_a_hold_by_hours() {
        let mut schedule = schedule(&["a"]);
        check(&mut schedule, &[36_000], 0.5, &["36000 a"]);
        schedule.set_connections([held("a", 36_060)]);
        check(&mut schedule, &[0], 0.5, &["0 a"]);
    }

    #[test]
    fn after_hours_of_sleep_each_thing_runs_once_and_not_once_per_missed_time() {
        let mut schedule = schedule(&["a"]);
        check(&mut schedule, &[0, 36_000, 36_001], 0.5, &["0 a", "36000 a"]);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_stop_syncing() {
        let mut schedule = schedule(&["a"]);
        check(&mut schedule, &[1_000_000, 0], 0.5, &["1000000 a", "0 a"]);
    }

    #[test]
    fn waits_are_short_enough_to_notice_sleep_and_exact_when_something_is_due_sooner() {
        let mut schedule = schedule(&["a"]);
        assert_eq!(schedule.poll(at(0)), connections(&["a"]));
        schedule.done(&Work::Connections([ConnectionId::from("a")].into()), at(0), 0.5);
        assert_eq!(schedule.poll(at(0)), Next::WaitUntil(at(30)));
        assert_eq!(schedule.poll(at(45)), Next::WaitUntil(at(60)));
    }

    #[test]
    fn a_new_connection_is_due_at_once_and_the_known_one_keeps_its_time() {
        let mut schedule = schedule(&["a"]);
        check(&mut schedule, &[0], 0.5, &["0 a"]);
        schedule.set_connections([well("a"), well("b")]);
        assert_eq!(schedule.poll(at(1)), connections(&["b"]));
        schedule.done(&Work::Connections([ConnectionId::from("b")].into()), at(1), 0.5);
        check(&mut schedule, &[299, 300, 301], 0.5, &["299 bookings", "300 a", "301 b"]);
    }

    #[test]
    fn a_feed_is_read_as_seldom_as_its_publisher_asks_and_the_others_as_ever() {
        let mut schedule = schedule(&[]);
        schedule.set_connections([well("a"), asking("f", 3600)]);
        let every_five_minutes: Vec<i64> = (0..=3600).step_by(300).collect();
        let mut story = vec!["0 a+f".to_owned()];
        story.extend((1..12).map(|n| format!("{} a", n * 300)));
        story.push("3600 a+f".to_owned());
        let story: Vec<&str> = story.iter().map(String::as_str).collect();
        check(&mut schedule, &every_five_minutes, 0.5, &story);
        assert_eq!(schedule.next_run_at(at(3600)), Some(at(3660)));
    }

    #[test]
    fn a_feed_that_asks_for_a_shorter_time_than_it_waits_is_due_by_the_new_one() {
        let mut schedule = schedule(&[]);
        schedule.set_connections([asking("f", 86_400)]);
        check(&mut schedule, &[0], 0.5, &["0 f"]);
        schedule.set_connections([asking("f", 86_400)]);
        check(&mut schedule, &[3600], 0.5, &["3600 bookings"]);
        schedule.set_connections([asking("f", 1800)]);
        check(&mut schedule, &[3601, 3602], 0.5, &["3601 f"]);
    }

    #[test]
    fn a_feed_that_failed_does_not_wait_for_its_own_rhythm_and_sync_now_asks_at_once() {
        let mut schedule = schedule(&[]);
        schedule.set_connections([asking("f", 86_400)]);
        check(&mut schedule, &[0], 0.5, &["0 f"]);
        schedule.set_connections([(
            ConnectionId::from("f"),
            Linked {
                backoff_until: Some(at(50)),
                asked: Some(Duration::from_secs(86_400)),
                ..Linked::default()
            },
        )]);
        check(&mut schedule, &[49, 50], 0.5, &["50 f"]);
        schedule.ask();
        check(&mut schedule, &[51, 52], 0.5, &["51 everything"]);
    }

    #[test]
    fn an_account_whose_pace_quickens_is_due_by_the_new_one_and_one_that_slows_waits() {
        let paced = |seconds| {
            [(
                ConnectionId::from("a"),
                Linked { pace: Some(Duration::from_secs(seconds)), ..Linked::default() },
            )]
        };
        let mut schedule = schedule(&[]);
        schedule.set_connections(paced(1200));
        check(&mut schedule, &[0, 300, 600], 0.5, &["0 a", "300 bookings", "600 bookings"]);
        schedule.set_connections(paced(120));
        check(&mut schedule, &[601, 602, 660], 0.5, &["601 a"]);
        schedule.set_connections(paced(1200));
        check(&mut schedule, &[720, 721], 0.5, &["720 bookings", "721 a"]);
        check(&mut schedule, &[1900, 1921], 0.5, &["1900 bookings", "1921 a"]);
    }

    /// How many of a hundred vendors' booking polls fall into the fullest second, with each run taking no time.
    fn fullest_second(schedules: &mut [Schedule], seconds: std::ops::Range<i64>) -> usize {
        // Evenly drawn, as chance does on average; 61 shares no factor with 100.
        let draw =
            |who: usize, second: i64| ((who * 61 + second.unsigned_abs() as usize * 17) % 100) as f64 / 100.0;
        seconds
            .map(|second| {
                let mut ran = 0;
                for (who, schedule) in schedules.iter_mut().enumerate() {
                    while let Next::Sync(work) = schedule.poll(at(second)) {
                        schedule.done(&work, at(second), draw(who, second));
                        ran += 1;
                    }
                }
                ran
            })
            .max()
            .unwrap_or_default()
    }

    #[test]
    fn a_hundred_vendors_of_one_computer_fall_out_of_step_after_a_start_and_after_a_sleep() {
        let mut company: Vec<Schedule> = (0..100).map(|_| schedule(&["a"]).in_company()).collect();
        assert_eq!(fullest_second(&mut company, 0..1), 100, "at the start all are due");
        let after_start = fullest_second(&mut company, 1..600);
        assert!(after_start <= 12, "{after_start} at once");
        assert_eq!(fullest_second(&mut company, 40_000..40_001), 100, "and after a sleep");
        let after_sleep = fullest_second(&mut company, 40_001..40_600);
        assert!(after_sleep <= 12, "{after_sleep} at once");

        let mut alone: Vec<Schedule> = (0..100).map(|_| schedule(&["a"])).collect();
        assert_eq!(fullest_second(&mut alone, 0..1), 100);
        let in_step = fullest_second(&mut alone, 1..600);
        assert!(in_step > 12, "without it they stay in step: {in_step} at once");
    }

    #[test]
    fn company_never_makes_anything_due_later_than_alone_nor_twice_at_once() {
        for jitter in [0.0, 0.5, 1.0] {
            let mut schedule = schedule(&["a"]).in_company();
            let Next::Sync(work) = schedule.poll(at(0)) else { panic!("due at the start") };
            schedule.done(&work, at(0), jitter);
            let next = schedule.next_run_at(at(0)).unwrap();
            assert!((at(6)..=at(66)).contains(&next), "{next}");
            assert!(matches!(schedule.poll(at(5)), Next::WaitUntil(_)));
        }
    }

    #[test]
    fn nothing_is_done_by_itself_in_a_rest_and_what_is_asked_for_is_done_all_the_same() {
        let mut schedule = schedule(&["a"]);
        schedule.rest_until(Some(at(1000)));
        check(&mut schedule, &[0, 500], 0.5, &[]);
        assert_eq!(schedule.poll(at(990)), Next::WaitUntil(at(1000)));
        schedule.ask();
        check(&mut schedule, &[501, 999, 1000, 1001], 0.5, &["501 everything", "1000 a"]);
        schedule.rest_until(Some(Timestamp::MAX));
        assert_eq!(schedule.next_run_at(at(1001)), None, "nobody knows when");
        schedule.rest_until(None);
        check(&mut schedule, &[1002, 1300], 0.5, &["1300 a"]);
    }

    #[test]
    fn with_nothing_connected_only_bookings_are_asked_for() {
        check(&mut schedule(&[]), &[0, 60], 0.5, &["0 bookings", "60 bookings"]);
    }
}
