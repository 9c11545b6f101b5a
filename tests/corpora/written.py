"""How the recorders write down a time: a date, a wall time or an instant, told apart by their form."""

import datetime


def written(time):
    """A date, a wall time or an instant, told apart by their form."""
    if not isinstance(time, datetime.datetime):
        return f"{time:%Y%m%d}"
    if time.tzinfo is None:
        return f"{time:%Y%m%dT%H%M%S}"
    return f"{time.astimezone(datetime.timezone.utc):%Y%m%dT%H%M%SZ}"
