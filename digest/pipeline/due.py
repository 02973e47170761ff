"""When a reader's copy of an edition is due, whether they want it, and which editions they missed. Pure.

A reader's hour is wall-clock time in the reader's zone. Where the clock skips it, the copy is due at the first instant
after the gap; where the clock shows it twice, at the first showing that is not before the release.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from datetime import date as Date
from functools import lru_cache
from zoneinfo import ZoneInfo

from digest.documents import Newsletter
from digest.model import Frequency, Period, Preferences
from digest.pipeline.slots import DAY, WEEKDAYS, day_exists, wall_instant

SATURDAY = 5  # Monday is 0


@dataclass(frozen=True, slots=True)
class Released:
    """An edition whose time has come: its period, its day in the newsletter's zone, and when that was, in UTC."""

    period: Period
    date: Date
    at: datetime


def due_of(preferences: Preferences, newsletter: Newsletter, released: Released) -> datetime | None:
    """When a reader's copy is due, in UTC; None where they do not want this edition.

    Daily and weekday readers want daily editions, weekly ones the weekly edition; where the newsletter has none, the
    daily edition of the last of its days. Weekdays are those on which the copy is due where the reader is. Who paused
    wants no edition of an earlier day than that on which the pause ends.
    """
    if preferences.paused_until is not None and released.date < preferences.paused_until:
        return None
    if not _is_of(preferences.frequency, newsletter, released):
        return None
    zone = known_zone(preferences.zone, newsletter.zone)
    due = due_at(released.at, preferences.hour, zone)
    if preferences.frequency is Frequency.WEEKDAYS and due.astimezone(ZoneInfo(zone)).weekday() >= SATURDAY:
        return None
    return due


def _is_of(frequency: Frequency, newsletter: Newsletter, released: Released) -> bool:
    if frequency is not Frequency.WEEKLY:
        return released.period is Period.DAILY
    if newsletter.weekly is not None:
        return released.period is Period.WEEKLY
    last = max(newsletter.days, key=WEEKDAYS.index) if newsletter.days else WEEKDAYS[-1]
    return released.period is Period.DAILY and WEEKDAYS[released.date.weekday()] == last


def known_zone(name: str | None, otherwise: str) -> str:
    """The zone of that name; another one where there is none, as one that the zone data dropped."""
    return name if name and _is_zone(name) else otherwise


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


@lru_cache(maxsize=16384)
def due_at(released_at: datetime, hour: str | None, zone: str) -> datetime:
    """The first occurrence of the hour ("HH:MM") in the zone at or after an instant, in UTC.

    That instant where there is none, or none that can be read.
    """
    try:
        wall = time.fromisoformat(hour or "")
    except ValueError:
        return released_at
    day = released_at.astimezone(ZoneInfo(zone)).date() - DAY
    while True:
        for instant in _occurrences(day, wall, zone):
            if instant >= released_at:
                return instant
        day += DAY


def _occurrences(day: Date, wall: time, zone: str) -> tuple[datetime, ...]:
    """The instants at which a day's clock shows the time: one, two where it is set back, none of a day left out."""
    if not day_exists(day, zone):
        return ()
    first = wall_instant(day, wall, zone)
    again = datetime.combine(day, wall.replace(fold=1), tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return (first, again) if again > first else (first,)


def missed(wanted: Sequence[Released], got: Collection[Released], since: datetime) -> tuple[Released, ...]:
    """Which editions a reader missed since the last that they got, newest first.

    `wanted` are the released editions of the kind that they get, `got` those of either kind that they did get, and
    `since` is when they became a reader: what was released before is nothing that they missed. Nobody who got none
    has missed any: `got` must reach back as far as `wanted`.
    """
    last = max((edition.at for edition in got), default=None)
    if last is None:
        return ()
    found = (edition for edition in wanted if edition.at > last and edition.at >= since)
    return tuple(sorted(found, key=lambda edition: edition.at, reverse=True))
