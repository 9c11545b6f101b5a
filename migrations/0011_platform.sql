-- The platform as it is spoken to, and what it leaves to us.

-- Which of its two interfaces it answers, as it was last asked.
CREATE TABLE platform (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    interface TEXT NOT NULL,
    asked_at INTEGER NOT NULL
) STRICT;

-- Slots that busy time closed, where the platform does not close them itself. It has no place to say whose doing it was,
-- so these rows are the only proof. A row is written before its slot is.
CREATE TABLE closed_slots (
    slot_id TEXT NOT NULL PRIMARY KEY,
    start_at INTEGER NOT NULL,
    end_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
