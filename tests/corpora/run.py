#!/usr/bin/env python3
"""Compares what we read and expand with what others publish, and with what other engines answer.

usage: run.py ASK CACHE-FOLDER CASES NAME=FOLDER...

ASK is the example `ask` of the crate `calendar`; CASES is how many made-up rules are compared; each NAME=FOLDER is a
package with calendar files, unpacked. `cargo xtask corpus` brings them. Makes its own virtual environment and Node
folder in the cache folder, once. Exits 1 if anything differs that `differences.tsv` or `judgements.py` does not judge,
or no longer differs although they say so.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import pinned


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    ask, cache, cases = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]), int(sys.argv[3])
    tools = pinned.brought(HERE, cache)
    if not pinned.runs_inside(tools):
        # Zones come from the pinned package, not from whatever this machine has.
        environment = {**os.environ, "PYTHONTZPATH": ""}
        sys.exit(subprocess.call([pinned.python(tools), __file__, *sys.argv[1:]], env=environment))
    folders = dict(pair.split("=", 1) for pair in sys.argv[4:])
    folders = {name: pathlib.Path(folder) for name, folder in folders.items()}
    sys.exit(0 if compare(ask, tools, cases, folders) else 1)


def compare(ask, tools, cases, folders):
    """Every comparison that the folders allow; answers whether all of them hold."""
    import differential
    import reading
    import rules
    import shared
    import table
    import windows
    import zones
    from ask import Engine

    engine, modules = Engine(ask), tools / "node_modules"
    titles = {
        "calcard": "calcard 0.3.14",
        "icalendar": "icalendar 7.3.0",
        "recurring-ical-events": "recurring-ical-events 3.8.2",
        "khal": "khal 0.14.1",
        "libical": "libical 3.0.16",
    }
    beside = HERE.parents[2] / "shared" / "data"
    library = None
    if "libical-library" in folders:
        library = next(iter(sorted(folders["libical-library"].rglob("libical.so.3"))), None)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        plans = [
            (name, lambda title=title, name=name: reading.read(engine, title, folders[name]))
            for name, title in titles.items()
        ]
        plans += [
            ("python-dateutil", lambda: rules.dateutil(engine, folders["python-dateutil"], scratch)),
            ("libical", lambda: rules.libical(engine, folders["libical"])),
            (
                "recurring-ical-events",
                lambda: windows.recurring_ical_events(engine, folders["recurring-ical-events"], scratch)
                + gathered(shared, engine, beside, folders),
            ),
            ("khal", lambda: windows.khal(engine, folders["khal"], scratch)),
            ("", lambda: zones.windows_names(engine, modules / "cldr-core")),
            ("", lambda: zones.every_change(engine)),
            ("", lambda: differential.run(engine, cases, modules / "ical.js" / "dist" / "ical.js", library)),
        ]
        verdicts = []
        for name, plan in plans:
            if name and name not in folders:
                continue
            began = time.monotonic()
            verdicts.append(table.close(plan()))
            print(f"  in {time.monotonic() - began:.1f} s", flush=True)
    return all(verdicts)


def gathered(shared, engine, beside, folders):
    calendars = folders["recurring-ical-events"] / "recurring_ical_events" / "test" / "calendars"
    return shared.cases(engine, beside, calendars) if beside.is_dir() else []


if __name__ == "__main__":
    main()
