//! Bookings as rows. A full reading holds those that are not long over, by id; what changed since is asked for by
//! `updated_at`, from five minutes before the last change that was seen, since a transaction may be committed later than
//! its rows say. A row that was deleted leaves no trace there, so that a cursor counts for a day and no longer.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use sync::booking::Booking;
use sync::error::ServiceError;
use sync::ids::{BookingId, Cursor};
use sync::ports::{Coverage, Reading};

use super::Rest;
use crate::bookiji::found::Found;
use crate::bookiji::slots::{left, written};
use crate::http::{Answer, Method, Peer, Request, garbled};

const ROUTE: &str = "/rest/v1/bookings";
/// As many rows as one answer holds.
const PAGE: usize = 1000;
/// More pages than this are no table but a loop.
const PAGES: usize = 200;
/// There are three ways from a booking to a profile, so the one that is meant has to be named.
const COLUMNS: &str = "*,customers:profiles!bookings_customer_id_fkey(full_name,email,phone),\
    services:services!bookings_service_id_fkey(name,duration_minutes)";
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);
/// How long over a booking may be that a full reading still holds.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24);

/// Where the next reading starts, and when the last full one was.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    full_at: Timestamp,
    /// The last change that was seen; nothing while there is no booking at all.
    changed_at: Option<Timestamp>,
}

const WORD: &str = "rest1";

/// Whether a cursor was given out here.
pub(in crate::bookiji) fn is_ours(cursor: &Cursor) -> bool {
    cursor.0.split('|').next() == Some(WORD)
}

impl Mark {
    fn read(cursor: &Cursor) -> Option<Self> {
        let mut parts = cursor.0.split('|');
        let (word, full_at, changed_at) = (parts.next()?, parts.next()?, parts.next()?);
        let changed_at = if changed_at.is_empty() { None } else { Some(changed_at.parse().ok()?) };
        (word == WORD).then_some(Self { full_at: full_at.parse().ok()?, changed_at })
    }

    fn cursor(&self) -> Cursor {
        let changed_at = self.changed_at.map(written).unwrap_or_default();
        Cursor(format!("{WORD}|{}|{changed_at}", written(self.full_at)))
    }

    /// A clock that was set back makes it old, too.
    fn is_old(&self, now: Timestamp) -> bool {
        let age = now.duration_since(self.full_at);
        age > GOOD_FOR || age < -OVERLAP
    }

    fn see(&mut self, rows: &[Value]) {
        self.changed_at = rows.iter().filter_map(changed_at).max().max(self.changed_at);
    }
}

#[derive(Deserialize)]
struct ServerTime {
    server_now_iso: Timestamp,
}

#[derive(Deserialize)]
struct Profile {
    id: String,
    auth_user_id: Option<String>,
}

struct Page {
    rows: Vec<Value>,
    /// No more follow.
    ended: bool,
    answered_at: Timestamp,
}

impl Rest {
    pub(super) async fn read_bookings(&self, cursor: Option<&Cursor>) -> Reading<Booking, BookingId> {
        match cursor.map(Mark::read) {
            None => self.read_all().await,
            Some(Some(mark)) => self.read_since(mark).await,
            Some(None) => Reading::CursorLost,
        }
    }

    async fn read_all(&self) -> Reading<Booking, BookingId> {
        if let Err(error) = self.is_linked().await {
            return Reading::Failed(error);
        }
        let since = self.server_time().await.and_then(|now| now.checked_sub(LOOK_BACK).ok());
        let (mut found, mut mark, mut last) = (Found::default(), None::<Mark>, None::<String>);
        for _ in 0..PAGES {
            let mut request = self.bookings().query("order", "id.asc");
            if let Some(since) = since {
                request = request.query("end_time", &format!("gt.{}", written(since)));
            }
            if let Some(last) = &last {
                request = request.query("id", &format!("gt.{last}"));
            }
            let page = match self.page(request).await {
                Ok(page) => page,
                Err(reason) if mark.is_none() => return Reading::Failed(reason),
                Err(reason) => return found.partial(reason),
            };
            let mark = mark.get_or_insert(Mark { full_at: page.answered_at, changed_at: None });
            mark.see(&page.rows);
            let end = page.rows.last().and_then(id);
            if !page.ended && (end.is_none() || end <= last) {
                return found.partial(garbled(Peer::Bookiji, "its pages of bookings go round in circles"));
            }
            last = end;
            found.take(page.rows.into_iter().map(with_usual_names).collect(), Vec::new());
            if page.ended {
                let coverage = since.map_or(Coverage::Everything, Coverage::EndingAfter);
                return match found.all() {
                    Ok((items, _)) => Reading::Snapshot { items, coverage, cursor: Some(mark.cursor()) },
                    Err(partial) => partial,
                };
            }
        }
        found.partial(garbled(Peer::Bookiji, "its pages of bookings do not end"))
    }

    async fn read_since(&self, mut mark: Mark) -> Reading<Booking, BookingId> {
        let from = mark.changed_at.and_then(|at| at.checked_sub(OVERLAP).ok());
        let mut at = from.map_or(Start::First, Start::Moment);
        let (mut found, mut is_first) = (Found::default(), true);
        for _ in 0..PAGES {
            let page = match self.page(at.ask(self.bookings())).await {
                Ok(page) => page,
                Err(reason) if is_first => return Reading::Failed(reason),
                Err(reason) => return found.partial(reason),
            };
            if is_first && mark.is_old(page.answered_at) {
                return Reading::CursorLost;
            }
            is_first = false;
            mark.see(&page.rows);
            let next = at.after(&page);
            found.take(page.rows.into_iter().map(with_usual_names).collect(), Vec::new());
            match next {
                Ok(Some(next)) => at = next,
                Ok(None) => {
                    return match found.all() {
                        Ok((changed, removed)) => Reading::Delta { changed, removed, cursor: mark.cursor() },
                        Err(partial) => partial,
                    };
                }
                Err(reason) => return found.partial(reason),
            }
        }
        found.partial(garbled(Peer::Bookiji, "its pages of bookings do not end"))
    }

    fn bookings(&self) -> Request {
        self.database
            .rows(Method::GET, ROUTE, &["bookings"], "count=exact")
            .query("select", COLUMNS)
            .query("provider_id", &format!("eq.{}", self.database.vendor))
            .query("limit", &PAGE.to_string())
    }

    async fn page(&self, request: Request) -> Result<Page, ServiceError> {
        let answer = self.send(request).await?;
        let rows: Vec<Value> = answer.json()?;
        let ended = rows.is_empty() || left(&answer) == Some(rows.len());
        Ok(Page { ended, answered_at: answer.received_at(), rows })
    }

    /// By its own clock; without it, a full reading holds everything.
    async fn server_time(&self) -> Option<Timestamp> {
        let url = self.base.at(&["api", "system", "time"]);
        let request = Request::new(Peer::Bookiji, Method::GET, "/api/system/time", url);
        let answer: Answer = self.signed.http.send(request).await.ok()?;
        let told = answer.json::<ServerTime>().ok().filter(|_| answer.status.is_success())?;
        Some(told.server_now_iso)
    }

    /// Row-level security compares her rows with her sign-in: where her profile has another id, it shows none of them,
    /// and an empty list would say that she has no bookings.
    async fn is_linked(&self) -> Result<(), ServiceError> {
        let vendor = &self.database.vendor;
        let request = self
            .database
            .rows(Method::GET, "/rest/v1/profiles", &["profiles"], "")
            .query("id", &format!("eq.{vendor}"))
            .query("select", "id,auth_user_id");
        let profiles: Vec<Profile> = self.send(request).await?.json()?;
        let service = Peer::Bookiji.name().to_owned();
        match profiles.first() {
            Some(profile) if profile.auth_user_id.as_deref() == Some(profile.id.as_str()) => Ok(()),
            Some(_) => Err(ServiceError::NotLinked { service }),
            None => Err(ServiceError::Forbidden { service, reason: "her profile is not there".to_owned() }),
        }
    }
}

/// Where a page of changes starts. Rows that change meanwhile move to the end, and are met there.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Start {
    First,
    /// That moment itself belongs to it.
    Moment(Timestamp),
    /// More rows changed in one moment than a page holds: those of it with a later id.
    Within(Timestamp, String),
    After(Timestamp),
}

impl Start {
    fn ask(&self, request: Request) -> Request {
        let by_time = |request: Request, word: &str, at: Timestamp| {
            request
                .query("updated_at", &format!("{word}.{}", written(at)))
                .query("order", "updated_at.asc,id.asc")
        };
        match self {
            Self::First => request.query("order", "updated_at.asc,id.asc"),
            Self::Moment(at) => by_time(request, "gte", *at),
            Self::After(at) => by_time(request, "gt", *at),
            Self::Within(at, id) => request
                .query("updated_at", &format!("eq.{}", written(*at)))
                .query("id", &format!("gt.{id}"))
                .query("order", "id.asc"),
        }
    }

    /// Where the next page starts; nothing after the last.
    fn after(&self, page: &Page) -> Result<Option<Self>, ServiceError> {
        if let (Self::Within(at, _), true) = (self, page.ended) {
            return Ok(Some(Self::After(*at)));
        }
        if page.ended {
            return Ok(None);
        }
        let unordered = || garbled(Peer::Bookiji, "its bookings do not say when they changed");
        let last = page.rows.last().ok_or_else(unordered)?;
        let (at, id) = changed_at(last).zip(id(last)).ok_or_else(unordered)?;
        let next = match self {
            Self::Within(moment, before) if id > *before => Self::Within(*moment, id),
            Self::Within(..) => {
                return Err(garbled(Peer::Bookiji, "its pages of bookings go round in circles"));
            }
            // A page that ends in the moment it began with would be asked for again for ever.
            Self::Moment(from) if at <= *from => Self::Within(at, id),
            Self::First | Self::Moment(_) | Self::After(_) => Self::Moment(at),
        };
        Ok(Some(next))
    }
}

fn id(row: &Value) -> Option<String> {
    Some(row["id"].as_str()?.to_ascii_lowercase())
}

fn changed_at(row: &Value) -> Option<Timestamp> {
    row["updated_at"].as_str()?.parse().ok()
}

/// Parts of the platform still speak of an older shape of a booking (platform notes §2.9).
fn with_usual_names(mut row: Value) -> Value {
    for (old, usual) in [("vendor_id", "provider_id"), ("slot_start", "start_time"), ("slot_end", "end_time")]
    {
        if row[usual].is_null()
            && let Some(value) = row.get(old).cloned()
        {
            row[usual] = value;
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn page(rows: &[(&str, &str)], ended: bool) -> Page {
        let rows = rows.iter().map(|(id, at)| json!({"id": id, "updated_at": at})).collect();
        Page { rows, ended, answered_at: at("2030-01-01T00:00:00Z") }
    }

    #[test]
    fn a_cursor_keeps_every_microsecond_and_reads_back_as_it_was() {
        for changed_at in [None, Some(at("2029-12-30T09:47:12.307335Z"))] {
            let mark = Mark { full_at: at("2030-01-01T00:00:00.000001Z"), changed_at };
            assert!(is_ours(&mark.cursor()), "{mark:?}");
            assert_eq!(Mark::read(&mark.cursor()), Some(mark));
        }
        for stranger in ["", "rest1", "rest1|x|", "12|2030-01-01T00:00:00Z|", "eyJzZXEiOjF9"] {
            assert_eq!(Mark::read(&Cursor(stranger.to_owned())), None, "{stranger}");
        }
        assert!(!is_ours(&Cursor("eyJzZXEiOjF9".to_owned())));
    }

    #[test]
    fn a_cursor_is_old_after_a_day_or_once_the_clock_is_set_back() {
        let mark = Mark { full_at: at("2030-01-01T12:00:00Z"), changed_at: None };
        for (now, old) in [
            ("2030-01-01T12:00:01Z", false),
            ("2030-01-02T11:59:59Z", false),
            ("2030-01-02T12:00:01Z", true),
            ("2030-01-01T11:58:00Z", false),
            ("2030-01-01T11:00:00Z", true),
        ] {
            assert_eq!(mark.is_old(at(now)), old, "{now}");
        }
    }

    #[test]
    fn pages_of_changes_go_on_where_the_last_ended_however_many_changed_at_once() {
        let (one, two) = ("2030-01-01T10:00:00+00:00", "2030-01-01T11:00:00+00:00");
        let start = Start::Moment(at(one));
        assert_eq!(start.after(&page(&[("a", one), ("b", two)], true)), Ok(None));
        assert_eq!(start.after(&page(&[("a", one), ("b", two)], false)), Ok(Some(Start::Moment(at(two)))));
        let within = Start::Within(at(one), "b".to_owned());
        assert_eq!(start.after(&page(&[("a", one), ("b", one)], false)), Ok(Some(within.clone())));
        assert_eq!(
            within.after(&page(&[("c", one), ("d", one)], false)),
            Ok(Some(Start::Within(at(one), "d".to_owned())))
        );
        assert_eq!(within.after(&page(&[("c", one)], true)), Ok(Some(Start::After(at(one)))));
        assert!(within.after(&page(&[("a", one)], false)).is_err(), "round in circles");
    }

    #[test]
    fn an_older_shape_of_a_booking_is_read_as_the_usual_one() {
        let row =
            with_usual_names(json!({"vendor_id": "v", "slot_start": "s", "end_time": "e", "slot_end": "x"}));
        assert_eq!(
            [&row["provider_id"], &row["start_time"], &row["end_time"]],
            [&json!("v"), &json!("s"), &json!("e")]
        );
    }
}
