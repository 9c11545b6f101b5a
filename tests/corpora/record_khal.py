"""A pytest plugin for khal's own test suite: writes down every event that a passing test expands, and to what."""

import khal.icalendar

import recording
from written import written

found = []


def watch():
    """Before any test module imports what is watched."""
    plain = khal.icalendar.expand

    def watched(vevent, *args, **kwargs):
        text = vevent.to_ical().decode("utf-8")
        spans = plain(vevent, *args, **kwargs)
        found.append((text, spans))
        return spans

    khal.icalendar.expand = watched


watch()


def rows(test):
    for number, (text, spans) in enumerate(found, 1):
        events = sorted(["", written(start), written(end)] for start, end in spans or [])
        yield {"test": f"{test}.{number}", "text": text, "events": events}


pytest_runtest_makereport = recording.hook(rows, found)
