"""How seldom a document and its answer ask to be polled. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

PERIODS = {"hourly": 60, "daily": 24 * 60, "weekly": 7 * 24 * 60, "monthly": 30 * 24 * 60, "yearly": 365 * 24 * 60}
MOST_MINUTES = 366 * 24 * 60


def document_minutes(ttl: str, period: str, frequency: str) -> int | None:
    """Minutes between two updates as a document declares them: RSS ttl, or sy:updatePeriod over sy:updateFrequency.

    The longer of the two; None where neither says a number. The arguments are raw strings, "" where missing.
    """
    minutes = [int(ttl)] if re.fullmatch(r"\s*\d{1,6}\s*", ttl) else []
    if period.strip().lower() in PERIODS:
        times = int(frequency) if re.fullmatch(r"\s*\d{1,4}\s*", frequency) else 1
        minutes.append(PERIODS[period.strip().lower()] // max(1, times))
    asked = max(minutes, default=0)
    return min(asked, MOST_MINUTES) or None


def answer_hint(headers: Mapping[str, str]) -> timedelta | None:
    """How long an answer is fresh: max-age, else Expires counted from its own Date (RFC 9111 §4.2.1).

    None where it does not say or says not to keep it; `headers` has lower-case names.
    """
    control = headers.get("cache-control", "").lower()
    if re.search(r"\bno-(cache|store)\b", control):
        return None
    if found := re.search(r"\bmax-age\s*=\s*\"?(\d{1,9})", control):
        return timedelta(seconds=int(found.group(1))) or None
    until, sent = http_date(headers.get("expires", "")), http_date(headers.get("date", ""))
    return until - sent if until and sent and until > sent else None


def http_date(value: str) -> datetime | None:
    """An instant as HTTP writes it; None where it cannot be read."""
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
