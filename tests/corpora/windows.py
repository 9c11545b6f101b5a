"""Whole calendars with the occurrences that their projects answer: recurring-ical-events and khal, as their passing
tests have it."""

import collections
import datetime
import hashlib
import json
import os
import pathlib
import subprocess
import sys

from ask import question
from table import Case
from rules import moment, utc

HERE = pathlib.Path(__file__).resolve().parent
DAY = 86_400
# Nobody lives further from UTC than this: what a window without a zone certainly holds, and what it may hold.
SLACK = 15 * 3_600


def recurring_ical_events(engine, sources, scratch):
    """Every window over every calendar that a passing test asks about."""
    recorded = scratch / "recurring.jsonl"
    # Its suite runs everything twice for pytz and twice in reverse; the answers are the same.
    left_out = [f"--ignore=recurring_ical_events/test/test_{name}.py" for name in ("readme", "with_doctest")]
    run("record_events", sources, recorded, "recurring_ical_events/test", "-k", "not pytz and not Reversed", *left_out)
    names = {
        digest(path.read_bytes().decode("utf-8", "replace")): path.name
        for path in (sources / "recurring_ical_events/test/calendars").glob("*.ics")
    }
    rows = {}
    for line in recorded.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        name = names.get(digest(row["text"]), row["test"])
        # Some tests turn the order of a file around; the answer is about the same file.
        rows[f"{name} {row['start']}/{row['end']}"] = row
    return compared("recurring-ical-events 3.8.2", engine, rows)


def khal(engine, sources, scratch):
    """Every event that a passing test of khal expands; it looks no further than 2037."""
    recorded = scratch / "khal.jsonl"
    run("record_khal", sources, recorded, "tests/khalendar_utils_test.py", "tests/icalendar_test.py")
    rows = {}
    for line in recorded.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text = f"BEGIN:VCALENDAR\r\n{row['text']}END:VCALENDAR\r\n"
        rows[row["test"]] = {**row, "text": text, "start": "19000101T000000Z", "end": "20380101T000000Z"}
    return compared("khal 0.14.1", engine, rows)


def run(plugin, sources, recorded, *what):
    recorded.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", plugin, "-p", "no:cacheprovider"]
    command += ["-c", os.devnull, "--rootdir", ".", *what]
    environment = {**os.environ, "RECORDED": str(recorded), "PYTHONPATH": str(HERE)}
    done = subprocess.run(command, cwd=sources, env=environment, capture_output=True, text=True, check=False)
    if not recorded.exists():
        raise RuntimeError(f"{plugin} recorded nothing: {done.stdout[-500:]}")


def digest(text):
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()


def compared(corpus, engine, rows):
    questions = []
    for row in rows.values():
        start, end = moment(row["start"]), moment(row["end"])
        first = max(start - 3 * DAY, moment("10000101"))
        last = min(end + 3 * DAY, moment("99980101"))
        questions.append(question(start=utc(first), end=utc(last), text=row["text"]))
    return [
        Case(corpus, name, difference(row, answer))
        for (name, row), answer in zip(rows.items(), engine.ask(questions))
    ]


def difference(row, answer):
    """How our occurrences differ from the expected ones; nothing where they do not."""
    if "occurrences" not in answer:
        return f"answered {answer}"
    expected = collections.Counter((summary, moment(start), moment(end)) for summary, start, end in row["events"])
    ours, free = collections.Counter(), collections.Counter()
    for occurrence in answer["occurrences"]:
        # What is cancelled we tell, and tell that it is; the others leave it out.
        kind = free if occurrence["reason"] == "cancelled" else ours
        summary = occurrence["summary"] if any(event[0] for event in row["events"]) else ""
        kind[(summary, occurrence["start"], occurrence["end"])] += 1
    lacking = expected - ours - free
    surplus = [span for span in (ours - expected).elements() if certainly_in(span, row)]
    told = [f"-{shown(span)}" for span in sorted(lacking.elements())] + [f"+{shown(span)}" for span in sorted(surplus)]
    if told and answer["withheld"]:
        told.append(f"withheld: {answer['withheld'][0]['reason']}")
    return ", ".join(told[:4])


def certainly_in(span, row):
    """Whether it lies in the window whatever zone the window is read in."""
    _, start, end = span
    from_, to = moment(row["start"]), moment(row["end"])
    if not (row["start"].endswith("Z") and row["end"].endswith("Z")):
        from_, to = from_ + SLACK, to - SLACK
    if start == end:
        return from_ <= start < to
    return start < to and from_ < end


def shown(span):
    summary, start, end = span
    lasts = datetime.timedelta(seconds=end - start)
    return f"{summary[:30]!r} {utc(start)} for {lasts}"
