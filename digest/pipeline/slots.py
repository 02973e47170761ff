"""Slots of a newsletter: the days it appears on and the instants at which its editions are released.

A send time is wall-clock time in the newsletter's zone. Where the clock skips it, the release is the first instant
after the gap; where the clock shows it twice, the first time.
"""

from datetime import UTC, datetime, time, timedelta
from datetime import date as Date
from zoneinfo import ZoneInfo

from digest.documents import Newsletter

DAY = timedelta(days=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def release_of(newsletter: Newsletter, date: Date) -> datetime:
    """The instant, in UTC, at which the edition of `date` is released; the day need not be one of its days."""
    return wall_instant(date, newsletter.send_time, ZoneInfo(newsletter.zone))


def next_release(newsletter: Newsletter, after: datetime) -> datetime:
    """The first release later than `after`, in UTC."""
    date = local_date(newsletter, after) - DAY
    while not (_appears(newsletter, date) and release_of(newsletter, date) > after):
        date += DAY
    return release_of(newsletter, date)


def due_slot(newsletter: Newsletter, now: datetime) -> tuple[Date, datetime]:
    """The date and release of the newest edition whose release is not later than `now`."""
    date = local_date(newsletter, now) + DAY
    while not (_appears(newsletter, date) and release_of(newsletter, date) <= now):
        date -= DAY
    return date, release_of(newsletter, date)


def local_date(newsletter: Newsletter, instant: datetime) -> Date:
    """The day in the newsletter's zone."""
    return instant.astimezone(ZoneInfo(newsletter.zone)).date()


def wall_instant(date: Date, wall: time, zone: ZoneInfo) -> datetime:
    """The first instant, in UTC, at or after the wall-clock time: after a gap, the gap's end."""
    local = datetime.combine(date, wall, tzinfo=zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return instant
    return _gap_end(local.replace(fold=1).astimezone(UTC), instant, zone)


def _gap_end(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The second at which the zone's offset changes, between `low` (before it) and `high` (after it)."""
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def _appears(newsletter: Newsletter, date: Date) -> bool:
    return not newsletter.days or WEEKDAYS[date.weekday()] in newsletter.days
