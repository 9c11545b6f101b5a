#!/usr/bin/env python3
"""Reads one CalDAV calendar as programs do that nobody here wrote: vdirsyncer and the caldav client.

usage: readers.py URL USER   (the password on stdin; URL is the account's, with the calendar's name as NAME after `#`)

Prints one JSON document: the files that vdirsyncer keeps, byte for byte as it got them; and what the client finds.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import caldav


def main():
    url, name = sys.argv[1].split("#")
    user, password = sys.argv[2], sys.stdin.read()
    print(json.dumps({"vdirsyncer": vdirsyncer(url, name, user, password), "caldav": client(url, name, user, password)}))


def vdirsyncer(url, name, user, password):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        secret = folder / "password"
        secret.write_text(password)
        (folder / "config").write_text(f"""
[general]
status_path = "{folder}/status"
[pair one]
a = "there"
b = "here"
collections = ["{name}"]
[storage there]
type = "caldav"
url = "{url}"
username = "{user}"
password.fetch = ["command", "cat", "{secret}"]
[storage here]
type = "filesystem"
path = "{folder}/kept"
fileext = ".ics"
""")
        run(folder, "discover", "one")
        run(folder, "sync")
        # Everything is the same on both sides, so a second time there is nothing to do.
        again = run(folder, "sync")
        kept = {path.name: path.read_bytes().decode("utf-8") for path in sorted((folder / "kept" / name).iterdir())}
        return {"files": kept, "again": again}


def run(folder, *words):
    command = [sys.executable, "-m", "vdirsyncer", "-v", "INFO", "-c", folder / "config", *words]
    done = subprocess.run(command, input="y\n" * 5, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    if done.returncode != 0:
        sys.exit(f"vdirsyncer {words}: {done.stdout[-3000:]}")
    return [line for line in done.stdout.splitlines() if "Copying" in line or "Deleting" in line or "Error" in line]


def client(url, name, user, password):
    with caldav.DAVClient(url=url, username=user, password=password) as dav:
        calendar = next(one for one in dav.principal().calendars() if str(one.url).rstrip("/").endswith(name))
        found = []
        for one in calendar.events():
            component = one.icalendar_component
            found.append({
                "uid": str(component["UID"]),
                "summary": str(component["SUMMARY"]),
                "description": str(component.get("DESCRIPTION", "")),
                "start": component["DTSTART"].dt.isoformat(),
                "end": component["DTEND"].dt.isoformat(),
                "booking": str(component.get("X-BOOKIJI-BOOKING", "")),
                "text": one.data,
            })
        return {"name": str(calendar.get_display_name()), "events": sorted(found, key=lambda event: event["uid"])}


if __name__ == "__main__":
    main()
