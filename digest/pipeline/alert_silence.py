"""Whether the silence of an alert rule is odd: three times as long as it usually is silent. Pure."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from statistics import median

ODD_GAPS = 3  # usual gaps, after which silence is odd
LEAST_GAPS = 3  # that must be known before any is usual


def usual_gap_days(times: Sequence[datetime]) -> float | None:
    """The median of days between days with an alert (UTC), at least 1; None where fewer than three gaps are known.

    `times` are those of the rule's alerts, oldest first. Several on one day count once: a burst is no rhythm.
    """
    days = sorted({at.date() for at in times})
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    return float(max(1, median(gaps))) if len(gaps) >= LEAST_GAPS else None


def silent_days(times: Sequence[datetime], since: datetime, now: datetime) -> int:
    """Whole days since the newest alert, or since the rule may fire where it gave none since."""
    return max(0, (now - max([since, *times[-1:]])).days)


def is_odd(times: Sequence[datetime], since: datetime, now: datetime) -> bool:
    """Whether a rule that used to tell something has been silent three times as long as usual."""
    gap = usual_gap_days(times)
    return gap is not None and silent_days(times, since, now) > ODD_GAPS * gap
