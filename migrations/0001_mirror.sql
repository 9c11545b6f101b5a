-- The mirror of one vendor's profile.
--
-- Times are UTC, in microseconds since 1970 (the platform's own precision), unless a column says otherwise. Words are
-- those of the code's enums. They carry no CHECK: a list in a CHECK cannot grow without rebuilding its table, and the
-- code reads no word it does not know. JSON columns hold what is only ever read and written whole.
--
-- Frozen once released: a change is a new file, and no column ever changes its meaning.

PRAGMA application_id = 1114335849; -- "Bkji"

-- One profile is one vendor.
CREATE TABLE vendor (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    time_zone TEXT NOT NULL -- IANA
) STRICT;

CREATE TABLE connections (
    id TEXT NOT NULL PRIMARY KEY,
    service TEXT NOT NULL,
    account TEXT NOT NULL,
    state TEXT NOT NULL,
    error_code TEXT,
    error_message TEXT,
    error_count INTEGER NOT NULL DEFAULT 0,
    backoff_until INTEGER,
    created_at INTEGER NOT NULL,
    CHECK ((error_code IS NULL) = (error_message IS NULL))
) STRICT;

-- One row per calendar; the same service and even the same account may have many.
CREATE TABLE calendar_sync_status (
    id TEXT NOT NULL PRIMARY KEY,
    connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
    external_calendar_id TEXT NOT NULL, -- as the service names it
    name TEXT NOT NULL,
    time_zone TEXT,
    writable INTEGER NOT NULL CHECK (writable IN (0, 1)),
    role TEXT NOT NULL,
    all_day_rule TEXT NOT NULL,
    tentative_blocks INTEGER NOT NULL CHECK (tentative_blocks IN (0, 1)),
    buffer_before_minutes INTEGER NOT NULL DEFAULT 0,
    buffer_after_minutes INTEGER NOT NULL DEFAULT 0,
    sync_frequency_minutes INTEGER NOT NULL DEFAULT 5,
    auto_sync_enabled INTEGER NOT NULL DEFAULT 1 CHECK (auto_sync_enabled IN (0, 1)),
    cursor TEXT,
    known INTEGER NOT NULL DEFAULT 0 CHECK (known IN (0, 1)), -- read in full at least once
    last_sync_at INTEGER,
    last_sync_status TEXT,
    last_sync_error_code TEXT,
    last_sync_error TEXT,
    next_sync_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (connection_id, external_calendar_id),
    CHECK ((last_sync_error_code IS NULL) = (last_sync_error IS NULL))
) STRICT;

-- Events as their calendars hold them, ours among them.
CREATE TABLE remote_events (
    calendar_id TEXT NOT NULL REFERENCES calendar_sync_status (id) ON DELETE CASCADE,
    external_event_id TEXT NOT NULL,
    event_etag TEXT NOT NULL,
    event TEXT NOT NULL, -- JSON
    marker_booking_id TEXT,
    marker_generation INTEGER,
    PRIMARY KEY (calendar_id, external_event_id),
    CHECK ((marker_booking_id IS NULL) = (marker_generation IS NULL))
) STRICT;

CREATE TABLE bookings (
    id TEXT NOT NULL PRIMARY KEY,
    vendor_id TEXT NOT NULL,
    status TEXT NOT NULL,
    start_at INTEGER NOT NULL,
    end_at INTEGER NOT NULL,
    service_name TEXT,
    customer_name TEXT,
    notes TEXT,
    updated_at TEXT NOT NULL, -- as the platform wrote it
    -- Both follow from calendar_events and are set with it.
    google_calendar_event_id TEXT,
    calendar_synced_at INTEGER
) STRICT;

CREATE INDEX bookings_by_google_event ON bookings (google_calendar_event_id)
WHERE google_calendar_event_id IS NOT NULL;

-- Where the next reading of the platform's bookings starts.
CREATE TABLE bookings_cursor (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    cursor TEXT NOT NULL
) STRICT;

-- Which event stands for which booking. A row outlives its booking: it is the proof that the event is ours.
CREATE TABLE calendar_events (
    booking_id TEXT NOT NULL,
    calendar_id TEXT NOT NULL REFERENCES calendar_sync_status (id) ON DELETE CASCADE,
    vendor_id TEXT NOT NULL,
    external_event_id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    event_etag TEXT,
    sync_status TEXT NOT NULL,
    sync_error_code TEXT,
    sync_error TEXT,
    written_checksum TEXT,
    echo_fingerprint TEXT,
    last_synced_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (booking_id, calendar_id),
    UNIQUE (calendar_id, external_event_id),
    CHECK ((sync_error_code IS NULL) = (sync_error IS NULL))
) STRICT;

-- What the platform was last sent. No foreign key: a source outlives its calendar until it is withdrawn.
CREATE TABLE published_busy (
    calendar_id TEXT NOT NULL PRIMARY KEY,
    service TEXT NOT NULL,
    window_start INTEGER NOT NULL,
    window_end INTEGER NOT NULL,
    intervals TEXT NOT NULL, -- JSON
    checksum TEXT NOT NULL,
    published_at INTEGER NOT NULL
) STRICT;

CREATE TABLE runs (
    number INTEGER NOT NULL PRIMARY KEY, -- in the order they began, whatever the clock said
    id TEXT NOT NULL UNIQUE,
    direction TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT,
    report TEXT -- JSON
) STRICT;

-- The journal. A row is written before its write is tried, and is settled with what followed from it.
CREATE TABLE operations (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    calendar_id TEXT NOT NULL,
    booking_id TEXT,
    key TEXT NOT NULL, -- by which the remote side is probed: an event's id, or a busy source
    precondition TEXT, -- the etag or checksum written over; none where nothing may be there yet
    intent TEXT NOT NULL, -- JSON; its `before` is the inverse
    state TEXT NOT NULL DEFAULT 'intended',
    attempts INTEGER NOT NULL DEFAULT 0,
    echo TEXT, -- JSON: what the service stored
    error_code TEXT,
    error_message TEXT,
    intended_at INTEGER NOT NULL,
    attempted_at INTEGER,
    settled_at INTEGER,
    CHECK ((error_code IS NULL) = (error_message IS NULL))
) STRICT;

CREATE INDEX operations_unsettled ON operations (id) WHERE settled_at IS NULL;
CREATE INDEX operations_by_run ON operations (run_id);
