"""How a feed is doing, in one word: healthy → failing → stale → suspended. Pure.

Also what makes a feed suspended, and when a permanent redirect is believed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FAILING_FROM = 3  # failures in a row
STALE_AFTER = timedelta(days=7)  # without a good poll, or without anything new
STALE_GAPS, STALE_AT_LAST = 8, timedelta(days=90)  # a slow feed may be silent for so many of its own gaps
GONE_AFTER = timedelta(days=14)  # of 404
MOVE_POLLS, MOVE_AGE = 3, timedelta(hours=24)


class Health(StrEnum):
    NEW = "new"  # never polled
    HEALTHY = "healthy"
    FAILING = "failing"  # three polls in a row failed
    STALE = "stale"  # fails for a week, or answers and brings nothing new
    SUSPENDED = "suspended"  # gone: tried once a week
    PAUSED = "paused"  # by the operator
    MERGED = "merged"  # has become another feed of ours, which is polled in its place


TROUBLED = (Health.SUSPENDED, Health.STALE, Health.FAILING)  # worst first


@dataclass(frozen=True, slots=True)
class Condition:
    """What is known of a feed's last polls; None where it has not happened."""

    last_polled_at: datetime | None
    last_success_at: datetime | None
    error_count: int
    newest_at: datetime | None  # its newest item
    gap: timedelta | None = None  # usual time between two of its items
    suspended_at: datetime | None = None
    paused_at: datetime | None = None
    merged_into: str | None = None


def health_of(condition: Condition, now: datetime) -> Health:
    """The state of a feed; what the operator or a server decided goes before what its polls say."""
    if condition.paused_at:
        return Health.PAUSED
    if condition.merged_into:
        return Health.MERGED
    if condition.suspended_at:
        return Health.SUSPENDED
    if condition.last_polled_at is None:
        return Health.NEW
    if is_stale(condition, now):
        return Health.STALE
    return Health.FAILING if condition.error_count >= FAILING_FROM else Health.HEALTHY


def is_stale(condition: Condition, now: datetime) -> bool:
    """Whether a feed brings nothing: it fails for a week, or has been silent for long by its own measure."""
    if condition.error_count:
        return condition.last_success_at is not None and now - condition.last_success_at >= STALE_AFTER
    if condition.newest_at is None:
        return True  # it answers, and never brought an item
    return now - condition.newest_at >= patience(condition.gap)


def patience(gap: timedelta | None) -> timedelta:
    """How long a feed may bring nothing new: a week, or eight of its usual gaps, at most ninety days."""
    return max(STALE_AFTER, min(STALE_AT_LAST, STALE_GAPS * (gap or timedelta(0))))


def gone_reason(status: int | None, gone_since: datetime, now: datetime) -> str | None:
    """Why a feed is suspended whose server has answered 404 or 410 since `gone_since`; None while it is not."""
    if status == 410:
        return "its server says that it is gone for good (410)"
    if status == 404 and now - gone_since >= GONE_AFTER:
        return f"its server has answered 404 for {(now - gone_since).days} days"
    return None


@dataclass(frozen=True, slots=True)
class Move:
    """A permanent redirect: where to, since when and in how many polls in a row it was seen."""

    target: str
    since: datetime
    count: int


def seen_move(move: Move | None, target: str | None, now: datetime) -> Move | None:
    """The move after one more good poll, which was redirected for good to `target` (None: it was not)."""
    if target is None:
        return None
    if move is None or move.target != target:
        return Move(target, now, 1)
    return Move(target, move.since, move.count + 1)


def is_settled(move: Move | None, now: datetime) -> bool:
    """Whether a move is believed: a captive portal or a mistake of an hour does not last a day and three polls."""
    return move is not None and move.count >= MOVE_POLLS and now - move.since >= MOVE_AGE
