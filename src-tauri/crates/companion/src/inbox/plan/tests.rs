//! The plan by tables, and under any order of events.

use proptest::prelude::*;

use super::*;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_000 + ms).unwrap()
}

fn file(version: i128) -> Stamp {
    Stamp { kind: Kind::File, len: 100, modified_ns: version, id: Some((1, 1)) }
}

/// A plan whose folder was read at 0 and is not due for a while.
fn plan() -> Plan {
    let mut plan = Plan::new(Pace::default(), Takes::Everything);
    assert_eq!(plan.next(at(0)), Next::Scan);
    plan.begin_scan();
    plan.end_scan(at(0));
    plan.set_hears(true);
    plan.set_scan_far_away();
    plan
}

impl Plan {
    fn set_scan_far_away(&mut self) {
        self.scan_at = at(100_000_000);
    }
}

/// Feeds looks (ms, what is seen) at one file and lists when it is handed out.
#[track_caller]
fn check(looks: &[(i64, Option<Stamp>)], expected: &[i64]) {
    let mut plan = plan();
    let mut taken = Vec::new();
    for (ms, stamp) in looks {
        plan.see(OsStr::new("a.ics"), *stamp, at(*ms));
        if let Next::Take(files) = plan.next(at(*ms)) {
            assert_eq!(Some(files[0].stamp), *stamp);
            taken.push(*ms);
            plan.settle(OsStr::new("a.ics"), After::Gone, at(*ms));
        }
    }
    assert_eq!(taken, expected);
}

#[test]
fn a_file_is_taken_when_two_looks_a_second_apart_see_the_same() {
    let one = Some(file(1));
    check(&[(0, one), (999, one), (1000, one)], &[1000]);
    check(&[(0, one)], &[]);
    check(&[(0, one), (5000, None), (6000, one), (6500, one)], &[]);
}

#[test]
fn a_file_that_was_seen_to_change_is_given_more_time() {
    let [one, two] = [Some(file(1)), Some(file(2))];
    check(&[(0, one), (500, two), (1500, two), (3499, two), (3500, two)], &[3500]);
    // Another file in its place counts as a change, even if it is as long and as old.
    let replaced = one.map(|stamp| Stamp { id: Some((1, 2)), ..stamp });
    check(&[(0, one), (900, replaced), (1900, replaced), (3900, replaced)], &[3900]);
}

#[test]
fn an_empty_file_is_waited_for_longer() {
    let empty = Some(Stamp { len: 0, ..file(1) });
    check(&[(0, empty), (9999, empty), (10_000, empty)], &[10_000]);
}

#[test]
fn folders_and_passing_names_are_not_followed() {
    let folder = Some(Stamp { kind: Kind::Folder, ..file(1) });
    check(&[(0, folder), (2000, folder)], &[]);
    let mut plan = plan();
    plan.hear(OsStr::new("a.ics.part"), at(0));
    plan.see(OsStr::new(".a.ics"), Some(file(1)), at(0));
    assert_eq!(plan.waiting(), 0);
    assert!(matches!(plan.next(at(0)), Next::WaitUntil(_)));
}

#[test]
fn a_calendar_without_its_end_is_taken_after_half_a_minute_for_good() {
    let mut plan = plan();
    let name = OsStr::new("a.ics");
    plan.see(name, Some(file(1)), at(0));
    plan.see(name, Some(file(1)), at(1000));
    let Next::Take(files) = plan.next(at(1000)) else { panic!("it stood still") };
    assert!(!files[0].for_good);
    plan.settle(name, After::Unfinished, at(1000));
    assert_eq!(plan.next(at(1000)), Next::WaitUntil(at(30_000)));
    assert_eq!(plan.next(at(30_000)), Next::Look(vec![name.to_owned()]));
    plan.see(name, Some(file(1)), at(30_000));
    let Next::Take(files) = plan.next(at(30_000)) else { panic!("it stood still for long") };
    assert!(files[0].for_good);
}

#[test]
fn a_file_that_failed_is_tried_later_and_later_and_noise_does_not_hurry_it() {
    let mut plan = plan();
    let name = OsStr::new("a.ics");
    let mut now = 0;
    plan.see(name, Some(file(1)), at(0));
    let mut tried = Vec::new();
    while tried.len() < 4 {
        now += 500;
        plan.hear(name, at(now));
        plan.see(name, Some(file(1)), at(now));
        if let Next::Take(_) = plan.next(at(now)) {
            tried.push(now);
            plan.settle(name, After::Failed, at(now));
        }
    }
    assert_eq!(tried, [1000, 6000, 16_000, 36_000]);
    // A new version of it is a new chance.
    plan.see(name, Some(file(2)), at(now + 100));
    plan.see(name, Some(file(2)), at(now + 3100));
    assert!(matches!(plan.next(at(now + 3100)), Next::Take(_)));
}

#[test]
fn while_nothing_can_be_taken_in_nothing_is_handed_out_until_somebody_asks() {
    let mut plan = plan();
    let name = OsStr::new("a.ics");
    plan.see(name, Some(file(1)), at(0));
    plan.see(name, Some(file(1)), at(1000));
    assert!(matches!(plan.next(at(1000)), Next::Take(_)));
    plan.settle(name, After::Untouched, at(1000));
    plan.rest(|failures| Duration::from_secs(60 * u64::from(failures)), at(1000));
    assert_eq!(plan.next(at(1000)), Next::Look(vec![name.to_owned()]));
    plan.see(name, Some(file(1)), at(1000));
    assert_eq!(plan.next(at(1000)), Next::WaitUntil(at(61_000)));
    plan.try_again(at(2000));
    assert!(matches!(plan.next(at(2000)), Next::Take(_)));
}

#[test]
fn a_file_that_goes_away_while_it_is_handed_out_is_not_looked_for_without_end() {
    let mut plan = plan();
    let name = OsStr::new("a.ics");
    plan.see(name, Some(file(1)), at(0));
    plan.see(name, Some(file(1)), at(1000));
    assert!(matches!(plan.next(at(1000)), Next::Take(_)));
    plan.hear(name, at(2000));
    assert!(matches!(plan.next(at(2000)), Next::Look(_)));
    plan.see(name, None, at(2000));
    assert!(matches!(plan.next(at(2000)), Next::WaitUntil(_)));
    plan.settle(name, After::Gone, at(3000));
    assert!(matches!(plan.next(at(3000)), Next::Look(_)), "another one may have its name already");
}

#[test]
fn a_thousand_events_about_one_file_lead_to_a_few_looks() {
    let mut plan = plan();
    let name = OsStr::new("a.ics");
    let mut looks = 0;
    for ms in 0..1000 {
        plan.hear(name, at(ms));
        if let Next::Look(_) = plan.next(at(ms)) {
            looks += 1;
            plan.see(name, Some(file(i128::from(ms))), at(ms));
        }
    }
    assert_eq!(looks, 5);
}

#[test]
fn a_folder_that_could_not_be_read_to_its_end_forgets_nothing() {
    let mut plan = plan();
    plan.see(OsStr::new("a.ics"), Some(file(1)), at(0));
    plan.begin_scan();
    plan.stop_scan(at(10));
    assert_eq!(plan.waiting(), 1);
    plan.begin_scan();
    plan.end_scan(at(20));
    assert_eq!(plan.waiting(), 0, "read to its end, it is not there");
}

#[test]
fn what_is_heard_during_a_reading_is_looked_at_and_a_call_for_all_leads_to_another() {
    let mut plan = plan();
    plan.begin_scan();
    plan.hear(OsStr::new("late.ics"), at(5));
    plan.hear_of_all(at(6));
    plan.end_scan(at(10));
    assert_eq!(plan.next(at(10)), Next::Look(vec!["late.ics".into()]));
    plan.see(OsStr::new("late.ics"), None, at(10));
    assert_eq!(plan.next(at(10)), Next::WaitUntil(at(510)));
    assert_eq!(plan.next(at(510)), Next::Scan);
}

#[test]
fn a_folder_that_is_not_heard_is_read_every_two_seconds_and_else_every_thirty() {
    for (hears, pause) in [(false, 2000), (true, 30_000)] {
        let mut plan = Plan::new(Pace::default(), Takes::Everything);
        plan.set_hears(hears);
        plan.begin_scan();
        plan.end_scan(at(0));
        assert_eq!(plan.next(at(0)), Next::WaitUntil(at(pause)));
        assert_eq!(plan.next(at(pause)), Next::Scan);
    }
}

#[test]
fn a_clock_that_was_set_back_delays_nothing() {
    let mut plan = plan();
    let (name, hour) = (OsStr::new("a.ics"), 3_600_000);
    plan.see(name, Some(file(1)), at(hour));
    assert_eq!(plan.next(at(hour)), Next::WaitUntil(at(hour + 1000)));
    assert_eq!(plan.next(at(0)), Next::Look(vec![name.to_owned()]));
    plan.see(name, Some(file(1)), at(0));
    assert!(plan.next(at(0)) != Next::WaitUntil(at(hour)));
    plan.see(name, Some(file(1)), at(1000));
    assert!(matches!(plan.next(at(1000)), Next::Take(_)));
}

#[test]
fn more_files_than_are_followed_are_all_taken_the_oldest_of_each_go_first() {
    let mut there: BTreeMap<OsString, Stamp> =
        (0..12_000_u32).map(|n| (format!("{n}.ics").into(), file(i128::from(n)))).collect();
    let mut plan = Plan::new(Pace::default(), Takes::Everything);
    let mut now = 0;
    let mut rounds = 0;
    while !there.is_empty() {
        rounds += 1;
        assert!(rounds < 10_000, "{} are left", there.len());
        match plan.next(at(now)) {
            Next::Scan => {
                plan.begin_scan();
                for (name, stamp) in &there {
                    plan.see(name, Some(*stamp), at(now));
                }
                plan.end_scan(at(now));
            }
            Next::Look(names) => {
                assert!(names.len() <= LOOKS);
                for name in names {
                    plan.see(&name, there.get(&name).copied(), at(now));
                }
            }
            Next::Take(files) => {
                assert!(files.len() <= TAKEN);
                assert!(files.is_sorted_by_key(|file| file.stamp.modified_ns));
                for file in files {
                    there.remove(&file.name).expect("each is taken once");
                    plan.settle(&file.name, After::Gone, at(now));
                }
            }
            Next::WaitUntil(then) => {
                now = now.max(then.as_millisecond() - at(0).as_millisecond());
            }
        }
        assert!(plan.entries.len() <= FOLLOWED);
    }
}

/// What somebody does to one of a few files, this many milliseconds after the last thing.
#[derive(Clone, Debug)]
struct Deed {
    after: i64,
    name: u8,
    /// Nothing deletes.
    writes: bool,
    heard: bool,
    /// How long the import of a batch takes that is handed out next.
    import: i64,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed =
        (prop_oneof![0..50_i64, 0..1500_i64, 0..8000_i64], 0..4_u8, 0..5_u8, any::<bool>(), 0..4000_i64)
            .prop_map(|(after, name, what, heard, import)| Deed {
                after,
                name,
                writes: what > 0,
                heard,
                import,
            });
    prop::collection::vec(deed, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is done to a few files, heard or not, and however long imports take: nothing is taken within a second of
    /// having been written, and what stands in the end is taken exactly once.
    #[test]
    fn what_stands_still_is_taken_once_and_nothing_while_it_changes(deeds in deeds()) {
        let mut plan = Plan::new(Pace::default(), Takes::Everything);
        plan.set_hears(true);
        let mut there: BTreeMap<OsString, (Stamp, i64)> = BTreeMap::new();
        let mut taken: Vec<i128> = Vec::new();
        let mut out: Option<(i64, Vec<Standing>)> = None;
        let (mut now, mut version, mut import) = (0_i64, 0_i128, 0_i64);
        let mut deeds = deeds.into_iter();
        let mut next_deed = deeds.next().map(|deed| (deed.after, deed));
        for _ in 0..100_000 {
            if let Some((due, deed)) = next_deed.take_if(|(due, _)| *due <= now) {
                let name = OsString::from(format!("{}.ics", deed.name));
                version += 1;
                if deed.writes {
                    there.insert(name.clone(), (file(version), due));
                } else {
                    there.remove(&name);
                }
                if deed.heard {
                    plan.hear(&name, at(now));
                }
                import = deed.import;
                next_deed = deeds.next().map(|deed| (now + deed.after, deed));
            }
            if let Some((_, files)) = out.take_if(|(due, _)| *due <= now) {
                for standing in files {
                    let same = there.get(&standing.name).is_some_and(|(stamp, _)| *stamp == standing.stamp);
                    if same {
                        there.remove(&standing.name);
                        taken.push(standing.stamp.modified_ns);
                    }
                    let after = if same { After::Gone } else { After::Changed };
                    plan.settle(&standing.name, after, at(now));
                }
            }
            match plan.next(at(now)) {
                Next::Scan => {
                    plan.begin_scan();
                    for (name, (stamp, _)) in &there {
                        plan.see(name, Some(*stamp), at(now));
                    }
                    plan.end_scan(at(now));
                }
                Next::Look(names) => {
                    for name in names {
                        plan.see(&name, there.get(&name).map(|(stamp, _)| *stamp), at(now));
                    }
                }
                Next::Take(files) => {
                    prop_assert!(out.is_none(), "a second batch while one is out");
                    for file in &files {
                        if let Some((stamp, written)) = there.get(&file.name)
                            && *stamp == file.stamp
                        {
                            prop_assert!(now - written >= 1000, "taken {} ms after it was written", now - written);
                        }
                    }
                    out = Some((now + import, files));
                }
                Next::WaitUntil(then) => {
                    let then = then.as_millisecond() - at(0).as_millisecond();
                    let deed = next_deed.as_ref().map(|(due, _)| *due);
                    let answer = out.as_ref().map(|(due, _)| *due);
                    if deed.is_none() && answer.is_none() && there.is_empty() {
                        break;
                    }
                    now = deed.into_iter().chain(answer).chain([then]).min().unwrap_or(then).max(now);
                }
            }
        }
        prop_assert!(there.is_empty(), "{there:?} is left at {now}");
        let times = taken.len();
        taken.sort_unstable();
        taken.dedup();
        prop_assert_eq!(taken.len(), times, "each version is taken once");
    }
}
