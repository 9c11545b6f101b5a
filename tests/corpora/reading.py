"""Every calendar file of every corpus: read without a panic, in time and in bounds, to events or to a reason; and to the
same events as the package icalendar reads, where that reads it."""

import datetime
import re
import warnings
import zoneinfo

import icalendar

from ask import question
from table import Case

# Nobody waits longer for one file, and no file may make the app hold more than this.
MOST_MS, MOST_KILOBYTES = 1_000, 200_000


def read(engine, corpus, folder):
    """One case per file below `folder`."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".ics", ".vcs") and path.is_file())
    window = {"start": "2010-01-01T00:00:00Z", "end": "2030-01-01T00:00:00Z"}
    questions = [question(zone="Europe/Berlin", file=str(file), tell="events", **window) for file in files]
    cases = []
    for file, answer in zip(files, engine.ask(questions)):
        name = str(file.relative_to(folder))
        if answer.get("took_ms", 0) > MOST_MS:
            # It may have been the machine: the best of three counts.
            again = question(zone="Europe/Berlin", file=str(file), tell="events", **window)
            answer = min(engine.ask([again] * 3, processes=1), key=lambda answer: answer.get("took_ms", 0))
        cases.append(Case(f"{corpus}: read", name, unfit(answer)))
        theirs = seen_by_icalendar(file)
        if theirs is not None and "calendar" in answer:
            cases.append(Case(f"{corpus}: as icalendar 7.3.0 reads it", name, difference(answer, theirs)))
    if engine.peak_kilobytes > MOST_KILOBYTES:
        cases.append(Case(f"{corpus}: read", "all", f"held {engine.peak_kilobytes} kB"))
    return cases


def unfit(answer):
    if "panicked" in answer or "died" in answer:
        return f"answered {answer}"
    if answer["took_ms"] > MOST_MS:
        return f"took {answer['took_ms']:.0f} ms"
    return ""


def seen_by_icalendar(file):
    """UID, start and end of every VEVENT as icalendar reads it; nothing where it refuses the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            calendars = icalendar.Calendar.from_ical(file.read_bytes(), multiple=True)
            events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
            if not calendars or any(event.errors or isinstance(event.get("DTSTART"), list) for event in events):
                return None
            return [(str(event.get("UID", "")), times(event)) for event in events]
    except Exception:  # noqa: BLE001  Whatever a library throws at a file it cannot read is its way to refuse it.
        return None


def times(event):
    start = getattr(event.get("DTSTART"), "dt", None)
    end = getattr(event.get("DTEND"), "dt", None)
    return start, end


def difference(answer, theirs):
    ours = answer["calendar"]["events"]
    ours = [event for event in ours if not event.get("series")]
    theirs = [(uid, start, end) for uid, (start, end) in theirs if start is not None]
    if len(ours) != len(theirs):
        return f"{len(ours)} events, not {len(theirs)}"
    for event, (uid, start, end) in zip(ours, theirs):
        if event["uid"].strip() != uid.strip():
            return f"the UID {event['uid']!r}, not {uid!r}"
        if not same(event["start"], start):
            return f"{uid}: starts {shown(event['start'])}, not {start}"
        if end is not None and not (isinstance(event["end"], dict) and same(event["end"].get("at"), end)):
            return f"{uid}: ends {shown(event['end'])}, not {end}"
    return ""


def same(ours, theirs):
    """Whether a moment of our model is one of Python's."""
    ((kind, value),) = ours.items() if isinstance(ours, dict) else [("", None)]
    if not isinstance(theirs, datetime.datetime):
        return kind == "date" and value == theirs.isoformat()
    wall = theirs.replace(tzinfo=None)
    if kind == "date" and theirs.tzinfo is not None:
        # A TZID beside a date makes midnight of it there; RFC 5545 3.2.19 gives dates no zone.
        return datetime.datetime.fromisoformat(value) == wall
    if kind == "floating":
        return datetime.datetime.fromisoformat(value) == wall and theirs.tzinfo is None
    if kind == "utc":
        instant = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        return theirs.tzinfo is not None and instant == theirs.astimezone(datetime.timezone.utc)
    if kind == "zoned":
        own = datetime.datetime.fromisoformat(value["wall"])
        if own != wall or "iana" not in value["zone"] or theirs.tzinfo is None:
            return own == wall
        return own.replace(tzinfo=zoneinfo.ZoneInfo(value["zone"]["iana"])) == theirs
    return False


def shown(moment):
    return re.sub(r"[\"{}]", "", str(moment))[:80]
