-- One booking may have several questions at once, and a question may be about a whole calendar: answers are kept by what
-- they are about. A later one about the same takes its place.
CREATE TABLE answers_by_topic (
    calendar_id TEXT NOT NULL REFERENCES calendar_sync_status (id) ON DELETE CASCADE,
    booking_id TEXT NOT NULL, -- empty where the question is about no booking
    topic TEXT NOT NULL,
    card TEXT NOT NULL, -- the question's id, which changes with what it asks about
    choice TEXT NOT NULL,
    given TEXT NOT NULL, -- by her, by a standing answer, or taken back
    answered_at INTEGER NOT NULL,
    PRIMARY KEY (calendar_id, booking_id, topic)
) STRICT;

INSERT INTO answers_by_topic (calendar_id, booking_id, topic, card, choice, given, answered_at)
SELECT calendar_id, booking_id, 'event', card, choice, 'by_her', answered_at FROM answers;

DROP TABLE answers;

ALTER TABLE answers_by_topic RENAME TO answers;

CREATE INDEX answers_by_card ON answers (card);

-- How she wants every question of a kind answered.
CREATE TABLE standing_answers (
    question TEXT NOT NULL PRIMARY KEY,
    choice TEXT NOT NULL
) STRICT;

-- Calendars that their service says it does not have any more.
CREATE TABLE gone_calendars (
    calendar_id TEXT NOT NULL PRIMARY KEY REFERENCES calendar_sync_status (id) ON DELETE CASCADE,
    since INTEGER NOT NULL
) STRICT;
