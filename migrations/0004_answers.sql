-- What she decided about events of bookings that she had moved or deleted. One answer a booking and calendar: it counts for
-- the question it was given to, and a later one takes its place.
CREATE TABLE answers (
    booking_id TEXT NOT NULL,
    calendar_id TEXT NOT NULL REFERENCES calendar_sync_status (id) ON DELETE CASCADE,
    card TEXT NOT NULL, -- the question's id, which changes with what it asks about
    choice TEXT NOT NULL,
    answered_at INTEGER NOT NULL,
    PRIMARY KEY (booking_id, calendar_id)
) STRICT;
