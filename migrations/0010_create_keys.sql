-- Some services give events ids of their own, and remember the key that a create came with.
ALTER TABLE remote_events ADD COLUMN create_key TEXT;
