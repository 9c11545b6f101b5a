"""All zones and all their changes from 2020 to 2035: series over every change, against the zone database as Python reads
it; and every Windows name, against CLDR."""

import datetime
import importlib.metadata
import importlib.resources
import json
import zoneinfo

from ask import question
from rules import utc
from table import Case

DAY, HOUR = 86_400, 3_600
FROM, TO = "2020-01-01", "2036-01-01"
EPOCH = datetime.datetime(1970, 1, 1)


def every_change(engine):
    """One case per zone. Daily series at times all around every change, and hourly ones across it."""
    names = sorted(zoneinfo.available_timezones() - {"localtime"})
    zones = {name: zoneinfo.ZoneInfo(name) for name in names}
    changes = {name: changes_of(zone) for name, zone in zones.items()}
    asked = [about(name, changes[name]) for name in names]
    cases = []
    for name, answer in zip(names, engine.ask(asked)):
        cases.append(Case("every zone, every change 2020-2035", name, difference(zones[name], changes[name], answer)))
    version = importlib.metadata.version("tzdata")
    print(f"  {len(names)} zones, {sum(map(len, changes.values()))} changes, tzdata {version} of PyPI")
    return cases


def changes_of(zone):
    """The instants from 2020 to 2035 at which the offset changes, found by halving."""

    def offset(at):
        return (EPOCH + datetime.timedelta(seconds=at)).replace(tzinfo=datetime.timezone.utc).astimezone(zone).utcoffset()

    at, end, found = midnight(FROM), midnight(TO), []
    while at < end:
        # No zone changes twice within this and back again.
        step = min(at + 5 * DAY, end)
        if offset(at) != offset(step):
            low, high = at, step
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offset(at) else (low, middle)
            found.append(high)
        at = step
    return found


def midnight(date):
    return int((datetime.datetime.fromisoformat(date) - EPOCH).total_seconds())


def series(zone, changes):
    """Start, interval and count of each series, in wall time: (wall, seconds between, count)."""
    for change in changes or [midnight("2026-07-10")]:
        about_then = EPOCH + datetime.timedelta(seconds=change)
        local = about_then.replace(tzinfo=datetime.timezone.utc).astimezone(zone).replace(tzinfo=None)
        wall = int((local - EPOCH).total_seconds())
        for minutes in range(-210, 211, 30):
            yield wall + minutes * 60 - 2 * DAY, DAY, 5
        yield wall - 6 * HOUR, HOUR, 13
        yield wall - 3 * HOUR - 600, 900, 24


def about(name, changes):
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0"]
    for number, (wall, every, count) in enumerate(series(zoneinfo.ZoneInfo(name), changes)):
        kind = {DAY: "DAILY", HOUR: "HOURLY", 900: "MINUTELY;INTERVAL=15"}[every]
        start = utc(wall)[:-1].replace("-", "").replace(":", "")
        lines += ["BEGIN:VEVENT", f"UID:{number}", f"DTSTART;TZID={name}:{start}", "DURATION:PT1S"]
        lines += [f"RRULE:FREQ={kind};COUNT={count}", "END:VEVENT"]
    text = "\r\n".join([*lines, "END:VCALENDAR", ""])
    return question(start="2019-06-01T00:00:00Z", end="2036-06-01T00:00:00Z", text=text)


def difference(zone, changes, answer):
    if "occurrences" not in answer or answer["withheld"]:
        return f"answered {str(answer)[:200]}"
    ours, expected = {}, {}
    for occurrence in answer["occurrences"]:
        ours.setdefault(int(occurrence["uid"]), []).append(occurrence["start"])
    for number, (wall, every, count) in enumerate(series(zone, changes)):
        # Two wall times can be one instant, in a gap; that is one occurrence.
        expected[number] = sorted({instant(wall + step * every, zone) for step in range(count)})
    for number, starts in expected.items():
        if ours.get(number) != starts:
            apart = sorted(set(ours.get(number, [])) ^ set(starts))[:3]
            return f"series {number} near {utc(starts[0])}: " + ", ".join(map(utc, apart))
    return ""


def instant(seconds, zone):
    """RFC 5545 3.3.5: the first of two, and the offset before a gap; so does a wall time with fold 0 in Python."""
    naive = EPOCH + datetime.timedelta(seconds=seconds)
    return int(naive.replace(tzinfo=zone).timestamp())


def windows_names(engine, cldr):
    """Every Windows name of CLDR, placed where CLDR places it."""
    table = json.loads((cldr / "supplemental/windowsZones.json").read_text(encoding="utf-8"))
    rows = table["supplemental"]["windowsZones"]["mapTimezones"]
    wanted = {
        row["mapZone"]["_other"]: row["mapZone"]["_type"] for row in rows if row["mapZone"]["_territory"] == "001"
    }
    answers = engine.ask(question(named=name) for name in wanted)
    cases = []
    for (name, zone), answer in zip(wanted.items(), answers):
        placed = answer.get("zone", {}).get("iana", str(answer))
        same = placed == zone or rules_of(placed) == rules_of(zone)
        cases.append(Case("Windows names of CLDR 48", name, "" if same else f"{placed}, not {zone}"))
    return cases


def rules_of(name):
    """What a zone is compared by: names of one zone are links to the same data."""
    *folders, last = name.split("/")
    try:
        file = importlib.resources.files(".".join(["tzdata", "zoneinfo", *folders])) / last
        return file.read_bytes()
    except (OSError, ImportError):
        return name
