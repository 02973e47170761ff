"""Dates of entries against the clock: what machines stamped is no date, nor is what lies in the future.

Scrapers that find no date write the time of their run, and years-old pages look like news. Such a stamp is told by
being shared to the second. A newspaper that releases its morning's stories together does so on a full minute.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from digest.model import DateQuality
from digest.pipeline.dates import ParsedDate

EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(minutes=15)  # servers' clocks run ahead so far; such a date is taken as now
STAMP_ENTRIES = 5  # so many entries with one stamp may be stamped by a machine that did not know
RUN_TIME = timedelta(minutes=2)  # a stamp on the full minute is a machine's only so near the poll
STAMP_AGE = timedelta(days=1)  # an older stamp makes nothing look like news


def false_stamps(dates: Sequence[ParsedDate | None], now: datetime) -> frozenset[datetime]:
    """The instants among the dates of one document that are times of a machine's run.

    1. The only one of at least five entries, to the second or just before `now`.
    2. One of the last day that at least five entries share to the second, whatever the others carry: a scraper finds
       the dates of some pages.
    """
    counts = Counter(date.instant if date and not date.date_only else None for date in dates)
    is_only = len(counts) == 1
    return frozenset(
        stamp for stamp, count in counts.items() if stamp and count >= STAMP_ENTRIES and (
            (stamp.second and (is_only or now - stamp <= STAMP_AGE)) or (is_only and abs(now - stamp) <= RUN_TIME)))


def judged(date: ParsedDate | None, false: frozenset[datetime],
           now: datetime) -> tuple[datetime | None, int | None, DateQuality]:
    """The instant, its offset and how far it can be trusted; no instant where it cannot, for the first sight to count.

    `false` are the document's `false_stamps`.
    """
    if date is None:
        return None, None, DateQuality.NONE
    if date.instant < EARLIEST or date.instant in false:
        return None, None, DateQuality.IMPLAUSIBLE
    if date.instant > now + CLOCK_SKEW:
        return None, None, DateQuality.FUTURE
    quality = DateQuality.DATE_ONLY if date.date_only else DateQuality.EXACT
    return min(date.instant, now), date.offset_minutes, quality
