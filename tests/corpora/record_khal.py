"""A pytest plugin for khal's own test suite: writes down every event that a passing test expands, and to what."""

import json
import os

import khal.icalendar
import pytest

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


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when != "call":
        return
    if report.passed:
        with open(os.environ["RECORDED"], "a", encoding="utf-8") as out:
            for number, (text, spans) in enumerate(found, 1):
                events = sorted(["", written(start), written(end)] for start, end in spans or [])
                name = f"{item.name}.{number}"
                out.write(json.dumps({"test": name, "text": text, "events": events}) + "\n")
    found.clear()
