//! What the rules and dates of one series name in a stretch of wall time, exceptions taken out; overrides come later.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Candidate, MAX_DATES, Master, SLACK, TOO_MANY};
use crate::event::{End, When};
use crate::recurrence::civil::{self, DAY};
use crate::recurrence::{Budget, Exhausted, MAX_FOUND, Rule, Until, between};
use crate::series::frame::{Frame, Length, Zones};

impl<'a> Master<'a> {
    /// Every instance whose wall time lies in `from..=to`, exceptions taken out, ascending.
    pub(super) fn candidates(
        &self,
        from: i64,
        to: i64,
        zones: &Zones<'a>,
        budget: &mut Budget,
        doubts: &mut Vec<String>,
    ) -> Vec<Candidate> {
        let mut found: Vec<Candidate> = Vec::new();
        if (from..=to).contains(&self.start) && !self.ended_before_it_began() {
            found.push(Candidate { wall: self.regular(self.start), length: None, certain: true });
        }
        for text in &self.event.recurrence.rules {
            match self.named_by(text, from, to, budget) {
                Ok(walls) => {
                    found.extend(walls.iter().map(|wall| Candidate {
                        wall: *wall,
                        length: None,
                        certain: true,
                    }));
                }
                Err(reason) => {
                    doubts.push(reason);
                    found.extend(self.where_it_may_fall(text, from, to));
                }
            }
        }
        let dates = &self.event.recurrence.dates;
        if budget.spend(dates.len() as u64).is_err() {
            doubts.push(Exhausted.to_string());
            let length = Some(Length::Exact(to.saturating_sub(from)));
            found.push(Candidate { wall: from, length, certain: false });
            return found;
        }
        for date in dates.iter().take(MAX_DATES) {
            let wall = match (&self.frame, &date.start) {
                (Frame::Clock(_) | Frame::Anywhere, When::Date(date)) => {
                    civil::of_date(*date) * DAY + self.start.rem_euclid(DAY)
                }
                (Frame::Days(_), start) => zones.wall_in(&self.frame, start).div_euclid(DAY) * DAY,
                (Frame::Clock(_) | Frame::Anywhere, start) => zones.wall_in(&self.frame, start),
            };
            if (from..=to).contains(&wall) {
                let length = match &date.end {
                    End::Unstated => None,
                    end @ (End::At(_) | End::Lasting { .. }) => {
                        Some(zones.length_between(&date.start, end, &self.frame))
                    }
                };
                found.push(Candidate { wall: self.regular(wall), length, certain: true });
            }
        }
        // Of two that coincide, the one that knows most stands: a period's own length, then what is certain.
        found.sort_by_key(|candidate| (candidate.wall, candidate.length.is_none(), !candidate.certain));
        found.dedup_by_key(|candidate| candidate.wall);
        let excepted = self.excepted_by_rules(from, to, budget);
        found.retain(|candidate| {
            let replaced = self.replaced.as_ref().filter(|(from, _)| candidate.wall > *from);
            !(self.except.names(candidate.wall)
                || replaced.is_some_and(|(_, replaced)| replaced.names(candidate.wall))
                || excepted.contains(&candidate.wall))
        });
        found
    }

    /// Calendars delete a whole series by an UNTIL before its start; nothing is left of it, its start included.
    fn ended_before_it_began(&self) -> bool {
        let rules = &self.event.recurrence.rules;
        !rules.is_empty()
            && rules.iter().all(|text| {
                Rule::parse(text).is_ok_and(|rule| {
                    let (last, until) = self.last_wall(&rule);
                    last < self.start
                        || until.is_some_and(|until| {
                            self.frame.instant(self.start).is_some_and(|start| until < start)
                        })
                })
            })
    }

    fn named_by(&self, text: &str, from: i64, to: i64, budget: &mut Budget) -> Result<Vec<i64>, String> {
        let rule = Rule::parse(text).map_err(|error| error.to_string())?;
        let (last, until) = self.last_wall(&rule);
        let mut walls =
            between(&rule, self.start, from, to.min(last), budget).map_err(|error| error.to_string())?;
        if walls.len() > MAX_FOUND {
            return Err(TOO_MANY.to_owned());
        }
        if let Some(until) = until {
            walls.retain(|wall| {
                *wall < last - SLACK || self.frame.instant(*wall).is_none_or(|instant| instant <= until)
            });
        }
        if let Frame::Days(_) = self.frame {
            walls.iter_mut().for_each(|wall| *wall = wall.div_euclid(DAY) * DAY);
        }
        walls.iter_mut().for_each(|wall| *wall = self.regular(*wall));
        Ok(walls)
    }

    /// The last wall time that UNTIL allows, and the instant to hold it to where that is finer.
    fn last_wall(&self, rule: &Rule) -> (i64, Option<Timestamp>) {
        match (rule.until, &self.frame) {
            (None, _) => (i64::MAX, None),
            (Some(Until::Date(date)), _) => (civil::of_date(date) * DAY + DAY - 1, None),
            (Some(Until::Local(wall)), Frame::Days(_)) => (civil::of_date(wall.date()) * DAY + DAY - 1, None),
            (Some(Until::Local(wall)), Frame::Clock(_) | Frame::Anywhere) => (civil::of_datetime(wall), None),
            (Some(Until::Utc(until)), Frame::Days(own)) => {
                let day = if until.as_second().rem_euclid(DAY) == 0 {
                    until.as_second().div_euclid(DAY)
                } else {
                    own.wall(until).div_euclid(DAY)
                };
                (day * DAY + DAY - 1, None)
            }
            (Some(Until::Utc(until)), Frame::Clock(clock)) => (clock.wall(until) + DAY, Some(until)),
            (Some(Until::Utc(until)), Frame::Anywhere) => (until.as_second() + DAY, None),
        }
    }

    /// A rule that cannot be expanded may fall on any day at its time of day, or at any time if it names times.
    fn where_it_may_fall(&self, text: &str, from: i64, to: i64) -> Vec<Candidate> {
        let upper = text.to_ascii_uppercase();
        let any_time = ["BYHOUR", "BYMINUTE", "BYSECOND", "HOURLY", "MINUTELY", "SECONDLY"];
        let last = Rule::parse(text).map_or(i64::MAX, |rule| self.last_wall(&rule).0);
        let (from, to) = (from.max(self.start), to.min(last));
        if from > to {
            return Vec::new();
        }
        if any_time.iter().any(|part| upper.contains(part)) {
            let length = Some(Length::Exact(to - from + 1));
            return vec![Candidate { wall: from, length, certain: false }];
        }
        let days = (from - self.start).div_euclid(DAY);
        let first = self.start + days * DAY;
        (0..)
            .map(|day| first + day * DAY)
            .take_while(|wall| *wall <= to)
            .take(MAX_FOUND)
            .map(|wall| Candidate { wall: self.regular(wall), length: None, certain: false })
            .collect()
    }

    /// EXRULE. One that cannot be expanded takes nothing out.
    fn excepted_by_rules(&self, from: i64, to: i64, budget: &mut Budget) -> BTreeSet<i64> {
        let rules = self.event.recurrence.except_rules.iter();
        rules.filter_map(|text| self.named_by(text, from, to, budget).ok()).flatten().collect()
    }

    /// The longest PERIOD among the extra dates, in seconds.
    pub(super) fn longest_period(&self, zones: &Zones<'a>) -> i64 {
        let dates = self.event.recurrence.dates.iter().take(MAX_DATES);
        dates
            .map(|date| zones.length_between(&date.start, &date.end, &self.frame).at_most())
            .max()
            .unwrap_or(0)
    }
}
