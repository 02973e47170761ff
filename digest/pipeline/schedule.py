"""When a feed is polled next. Pure: what is known of the feed and the time go in, a time comes out.

The interval is half the usual time between two of its items, longer the longer it is silent, and no shorter than
document and answer ask for; failures in a row lengthen it up to a day and never end it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

LONGEST = timedelta(hours=24)
LONGEST_ACTIVE = timedelta(hours=1)  # of a feed with news in the last week, so that no edition is further behind
LONGEST_HINT = timedelta(hours=6)  # servers declare days even for feeds that bring news by the hour
RHYTHM_ITEMS = 20
RHYTHM_GAPS = 2  # gaps from which a feed has a rhythm
SILENT, QUIET, RESTING = timedelta(days=30), timedelta(days=14), timedelta(days=7)
JITTER = 0.1  # share of the interval, so that feeds do not stay in step
PLAIN_RETRIES = 2  # failures in a row before the interval grows


@dataclass(frozen=True, slots=True)
class Bounds:
    """The operator's intervals: of a feed without a known rhythm, and the shortest of all."""

    base: timedelta
    shortest: timedelta


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What is known of a feed's pace. `gap` is the median time between its newest items, `hint` what it asks for,
    `newest_at` when its newest item was published; None where not known."""

    gap: timedelta | None = None
    hint: timedelta | None = None
    newest_at: datetime | None = None


def usual_gap(published: Iterable[datetime | None]) -> timedelta | None:
    """The median time between the newest twenty of distinct instants; None where fewer than three are known."""
    instants = sorted({instant for instant in published if instant}, reverse=True)[:RHYTHM_ITEMS]
    gaps = [(later - earlier).total_seconds() for later, earlier in pairwise(instants)]
    return timedelta(seconds=median(gaps)) if len(gaps) >= RHYTHM_GAPS else None


def interval_of(rhythm: Rhythm, bounds: Bounds, now: datetime, own: timedelta | None = None) -> timedelta:
    """The interval of a feed that answers; `own` is its override, which neither rhythm nor hint changes."""
    if own is not None:
        return own
    shortest = min(bounds.shortest, bounds.base)
    longest = max(LONGEST_ACTIVE, bounds.base)
    interval = bounds.base if rhythm.gap is None else max(shortest, min(longest, rhythm.gap / 2))
    interval = _decayed(interval, now - rhythm.newest_at) if rhythm.newest_at else interval
    return min(LONGEST, max(interval, min(rhythm.hint or shortest, LONGEST_HINT)))


def _decayed(interval: timedelta, silence: timedelta) -> timedelta:
    if silence >= SILENT:
        return LONGEST
    return interval * (4 if silence >= QUIET else 2 if silence >= RESTING else 1)


def backoff(error_count: int, base: timedelta) -> timedelta:
    """How long to wait after so many failures in a row: the base interval twice, then doubled up to a day."""
    doublings = min(20, max(0, error_count - PLAIN_RETRIES))
    return min(LONGEST, base * (1 << doublings))


def next_poll(feed_id: str, now: datetime, interval: timedelta) -> datetime:
    """`now` plus the interval, up to a tenth earlier or later; equal arguments give the same."""
    seed = hashlib.sha256(f"{feed_id} {now.isoformat()}".encode()).digest()
    return now + interval * (1 + JITTER * (2 * seed[0] / 255 - 1))
