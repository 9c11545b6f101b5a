//! Ana, her Google accounts, her calendars, and what happens to them.

use calendar::busy::{AllDayRule, BusyRules};
use calendar::event::{End, Event, Uid, When};
use calendar::interval::Interval;
use jiff::{SignedDuration, Timestamp};
use sync::booking::{Booking, BookingStatus, Draft, MailAddress};
use sync::error::Code;
use sync::ids::{
    BookingId, CalendarId, ConnectionId, Cursor, ETag, RemoteCalendarId, RemoteId, RunId, Service, VendorId,
};
use sync::news::News;
use sync::ports::{BusySet, Coverage, Marker, RemoteEvent};
use sync::world::{
    Connection, ConnectionState, Direction, LinkedCalendar, Mapping, MappingState, Operation, PublishedBusy,
    Role, RunRecord, Settled, SyncOutcome, SyncProblem, Vendor,
};

/// 2026-03-02T09:00Z and so many minutes, with microseconds: they must survive.
pub fn at(minutes: i64) -> Timestamp {
    Timestamp::from_microsecond(1_772_442_000_123_456).unwrap() + SignedDuration::from_mins(minutes)
}

pub fn vendor() -> Vendor {
    Vendor {
        id: "ana".into(),
        name: "Ana Roy".into(),
        email: "ana@example.com".into(),
        time_zone: "America/Toronto".into(),
    }
}

pub fn connection(account: &str) -> Connection {
    Connection {
        id: ConnectionId::of(Service::Google, account),
        service: Service::Google,
        account: account.into(),
        state: ConnectionState::Connected,
        created_at: at(0),
        error: None,
        backoff_until: None,
        error_count: 0,
    }
}

pub fn calendar(account: &str, remote: &str, role: Role) -> LinkedCalendar {
    let connection = ConnectionId::of(Service::Google, account);
    let remote = RemoteCalendarId::from(remote);
    LinkedCalendar {
        id: CalendarId::of(&connection, &remote),
        connection,
        name: remote.0.clone(),
        remote,
        time_zone: Some("America/Toronto".into()),
        writable: true,
        role,
        rules: BusyRules {
            all_day: AllDayRule::AlwaysBlock,
            tentative_blocks: false,
            buffer_before_minutes: 5,
            buffer_after_minutes: 10,
        },
        sync_frequency_minutes: 7,
        auto_sync_enabled: true,
        cursor: None,
        known: false,
        last_sync_at: None,
        last_sync_status: None,
        last_sync_error: None,
        next_sync_at: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub const ACCOUNT: &str = "ana@example.com";

pub fn private() -> LinkedCalendar {
    calendar(ACCOUNT, "private", Role::Busy)
}

pub fn target() -> LinkedCalendar {
    calendar(ACCOUNT, "bookiji", Role::Target)
}

pub fn problem() -> SyncProblem {
    SyncProblem { code: Code::RateLimitExceeded, message: "Google asks us to slow down".into() }
}

pub fn booking(id: &str, start: i64) -> Booking {
    Booking {
        id: id.into(),
        vendor: VendorId::from("ana"),
        status: BookingStatus::Confirmed,
        start: at(start),
        end: at(start + 30),
        service_name: Some("Haircut".into()),
        customer_name: Some("Mrs Roy".into()),
        customer_email: Some(MailAddress("roy@example.com".into())),
        notes: None,
        proposal: sync::proposal::Proposal::NotOffered,
        updated_at: "2026-03-02T09:00:00.123456+00:00".into(),
    }
}

pub fn event(id: &str, start: i64) -> RemoteEvent {
    let mut event = Event::new(
        Uid(format!("{id}@example.com")),
        When::Utc(at(start)),
        End::At(When::Utc(at(start + 45))),
    );
    event.summary = format!("Dentist, {id}");
    event.recurrence.rules.push("FREQ=WEEKLY;COUNT=3".into());
    RemoteEvent { id: id.into(), etag: ETag(format!("\"{start}\"")), event, marker: None, created_as: None }
}

pub fn draft(booking: &Booking) -> Draft {
    Draft::of(booking, Service::Google, &target().remote, 0)
}

/// The event of `draft` as its calendar stored it.
pub fn stored(draft: &Draft, etag: &str) -> RemoteEvent {
    let end = End::At(When::Utc(draft.end));
    let mut event = Event::new(draft.uid.clone(), When::Utc(draft.start), end);
    event.summary.clone_from(&draft.title);
    RemoteEvent {
        id: draft.id.clone(),
        etag: etag.into(),
        event,
        marker: Some(Marker { booking: draft.booking.clone(), generation: draft.generation }),
        created_as: None,
    }
}

pub fn mapping(draft: &Draft, etag: &str, state: MappingState, minutes: i64) -> Mapping {
    Mapping {
        booking: draft.booking.clone(),
        calendar: target().id,
        vendor: draft.vendor.clone(),
        event: draft.id.clone(),
        generation: draft.generation,
        state,
        etag: Some(etag.into()),
        written: Some(draft.checksum.clone()),
        echo: Some("as echoed".into()),
        error: None,
        last_synced_at: Some(at(minutes)),
        created_at: at(0),
        updated_at: at(minutes),
    }
}

pub fn create(draft: &Draft) -> Operation {
    Operation::CreateEvent { calendar: target().id, draft: draft.clone() }
}

pub fn was_stored(draft: &Draft, etag: &str, minutes: i64) -> Settled {
    Settled::Stored {
        mapping: Box::new(mapping(draft, etag, MappingState::Synced, minutes)),
        event: Box::new(stored(draft, etag)),
    }
}

pub fn busy_set(source: &CalendarId, start: i64) -> BusySet {
    BusySet {
        service: Service::Google,
        source: source.clone(),
        window: Interval::new(at(0), at(60 * 24 * 30)).unwrap(),
        intervals: vec![
            Interval::new(at(start), at(start + 45)).unwrap(),
            Interval::new(at(start + 60), at(start + 61)).unwrap(),
        ],
        checksum: format!("sum-{start}"),
    }
}

pub fn published(source: &CalendarId, start: i64) -> PublishedBusy {
    PublishedBusy { set: busy_set(source, start), at: at(start) }
}

pub fn began(id: &str, minutes: i64) -> RunRecord {
    RunRecord {
        id: id.into(),
        direction: Direction::Bidirectional,
        started_at: at(minutes),
        ended_at: None,
        outcome: None,
        undoes: None,
        report: None,
    }
}

pub fn ended(id: &str, minutes: i64) -> RunRecord {
    RunRecord {
        ended_at: Some(at(minutes)),
        outcome: Some(SyncOutcome::Partial),
        undoes: None,
        report: Some(serde_json::json!({ "dry_run": false, "errors": [] })),
        ..began(id, minutes)
    }
}

pub fn run_id() -> RunId {
    "run-1".into()
}

pub fn cursor(text: &str) -> Cursor {
    text.into()
}

pub fn remote_id(text: &str) -> RemoteId {
    text.into()
}

pub fn booking_id(text: &str) -> BookingId {
    text.into()
}

/// A reading of everything there is.
pub fn everything<'a, Item, Key>(items: &'a [Item], cursor: Option<&'a Cursor>) -> News<'a, Item, Key> {
    News::Whole { items, coverage: Coverage::Everything, cursor }
}
