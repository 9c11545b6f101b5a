-- When she works, as her profile on Bookiji said it last, and when it was asked. Empty where it does not say so.
CREATE TABLE hours (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    hours TEXT,
    asked_at INTEGER NOT NULL
) STRICT;
