#!/usr/bin/env python3
"""Reads calendar files as programs do that nobody here wrote: icalendar (Python) and ical.js.

usage: readers.py FILE… [--cache FOLDER]

Fetches both into the cache folder, once. Prints one JSON document: per reader and file what stands in it, every time
worked out from the VTIMEZONE of the file itself. Exits 77 with the reason if a reader cannot be had.
"""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import venv

PYTHON = ["icalendar==7.3.2", "python-dateutil==4.0.0", "typing_extensions==4.16.0", "tzdata==2026.6"]
NODE = ["ical.js@2.2.1"]
HERE = pathlib.Path(__file__).resolve().parent


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("files", nargs="+", type=pathlib.Path)
    arguments.add_argument("--cache", type=pathlib.Path, default=default_cache())
    arguments.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.inside:
        print(json.dumps([icalendar(path) for path in given.files]))
        return
    folder = tools(given.cache)
    files = [str(path.resolve()) for path in given.files]
    python = answer(python_of(folder), __file__, "--inside", *files)
    shutil.copy(HERE / "readers.mjs", folder)
    node = answer("node", folder / "readers.mjs", *files)
    print(json.dumps({"icalendar": python, "ical.js": node}))


def answer(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"readers: {command[0]} failed:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout)


def default_cache():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "bookiji-companion" / "readers"


def python_of(folder):
    return folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"


def tools(root):
    """A folder with both readers in it, named by their pins; made whole or not at all."""
    pins = hashlib.sha256("\n".join(PYTHON + NODE).encode()).hexdigest()[:16]
    folder = (root / f"{pins}-py{sys.version_info.major}.{sys.version_info.minor}").resolve()
    if (folder / "complete").exists():
        return folder
    npm = shutil.which("npm") or unavailable("npm is missing; install Node.js 20 or newer")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        venv.create(folder / "venv", with_pip=True)
    except (OSError, subprocess.SubprocessError) as error:
        unavailable(f"no virtual environment can be made: {error}")
    fetch(python_of(folder), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-deps", *PYTHON)
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    fetch(npm, "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", *NODE, cwd=folder)
    (folder / "complete").touch()
    return folder


def fetch(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        unavailable(f"{command[1:4]} failed:\n{done.stdout[-2000:]}")


def unavailable(why):
    print(f"readers: {why}", file=sys.stderr)
    sys.exit(77)


def icalendar(path):
    import datetime

    from icalendar import Calendar

    calendar = Calendar.from_ical(path.read_bytes())
    errors = [error for component in calendar.walk() for error in component.errors]
    assert not errors, f"{path.name}: {errors}"
    rules = {str(zone["TZID"]): zone.to_tz(lookup_tzid=False) for zone in calendar.walk("VTIMEZONE")}

    def instant(value):
        written, zone = value.to_ical().decode(), value.params.get("TZID")
        if written.endswith("Z"):
            return int(datetime.datetime.strptime(written + "+0000", "%Y%m%dT%H%M%SZ%z").timestamp())
        wall = datetime.datetime.strptime(written, "%Y%m%dT%H%M%S")
        return int(wall.replace(tzinfo=rules[zone]).timestamp())

    def person(event, name):
        value = event.get(name)
        return value and {"address": str(value), "parameters": dict(value.params)}

    return {
        "method": str(calendar["METHOD"]),
        "zones": sorted(rules),
        "events": [
            {
                "uid": str(event["UID"]),
                "start": instant(event["DTSTART"]),
                "end": instant(event["DTEND"]),
                "stamp": instant(event["DTSTAMP"]),
                "summary": str(event["SUMMARY"]),
                "description": str(event.get("DESCRIPTION", "")),
                "status": str(event["STATUS"]),
                "sequence": int(event["SEQUENCE"]),
                "transparency": str(event["TRANSP"]),
                "organizer": person(event, "ORGANIZER"),
                "attendee": person(event, "ATTENDEE"),
            }
            for event in calendar.walk("VEVENT")
        ],
    }


if __name__ == "__main__":
    main()
