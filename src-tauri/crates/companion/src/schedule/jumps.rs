//! Whatever the clock does, each thing is done once per jump at most beside its rhythm, and from the last jump on never
//! later than its rhythm by the time that really passed.

use proptest::prelude::*;

use super::*;

/// By how much the wall clock jumps at which second of real time: sleep, a wrong clock, a clock that was put right.
fn jumps() -> impl Strategy<Value = Vec<(i64, i64)>> {
    let far =
        prop_oneof![-400 * 86_400_i64..400 * 86_400, -86_400_i64..86_400, -3600_i64..3600, -120_i64..120,];
    proptest::collection::vec((0_i64..12 * 3600, far), 0..8)
}

struct Lived {
    /// When it ran, in real seconds.
    ran: Vec<i64>,
    jumps: usize,
}

impl Lived {
    /// No run comes later than so many seconds after the one before it, or after the last jump in between.
    fn assert_never_stalls(&self, jumps: &[(i64, i64)], longest: i64) -> Result<(), TestCaseError> {
        let mut before = 0;
        for ran in self.ran.iter().copied().chain([12 * 3600]) {
            let jumped = jumps.iter().map(|(at, _)| *at).filter(|at| *at < ran).max().unwrap_or(0);
            let since = before.max(jumped);
            // The half minute is until a jump is noticed.
            prop_assert!(ran - since <= longest + 32, "nothing from {since} to {ran}: {:?}", self.ran);
            before = ran;
        }
        Ok(())
    }
}

/// Lives through twelve hours, in which a connection fails now and then.
fn live(jumps: &[(i64, i64)], jitter: f64, fails: impl Fn(usize) -> Option<i64>) -> Lived {
    let id = ConnectionId::from("a");
    let mut schedule =
        Schedule::new(Rhythm { connections: Duration::from_secs(300), bookings: Duration::from_secs(60) });
    let mut linked = Linked::default();
    let (mut real, mut ran, mut jumped) = (0_i64, Vec::new(), 0);
    while real < 12 * 3600 {
        let off: i64 = jumps.iter().filter(|(at, _)| *at <= real).map(|(_, by)| by).sum();
        jumped = jumps.iter().filter(|(at, _)| *at <= real).count();
        let now = Timestamp::from_second(1_800_000_000 + real + off).unwrap();
        schedule.set_connections([(id.clone(), linked)]);
        match schedule.poll(now) {
            Next::Sync(work) => {
                if matches!(&work, Work::Connections(due) if due.contains(&id)) {
                    linked.backoff_until = fails(ran.len()).map(|wait| now + SignedDuration::from_secs(wait));
                    ran.push(real);
                }
                schedule.done(&work, now, jitter);
                // A run takes a while.
                real += 1;
            }
            Next::WaitUntil(then) => {
                // A timer counts real time, and half a minute at most.
                real += then.duration_since(now).as_secs().clamp(1, 30);
            }
        }
    }
    Lived { ran, jumps: jumped }
}

proptest! {
    #[test]
    fn a_clock_that_jumps_makes_each_thing_due_once_and_stalls_nothing(jumps in jumps(), jitter in 0.0..1.0_f64) {
        let lived = live(&jumps, jitter, |_| None);
        let most_by_rhythm = 12 * 3600 / 270 + 1;
        prop_assert!(lived.ran.len() <= most_by_rhythm + lived.jumps, "{:?}", lived.ran);
        lived.assert_never_stalls(&jumps, 330)?;
    }

    #[test]
    fn what_failed_is_left_alone_for_an_hour_at_most_whatever_the_clock_does(jumps in jumps(), seed in 0_i64..3600) {
        let lived = live(&jumps, 0.5, |n| (n % 3 != 0).then_some(60 + (seed * 31 + i64::try_from(n).unwrap() * 977) % 3540));
        lived.assert_never_stalls(&jumps, 3600)?;
    }
}

#[test]
fn a_jump_of_days_leads_to_one_run_and_not_to_one_per_missed_time() {
    let still = live(&[], 0.5, |_| None).ran.len();
    for jump in [7200, 5 * 86_400, -7200, -5 * 86_400] {
        let jumped = live(&[(5000, jump)], 0.5, |_| None).ran.len();
        assert!(jumped <= still + 1, "{jump}: {jumped} runs, {still} without");
    }
}
