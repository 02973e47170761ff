"""Slots: which of them were handled, by an edition or by a note why there is none."""

from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, select

from digest.model import Period
from digest.storage.schema import editions, skipped_slots
from digest.storage.upsert import insert_ignore


@dataclass(frozen=True, slots=True)
class SkippedSlot:
    """A release for which no edition was made; `at` is when that was noted."""

    newsletter: str
    period: Period
    date: Date
    note: str
    at: datetime


def handled_days(conn: Connection, newsletter: str, period: Period, since: Date) -> set[Date]:
    """Days not earlier than `since` that have an edition in whatever state, or a note."""
    days = conn.execute(_days(editions, newsletter, period, since).union(
        _days(skipped_slots, newsletter, period, since))).scalars()
    return {Date.fromisoformat(day) for day in days}


def skip(conn: Connection, newsletter: str, period: Period, date: Date, note: str, now: datetime) -> bool:
    """Notes why a slot has no edition; False where it has a note already. The first note stays."""
    row = {"newsletter": newsletter, "period": period, "date": date.isoformat(), "note": note, "at": now}
    return bool(insert_ignore(conn, skipped_slots, [row]))


def skipped(conn: Connection, newsletter: str, limit: int = 30) -> list[SkippedSlot]:
    """The newest skipped slots of both periods that have no edition, newest first."""
    slot, made = skipped_slots.c, editions.c
    same = and_(made.newsletter == slot.newsletter, made.period == slot.period, made.date == slot.date)
    without = ~select(made.id).where(same).correlate(skipped_slots).exists()
    rows = conn.execute(
        select(skipped_slots).where(slot.newsletter == newsletter, without)
        .order_by(slot.date.desc(), slot.period).limit(limit))
    return [SkippedSlot(row.newsletter, Period(row.period), Date.fromisoformat(row.date), row.note, row.at)
            for row in rows]


def _days(table: Table, newsletter: str, period: Period, since: Date) -> Select[Any]:
    return select(table.c.date).where(
        table.c.newsletter == newsletter, table.c.period == period, table.c.date >= since.isoformat())
