//! Whose turn it is: as stories that read in a line, and over random habits.

use super::*;
use proptest::prelude::*;
use sync::ids::Service::{Google, Ics, Outlook};

fn turns(at_once: usize, per_service: usize) -> Turns {
    Turns::new(Bounds { at_once, per_service })
}

/// A desk as a story: who asks (`anna google+ics`), who ends (`-anna`); told is who begins at each step.
#[track_caller]
fn check(mut turns: Turns, story: &[(&str, &str)]) {
    let mut names: BTreeMap<Ticket, String> = BTreeMap::new();
    for (step, begins) in story {
        if let Some(who) = step.strip_prefix('-') {
            let mut tickets = names.iter().filter(|(_, name)| name.as_str() == who);
            let ticket = *tickets.next().expect("somebody who is there").0;
            names.remove(&ticket);
            turns.leave(ticket);
        } else {
            for wish in step.split(", ") {
                let (who, services) = wish.split_once(' ').unwrap_or((wish, ""));
                let services = services.split('+').filter_map(|word| Service::parse(word.trim())).collect();
                names.insert(turns.ask(who, services), who.to_owned());
            }
        }
        let admitted = turns.admit();
        let told: Vec<&str> = admitted.iter().map(|ticket| names[ticket].as_str()).collect();
        assert_eq!(told.join(", "), *begins, "after {step}");
    }
}

#[test]
fn no_more_run_at_once_than_may_and_the_next_begins_when_one_ends() {
    check(turns(2, 2), &[("a, b, c, d", "a, b"), ("-b", "c"), ("-a", "d"), ("-d", ""), ("-c", "")]);
}

#[test]
fn who_has_just_run_does_not_come_before_one_who_waits() {
    check(turns(1, 1), &[("a, b, c", "a"), ("-a", "b"), ("a", ""), ("-b", "c"), ("-c", "a")]);
}

#[test]
fn who_was_served_longest_ago_before_the_process_began_comes_first() {
    let mut turns = turns(1, 1);
    let at = |second| Some(Timestamp::from_second(second).unwrap());
    turns.introduce("a", at(300));
    turns.introduce("b", at(100));
    turns.introduce("c", None);
    check(turns, &[("a, b, c", "c"), ("-c", "b"), ("-b", "a")]);
}

#[test]
fn a_vendor_has_one_run_at_a_time() {
    check(turns(3, 3), &[("a, a, b", "a, b"), ("-a", "a")]);
}

#[test]
fn a_service_that_is_full_lets_those_pass_who_do_not_need_it() {
    let story =
        [("a google, b google, c google, d outlook", "a, b, d"), ("-d", ""), ("e ics", "e"), ("-a", "c")];
    check(turns(4, 2), &story);
}

#[test]
fn who_needs_two_services_gets_both_although_others_keep_taking_one_of_them() {
    // While ax waits, only one place of each service is kept for it.
    let story = [
        ("a google, b ics", "a, b"),
        ("ax google+ics", ""),
        ("c ics", ""),
        ("-b", ""),
        ("-a", "ax"),
        ("-ax", "c"),
    ];
    check(turns(4, 1), &story);
    let story = [
        ("a google, b google, f ics", "a, b, f"),
        ("ax google+ics", ""),
        ("c ics", ""),
        ("-f", "c"),
        ("-b", "ax"),
    ];
    check(turns(4, 2), &story);
}

#[test]
fn who_goes_away_while_waiting_leaves_its_place_to_the_next() {
    check(turns(1, 1), &[("a, b, c", "a"), ("-b", ""), ("-a", "c")]);
}

fn some_services() -> impl Strategy<Value = BTreeSet<Service>> {
    proptest::collection::btree_set(prop_oneof![Just(Google), Just(Outlook), Just(Ics)], 0..3)
}

/// What a vendor does over and over: idle for so long, then a sync with these services that takes so long.
type Habit = (u32, BTreeSet<Service>, u32);

const LONGEST: u32 = 7;

/// Lives through the desk second by second. Answers with who began when, and the longest that anybody waited.
fn live(bounds: Bounds, habits: &[Habit], seconds: u32) -> (Vec<(u32, usize)>, u32) {
    let mut turns = Turns::new(bounds);
    let mut idle_until: Vec<u32> = habits.iter().map(|(idle, _, _)| *idle).collect();
    let mut asked: BTreeMap<Ticket, (usize, u32)> = BTreeMap::new();
    let mut ends: BTreeMap<Ticket, (usize, u32)> = BTreeMap::new();
    let (mut story, mut longest) = (Vec::new(), 0);
    for now in 0..seconds {
        let over: Vec<Ticket> = ends.iter().filter(|(_, (_, at))| *at <= now).map(|(t, _)| *t).collect();
        for ticket in over {
            let (who, _) = ends.remove(&ticket).unwrap();
            idle_until[who] = now + habits[who].0;
            turns.leave(ticket);
        }
        for (who, (_, services, _)) in habits.iter().enumerate() {
            let is_busy = asked.values().chain(ends.values()).any(|(other, _)| *other == who);
            if !is_busy && idle_until[who] <= now {
                asked.insert(turns.ask(&format!("{who:03}"), services.clone()), (who, now));
            }
        }
        for ticket in turns.admit() {
            let (who, since) = asked.remove(&ticket).unwrap();
            longest = longest.max(now - since);
            story.push((now, who));
            ends.insert(ticket, (who, now + habits[who].2));
        }
        assert!(ends.len() <= bounds.at_once);
        for service in Service::ALL {
            let running = ends.values().filter(|(who, _)| habits[*who].1.contains(&service)).count();
            assert!(running <= bounds.per_service, "{running} at {service:?}");
        }
        assert!(asked.is_empty() || !ends.is_empty(), "somebody waits for nobody");
    }
    longest = asked.values().map(|(_, since)| seconds - since).fold(longest, u32::max);
    (story, longest)
}

proptest! {
    #[test]
    fn limits_hold_nobody_waits_for_nobody_and_everybody_waits_only_so_long(
        at_once in 1_usize..5,
        per_service in 1_usize..4,
        habits in proptest::collection::vec((0_u32..20, some_services(), 1..LONGEST), 1..12),
    ) {
        let bounds = Bounds { at_once, per_service };
        let (story, longest) = live(bounds, &habits, 600);
        // Each of the others goes first at most once; then this one is the first of all who wait, and every place that
        // it needs is free within one run's time, and kept for it.
        let others = u32::try_from(habits.len()).unwrap();
        prop_assert!(longest <= others * LONGEST, "{longest} s");
        let (again, _) = live(bounds, &habits, 600);
        prop_assert_eq!(story, again, "the same wishes, the same order");
    }
}

#[test]
fn one_that_never_ends_holds_one_place_and_delays_the_others_by_no_more_than_that() {
    let everybody = |stuck: bool| -> Vec<Habit> {
        let run = |who: usize| if who == 0 && stuck { 100_000 } else { 2 };
        (0..100).map(|who| (60, BTreeSet::from([Google]), run(who))).collect()
    };
    let bounds = Bounds { at_once: 4, per_service: 3 };
    let runs = |habits: &[Habit]| {
        let (story, longest) = live(bounds, habits, 1200);
        (story.iter().filter(|(_, who)| *who != 0).count(), longest)
    };
    let (well, _) = runs(&everybody(false));
    let (stuck, waited) = runs(&everybody(true));
    assert!(stuck * 3 >= well * 2 - 300, "two of three places are left: {stuck} of {well} runs");
    assert!(waited <= 110, "99 others, two at a time, two seconds each: {waited} s");
}
