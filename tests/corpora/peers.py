"""Three engines that others wrote, asked for the wall times of one rule: dateutil here, ical.js in Node, libical through
its C interface where Debian's package can be had."""

import concurrent.futures
import ctypes
import datetime
import itertools
import json
import pathlib
import subprocess
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
    """One answer per question, from the shared library of libical."""
    c = ctypes.CDLL(str(library))
    expand = c.icalrecur_expand_recurrence
    expand.argtypes = [ctypes.c_char_p, ctypes.c_long, ctypes.c_int, ctypes.POINTER(ctypes.c_long)]
    answers = []
    room = (ctypes.c_long * MOST)()
    for question in questions:
        ctypes.memset(room, 0, ctypes.sizeof(room))
        count = min(MOST, question["likely"])
        known = expand(question["rule"].encode(), question["start"], count, room)
        found = [at for at in itertools.islice(room, count) if at] if known else []
        answers.append({"found": [at for at in found if at <= question["last"]]})
    return answers
