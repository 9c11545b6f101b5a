//! Which days of one period a rule names: the day columns of the table in RFC 5545 §3.3.10. Outside the frequencies
//! that table allows, a part limits instead of being refused.

use super::civil::{civil_day, day_number, days_in_month, days_in_year, weekday};
use super::rule::{Frequency, Rule};

/// The day parts of a rule together with what DTSTART supplies where they are silent.
pub struct Days<'a> {
    rule: &'a Rule,
    start_month: i64,
    start_day: i64,
    start_weekday: i64,
}

impl<'a> Days<'a> {
    pub fn new(rule: &'a Rule, start: i64) -> Self {
        let (_, start_month, start_day) = civil_day(start);
        Self { rule, start_month, start_day, start_weekday: weekday(start) }
    }

    /// Adds the days of `year`, ascending.
    pub fn of_year(&self, year: i64, out: &mut Vec<i64>) {
        let rule = self.rule;
        if !rule.by_year_day.is_empty() || !rule.by_week_no.is_empty() {
            let first = day_number(year, 1, 1);
            let last = first + days_in_year(year) - 1;
            out.extend((first..=last).filter(|day| self.limits_of_year(*day)));
        } else if !rule.by_month_day.is_empty() || (!rule.by_month.is_empty() && !rule.by_day.is_empty()) {
            for month in 1..=12 {
                if listed(&rule.by_month, month) {
                    self.of_named_month(year, month, out);
                }
            }
            if rule.by_month.is_empty() {
                out.retain(|day| self.is_nth_of_year(*day));
            }
        } else if !rule.by_day.is_empty() {
            let first = day_number(year, 1, 1);
            nth_weekdays(rule, first, days_in_year(year), out);
        } else {
            let months: &[i64] = if rule.by_month.is_empty() {
                std::slice::from_ref(&self.start_month)
            } else {
                &rule.by_month
            };
            for month in months {
                if self.start_day <= days_in_month(year, *month) {
                    out.push(day_number(year, *month, self.start_day));
                }
            }
        }
    }

    /// Adds the days of one month, ascending.
    pub fn of_month(&self, year: i64, month: i64, out: &mut Vec<i64>) {
        let rule = self.rule;
        if !listed(&rule.by_month, month) {
            return;
        }
        if !rule.by_year_day.is_empty() || !rule.by_week_no.is_empty() {
            let first = day_number(year, month, 1);
            let last = first + days_in_month(year, month) - 1;
            out.extend((first..=last).filter(|day| self.limits(*day) && self.is_nth_of_month(*day)));
        } else if rule.by_month_day.is_empty() && rule.by_day.is_empty() {
            if self.start_day <= days_in_month(year, month) {
                out.push(day_number(year, month, self.start_day));
            }
        } else {
            self.of_named_month(year, month, out);
        }
    }

    /// Adds the days of the week that begins with `first`, ascending.
    pub fn of_week(&self, first: i64, out: &mut Vec<i64>) {
        let rule = self.rule;
        let named = !(rule.by_day.is_empty()
            && rule.by_month_day.is_empty()
            && rule.by_year_day.is_empty()
            && rule.by_week_no.is_empty());
        out.extend(
            (first..first + 7)
                .filter(|day| (named || weekday(*day) == self.start_weekday) && self.is_allowed(*day)),
        );
    }

    /// Whether a rule that names no day itself (daily or finer) allows this one.
    pub fn is_allowed(&self, day: i64) -> bool {
        let rule = self.rule;
        if rule.by_month.is_empty()
            && rule.by_month_day.is_empty()
            && rule.by_year_day.is_empty()
            && rule.by_week_no.is_empty()
        {
            return self.is_listed_weekday(day);
        }
        self.limits(day) && self.is_listed_weekday(day)
    }

    /// BYMONTHDAY, or else BYDAY, of a month that BYMONTH allows.
    fn of_named_month(&self, year: i64, month: i64, out: &mut Vec<i64>) {
        let rule = self.rule;
        let length = days_in_month(year, month);
        let first = day_number(year, month, 1);
        if rule.by_month_day.is_empty() {
            nth_weekdays(rule, first, length, out);
            return;
        }
        let from = out.len();
        for number in &rule.by_month_day {
            let day = if *number > 0 { *number } else { length + 1 + number };
            if (1..=length).contains(&day) {
                out.push(first + day - 1);
            }
        }
        out[from..].sort_unstable();
        let mut kept = from;
        for index in from..out.len() {
            let day = out[index];
            let counted_in_month = rule.frequency != Frequency::Yearly || !rule.by_month.is_empty();
            let new = kept == from || out[kept - 1] != day;
            if new && (!counted_in_month || self.is_nth_of_month(day)) {
                out[kept] = day;
                kept += 1;
            }
        }
        out.truncate(kept);
    }

    fn limits_of_year(&self, day: i64) -> bool {
        let rule = self.rule;
        if !self.limits(day) {
            return false;
        }
        if !rule.by_day.is_empty() {
            if !rule.by_week_no.is_empty() {
                return self.is_listed_weekday(day);
            }
            if !rule.by_month.is_empty() {
                return self.is_nth_of_month(day);
            }
            return self.is_nth_of_year(day);
        }
        // A week number alone says nothing about the day: DTSTART does.
        let week_alone =
            !rule.by_week_no.is_empty() && rule.by_year_day.is_empty() && rule.by_month_day.is_empty();
        !week_alone || weekday(day) == self.start_weekday
    }

    /// BYMONTH, BYWEEKNO, BYYEARDAY and BYMONTHDAY as limits.
    fn limits(&self, day: i64) -> bool {
        let rule = self.rule;
        let (year, month, day_of_month) = civil_day(day);
        if !listed(&rule.by_month, month) {
            return false;
        }
        if !rule.by_month_day.is_empty() {
            let from_end = day_of_month - days_in_month(year, month) - 1;
            if !rule.by_month_day.contains(&day_of_month) && !rule.by_month_day.contains(&from_end) {
                return false;
            }
        }
        if !rule.by_year_day.is_empty() {
            let day_of_year = day - day_number(year, 1, 1) + 1;
            let from_end = day_of_year - days_in_year(year) - 1;
            if !rule.by_year_day.contains(&day_of_year) && !rule.by_year_day.contains(&from_end) {
                return false;
            }
        }
        if !rule.by_week_no.is_empty() {
            let (number, weeks) = week_number(day, year, rule.week_start);
            if !rule.by_week_no.contains(&number) && !rule.by_week_no.contains(&(number - weeks - 1)) {
                return false;
            }
        }
        true
    }

    fn is_nth_of_month(&self, day: i64) -> bool {
        let (year, month, day_of_month) = civil_day(day);
        is_nth(self.rule, day, day - day_of_month + 1, days_in_month(year, month))
    }

    fn is_nth_of_year(&self, day: i64) -> bool {
        let (year, _, _) = civil_day(day);
        is_nth(self.rule, day, day_number(year, 1, 1), days_in_year(year))
    }

    fn is_listed_weekday(&self, day: i64) -> bool {
        let by_day = &self.rule.by_day;
        by_day.is_empty() || {
            let weekday = weekday(day);
            by_day.iter().any(|by| by.weekday == weekday)
        }
    }
}

/// Whether hours and finer parts are all that a rule of this frequency reads: every period is alike.
pub fn every_period_is_alike(rule: &Rule) -> bool {
    let no_dates = rule.by_month.is_empty()
        && rule.by_month_day.is_empty()
        && rule.by_year_day.is_empty()
        && rule.by_week_no.is_empty();
    no_dates
        && match rule.frequency {
            Frequency::Yearly | Frequency::Monthly => false,
            Frequency::Weekly => true,
            Frequency::Daily => rule.by_day.is_empty(),
            Frequency::Hourly => rule.by_day.is_empty() && rule.by_hour.is_empty(),
            Frequency::Minutely => {
                rule.by_day.is_empty() && rule.by_hour.is_empty() && rule.by_minute.is_empty()
            }
            Frequency::Secondly => rule.by_day.is_empty() && !rule.varies_by_clock(),
        }
}

impl Rule {
    fn varies_by_clock(&self) -> bool {
        !(self.by_hour.is_empty() && self.by_minute.is_empty() && self.by_second.is_empty())
    }
}

fn listed(list: &[i64], value: i64) -> bool {
    list.is_empty() || list.contains(&value)
}

/// Adds the weekdays that BYDAY names in the `length` days from `first`, ascending.
fn nth_weekdays(rule: &Rule, first: i64, length: i64, out: &mut Vec<i64>) {
    let from = out.len();
    for by in &rule.by_day {
        let earliest = first + (by.weekday - weekday(first)).rem_euclid(7);
        let last = first + length - 1;
        let latest = last - (weekday(last) - by.weekday).rem_euclid(7);
        match by.nth {
            0 => out.extend((earliest..=last).step_by(7)),
            nth if nth > 0 => out.extend(Some(earliest + (nth - 1) * 7).filter(|day| *day <= last)),
            nth => out.extend(Some(latest + (nth + 1) * 7).filter(|day| *day >= first)),
        }
    }
    if rule.by_day.len() > 1 {
        out[from..].sort_unstable();
        let mut kept = from;
        for index in from..out.len() {
            if kept == from || out[kept - 1] != out[index] {
                out[kept] = out[index];
                kept += 1;
            }
        }
        out.truncate(kept);
    }
}

/// Whether BYDAY, read within the `length` days from `first`, names `day`.
fn is_nth(rule: &Rule, day: i64, first: i64, length: i64) -> bool {
    if rule.by_day.is_empty() {
        return true;
    }
    let weekday = weekday(day);
    let from_start = (day - first) / 7 + 1;
    let from_end = -((first + length - 1 - day) / 7 + 1);
    rule.by_day
        .iter()
        .any(|by| by.weekday == weekday && (by.nth == 0 || by.nth == from_start || by.nth == from_end))
}

/// The number of the week `day` lies in, and how many weeks that week's year has. Week 1 is the first with four days.
fn week_number(day: i64, year: i64, week_start: i64) -> (i64, i64) {
    let next = first_week(year + 1, week_start);
    let this = first_week(year, week_start);
    let (first, after) = if day >= next {
        (next, first_week(year + 2, week_start))
    } else if day >= this {
        (this, next)
    } else {
        (first_week(year - 1, week_start), this)
    };
    ((day - first) / 7 + 1, (after - first) / 7)
}

/// The first day of week 1.
fn first_week(year: i64, week_start: i64) -> i64 {
    let first = day_number(year, 1, 1);
    let into_week = (weekday(first) - week_start).rem_euclid(7);
    if into_week <= 3 { first - into_week } else { first + 7 - into_week }
}
