//! A believable vendor's life, made from a seed: the same seed and moment give the same life.

mod feed;
mod google;
mod outlook;
mod salon;

use calendar::interval::Interval;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::gotrue::Sessions;
use crate::names::Names;
use crate::world::{Vendor, World};

/// What the caller may choose about the life.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    /// Which of the salon's vendors it is. The first is always the same person.
    pub place: usize,
    pub zone: String,
    /// Live bookings still to come; history and cancellations come on top.
    pub bookings: usize,
    /// Single events in her own calendar, on top of the recurring and special ones.
    pub events: usize,
    /// Whether her Outlook holds a life too.
    pub outlook: bool,
    pub now: Timestamp,
    /// The platform behaves as today's does.
    pub faithful: bool,
    /// Her profile has another id than her sign-in. The contract does not mind; today's platform does.
    pub unlinked: bool,
}

/// # Errors
/// When the zone is not known.
pub fn world(plan: &Plan) -> anyhow::Result<World> {
    let zone = TimeZone::get(&plan.zone)?;
    let mut names = Names::new(plan.seed);
    let (name, email, password) = match plan.place {
        0 => ("Amélie Tremblay".to_owned(), "amelie".to_owned(), "lumiere-et-ciseaux-7".to_owned()),
        n => (format!("Stylist {n:03}"), format!("stylist-{n:03}"), format!("ciseaux-{n:03}-et-lumiere")),
    };
    let (id, other) = (names.uuid(), names.uuid());
    let vendor = Vendor {
        auth_id: if plan.faithful && !plan.unlinked { id.clone() } else { other },
        id,
        name,
        email: format!("{email}@studiolumiere.example"),
        password,
        time_zone: plan.zone.clone(),
    };
    let week = Week::of(plan.now, zone.clone());
    let mut google = google::account(&mut names, &vendor, &week, plan);
    let taken = google::busy(&google, &week);
    let mut platform = salon::platform(&mut names, &week, plan, &taken);
    if plan.faithful {
        salon::as_of_today(&mut platform);
    }
    let booked: Vec<Interval> = platform
        .bookings
        .values()
        .filter(|booking| booking.is_live())
        .filter_map(|booking| Interval::new(booking.start, booking.end))
        .collect();
    google::extra_events(&mut google, &mut names, &week, plan, &booked);
    Ok(World {
        names,
        platform,
        sessions: Sessions::default(),
        google,
        outlook: outlook::mailbox(&vendor, &week, plan),
        feeds: feed::feeds(&week),
        advanced_s: 0,
        vendor,
    })
}

/// The week that `now` lies in, as the place that seeded times are counted from.
pub struct Week {
    monday: Date,
    pub zone: TimeZone,
    pub now: Timestamp,
}

impl Week {
    fn of(now: Timestamp, zone: TimeZone) -> Self {
        let today = now.to_zoned(zone.clone()).date();
        let back = i64::from(today.weekday().since(Weekday::Monday));
        let monday = today.checked_sub(Span::new().days(back)).unwrap_or(today);
        Self { monday, zone, now }
    }

    /// A day, `weeks` from this one. Monday is 0.
    #[must_use]
    pub fn day(&self, weeks: i64, weekday: i64) -> Date {
        self.monday.checked_add(Span::new().days(weeks * 7 + weekday)).unwrap_or(self.monday)
    }

    /// A wall time on such a day, in the vendor's zone.
    #[must_use]
    pub fn at(&self, weeks: i64, weekday: i64, hour: i8, minute: i8) -> Timestamp {
        self.on(self.day(weeks, weekday), hour, minute)
    }

    #[must_use]
    pub fn on(&self, day: Date, hour: i8, minute: i8) -> Timestamp {
        day.to_datetime(Time::constant(hour, minute, 0, 0))
            .to_zoned(self.zone.clone())
            .map_or(self.now, |zoned| zoned.timestamp())
    }
}
