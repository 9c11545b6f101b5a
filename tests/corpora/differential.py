"""Made-up rules in made-up zones and windows: ours against three engines that others wrote. They name wall times, the
zone database says when those are, and every class of disagreement has been judged once."""

import collections
import concurrent.futures
import datetime
import random
import zoneinfo

import judgements
import peers
from ask import calendar, question
from rules import utc
from table import Case

SEED = 20_260_710
DAY, HOUR = 86_400, 3_600
WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
ZONES = [
    "Europe/Berlin", "Europe/London", "Europe/Dublin", "America/New_York", "America/Los_Angeles", "America/Sao_Paulo",
    "America/St_Johns", "Australia/Lord_Howe", "Australia/Sydney", "Asia/Kolkata", "Asia/Tehran", "Asia/Tokyo",
    "Africa/Casablanca", "Africa/Cairo", "Pacific/Apia", "Pacific/Chatham", "America/Nuuk", "Asia/Gaza", "UTC",
]  # fmt: skip
# How far a window lies behind the start, and how long it is.
REACH = {
    "YEARLY": (40 * 366 * DAY, 9 * 366 * DAY),
    "MONTHLY": (20 * 366 * DAY, 2 * 366 * DAY),
    "WEEKLY": (10 * 366 * DAY, 366 * DAY),
    "DAILY": (3 * 366 * DAY, 120 * DAY),
    "HOURLY": (60 * DAY, 10 * DAY),
    "MINUTELY": (2 * DAY, DAY // 2),
    "SECONDLY": (HOUR, HOUR // 2),
}
# How far a first date is looked for.
SEARCH = {"YEARLY": 30 * 366 * DAY, "MONTHLY": 12 * 366 * DAY, "WEEKLY": 6 * 366 * DAY, "DAILY": 6 * 366 * DAY}
SEARCH |= {"HOURLY": 366 * DAY, "MINUTELY": 8 * DAY, "SECONDLY": DAY}


def made(number):
    """The numbers of one case: a rule, a start, a zone and a window."""
    dice = random.Random(f"{SEED}.{number}")
    frequency = dice.choices(list(REACH), [24, 24, 20, 16, 8, 5, 3])[0]
    parts = {"FREQ": frequency, **limits(frequency, dice)}
    if dice.random() < 0.6:
        parts["INTERVAL"] = dice.choice([1, 2, 2, 3, 4, 5, 7, 12, 13, 26])
    if frequency == "SECONDLY":
        # Every second is no calendar's rhythm; we withhold it.
        parts["INTERVAL"] = dice.choice([60, 90, 97, 600, 3_600, 7_201])
    if dice.random() < 0.4:
        parts["WKST"] = dice.choice(WEEKDAYS)
    start = dice.randrange(-2_000, 20_000) * DAY + dice.randrange(96) * 900
    if frequency in ("MINUTELY", "SECONDLY"):
        start += dice.randrange(900)
    after, length = REACH[frequency]
    begins = start + (0 if dice.random() < 0.3 else dice.randrange(after))
    case = {"number": number, "zone": dice.choice(ZONES), "synced": dice.random() < 0.85}
    ending = dice.random()
    if ending < 0.3:
        parts["COUNT"] = dice.choice([1, 2, 5, 10, 30, 100])
        begins = start + (begins - start) // 4
    elif ending < 0.6:
        case["until"] = start + dice.randrange(after + length)
        case["until_form"] = dice.choice(["utc", "local", "date"])
    return {**case, "parts": parts, "start": start, "from": begins, "to": begins + length}


def limits(frequency, dice):
    """By-parts that the table of RFC 5545 3.3.10 gives a meaning with this frequency."""
    parts = {}

    def chance(share):
        return dice.random() < share

    def some(choices, most):
        return sorted(dice.sample(choices, dice.randint(1, most)))

    def signed(most, many):
        numbers = {dice.choice([1, 1, -1]) * dice.randint(1, most) for _ in range(dice.randint(1, many))}
        return sorted(numbers)

    ordinal, fine = False, frequency in ("MINUTELY", "SECONDLY")
    if chance(0.3) and not fine:
        parts["BYMONTH"] = some(range(1, 13), 4)
    # What limits days twice seldom leaves any, and engines walk to the year 9999 in search of one.
    if frequency == "YEARLY" and chance(0.2):
        parts["BYWEEKNO"] = signed(53, 3)
    elif frequency in ("YEARLY", "HOURLY") and chance(0.2) and "BYMONTH" not in parts:
        parts["BYYEARDAY"] = signed(366, 5)
    elif frequency != "WEEKLY" and not fine and chance(0.3):
        parts["BYMONTHDAY"] = signed(31, 4)
    if chance(0.5):
        days = dice.sample(WEEKDAYS, dice.randint(1, 4))
        plain = "BYWEEKNO" in parts or "BYYEARDAY" in parts or "BYMONTHDAY" in parts
        if frequency in ("YEARLY", "MONTHLY") and not plain and chance(0.5):
            most = 5 if frequency == "MONTHLY" or "BYMONTH" in parts else 53
            days = [f"{dice.choice([1, -1]) * dice.randint(1, most)}{day}" for day in days]
            ordinal = True
        parts["BYDAY"] = days
    for part, most in (("BYHOUR", 23), ("BYMINUTE", 59), ("BYSECOND", 59)):
        if chance(0.06 if fine else 0.12):
            parts[part] = some(range(most + 1), 3)
    days = {"BYDAY", "BYMONTHDAY", "BYWEEKNO", "BYYEARDAY"} & set(parts) and frequency != "DAILY"
    times = {"BYHOUR", "BYMINUTE", "BYSECOND"} & set(parts)
    if (days or times) and frequency not in ("HOURLY", "MINUTELY", "SECONDLY") and chance(0.3):
        # A position is only of interest among a few.
        parts["BYSETPOS"] = signed(4, 2) if not ordinal else signed(2, 2)
    return parts


def text(parts):
    return ";".join(f"{k}={','.join(map(str, v)) if isinstance(v, list) else v}" for k, v in parts.items())


def run(engine, count, icaljs, libical):
    """`count` cases against every peer there is."""
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        cases = list(pool.map(synced, range(count), chunksize=50))
    asked = [
        {
            "rule": text(case["parts"]),
            "start": case["start"],
            "last": case["to"] + 2 * DAY,
        }
        for case in cases
    ]
    answers = {"dateutil": peers.dateutil(asked)}
    # The others would look for ever for a date that there is none of.
    for about, answer in zip(asked, answers["dateutil"]):
        about["likely"] = len(answer.get("found", []))
    firing = [index for index, answer in enumerate(answers["dateutil"]) if answer.get("found")]
    for peer, ask, where in (("ical.js", peers.ical_js, icaljs), ("libical", peers.libical, libical)):
        if where:
            told = iter(ask([asked[index] for index in firing], where))
            spared = set(range(count)) - set(firing)
            answers[peer] = [{} if index in spared else next(told) for index in range(count)]
    late = {peer: sum("late" in its for its in told) for peer, told in answers.items()}
    print("  gave no answer in time: " + ", ".join(f"{peer} {number}" for peer, number in late.items()))
    ours = engine.ask(ours_asked(case) for case in cases)
    tally = Tally()
    cases = [
        Case(
            f"{count} made-up rules, zones and windows",
            f"number {case['number']}",
            disagreement(case, ours[index], {peer: its[index] for peer, its in answers.items()}, tally),
        )
        for index, case in enumerate(cases)
    ]
    tally.tell()
    return cases


class Tally:
    """How many engines stand behind our answers, and where one of them is judged to be wrong."""

    def __init__(self):
        self.agreeing = collections.Counter()
        self.judged = collections.defaultdict(list)

    def tell(self):
        for engines, cases in sorted(self.agreeing.items(), reverse=True):
            print(f"  {cases} answers are also those of {engines} other engines")
        for (peer, why), numbers in sorted(self.judged.items()):
            print(f"  judged  {peer} in {len(numbers)}, such as {numbers[0]}: {why}")


def synced(number):
    """Moves most starts to a date that their rule names, as RFC 5545 3.8.5.3 wants it."""
    case = made(number)
    rule = {"rule": text({**case["parts"], "COUNT": 1}), "start": case["start"], "last": case["start"] + SEARCH[case["parts"]["FREQ"]]}
    first = peers.dateutil_one(rule).get("found")
    case["named"] = bool(first) and first[0] == case["start"]
    if case["synced"] and first:
        shift = first[0] - case["start"]
        for key in ("start", "from", "to", "until"):
            if key in case:
                case[key] += shift
        case["named"] = True
    return case


def ours_asked(case):
    start = f"DTSTART;TZID={case['zone']}:{wall(case['start'])}"
    rule = text(case["parts"])
    if "until" in case:
        rule += f";UNTIL={until(case)}"
    lines = calendar(start, "DURATION:PT1S", f"RRULE:{rule}")
    return question(
        start=utc(case["from"]), end=utc(case["to"]), text=lines, tell="starts"
    )


def until(case):
    if case["until_form"] == "utc":
        return utc(instant(case["until"], case["zone"])).replace("-", "").replace(":", "")
    return wall(case["until"]) if case["until_form"] == "local" else wall(case["until"])[:8]


def wall(seconds):
    return utc(seconds)[:-1].replace("-", "").replace(":", "")


def instants(case, walls):
    """When these wall times are, as far as UNTIL allows, in the window."""
    last = case.get("until")
    if last is not None:
        if case["until_form"] == "date":
            walls = [at for at in walls if at <= last // DAY * DAY + DAY - 1]
        elif case["until_form"] == "local":
            walls = [at for at in walls if at <= last]
    found = {instant(at, case["zone"]) for at in walls}
    if last is not None and case["until_form"] == "utc":
        found = {at for at in found if at <= instant(last, case["zone"])}
    return cut(case, found)


def cut(case, found):
    """In the window, and without a start that its rule does not name: RFC 5545 leaves open whether that counts."""
    start = instant(case["start"], case["zone"])
    return sorted(at for at in found if case["from"] <= at < case["to"] and (case["named"] or at != start))


def instant(seconds, zone):
    """RFC 5545 3.3.5: the first of two, and the offset before a gap; so does a wall time with fold 0 in Python."""
    naive = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    return int(naive.replace(tzinfo=zoneinfo.ZoneInfo(zone)).timestamp())


def disagreement(case, answer, by_peer, tally):
    """Why this case fails, if it does: a peer differs and no judgement says so."""
    described = f"{text(case['parts'])} {case.get('until_form', '')} {wall(case['start'])} {case['zone']}"
    if "occurrences" not in answer or answer["withheld"]:
        return f"{described}: answered {str(answer)[:200]}"
    ours = cut(case, answer["occurrences"])
    agreeing, unjudged = 0, []
    for peer, its in by_peer.items():
        if not its or "late" in its:
            continue
        if "found" in its and instants(case, its["found"]) == ours:
            agreeing += 1
            continue
        why = judgements.judge(peer, case, its, ours)
        if why:
            tally.judged[peer, why].append(case["number"])
        else:
            theirs = its.get("refused") or difference(ours, instants(case, its["found"]))
            unjudged.append(f"{peer} {theirs}")
    tally.agreeing[agreeing] += 1
    return f"{described}: {'; '.join(unjudged)}" if unjudged else ""


def difference(ours, theirs):
    apart = sorted(set(ours) ^ set(theirs))[:3]
    signs = ", ".join(f"{'+' if at in ours else '-'}{utc(at)}" for at in apart)
    return f"({len(theirs)} for our {len(ours)}) {signs}"
