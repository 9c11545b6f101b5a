"""The classes in which an engine of others names other dates than ours, each judged against RFC 5545 once. What is
right there stands as tests in `src-tauri/crates/calendar/tests/rules.rs`."""


def judge(peer, case, answer, ours):
    """Why `peer` may differ from `ours` in this case; nothing where it may not."""
    if "empty" in answer.get("refused", "") and not ours:
        return "3.3.10: a rule that names no date is a rule; dateutil refuses it"
    if not case["named"] and peer != "dateutil":
        return "3.8.5.3: DTSTART should be a date of the rule; what it is where it is not, the RFC leaves open"
    for its_peer, why, applies in CLASSES:
        if its_peer == peer and applies(Rule(case["parts"]), answer):
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

    def counts_back(self, name):
        return any(number < 0 for number in self.parts.get(name, []))

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
        "dateutil",
        "3.3.10: the first week may begin in the year before; dateutil miscounts it as the 52nd or 53rd from either end",
        lambda rule, _: any(abs(number) >= 52 for number in rule.parts.get("BYWEEKNO", [])),
    ),
    (
        "dateutil",
        "3.3.10: positions count in the whole week, also where DTSTART lies within it; dateutil counts from DTSTART",
        lambda rule, _: rule.is_("WEEKLY") and rule.has("BYSETPOS"),
    ),
    (
        "libical",
        "3.3.10: week numbers count from either end and leave the day to DTSTART, in any month; libical 3 knows neither",
        lambda rule, _: rule.has("BYWEEKNO") and (
            rule.has("BYMONTH") or not rule.has("BYDAY") or rule.counts_back("BYWEEKNO")
        ),
    ),
    (
        "libical",
        "3.3.10: WKST begins the weeks that INTERVAL counts; libical 3 miscounts those that begin late",
        lambda rule, _: rule.is_("WEEKLY") and rule.interval > 1 and rule.parts.get("WKST", "MO") not in ("MO", "SU"),
    ),
    (
        "libical",
        "3.3.10: the 53rd week of a year reaches into the next; libical 3 leaves that part out",
        lambda rule, _: 53 in rule.parts.get("BYWEEKNO", []),
    ),
    (
        "libical",
        "3.3.10: days of the year count from either end where they limit hours; libical 3 has them from the start",
        lambda rule, _: rule.is_(*FINE) and rule.counts_back("BYYEARDAY"),
    ),
    (
        "libical",
        "3.3.10: positions count in every frequency and among times of day too; libical 3 has them for days alone",
        lambda rule, _: rule.has("BYSETPOS") and (not rule.is_("YEARLY", "MONTHLY") or rule.has(*TIMES)),
    ),
    (
        "libical",
        "3.3.10: positions count dates in their order, however weeks begin and days are counted; libical 3 takes others",
        lambda rule, _: rule.has("BYSETPOS") and (rule.has("WKST") or rule.counts_back("BYMONTHDAY")),
    ),
    (
        "libical",
        "3.3.10: BYMONTHDAY expands a year; libical 3 keeps to DTSTART's month",
        lambda rule, _: rule.is_("YEARLY") and rule.has("BYMONTHDAY") and not rule.has("BYMONTH"),
    ),
    (
        "libical",
        "3.3.10: days may be counted from the end of the month where BYMONTHDAY limits; libical 3 has them from the start",
        lambda rule, _: rule.is_("DAILY", *FINE) and rule.counts_back("BYMONTHDAY"),
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
        "3.3.10: months count also where BYMONTH limits them; ical.js loses count",
        lambda rule, _: rule.is_("MONTHLY") and rule.has("BYMONTH"),
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
        lambda rule, _: rule.is_("DAILY", *FINE) and rule.counts_back("BYMONTHDAY"),
    ),
    (
        "ical.js",
        "3.3.10: BYYEARDAY may limit hours, minutes and seconds; ical.js refuses it",
        lambda rule, answer: rule.is_(*FINE) and "BYYEARDAY may only appear" in answer.get("refused", ""),
    ),
    (
        "ical.js",
        "3.3.10: week numbers limit a year to these weeks; ical.js takes other weeks or none",
        lambda rule, _: rule.has("BYWEEKNO"),
    ),
    (
        "ical.js",
        "3.3.10: an invalid date is left out; ical.js moves it into the next month",
        lambda rule, _: rule.is_("YEARLY") and rule.has("BYMONTH") and not rule.has("BYDAY"),
    ),
    (
        "ical.js",
        "3.3.10: an ordinal weekday counts in the year where no month is named; ical.js counts otherwise",
        lambda rule, _: rule.is_("YEARLY") and rule.has("BYDAY") and not rule.has("BYMONTH"),
    ),
    (
        "ical.js",
        "3.3.10: BYDAY limits BYMONTHDAY, and INTERVAL counts months all the same; ical.js loses count",
        lambda rule, _: rule.is_("MONTHLY") and rule.interval > 1 and rule.has("BYDAY") and rule.has("BYMONTHDAY"),
    ),
    (
        "ical.js",
        "3.3.10: BYMONTHDAY counts back in each month that BYMONTH names; ical.js counts some of them wrongly",
        lambda rule, _: rule.is_("YEARLY") and rule.has("BYMONTH") and rule.counts_back("BYMONTHDAY"),
    ),
]
