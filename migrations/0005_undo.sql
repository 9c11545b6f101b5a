-- Taking back what a run wrote.

-- The run that this one took back; none for a sync. No foreign key: the other may be forgotten before it.
ALTER TABLE runs ADD COLUMN undoes TEXT;

-- The last that was done to one booking's event.
CREATE INDEX operations_by_booking ON operations (booking_id, calendar_id, id) WHERE booking_id IS NOT NULL;
