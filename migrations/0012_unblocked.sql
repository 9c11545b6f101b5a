-- Times that she lets be booked just this once, although the calendar blocks them. A row counts for no other time and no
-- other calendar, and is dropped some days after its time is over.
CREATE TABLE unblocked (
    calendar_id TEXT NOT NULL REFERENCES calendar_sync_status (id) ON DELETE CASCADE,
    start_at INTEGER NOT NULL,
    end_at INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (calendar_id, start_at, end_at)
) STRICT;
