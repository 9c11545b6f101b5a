"""Expected values that may lie beside the checkout, gathered from other projects: used where they are there, never
needed."""

import json

from rules import compared, moment, utc
from table import Case
from windows import difference
from ask import question

DAY = 86_400


def cases(engine, folder, calendars):
    """What `folder` expects of rules, and of `calendars`, the files of recurring-ical-events."""
    told = []
    rules = folder / "rrule-cases.json"
    if rules.is_file():
        rows = [
            (
                f"{row['src']}.{row['id']} {row['rrule']} {row['dtstart']}",
                {
                    "start": row["dtstart"],
                    "lines": [f"RRULE:{row['rrule']}"],
                    "expected": row["expected"],
                    "whole": row["complete"],
                },
            )
            for row in json.loads(rules.read_text(encoding="utf-8"))
        ]
        told += compared("gathered rules", engine, rows)
    windows = folder / "calendar-windows.json"
    if windows.is_file():
        told += in_windows(engine, json.loads(windows.read_text(encoding="utf-8")), calendars)
    return told


def in_windows(engine, rows, calendars):
    asked = [
        question(
            start=utc(moment(row["start"]) - 3 * DAY),
            end=utc(moment(row["end"]) + 3 * DAY),
            file=str(calendars / row["file"]),
        )
        for row in rows
    ]
    return [
        Case("gathered windows", f"{row['file']} {row['start']}/{row['end']}", difference(as_recorded(row), answer))
        for row, answer in zip(rows, engine.ask(asked))
    ]


def as_recorded(row):
    return {**row, "events": [[summary, start, end] for _, start, end, summary in row["events"]]}
