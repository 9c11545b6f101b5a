-- What keeps a mirror honest over months: readings in full beside the cursors, and what became of a damaged file.

-- When each side was last read in full whatever its cursor says. No foreign key: the platform's bookings are a side too.
CREATE TABLE full_readings (
    side TEXT NOT NULL PRIMARY KEY, -- a calendar's id, or "bookings"
    read_at INTEGER,
    tried_at INTEGER
) STRICT;

-- Files that were found damaged and set aside; this file took the place of the last one.
CREATE TABLE rebuilds (
    rebuilt_at INTEGER NOT NULL PRIMARY KEY,
    kept_as TEXT NOT NULL, -- the damaged file's name in the same folder
    reason TEXT NOT NULL,
    imports_lost INTEGER NOT NULL CHECK (imports_lost IN (0, 1)) -- imported files must be given again
) STRICT;
