#!/usr/bin/env python3
"""Brings Radicale, vdirsyncer and the caldav client at their pinned versions into a cache folder, once, and prints the
Python that has them.

usage: tools.py [CACHE-FOLDER]

Exits 77 with the reason if they cannot be had.
"""

import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import pinned


def main():
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) == 2 else default_cache()
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("w") as lock:
        one_at_a_time(lock)
        try:
            folder = pinned.brought(HERE, root)
        except SystemExit as reason:
            print(reason, file=sys.stderr)
            sys.exit(77)
    print(pinned.python(folder))


def one_at_a_time(lock):
    """Test programs run side by side, and each of them asks."""
    try:
        import fcntl
    except ImportError:
        return
    fcntl.flock(lock, fcntl.LOCK_EX)


def default_cache():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "bookiji-companion" / "caldav"


if __name__ == "__main__":
    main()
