-- Invitations to bookings, and the address each one goes to.

-- Nothing where the platform knows none.
ALTER TABLE bookings ADD COLUMN customer_email TEXT;

-- Bookings that are here already are read once more, address and all.
DELETE FROM bookings_cursor;

-- The last invitation of each booking. A row outlives its booking: a later one must still outrank what was sent.
CREATE TABLE sent_invites (
    booking_id TEXT NOT NULL PRIMARY KEY,
    sequence INTEGER NOT NULL CHECK (sequence >= 0),
    checksum TEXT NOT NULL, -- of what it said
    written_at INTEGER NOT NULL
) STRICT;
