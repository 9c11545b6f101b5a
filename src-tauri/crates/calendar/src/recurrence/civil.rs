//! Civil time as plain numbers: days since 1970-01-01 and seconds since its midnight, on the proleptic Gregorian
//! calendar. No zones.

use jiff::civil::{Date, DateTime};

pub const DAY: i64 = 86_400;

/// Days since 1970-01-01. `day` may lie outside the month.
#[must_use]
pub fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The year, month and day of a day number.
#[must_use]
pub fn civil_day(number: i64) -> (i64, i64, i64) {
    let z = number + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Monday is 0.
#[must_use]
pub fn weekday(number: i64) -> i64 {
    (number + 3).rem_euclid(7)
}

#[must_use]
pub fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

#[must_use]
pub fn days_in_year(year: i64) -> i64 {
    if is_leap(year) { 366 } else { 365 }
}

#[must_use]
pub fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[must_use]
pub fn of_date(date: Date) -> i64 {
    day_number(i64::from(date.year()), i64::from(date.month()), i64::from(date.day()))
}

/// Seconds since the civil epoch; anything finer is cut off.
#[must_use]
pub fn of_datetime(wall: DateTime) -> i64 {
    of_date(wall.date()) * DAY
        + i64::from(wall.hour()) * 3_600
        + i64::from(wall.minute()) * 60
        + i64::from(wall.second())
}

/// Nothing outside the years that calendars can write.
#[must_use]
pub fn to_date(number: i64) -> Option<Date> {
    let (year, month, day) = civil_day(number);
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Nothing outside the years that calendars can write.
#[must_use]
pub fn to_datetime(seconds: i64) -> Option<DateTime> {
    let date = to_date(seconds.div_euclid(DAY))?;
    let rest = seconds.rem_euclid(DAY);
    let part = |n: i64| i8::try_from(n).ok();
    Some(date.at(part(rest / 3_600)?, part(rest / 60 % 60)?, part(rest % 60)?, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_numbers_and_dates_agree_with_jiff_over_four_centuries() {
        let mut date = jiff::civil::date(1799, 12, 31);
        let mut number = of_date(date);
        while date.year() < 2201 {
            assert_eq!(of_date(date), number, "{date}");
            assert_eq!(to_date(number), Some(date));
            assert_eq!(weekday(number), i64::from(date.weekday().to_monday_zero_offset()), "{date}");
            date = date.tomorrow().unwrap();
            number += 1;
        }
    }
}
