-- She asked for no syncs for a while. One row while she did.
CREATE TABLE pause (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    since INTEGER NOT NULL,
    until INTEGER -- none until she takes it back
) STRICT;
