//! Decides what each calendar is for: what is sensible when an account is first connected, and what follows from the
//! vendor's own choice. Pure.

use calendar::busy::AllDayRule;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sync::error::Code;
use sync::ids::{CalendarId, ConnectionId};
use sync::ports::CalendarEntry;
use sync::world::{LinkedCalendar, Role, World};

use crate::problem::Problem;

/// What the vendor asks for; what she does not mention stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Exactly these block time.
    pub busy: Option<Vec<String>>,
    pub target: Option<String>,
    pub all_day: Option<AllDayRule>,
}

/// What is to be different about one calendar, or about all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub role: Option<Role>,
    pub all_day: Option<AllDayRule>,
    pub tentative_blocks: Option<bool>,
    pub buffer_before_minutes: Option<u16>,
    pub buffer_after_minutes: Option<u16>,
}

/// The rows for an account's calendars as it lists them now: what is known keeps its role and rules, what is new gets a
/// sensible one.
#[must_use]
pub fn link(
    world: &World,
    connection: &ConnectionId,
    listed: &[CalendarEntry],
    frequency_minutes: u32,
    now: Timestamp,
) -> Vec<LinkedCalendar> {
    let mut has_target = world.calendars.values().any(|calendar| calendar.role == Role::Target);
    listed
        .iter()
        .map(|entry| {
            let id = CalendarId::of(connection, &entry.remote);
            if let Some(known) = world.calendars.get(&id) {
                let mut calendar = known.clone();
                calendar.name.clone_from(&entry.name);
                calendar.time_zone.clone_from(&entry.time_zone);
                calendar.writable = entry.writable;
                if calendar != *known {
                    calendar.updated_at = now;
                }
                return calendar;
            }
            let role = if entry.ours && !has_target {
                has_target = true;
                Role::Target
            } else if entry.primary || (entry.writable && !entry.ours) {
                Role::Busy
            } else {
                Role::Off
            };
            LinkedCalendar::new(connection, entry, role, frequency_minutes, now)
        })
        .collect()
}

/// The calendars that `choice` changes, as they should be.
pub fn choose(world: &World, choice: &Choice, now: Timestamp) -> Result<Vec<LinkedCalendar>, Problem> {
    let busy = match &choice.busy {
        None => None,
        Some(names) if names.len() == 1 && names[0] == "none" => Some(Vec::new()),
        Some(names) => Some(
            names
                .iter()
                .map(|name| find(world, name).map(|calendar| calendar.id.clone()))
                .collect::<Result<Vec<_>, _>>()?,
        ),
    };
    let target = choice.target.as_deref().map(|name| find(world, name)).transpose()?;
    if let Some(target) = target {
        if !target.writable {
            return Err(read_only(target));
        }
        if busy.as_ref().is_some_and(|busy| busy.contains(&target.id)) {
            return Err(Problem::new(
                Code::InvalidInput,
                format!("\"{}\" is named with both --busy and --target.", target.name),
            )
            .then("Name it with --target alone: what you add there yourself blocks time too."));
        }
    }
    let changed = world.calendars.values().filter_map(|before| {
        let mut calendar = before.clone();
        if let Some(target) = target {
            if calendar.id == target.id {
                calendar.role = Role::Target;
            } else if calendar.role == Role::Target {
                calendar.role = Role::Busy;
            }
        }
        if let Some(busy) = &busy
            && calendar.role != Role::Target
        {
            calendar.role = if busy.contains(&calendar.id) { Role::Busy } else { Role::Off };
        }
        if let Some(rule) = choice.all_day
            && busy.as_ref().is_none_or(|busy| busy.is_empty() || busy.contains(&calendar.id))
        {
            calendar.rules.all_day = rule;
        }
        (calendar != *before).then(|| {
            calendar.updated_at = now;
            calendar
        })
    });
    Ok(changed.collect())
}

/// The calendars that are different once `change` is made: to the one that is named, or else to all.
///
/// # Errors
/// When there is no such calendar, or bookings cannot go where they are to go.
pub fn change(
    world: &World,
    of: Option<&CalendarId>,
    change: &Change,
    now: Timestamp,
) -> Result<Vec<LinkedCalendar>, Problem> {
    if let Some(id) = of {
        let Some(calendar) = world.calendars.get(id) else {
            return Err(Problem::new(Code::NotConnected, "That calendar is not connected any more."));
        };
        if change.role == Some(Role::Target) && !calendar.writable {
            return Err(read_only(calendar));
        }
    } else if change.role.is_some() {
        return Err(Problem::new(Code::InvalidInput, "All calendars cannot be given one role at once."));
    }
    let changed = world.calendars.values().filter_map(|before| {
        let mut calendar = before.clone();
        if of.is_none_or(|id| *id == before.id) {
            calendar.role = change.role.unwrap_or(before.role);
            let rules = &mut calendar.rules;
            rules.all_day = change.all_day.unwrap_or(rules.all_day);
            rules.tentative_blocks = change.tentative_blocks.unwrap_or(rules.tentative_blocks);
            rules.buffer_before_minutes = change.buffer_before_minutes.unwrap_or(rules.buffer_before_minutes);
            rules.buffer_after_minutes = change.buffer_after_minutes.unwrap_or(rules.buffer_after_minutes);
        } else if change.role == Some(Role::Target) && before.role == Role::Target {
            // Her own events stand in it too.
            calendar.role = Role::Busy;
        }
        (calendar != *before).then(|| {
            calendar.updated_at = now;
            calendar
        })
    });
    Ok(changed.collect())
}

fn read_only(calendar: &LinkedCalendar) -> Problem {
    Problem::new(
        Code::PermissionDenied,
        format!("\"{}\" is read-only: bookings cannot be written to it.", calendar.name),
    )
    .then("Choose a calendar that `companion calendars` lists as writable.")
}

/// A calendar by our id, its service's id, or its name where only one has it.
fn find<'a>(world: &'a World, name: &str) -> Result<&'a LinkedCalendar, Problem> {
    let all = || world.calendars.values();
    if let Some(found) = all().find(|calendar| calendar.id.as_str() == name) {
        return Ok(found);
    }
    let same = |a: &str| a.trim().to_lowercase() == name.trim().to_lowercase();
    let found: Vec<_> =
        all().filter(|calendar| calendar.remote.as_str() == name || same(&calendar.name)).collect();
    if let [only] = found.as_slice() {
        return Ok(only);
    }
    let list = |calendars: &mut dyn Iterator<Item = &LinkedCalendar>| {
        calendars
            .map(|calendar| format!("{} ({})", calendar.id, calendar.name))
            .collect::<Vec<_>>()
            .join(", ")
    };
    if found.is_empty() {
        let there = list(&mut all());
        let there =
            if there.is_empty() { "there is none yet".to_owned() } else { format!("there are {there}") };
        return Err(Problem::new(Code::NotConnected, format!("No calendar is called \"{name}\"; {there}.")));
    }
    Err(Problem::new(
        Code::InvalidInput,
        format!("\"{name}\" is more than one calendar: {}.", list(&mut found.into_iter())),
    )
    .then("Name it by its id."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn entry(remote: &str, writable: bool, primary: bool, ours: bool) -> CalendarEntry {
        CalendarEntry {
            remote: remote.into(),
            name: remote.to_uppercase(),
            time_zone: None,
            writable,
            primary,
            ours,
        }
    }

    fn connected() -> (World, ConnectionId) {
        let connection = ConnectionId::from("google-1");
        let listed = [
            entry("me", true, true, false),
            entry("team", true, false, false),
            entry("holidays", false, false, false),
            entry("bookiji", true, false, true),
        ];
        let mut world = World::default();
        for calendar in link(&world, &connection, &listed, 5, NOW) {
            world.calendars.insert(calendar.id.clone(), calendar);
        }
        (world, connection)
    }

    fn roles(world: &World) -> Vec<(String, Role)> {
        let mut roles: Vec<_> =
            world.calendars.values().map(|calendar| (calendar.remote.to_string(), calendar.role)).collect();
        roles.sort_by(|a, b| a.0.cmp(&b.0));
        roles
    }

    #[track_caller]
    fn check(choice: Choice, expected: [(&str, Role); 4]) {
        let (mut world, _) = connected();
        for calendar in choose(&world, &choice, NOW).unwrap() {
            world.calendars.insert(calendar.id.clone(), calendar);
        }
        assert_eq!(roles(&world), expected.map(|(name, role)| (name.to_owned(), role)));
    }

    #[test]
    fn her_own_calendars_block_ours_takes_bookings_and_those_she_only_reads_are_left_alone() {
        check(
            Choice::default(),
            [("bookiji", Role::Target), ("holidays", Role::Off), ("me", Role::Busy), ("team", Role::Busy)],
        );
    }

    #[test]
    fn naming_what_blocks_turns_the_rest_off_but_not_the_target() {
        let busy = Some(vec!["HOLIDAYS".to_owned(), "me".to_owned()]);
        check(
            Choice { busy, ..Choice::default() },
            [("bookiji", Role::Target), ("holidays", Role::Busy), ("me", Role::Busy), ("team", Role::Off)],
        );
        check(
            Choice { busy: Some(vec!["none".to_owned()]), ..Choice::default() },
            [("bookiji", Role::Target), ("holidays", Role::Off), ("me", Role::Off), ("team", Role::Off)],
        );
    }

    #[test]
    fn there_is_one_target_and_the_former_one_still_blocks() {
        check(
            Choice { target: Some("team".to_owned()), ..Choice::default() },
            [("bookiji", Role::Busy), ("holidays", Role::Off), ("me", Role::Busy), ("team", Role::Target)],
        );
    }

    #[test]
    fn connecting_again_keeps_what_she_chose_and_takes_new_names() {
        let (mut world, connection) = connected();
        let chosen =
            choose(&world, &Choice { target: Some("team".to_owned()), ..Choice::default() }, NOW).unwrap();
        for calendar in chosen {
            world.calendars.insert(calendar.id.clone(), calendar);
        }
        let mut renamed = entry("team", true, false, false);
        renamed.name = "Salon".to_owned();
        let again = link(&world, &connection, &[renamed, entry("new", true, false, true)], 5, NOW);
        assert_eq!((again[0].name.as_str(), again[0].role), ("Salon", Role::Target));
        assert_eq!(again[1].role, Role::Off, "a second calendar of ours is not a second target");
    }

    #[test]
    fn a_name_that_is_unknown_twice_there_or_read_only_is_refused_with_what_exists() {
        let (mut world, _) = connected();
        let target = |name: &str| Choice { target: Some(name.to_owned()), ..Choice::default() };
        let unknown = choose(&world, &target("nope"), NOW).unwrap_err();
        assert_eq!(unknown.code, Code::NotConnected);
        assert!(unknown.message.contains("(TEAM)") && unknown.message.contains("(ME)"), "{unknown}");
        assert_eq!(choose(&world, &target("holidays"), NOW).unwrap_err().code, Code::PermissionDenied);
        for calendar in world.calendars.values_mut() {
            calendar.name = "Same".to_owned();
        }
        assert_eq!(choose(&world, &target("same"), NOW).unwrap_err().code, Code::InvalidInput);
        assert!(choose(&world, &target("me"), NOW).is_ok(), "its service's id still tells it apart");
    }

    #[test]
    fn the_all_day_rule_goes_to_the_calendars_named_or_else_to_all() {
        let (world, _) = connected();
        let rule = Some(AllDayRule::AlwaysBlock);
        let all = choose(&world, &Choice { all_day: rule, ..Choice::default() }, NOW).unwrap();
        assert_eq!(all.len(), 4);
        let named = Choice {
            all_day: rule,
            busy: Some(vec!["me".to_owned(), "team".to_owned()]),
            ..Choice::default()
        };
        assert_eq!(choose(&world, &named, NOW).unwrap().len(), 2);
    }

    #[track_caller]
    fn changed(of: &str, change: Change, expected: [(&str, Role); 4]) {
        let (mut world, connection) = connected();
        let of = CalendarId::of(&connection, &of.into());
        for calendar in super::change(&world, Some(&of), &change, NOW).unwrap() {
            world.calendars.insert(calendar.id.clone(), calendar);
        }
        assert_eq!(roles(&world), expected.map(|(name, role)| (name.to_owned(), role)));
    }

    #[test]
    fn one_calendar_changes_and_the_others_stay_but_for_a_former_target() {
        let role = |role| Change { role: Some(role), ..Change::default() };
        changed(
            "me",
            role(Role::Off),
            [("bookiji", Role::Target), ("holidays", Role::Off), ("me", Role::Off), ("team", Role::Busy)],
        );
        changed(
            "team",
            role(Role::Target),
            [("bookiji", Role::Busy), ("holidays", Role::Off), ("me", Role::Busy), ("team", Role::Target)],
        );
    }

    #[test]
    fn rules_go_to_one_calendar_or_to_all_and_what_is_not_mentioned_stays() {
        let (world, connection) = connected();
        let tentative = Change { tentative_blocks: Some(false), ..Change::default() };
        assert_eq!(change(&world, None, &tentative, NOW).unwrap().len(), 4);
        let me = CalendarId::of(&connection, &"me".into());
        let buffer = Change { buffer_after_minutes: Some(15), ..Change::default() };
        let only = change(&world, Some(&me), &buffer, NOW).unwrap();
        assert_eq!(only.len(), 1);
        assert_eq!((only[0].rules.buffer_after_minutes, only[0].rules.buffer_before_minutes), (15, 0));
        assert!(only[0].rules.tentative_blocks);
        assert_eq!(change(&world, Some(&me), &Change::default(), NOW).unwrap(), []);
    }

    #[test]
    fn what_cannot_be_changed_so_is_refused() {
        let (world, connection) = connected();
        let target = Change { role: Some(Role::Target), ..Change::default() };
        let refused = |of: Option<&str>| {
            let of = of.map(|of| CalendarId::of(&connection, &of.into()));
            change(&world, of.as_ref(), &target, NOW).unwrap_err().code
        };
        assert_eq!(refused(Some("holidays")), Code::PermissionDenied);
        assert_eq!(refused(Some("gone")), Code::NotConnected);
        assert_eq!(refused(None), Code::InvalidInput);
    }
}
