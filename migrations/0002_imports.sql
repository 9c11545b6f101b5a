-- Calendar files: their events are rows of remote_events under one calendar of their own. Here stand the questions that
-- came with them, her answers, and the slots that were made of their free times.

-- Events that came as an invitation, each with what she was asked and what she answered.
CREATE TABLE invitations (
    calendar_id TEXT NOT NULL,
    external_event_id TEXT NOT NULL,
    asked TEXT NOT NULL, -- a digest of the times she was asked about
    answer TEXT NOT NULL,
    PRIMARY KEY (calendar_id, external_event_id),
    FOREIGN KEY (calendar_id, external_event_id)
        REFERENCES remote_events (calendar_id, external_event_id) ON DELETE CASCADE
) STRICT;

-- What she chose where free times of one event meet slots she already has.
CREATE TABLE import_choices (
    calendar_id TEXT NOT NULL REFERENCES calendar_sync_status (id) ON DELETE CASCADE,
    uid TEXT NOT NULL,
    choice TEXT NOT NULL,
    PRIMARY KEY (calendar_id, uid)
) STRICT;

-- Free times within the horizon, and what became of each. No foreign key: a slot outlives its calendar until it is
-- taken back.
CREATE TABLE imported_slots (
    calendar_id TEXT NOT NULL,
    start_at INTEGER NOT NULL,
    end_at INTEGER NOT NULL,
    part TEXT, -- JSON: what other free times left of it
    uid TEXT NOT NULL,
    summary TEXT NOT NULL,
    state TEXT NOT NULL,
    made TEXT NOT NULL, -- JSON: the slots that are ours
    choice TEXT, -- what was chosen when this was decided
    under TEXT NOT NULL, -- a digest of the bookings and busy time that lay over it then
    conflicts TEXT NOT NULL, -- JSON
    decided_at INTEGER NOT NULL,
    PRIMARY KEY (calendar_id, start_at, end_at)
) STRICT;
