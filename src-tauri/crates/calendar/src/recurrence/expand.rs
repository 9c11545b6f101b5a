//! Walks a rule period by period from where the window begins: arithmetic finds the first period, and COUNT is
//! counted without walking wherever every period yields the same number.

use super::civil::{DAY, civil_day, weekday};
use super::days::{Days, every_period_is_alike};
use super::rule::{Frequency, Rule};
use super::{Budget, Exhausted};

/// The first second after the year 9999.
const END_OF_TIME: i64 = 253_402_300_800;

/// More wall times than these are of no use to anyone; one more is returned, so that the excess shows.
pub const MAX_FOUND: usize = 20_000;

/// Every wall time that `rule` names for a series beginning at `start`, within `from..=to`, ascending.
///
/// At most [`MAX_FOUND`] and one are returned. UNTIL is the caller's: it is passed as `to`, read in the zone that only the caller knows.
///
/// # Errors
/// [`Exhausted`] when the budget does not reach to the end of the window.
pub fn between(
    rule: &Rule,
    start: i64,
    from: i64,
    to: i64,
    budget: &mut Budget,
) -> Result<Vec<i64>, Exhausted> {
    let from = from.max(start);
    let to = to.min(END_OF_TIME - 1);
    if from > to {
        return Ok(Vec::new());
    }
    let mut walk = Walk {
        rule,
        days: Days::new(rule, start.div_euclid(DAY)),
        start,
        from,
        to,
        budget,
        found: Vec::new(),
        left: rule.count,
    };
    walk.run()?;
    Ok(walk.found)
}

struct Walk<'a> {
    rule: &'a Rule,
    days: Days<'a>,
    start: i64,
    from: i64,
    to: i64,
    budget: &'a mut Budget,
    found: Vec<i64>,
    /// What COUNT leaves to be named.
    left: Option<u64>,
}

/// Whether to go on to the next period.
enum Next {
    Go,
    Stop,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<(), Exhausted> {
        match self.rule.frequency {
            Frequency::Yearly | Frequency::Monthly | Frequency::Weekly | Frequency::Daily => self.by_days(),
            Frequency::Hourly => self.by_clock(3_600),
            Frequency::Minutely => self.by_clock(60),
            Frequency::Secondly => self.by_clock(1),
        }
    }

    fn by_days(&mut self) -> Result<(), Exhausted> {
        let times = self.times_of_day();
        let (mut days, mut set) = (Vec::new(), Vec::new());
        let mut index = self.first_index(self.period_of(self.from))?;
        if index > 0 && self.left.is_some() {
            // Every period is alike, so the first one and any other one tell how many came before.
            self.fill(0, &times, &mut days, &mut set)?;
            let in_first = set.iter().filter(|wall| **wall >= self.start).count();
            self.fill(1, &times, &mut days, &mut set)?;
            if !self.count_off(in_first, index - 1, set.len()) {
                return Ok(());
            }
        }
        loop {
            let begins = self.fill(index, &times, &mut days, &mut set)?;
            if begins > self.to {
                return Ok(());
            }
            if let Next::Stop = self.take(&set) {
                return Ok(());
            }
            index += 1;
        }
    }

    /// Puts what period `index` names into `set` and returns its first wall time.
    fn fill(
        &mut self,
        index: i64,
        times: &[i64],
        days: &mut Vec<i64>,
        set: &mut Vec<i64>,
    ) -> Result<i64, Exhausted> {
        days.clear();
        set.clear();
        let start = self.start.div_euclid(DAY);
        let (year, month, _) = civil_day(start);
        let step = index.saturating_mul(self.rule.interval).min(END_OF_TIME);
        let (begins, looked_at) = match self.rule.frequency {
            Frequency::Yearly => {
                let year = year + step;
                if year <= 9999 {
                    self.days.of_year(year, days);
                }
                let scanned = !self.rule.by_year_day.is_empty() || !self.rule.by_week_no.is_empty();
                (super::civil::day_number(year.min(10_000), 1, 1), if scanned { 366 } else { 12 })
            }
            Frequency::Monthly => {
                let months = year * 12 + month - 1 + step;
                let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
                if year <= 9999 {
                    self.days.of_month(year, month, days);
                }
                (super::civil::day_number(year.min(10_000), month, 1), 4)
            }
            Frequency::Weekly => {
                let first = week_of(start, self.rule.week_start).saturating_add(step.saturating_mul(7));
                if first <= END_OF_TIME / DAY {
                    self.days.of_week(first, days);
                }
                (first, 7)
            }
            Frequency::Daily | Frequency::Hourly | Frequency::Minutely | Frequency::Secondly => {
                let day = start + step;
                if day <= END_OF_TIME / DAY && self.days.is_allowed(day) {
                    days.push(day);
                }
                (day, 1)
            }
        };
        let size = u64::try_from(days.len().saturating_mul(times.len())).unwrap_or(u64::MAX);
        self.budget.spend(looked_at + size)?;
        for day in days.iter() {
            set.extend(times.iter().map(|time| day * DAY + time));
        }
        self.keep_positions(set);
        Ok(begins.saturating_mul(DAY))
    }

    fn by_clock(&mut self, unit: i64) -> Result<(), Exhausted> {
        let rule = self.rule;
        let interval = rule.interval;
        let base = self.start.div_euclid(unit);
        let offsets = self.offsets_within(unit);
        let index = self.first_index((self.from.div_euclid(unit) - base).div_euclid(interval))?;
        let mut set = Vec::new();
        if index > 0 && self.left.is_some() {
            let mut first: Vec<i64> = offsets.iter().map(|offset| base * unit + offset).collect();
            self.keep_positions(&mut first);
            let in_first = first.iter().filter(|wall| **wall >= self.start).count();
            if !self.count_off(in_first, index - 1, first.len()) {
                return Ok(());
            }
        }
        let align = |target: i64| base + (target - base + interval - 1).div_euclid(interval) * interval;
        let mut at = base + index * interval;
        let (mut known_day, mut allowed) = (i64::MIN, false);
        loop {
            let begins = at.saturating_mul(unit);
            if begins > self.to {
                return Ok(());
            }
            self.budget.spend(1)?;
            let day = begins.div_euclid(DAY);
            if day != known_day {
                known_day = day;
                allowed = self.days.is_allowed(day);
            }
            let second = begins.rem_euclid(DAY);
            let skip_to = if !allowed {
                Some((day + 1) * DAY)
            } else if !rule.by_hour.is_empty() && !rule.by_hour.contains(&(second / 3_600)) {
                Some(begins - begins.rem_euclid(3_600) + 3_600)
            } else if unit < 3_600
                && !rule.by_minute.is_empty()
                && !rule.by_minute.contains(&(second / 60 % 60))
            {
                Some(begins - begins.rem_euclid(60) + 60)
            } else if unit == 1 && !rule.by_second.is_empty() && !rule.by_second.contains(&(second % 60)) {
                Some(begins + 1)
            } else {
                None
            };
            if let Some(target) = skip_to {
                at = align(target / unit);
                continue;
            }
            set.clear();
            set.extend(offsets.iter().map(|offset| begins + offset));
            self.budget.spend(u64::try_from(set.len()).unwrap_or(u64::MAX))?;
            self.keep_positions(&mut set);
            if let Next::Stop = self.take(&set) {
                return Ok(());
            }
            at = at.saturating_add(interval);
        }
    }

    /// The period to begin with: the window's, unless COUNT forces a walk from the start.
    fn first_index(&mut self, of_window: i64) -> Result<i64, Exhausted> {
        self.budget.spend(1)?;
        if self.left.is_none() || every_period_is_alike(self.rule) { Ok(of_window.max(0)) } else { Ok(0) }
    }

    fn period_of(&self, wall: i64) -> i64 {
        let (day, start) = (wall.div_euclid(DAY), self.start.div_euclid(DAY));
        let units = match self.rule.frequency {
            Frequency::Yearly => civil_day(day).0 - civil_day(start).0,
            Frequency::Monthly => {
                let (year, month, _) = civil_day(day);
                let (start_year, start_month, _) = civil_day(start);
                year * 12 + month - start_year * 12 - start_month
            }
            Frequency::Weekly => {
                (week_of(day, self.rule.week_start) - week_of(start, self.rule.week_start)).div_euclid(7)
            }
            Frequency::Daily | Frequency::Hourly | Frequency::Minutely | Frequency::Secondly => day - start,
        };
        units.div_euclid(self.rule.interval)
    }

    /// Takes the periods before the window off COUNT. False when nothing is left.
    fn count_off(&mut self, in_first: usize, full_periods: i64, per_period: usize) -> bool {
        let Some(left) = self.left else { return true };
        let full = u64::try_from(full_periods).unwrap_or(0).saturating_mul(per_period as u64);
        let before = full.saturating_add(in_first as u64);
        self.left = Some(left.saturating_sub(before));
        before < left
    }

    fn take(&mut self, set: &[i64]) -> Next {
        for wall in set {
            if *wall < self.start {
                continue;
            }
            if *wall > self.to {
                return Next::Stop;
            }
            if let Some(left) = &mut self.left {
                if *left == 0 {
                    return Next::Stop;
                }
                *left -= 1;
            }
            if *wall >= self.from {
                self.found.push(*wall);
                if self.found.len() > MAX_FOUND {
                    return Next::Stop;
                }
            }
        }
        if self.left == Some(0) { Next::Stop } else { Next::Go }
    }

    /// BYSETPOS.
    fn keep_positions(&self, set: &mut Vec<i64>) {
        let positions = &self.rule.by_set_pos;
        if positions.is_empty() {
            return;
        }
        let length = i64::try_from(set.len()).unwrap_or(i64::MAX);
        let mut kept: Vec<usize> = positions
            .iter()
            .map(|position| if *position > 0 { position - 1 } else { length + position })
            .filter_map(|index| usize::try_from(index).ok().filter(|index| *index < set.len()))
            .collect();
        kept.sort_unstable();
        kept.dedup();
        *set = kept.into_iter().map(|index| set[index]).collect();
    }

    /// The times of day of a rule that is daily or coarser, ascending.
    fn times_of_day(&self) -> Vec<i64> {
        let second = self.start.rem_euclid(DAY);
        let mut times = Vec::new();
        for hour in or_start(&self.rule.by_hour, second / 3_600) {
            for offset in self.offsets_within(3_600) {
                times.push(hour * 3_600 + offset);
            }
        }
        times
    }

    /// The seconds within one hour, minute or second that the finer parts name, ascending.
    fn offsets_within(&self, unit: i64) -> Vec<i64> {
        let second = self.start.rem_euclid(DAY);
        let minutes = if unit > 60 { or_start(&self.rule.by_minute, second / 60 % 60) } else { vec![0] };
        let seconds = if unit > 1 { or_start(&self.rule.by_second, second % 60) } else { vec![0] };
        minutes.iter().flat_map(|minute| seconds.iter().map(move |second| minute * 60 + second)).collect()
    }
}

fn or_start(list: &[i64], start: i64) -> Vec<i64> {
    if list.is_empty() { vec![start] } else { list.to_vec() }
}

fn week_of(day: i64, week_start: i64) -> i64 {
    day - (weekday(day) - week_start).rem_euclid(7)
}
