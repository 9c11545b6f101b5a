-- Taking back what a run wrote.

-- The run that this one took back; none for a sync. No foreign key: the other may be forgotten before it.
ALTER TABLE runs ADD COLUMN undoes TEXT;
