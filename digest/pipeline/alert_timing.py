"""When an alert is told: cadence, cool-down, ceiling and quiet hours, in this order. Pure.

Each may only put it off; nothing is dropped. Times of day are on the clock of the rule's zone: an hour that the clock
skips is the first instant after the gap, and quiet hours end with the last showing of theirs.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from datetime import date as Date
from zoneinfo import ZoneInfo

from digest.alert_rules import Alert, AlertSpec, Cadence, QuietHours
from digest.documents import Newsletter
from digest.model import Period, Subscription
from digest.pipeline.due import Released, due_at, due_of
from digest.pipeline.slots import DAY, next_release, wall_instant

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
CADENCE, COOL_DOWN, CEILING, QUIET = "cadence", "cool-down", "ceiling", "quiet hours"
LOOK_BACK = timedelta(days=9)  # older releases count for no ceiling and no cool-down
LONGEST_WAIT_DAYS = 8  # for an edition of a newsletter: a week and a day


@dataclass(frozen=True, slots=True)
class Told:
    """When an alert is told, and what put it off last ("" for nothing)."""

    at: datetime
    held_by: str = ""


@dataclass(slots=True)
class Pace:
    """What a rule told so far: when last (which may be yet to come), and how many a day, held ones not counted."""

    last: datetime | None = None
    by_day: Counter[Date] = field(default_factory=Counter)

    def note(self, told: Told, zone: str) -> None:
        self.last = max(filter(None, (self.last, told.at)))
        if told.held_by != CEILING:
            self.by_day[_day(told.at, zone)] += 1


def paces(alerts: Iterable[Alert], zones: Mapping[int, str]) -> dict[int, Pace]:
    """The paces of rules by id, from their newest alerts; `zones` holds the zone of each."""
    found: dict[int, Pace] = {}
    for alert in alerts:
        found.setdefault(alert.rule_id, Pace()).note(Told(alert.release_at, alert.held_by), zones[alert.rule_id])
    return found


def told_at(spec: AlertSpec, at: datetime, pace: Pace, zone: str, *, passes: bool = False,
            digest_at: datetime | None = None) -> Told:
    """When an alert of `at` is told.

    `zone` is the rule's, `passes` whether the story may be told in quiet hours, `digest_at` when the owner's next
    edition is due (None where they read no newsletter: then it waits for the rule's daily hour).
    """
    told = Told(at)
    told = _later(told, _cadence(spec, at, zone, digest_at), CADENCE)
    if spec.cool_down_minutes and pace.last is not None:
        pending = pace.last > at
        told = _later(told, pace.last if pending else pace.last + spec.cool_down_minutes * MINUTE, COOL_DOWN)
    if spec.cadence is Cadence.NOW and spec.ceiling and pace.by_day[_day(told.at, zone)] >= spec.ceiling:
        told = _later(told, wall_instant(_day(told.at, zone) + DAY, time(0), zone), CEILING)
    if spec.quiet and not passes and (end := quiet_end(spec.quiet, told.at, zone)) is not None:
        told = Told(end, CEILING if told.held_by == CEILING else QUIET)
    return told


def quiet_end(quiet: QuietHours, at: datetime, zone: str) -> datetime | None:
    """When the quiet hours end in which an instant lies; None where it lies in none."""
    day = _day(at, zone)
    for first in (day - DAY, day):
        start = wall_instant(first, quiet.start, zone)
        end = _last_showing(first if quiet.end > quiet.start else first + DAY, quiet.end, zone)
        if start <= at < end:
            return end
    return None


def next_digest(subscriptions: Iterable[Subscription], newsletters: Mapping[str, Newsletter],
                at: datetime) -> datetime | None:
    """When the next copy of an edition is due to a reader, over all that they read; None where none comes in a week."""
    found = [due for own in subscriptions if own.state == "active" and own.newsletter in newsletters
             for due in _copies(own, newsletters[own.newsletter], at) if due > at]
    return min(found, default=None)


def minute_of(at: datetime) -> datetime:
    """The full minute that an instant lies in."""
    return at.replace(second=0, microsecond=0)


def _copies(own: Subscription, newsletter: Newsletter, at: datetime) -> Iterable[datetime]:
    """When the reader's copies of the editions of a week are due, earlier ones too whose hour is yet to come."""
    for period in Period:
        if period is Period.WEEKLY and newsletter.weekly is None:
            continue
        release = at - DAY
        while (release := next_release(newsletter, release, period)) <= at + LONGEST_WAIT_DAYS * DAY:
            day = release.astimezone(ZoneInfo(newsletter.zone)).date()
            if (due := due_of(own.preferences, newsletter, Released(period, day, release))) is not None:
                yield due


def _cadence(spec: AlertSpec, at: datetime, zone: str, digest_at: datetime | None) -> datetime:
    if spec.cadence is Cadence.NOW:
        return at
    if spec.cadence is Cadence.HOURLY:
        return _full_hour(at, zone)
    if spec.cadence is Cadence.DIGEST and digest_at is not None:
        return digest_at
    return due_at(at, spec.hour.isoformat("minutes"), zone)


def _full_hour(at: datetime, zone: str) -> datetime:
    """The next full hour on the zone's clock, this instant where it is one; some zones are half an hour apart."""
    local = at.astimezone(ZoneInfo(zone))
    past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return at if not past else at - past + HOUR


def _last_showing(day: Date, wall: time, zone: str) -> datetime:
    """The last instant at which the clock shows a time of a day; where it skips it, the end of the gap."""
    again = datetime.combine(day, wall.replace(fold=1), tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return max(wall_instant(day, wall, zone), again)


def _later(told: Told, at: datetime, held_by: str) -> Told:
    return Told(at, held_by) if at > told.at else told


def _day(at: datetime, zone: str) -> Date:
    return at.astimezone(ZoneInfo(zone)).date()
