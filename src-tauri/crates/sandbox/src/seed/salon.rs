//! The salon: services, customers, slots from Tuesday to Saturday, and bookings before and after now.

use calendar::interval::Interval;
use jiff::Timestamp;
use serde_json::json;

use super::{Plan, Week};
use crate::bookiji::platform::{Booking, Customer, Neighbour, Platform, Service, Settings, Slot, Status};
use crate::names::{Names, pick};
use crate::time::after;

const SERVICES: [(&str, &str, f64, i64); 6] = [
    ("Men's cut", "Hair", 42.0, 30),
    ("Blow-dry", "Hair", 48.0, 45),
    ("Cut and blow-dry", "Hair", 78.0, 60),
    ("Root touch-up", "Colour", 95.0, 60),
    ("Colour and highlights", "Colour", 165.0, 120),
    ("Bridal trial", "Styling", 120.0, 90),
];

const CUSTOMERS: [&str; 24] = [
    "Sophie Roy",
    "Marc Gagnon",
    "Nadia Benali",
    "Chloé Bouchard",
    "Julien Côté",
    "Isabelle Fortin",
    "Priya Nair",
    "Thomas Lavoie",
    "Élise Morin",
    "Anna Kowalska",
    "Camille Pelletier",
    "Olivier Bélanger",
    "Fatou Diallo",
    "Hélène Girard",
    "Minh Nguyen",
    "Laurence Caron",
    "David Cohen",
    "Maude Leblanc",
    "Zoé Martel",
    "Yasmine Haddad",
    "Gabriel Poirier",
    "Rosa Fernández",
    "Léa Dufour",
    "Catherine Simard",
];

const NOTES: [&str; 6] = [
    "Allergic to ammonia, please use the mild colour.",
    "May be five minutes late, comes by bus.",
    "First visit. Would like advice on a shorter cut.",
    "Brings her daughter along.",
    "Keep the fringe long.",
    "Same colour as last time\n(7.43).",
];

const SLOT_WEEKS_BACK: i64 = 4;
const BOOKED_WEEKS_AHEAD: i64 = 4;
const FREE_WEEKS_BEYOND: i64 = 6;
const LUNCH: i8 = 12;

pub fn platform(names: &mut Names, week: &Week, plan: &Plan, taken: &[Interval]) -> Platform {
    let mut platform = Platform {
        settings: Settings { time_zone: plan.zone.clone(), business_hours: business_hours() },
        neighbour: neighbour(week, plan.seed),
        ..Platform::default()
    };
    for (name, category, price, minutes) in SERVICES {
        let service = Service {
            id: names.uuid(),
            name: name.to_owned(),
            category: category.to_owned(),
            price,
            duration_minutes: minutes,
        };
        platform.services.insert(service.id.clone(), service);
    }
    for (place, name) in CUSTOMERS.iter().enumerate() {
        let address: String = name.to_lowercase().chars().filter(char::is_ascii_alphabetic).collect();
        let customer = Customer {
            id: names.uuid(),
            full_name: (*name).to_owned(),
            email: format!("{address}@mail.example"),
            phone: (place % 3 != 0).then(|| format!("+1 514 555 01{place:02}")),
        };
        platform.customers.insert(customer.id.clone(), customer);
    }
    // Half-hour slots hold twice as many bookings: a full book is made of short visits.
    let short = plan.bookings > 80;
    let per_week = if short { 60 } else { 24 };
    let ahead =
        BOOKED_WEEKS_AHEAD.max(i64::try_from(plan.bookings.div_ceil(per_week)).unwrap_or(i64::MAX).min(400));
    for at in -SLOT_WEEKS_BACK..ahead + FREE_WEEKS_BEYOND {
        for weekday in 1..=5 {
            open_day(&mut platform, names, week, plan.seed, (at, weekday), short);
        }
    }
    fill(&mut platform, names, week, plan, taken, ahead);
    platform
}

/// What today's database would not have let stand: nothing is confirmed that is not paid, and what the vendor made herself
/// nobody can pay.
pub fn as_of_today(platform: &mut Platform) {
    platform.faithful = true;
    for booking in platform.bookings.values_mut() {
        if booking.vendor_created && booking.status == Status::Confirmed {
            booking.status = Status::Pending;
        }
        if matches!(booking.status, Status::Confirmed | Status::Completed) && !booking.vendor_created {
            booking.payment = Some(format!("pi_{}", booking.id.replace('-', "")));
            booking.confirmed_at = Some(booking.created_at);
        }
    }
}

/// Another vendor of the same platform, with a few slots at times that the salon has too.
fn neighbour(week: &Week, seed: u64) -> Neighbour {
    // Names of its own: the vendor's stay what they are whoever lives next door.
    let mut names = Names::new(!seed);
    let mut neighbour = Neighbour { id: names.uuid(), ..Neighbour::default() };
    for weekday in 1..=5 {
        for hour in [9, 10, 14] {
            let start = week.at(1, weekday, hour, 0);
            let slot = Slot::open(names.uuid(), start, after(start, 3600), week.at(-5, 0, 8, 0));
            neighbour.slots.insert(slot.id.clone(), slot);
        }
    }
    neighbour
}

fn open_day(
    platform: &mut Platform,
    names: &mut Names,
    week: &Week,
    seed: u64,
    (at, weekday): (i64, i64),
    short: bool,
) {
    let lengths: &[i64] = if short { &[30] } else { &[30, 45, 60, 60, 60, 90, 120] };
    for (from, to) in [(9, LUNCH), (13, 18)] {
        let closing = week.at(at, weekday, to, 0);
        let mut start = week.at(at, weekday, from, 0);
        loop {
            let wanted = lengths[pick(seed, &format!("slot|{at}|{weekday}|{start}"), lengths.len())];
            let fits = |minutes: &i64| after(start, minutes * 60) <= closing;
            let Some(minutes) = [wanted, 60, 45, 30].into_iter().find(|m| *m <= wanted && fits(m)) else {
                break;
            };
            let end = after(start, minutes * 60);
            let slot = Slot::open(names.uuid(), start, end, week.at(-5, 0, 8, 0));
            platform.slots.insert(slot.id.clone(), slot);
            start = end;
        }
    }
}

fn fill(
    platform: &mut Platform,
    names: &mut Names,
    week: &Week,
    plan: &Plan,
    taken: &[Interval],
    ahead: i64,
) {
    let soon = after(week.now, 2 * 3600);
    let last = after(week.now, ahead * 7 * 24 * 3600);
    let free_of_plans = |slot: &Slot| {
        Interval::new(slot.start, slot.end)
            .is_some_and(|span| taken.iter().all(|other| !other.overlaps(&span)))
    };
    let coming =
        shuffled(platform, plan.seed, |slot| slot.start > soon && slot.start < last && free_of_plans(slot));
    let past = shuffled(platform, plan.seed, |slot| slot.end < week.now);
    let mut made = Vec::new();
    for (place, slot) in coming.iter().take(plan.bookings).enumerate() {
        let status = if place % 5 == 0 { Status::Pending } else { Status::Confirmed };
        made.push((slot.clone(), status));
    }
    for slot in coming.iter().skip(plan.bookings).take(plan.bookings / 8) {
        made.push((slot.clone(), Status::Cancelled));
    }
    for (place, slot) in past.iter().take(plan.bookings / 2).enumerate() {
        let status = match place % 12 {
            3 => Status::NoShow,
            5 | 9 => Status::Cancelled,
            _ => Status::Completed,
        };
        made.push((slot.clone(), status));
    }
    let mut bookings: Vec<Booking> = made
        .into_iter()
        .map(|(slot, status)| {
            let booking = booking(platform, names, week, plan.seed, &slot, status);
            let holds = !matches!(status, Status::Cancelled | Status::NoShow);
            if let Some(slot) = platform.slots.get_mut(&slot.id) {
                slot.is_available = !holds;
            }
            booking
        })
        .collect();
    bookings.sort_by_key(|booking| (booking.updated_at, booking.start));
    for mut booking in bookings {
        platform.sequence += 1;
        booking.sequence = platform.sequence;
        platform.bookings.insert(booking.id.clone(), booking);
    }
}

/// The wanted slots in an order that the seed decides.
fn shuffled(platform: &Platform, seed: u64, wanted: impl Fn(&Slot) -> bool) -> Vec<Slot> {
    let mut slots: Vec<Slot> = platform.slots.values().filter(|slot| wanted(slot)).cloned().collect();
    slots.sort_by_cached_key(|slot| (pick(seed, &format!("order|{}", slot.start), usize::MAX), slot.start));
    slots
}

fn booking(
    platform: &Platform,
    names: &mut Names,
    week: &Week,
    seed: u64,
    slot: &Slot,
    status: Status,
) -> Booking {
    let draw = |what: &str, bound: usize| pick(seed, &format!("{what}|{}", slot.start), bound);
    let minutes = slot.end.duration_since(slot.start).as_mins();
    let fitting: Vec<&Service> =
        platform.services.values().filter(|service| service.duration_minutes == minutes).collect();
    let services = if fitting.is_empty() { platform.services.values().collect() } else { fitting };
    let customers: Vec<&Customer> = platform.customers.values().collect();
    let created_at = before(week.now.min(slot.start), 1 + draw("created", 21 * 24 * 3600));
    let cancelled = status == Status::Cancelled;
    Booking {
        id: names.uuid(),
        customer: customers[draw("customer", customers.len())].id.clone(),
        service: services[draw("service", services.len())].id.clone(),
        start: slot.start,
        end: slot.end,
        status,
        notes: (draw("noted", 4) == 0).then(|| NOTES[draw("note", NOTES.len())].to_owned()),
        reason: cancelled.then(|| "Customer cannot come".to_owned()),
        vendor_created: draw("by_vendor", 10) == 0,
        created_at,
        updated_at: created_at,
        sequence: 0,
        payment: None,
        confirmed_at: None,
        proposal: None,
    }
}

/// Some seconds earlier, with the microseconds that the platform's clock would show.
fn before(at: Timestamp, seconds: usize) -> Timestamp {
    let seconds = i64::try_from(seconds).unwrap_or(0);
    let micros = seconds * 7919 % 1_000_000;
    let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
    after(at, -seconds).checked_add(jiff::SignedDuration::from_micros(micros)).unwrap_or(at)
}

fn business_hours() -> serde_json::Value {
    let open = json!({"isEnabled": true, "timeRanges": [{"start": "09:00", "end": "12:00"},
        {"start": "13:00", "end": "18:00"}]});
    let closed = json!({"isEnabled": false, "timeRanges": []});
    json!({"Monday": closed, "Tuesday": open, "Wednesday": open, "Thursday": open, "Friday": open,
        "Saturday": open, "Sunday": closed})
}
