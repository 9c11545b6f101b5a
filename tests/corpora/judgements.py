"""The classes in which an engine of others names other dates than ours, each judged against RFC 5545 once. What is
right there stands as tests in `src-tauri/crates/calendar/tests/rules.rs`."""


def judge(peer, parts, answer):
    """Why `peer` may differ for a rule of these parts; nothing where it may not."""
    for its_peer, why, applies in CLASSES:
        if its_peer == peer and applies(Rule(parts), answer):
            return why
    return None


class Rule:
    """The parts of one rule, as predicates ask for them."""

    def __init__(self, parts):
        self.parts = parts
        self.frequency = parts["FREQ"]
        self.interval = parts.get("INTERVAL", 1)

    def has(self, *names):
        return any(name in self.parts for name in names)

    def is_(self, *frequencies):
        return self.frequency in frequencies


TIMES = ("BYHOUR", "BYMINUTE", "BYSECOND")
FINE = ("HOURLY", "MINUTELY", "SECONDLY")

CLASSES = [
    (
        "dateutil",
        "3.3.10: a week number alone leaves the day to DTSTART; dateutil takes all seven",
        lambda rule, _: rule.has("BYWEEKNO") and not rule.has("BYDAY"),
    ),
    (
        "libical",
        "3.3.10: positions count in every frequency and among times of day too; libical 3 has them for days alone",
        lambda rule, _: rule.has("BYSETPOS") and (not rule.is_("YEARLY", "MONTHLY") or rule.has(*TIMES)),
    ),
    (
        "libical",
        "3.3.10: BYMONTHDAY expands a year; libical 3 keeps to DTSTART's month",
        lambda rule, _: rule.is_("YEARLY") and rule.has("BYMONTHDAY") and not rule.has("BYMONTH"),
    ),
    (
        "libical",
        "3.3.10: days may be counted from the end of the month where BYMONTHDAY limits; libical 3 has them from the start",
        lambda rule, _: rule.is_("DAILY", *FINE) and any(day < 0 for day in rule.parts.get("BYMONTHDAY", [])),
    ),
    (
        "libical",
        "3.3.10: INTERVAL counts hours, minutes or seconds also where a part limits them; libical 3 loses count",
        lambda rule, _: rule.is_(*FINE) and rule.interval > 1 and rule.has(*TIMES),
    ),
    (
        "ical.js",
        "3.3.10: positions count in every frequency, among all dates and times of the period",
        lambda rule, _: rule.has("BYSETPOS"),
    ),
    (
        "ical.js",
        "3.3.10: BYMONTHDAY expands a year; ical.js keeps to DTSTART's month",
        lambda rule, _: rule.is_("YEARLY") and rule.has("BYMONTHDAY") and not rule.has("BYMONTH"),
    ),
    (
        "ical.js",
        "3.3.10: INTERVAL counts months also where BYMONTH limits them; ical.js loses count",
        lambda rule, _: rule.is_("MONTHLY") and rule.interval > 1 and rule.has("BYMONTH"),
    ),
    (
        "ical.js",
        "3.3.10: BYHOUR, BYMINUTE and BYSECOND expand every day; ical.js drops some in a year and overflows a month",
        lambda rule, _: rule.is_("YEARLY", "MONTHLY") and rule.has(*TIMES),
    ),
    (
        "ical.js",
        "3.3.10: INTERVAL counts hours, minutes or seconds also where a part limits them; ical.js loses count",
        lambda rule, _: rule.is_(*FINE) and rule.interval > 1 and rule.has(*TIMES),
    ),
    (
        "ical.js",
        "3.3.10: days may be counted from the end of the month where BYMONTHDAY limits; ical.js has them from the start",
        lambda rule, _: rule.is_("DAILY", *FINE) and any(day < 0 for day in rule.parts.get("BYMONTHDAY", [])),
    ),
    (
        "ical.js",
        "3.3.10: BYYEARDAY may limit hours, minutes and seconds; ical.js refuses it",
        lambda rule, answer: rule.is_(*FINE) and "BYYEARDAY may only appear" in answer.get("refused", ""),
    ),
]
