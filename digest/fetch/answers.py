"""What answers of HTTP servers mean: refusals by name, how long to wait, what is no feed."""

import re
from collections.abc import Mapping

from digest.errors import FetchError
from digest.pipeline.hints import http_date

LASTING = frozenset({400, 401, 402, 404, 405, 406, 410, 451})  # answers that trying again soon does not change
NEVER_FEEDS = re.compile(r"\s*((image|video|audio|font)/|application/(pdf|zip|gzip)\b)", re.IGNORECASE)


def refused(url: str, status: int, headers: Mapping[str, str]) -> FetchError:
    """The error that stands for an answer which is neither 200 nor 304; `headers` has lower-case names."""
    if headers.get("cf-mitigated") == "challenge":
        return FetchError(url, "cloudflare_challenge", "is guarded by a Cloudflare challenge", status=status)
    return FetchError(url, f"http_{status}", f"answered {status}", permanent=status in LASTING, status=status,
                      retry_after_seconds=retry_after(headers) if status in {429, 503} else None)


def retry_after(headers: Mapping[str, str]) -> int | None:
    """Seconds of Retry-After (RFC 9110 §10.2.3); a date in it counts from the answer's own Date."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", value):
        return int(value)
    until, sent = http_date(value), http_date(headers.get("date", ""))
    return max(0, int((until - sent).total_seconds())) if until and sent else None


def check_kind(url: str, content_type: str) -> None:
    """Raises FetchError where the declared type can be no document, so that it is not even read."""
    if NEVER_FEEDS.match(content_type):
        raise FetchError(url, "not_a_feed", f"answered {content_type.partition(';')[0].strip()[:60]}", permanent=True)


def first_values(fields: list[tuple[str, str]]) -> dict[str, str]:
    """Headers by lower-case name; of one that came twice, the first."""
    return {name.lower(): value for name, value in reversed(fields)}
