"""Rules with the dates that their projects publish: python-dateutil's test suite and libical's list of instances."""

import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

from ask import calendar, question
from table import Case

HERE = pathlib.Path(__file__).resolve().parent


def dateutil(engine, sources, scratch):
    """What the passing tests of python-dateutil's `tests/test_rrule.py` expect."""
    recorded = scratch / "dateutil.jsonl"
    recorded.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "record_dateutil", "-p", "no:cacheprovider"]
    command += ["-c", os.devnull, "--rootdir", ".", "tests/test_rrule.py"]
    environment = {**os.environ, "RECORDED": str(recorded), "PYTHONPATH": str(HERE)}
    done = subprocess.run(command, cwd=sources, env=environment, capture_output=True, text=True, check=False)
    if not recorded.exists():
        raise RuntimeError(f"python-dateutil's tests did not run: {done.stdout[-500:]}")
    rows, seen = [], set()
    for line in recorded.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        key = json.dumps({**row, "test": None}, sort_keys=True)
        # A slice with steps is no stretch of time.
        if "left_out" not in row and key not in seen and "SliceStep" not in row["test"]:
            seen.add(key)
            rows.append((f"{row['test']} {' '.join(row['lines'])} {row['start']}", row))
    return compared("python-dateutil 2.9.0 test_rrule.py", engine, rows)


def libical(engine, sources):
    """What libical's `icalrecur_test.out` lists."""
    rows = []
    for block in (sources / "src/test/icalrecur_test.out").read_text(encoding="utf-8").split("\n\n"):
        parts = dict(line.split(":", 1) for line in block.splitlines() if ":" in line)
        if "INSTANCES" not in parts:
            continue
        expected = [item.strip() for item in parts["INSTANCES"].split(",") if item.strip()]
        row = {"start": parts["DTSTART"], "from": parts.get("START-AT"), "lines": [f"RRULE:{parts['RRULE']}"], "expected": expected}
        rows.append((f"{parts['RRULE']} {parts['DTSTART']}", row))
    return compared("libical 3.0.16 icalrecur_test.out", engine, rows)


def compared(corpus, engine, rows):
    """One case per row, differing where our starts are not the expected ones."""
    questions = [asked(row) for _, row in rows]
    return [case(corpus, name, row, answer) for (name, row), answer in zip(rows, engine.ask(questions))]


def asked(row):
    date = "T" not in row["start"]
    start = f"DTSTART;VALUE=DATE:{row['start']}" if date else f"DTSTART:{row['start']}"
    text = calendar(start, "DURATION:P1D" if date else "DURATION:PT1S", *row["lines"])
    first = moment(row["expected"][0]) if is_slice(row) else moment(row["start"])
    last = moment(row["expected"][-1]) + 1 if is_slice(row) else None
    if row.get("from"):
        first = moment(row["from"])
    window = {"start": utc(first)} | ({"end": utc(last)} if last else {})
    return question(**window, text=text, tell="starts")


def is_slice(row):
    """Whether the dates are some of an endless rule, not all of a finite one."""
    rules = [line for line in row["lines"] if line.startswith("RRULE")]
    if "whole" in row:
        return bool(row["expected"]) and not row["whole"]
    return bool(row["expected"]) and any("COUNT=" not in rule and "UNTIL=" not in rule for rule in rules)


def case(corpus, name, row, answer):
    expected = [moment(text) for text in row["expected"]]
    if "occurrences" not in answer:
        return Case(corpus, name, f"answered {answer}")
    if answer["withheld"]:
        return Case(corpus, name, f"withheld: {answer['withheld'][0]['reason']}")
    ours = answer["occurrences"]
    start = moment(row["start"])
    if start not in expected and [start, *expected] == sorted(ours):
        # RFC 5545 3.8.5.3: DTSTART is the first instance; beside a rule that does not name it, it still stands.
        return Case(corpus, name)
    if ours != expected:
        differing = sorted(set(ours) ^ set(expected))[:3]
        told = ", ".join(f"{'+' if at in ours else '-'}{utc(at)}" for at in differing)
        return Case(corpus, name, f"{len(ours)} starts, not {len(expected)}: {told}")
    return Case(corpus, name)


def moment(text):
    """Seconds since 1970 of a wall time read as UTC."""
    digits = re.sub(r"\D", "", text).ljust(14, "0")
    wall = datetime.datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=datetime.timezone.utc)
    return int(wall.timestamp())


def utc(seconds):
    epoch = datetime.datetime(1970, 1, 1)
    return (epoch + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
