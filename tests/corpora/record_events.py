"""A pytest plugin for recurring-ical-events' own test suite: writes down every calendar that a passing test asks about,
the window, and the occurrences that the library answered with."""

import icalendar
import recurring_ical_events
from recurring_ical_events.query import CalendarQuery

import recording
from written import written

found = []


def watch():
    """Before any test module imports what is watched."""
    plain_of = recurring_ical_events.of
    plain_init = CalendarQuery.__init__
    plain_between = CalendarQuery._occurrences_between
    plain_from_ical = icalendar.Calendar.from_ical.__func__

    def watched_from_ical(cls, text, *args, **kwargs):
        calendar = plain_from_ical(cls, text, *args, **kwargs)
        if isinstance(calendar, icalendar.Calendar):
            calendar.as_written = text if isinstance(text, str) else text.decode("utf-8", "replace")
            calendar.as_parsed = calendar.to_ical()
        return calendar

    def watched_of(calendar, *args, **kwargs):
        query = plain_of(calendar, *args, **kwargs)
        # Some tests change what they have read before they ask.
        unchanged = getattr(calendar, "as_parsed", None) == calendar.to_ical()
        query.as_written = calendar.as_written if unchanged else None
        return query

    def watched_init(self, calendar, keep=False, components=("VEVENT",), *args, **kwargs):
        plain_init(self, calendar, keep, components, *args, **kwargs)
        self.events_only = tuple(components) == ("VEVENT",)

    def watched_between(self, start, end):
        occurrences = plain_between(self, start, end)
        text = getattr(self, "as_written", None)
        if text and self.events_only:
            told = [
                [str(o._adapter._component.get("SUMMARY", "")), written(o.start), written(o.end)]
                for o in occurrences
            ]
            found.append({"text": text, "start": written(start), "end": written(end), "events": sorted(told)})
        return occurrences

    icalendar.Calendar.from_ical = classmethod(watched_from_ical)
    recurring_ical_events.of = watched_of
    CalendarQuery.__init__ = watched_init
    CalendarQuery._occurrences_between = watched_between


watch()


def rows(test):
    return ({"test": test.split("[")[0], **window} for window in found)


pytest_runtest_makereport = recording.hook(rows, found)
