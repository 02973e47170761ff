"""Rates: at most so many mails in any second, minute and hour. Pure; what remembers them is `services.rates`.

A record keeps, for each period, when mails went. Mails of one twentieth of a period stand there together, under the
latest of them, so that a record stays short and never forgets too early: a limit is never passed, and up to a
twentieth of it may be left unused.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from digest.settings import Limits

PERIODS = {"second": 1.0, "minute": 60.0, "hour": 3600.0}
SLOTS = 20  # to a period


@dataclass(frozen=True, slots=True)
class Record:
    """What went of one scope: for each period (instant in seconds, mails), oldest first."""

    went: Mapping[str, tuple[tuple[float, int], ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> "Record":
        """From the JSON of `text`; "" is an empty record."""
        return cls({period: tuple((at, count) for at, count in entries)
                    for period, entries in (json.loads(text) if text else {}).items()})

    def __str__(self) -> str:
        return json.dumps(self.went, separators=(",", ":"))


def wait_seconds(record: Record, limits: Limits, now: float) -> float:
    """How long until one more mail may go; 0 where it may at once. `now` in seconds."""
    return max((_wait(_recent(record, period, now), PERIODS[period], most, now)
                for period, most in _limits(limits).items()), default=0.0)


def counted(record: Record, limits: Limits, now: float) -> Record:
    """The record with one more mail, without what no longer matters."""
    return Record({period: _add(_recent(record, period, now), PERIODS[period], now) for period in _limits(limits)})


def spacing_seconds(limits: Limits) -> float:
    """How far apart mails go at the full rate; 0 without limits."""
    return max((PERIODS[period] / most for period, most in _limits(limits).items()), default=0.0)


def _limits(limits: Limits) -> dict[str, int]:
    every = {"second": limits.per_second, "minute": limits.per_minute, "hour": limits.per_hour}
    return {period: most for period, most in every.items() if most}


def _recent(record: Record, period: str, now: float) -> tuple[tuple[float, int], ...]:
    """The entries within the period before `now`. Those after it count too: a clock may have been set back."""
    return tuple(entry for entry in record.went.get(period, ()) if entry[0] > now - PERIODS[period])


def _wait(entries: tuple[tuple[float, int], ...], seconds: float, most: int, now: float) -> float:
    room = most - sum(count for _, count in entries)
    for at, count in entries:
        if room > 0:
            return 0.0
        room += count
        if room > 0:
            return min(at + seconds - now, seconds)
    return 0.0


def _add(entries: tuple[tuple[float, int], ...], seconds: float, now: float) -> tuple[tuple[float, int], ...]:
    slot = seconds / SLOTS
    if entries and entries[-1][0] // slot == now // slot:
        return (*entries[:-1], (now, entries[-1][1] + 1))
    return (*entries, (now, 1))
