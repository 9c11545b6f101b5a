"""A pytest plugin for python-dateutil's own test suite: writes down every rule that a passing test expects dates of.

The suite asserts `list(rule) == [dates]`, so what was iterated last before such an assertion is its subject.
"""

import datetime
import unittest

import dateutil.rrule

import recording

iterated = []
found = []


def watch():
    """Before any test module imports what is watched."""
    plain_iter = dateutil.rrule.rrulebase.__iter__
    plain_equal = unittest.TestCase.assertEqual

    def watched_iter(self):
        iterated.append(self)
        return plain_iter(self)

    def watched_equal(self, first, second, msg=None):
        lists = isinstance(first, list) and isinstance(second, list)
        if lists and all(isinstance(item, datetime.datetime) for item in second) and iterated:
            found.append((iterated[0], second))
        iterated.clear()
        plain_equal(self, first, second, msg)

    dateutil.rrule.rrulebase.__iter__ = watched_iter
    unittest.TestCase.assertEqual = watched_equal


watch()


def rows(test):
    for subject, expected in found:
        yield {"test": test, **described(subject, expected)}


pytest_runtest_makereport = recording.hook(rows, found, iterated)


def described(subject, expected):
    """The lines of the rule or set and the starts expected of it; or why it says nothing in iCalendar's words."""
    if isinstance(subject, dateutil.rrule.rrule):
        rules, others = [subject], ([], [], [])
    else:
        rules, others = subject._rrule, (subject._rdate, subject._exrule, subject._exdate)
    dates, except_rules, except_dates = others
    starts = {rule._dtstart for rule in [*rules, *except_rules]}
    if len(starts) != 1:
        return {"left_out": "its rules begin at different times, or there is none"}
    if any(rule._byeaster for rule in [*rules, *except_rules]):
        return {"left_out": "BYEASTER is dateutil's own"}
    (start,) = starts
    if start.tzinfo is not None:
        return {"left_out": "its zone is a Python object"}
    lines = [f"RRULE:{value(rule)}" for rule in rules] + [f"EXRULE:{value(rule)}" for rule in except_rules]
    lines += [f"RDATE:{date:%Y%m%dT%H%M%S}" for date in dates]
    lines += [f"EXDATE:{date:%Y%m%dT%H%M%S}" for date in except_dates]
    return {
        "start": f"{start:%Y%m%dT%H%M%S}",
        "lines": lines,
        "expected": [f"{date:%Y%m%dT%H%M%S}" for date in expected],
    }


def value(rule):
    """The rule's own text, without the DTSTART that dateutil puts before it."""
    return str(rule).splitlines()[-1].removeprefix("RRULE:")
