"""Three engines that others wrote, asked for the wall times of one rule: dateutil here, ical.js in Node, libical through
its C interface where Debian's package can be had."""

import concurrent.futures
import ctypes
import datetime
import itertools
import json
import pathlib
import signal
import subprocess
import sys
import types
import warnings

from dateutil import rrule

from rules import utc

HERE = pathlib.Path(__file__).resolve().parent
EPOCH = datetime.datetime(1970, 1, 1)
# Nobody is asked for more dates than these.
MOST = 20_000


def seconds(wall):
    return int((wall - EPOCH).total_seconds())


def dateutil(questions):
    """One answer per question."""
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        return list(pool.map(dateutil_one, questions, chunksize=50))


def dateutil_one(question):
    start = EPOCH + datetime.timedelta(seconds=question["start"])
    last_year = (EPOCH + datetime.timedelta(seconds=question["last"])).year
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rule = rrule.rrulestr(question["rule"], dtstart=start)
        # It walks a rule that never fires to the last year that Python knows; for us time ends with the window.
        rrule.datetime = types.SimpleNamespace(**{**vars(datetime), "MAXYEAR": last_year})
        found = (seconds(wall) for wall in itertools.islice(rule, MOST))
        return {"found": list(itertools.takewhile(lambda at: at <= question["last"], found))}
    except (ValueError, OverflowError) as error:
        return {"refused": str(error)}
    finally:
        rrule.datetime = datetime


def ical_js(questions, module):
    """One answer per question, from `module`, the file of ical.js."""
    if not questions:
        return []
    lines = "".join(
        json.dumps({"rule": q["rule"], "start": utc(q["start"])[:-1], "last": q["last"]}) + "\n" for q in questions
    )
    command = ["node", str(HERE / "icaljs.mjs"), str(module)]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(questions):
        raise RuntimeError(f"ical.js answered {len(answers)} of {len(questions)}: {done.stderr[-500:]}")
    return answers


def libical(questions, library):
    """One answer per question, from the shared library of libical, which some rules crash and others keep for ever: so
    it lives in a process of its own, and is given a new one where it dies."""
    command = [sys.executable, str(HERE / "peers.py"), str(library)]
    answers = []
    while len(answers) < len(questions):
        lines = "".join(json.dumps(question) + "\n" for question in questions[len(answers) :])
        done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
        answers += [json.loads(line) for line in done.stdout.splitlines()]
        if len(answers) < len(questions):
            answers.append({"late": True})
    return answers


def libical_alone(library):
    """The process of libical: questions in, answers out, no longer than a moment for any."""
    expand = ctypes.CDLL(library).icalrecur_expand_recurrence
    expand.argtypes = [ctypes.c_char_p, ctypes.c_long, ctypes.c_int, ctypes.POINTER(ctypes.c_long)]
    room = (ctypes.c_long * MOST)()
    for line in sys.stdin:
        question = json.loads(line)
        rule = question["rule"]
        if "COUNT" not in rule:
            rule += f";UNTIL={utc(question['last']).replace('-', '').replace(':', '')}"
        # A few more than another engine names, so that what is too many shows.
        count = min(MOST, question["likely"] + 50)
        ctypes.memset(room, 0, ctypes.sizeof(room))
        # Without a handler, this ends the process.
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.5)
        expand(rule.encode(), question["start"], count, room)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        found = itertools.takewhile(lambda at: at and at <= question["last"], itertools.islice(room, count))
        print(json.dumps({"found": list(found)}), flush=True)


if __name__ == "__main__":
    libical_alone(sys.argv[1])
