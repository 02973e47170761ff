"""Slots of a newsletter: the days it appears on and the instants at which its editions are released.

A send time is wall-clock time in the newsletter's zone. Where the clock skips it, the release is the first instant
after the gap; where the clock shows it twice, the first time. A day that the zone skipped whole has no slot.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from datetime import date as Date
from functools import lru_cache
from zoneinfo import ZoneInfo

from digest.documents import Newsletter
from digest.model import Period

DAY = timedelta(days=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_PAUSE = timedelta(days=60)  # slots that were missed longer ago are not told any more


@dataclass(frozen=True, slots=True)
class Slot:
    """One edition to be: its period, its day in the newsletter's zone and its release in UTC."""

    period: Period
    date: Date
    release_at: datetime


def release_of(newsletter: Newsletter, date: Date, period: Period = Period.DAILY) -> datetime:
    """The instant, in UTC, at which the edition of `date` is released; the day need not be one of its days."""
    wall = newsletter.weekly.send_time if period is Period.WEEKLY and newsletter.weekly else newsletter.send_time
    return wall_instant(date, wall, newsletter.zone)


def next_release(newsletter: Newsletter, after: datetime, period: Period = Period.DAILY) -> datetime:
    """The first release later than `after`, in UTC. A weekly one needs a newsletter with a weekly edition."""
    date = local_date(newsletter, after) - DAY
    while not (appears_on(newsletter, date, period) and release_of(newsletter, date, period) > after):
        date += DAY
    return release_of(newsletter, date, period)


def due_slot(newsletter: Newsletter, now: datetime, period: Period = Period.DAILY) -> tuple[Date, datetime]:
    """The date and release of the newest edition whose release is not later than `now`."""
    date = local_date(newsletter, now) + DAY
    while not (appears_on(newsletter, date, period) and release_of(newsletter, date, period) <= now):
        date -= DAY
    return date, release_of(newsletter, date, period)


def open_slots(
    newsletter: Newsletter, handled: Collection[Date], now: datetime, period: Period = Period.DAILY
) -> tuple[Slot, ...]:
    """Slots released by `now` that are later than the newest handled one, oldest first.

    `handled` are the days that have an edition or a note why they have none. Where nothing of the last 60 days was
    handled there is nothing to catch up: only the newest slot is open.
    """
    if period is Period.WEEKLY and newsletter.weekly is None:
        return ()
    newest, release_at = due_slot(newsletter, now, period)
    known = [day for day in handled if newest - LONGEST_PAUSE <= day]
    if not known:
        return (Slot(period, newest, release_at),)
    found: list[Slot] = []
    day = newest
    while day not in known and day > min(known):
        if appears_on(newsletter, day, period):
            found.append(Slot(period, day, release_of(newsletter, day, period)))
        day -= DAY
    return tuple(reversed(found))


def local_date(newsletter: Newsletter, instant: datetime) -> Date:
    """The day in the newsletter's zone."""
    return instant.astimezone(ZoneInfo(newsletter.zone)).date()


@lru_cache(maxsize=1024)
def wall_instant(date: Date, wall: time, zone_name: str) -> datetime:
    """The first instant, in UTC, at or after the wall-clock time: after a gap, the gap's end."""
    zone = ZoneInfo(zone_name)
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


def appears_on(newsletter: Newsletter, date: Date, period: Period = Period.DAILY) -> bool:
    """Whether the newsletter has an edition of that day."""
    days = newsletter.days
    if period is Period.WEEKLY:
        assert newsletter.weekly is not None
        days = (newsletter.weekly.day,)
    return (not days or WEEKDAYS[date.weekday()] in days) and day_exists(date, newsletter.zone)


@lru_cache(maxsize=1024)
def day_exists(date: Date, zone_name: str) -> bool:
    """False for a day that the zone's calendar left out, as Samoa did with 30 December 2011."""
    return wall_instant(date, time(0), zone_name).astimezone(ZoneInfo(zone_name)).date() == date
