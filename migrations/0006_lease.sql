-- Two computers of one vendor, of which one writes.

-- Which of them this is.
CREATE TABLE installation (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL, -- random
    computer TEXT NOT NULL -- where it was made: a copy of this file on another computer is another installation
) STRICT;

-- What is known of the platform's lease. Whether it is held lives in memory: a new process asks.
CREATE TABLE lease (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    last_fencing INTEGER, -- up to here, what published_busy says is what the platform has
    holder TEXT, -- what the computer is called that writes instead of this one
    standing_by_since INTEGER,
    CHECK ((holder IS NULL) = (standing_by_since IS NULL))
) STRICT;
