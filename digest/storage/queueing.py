"""What queueing an edition reads and writes: readers in parts, what they got before, rows of the ledger in bulk."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select

from digest.model import DeliveryState, Period
from digest.pipeline.due import Released
from digest.storage.editions import RELEASED
from digest.storage.schema import deliveries, editions, subscriptions
from digest.storage.upsert import insert_ignore


def count_active(conn: Connection, newsletter: str) -> int:
    """How many active subscriptions a newsletter has."""
    own = and_(subscriptions.c.newsletter == newsletter, subscriptions.c.state == "active")
    return int(conn.execute(select(func.count()).select_from(subscriptions).where(own)).scalar_one())


def released_before(conn: Connection, newsletter: str, before: datetime, limit: int) -> list[Released]:
    """The newest editions of either period that were released before an instant, newest first."""
    at = func.coalesce(editions.c.release_at, editions.c.built_at)
    own = and_(editions.c.newsletter == newsletter, editions.c.state.in_(RELEASED), at < before)
    columns = (editions.c.period, editions.c.date, editions.c.release_at, editions.c.built_at)
    rows = conn.execute(select(*columns).where(own).order_by(at.desc(), editions.c.id.desc()).limit(limit))
    return [Released(Period(row.period), datetime.fromisoformat(row.date).date(), row.release_at or row.built_at)
            for row in rows]


def reached(
    conn: Connection, channel: str, targets: Collection[str], subjects: Collection[str]
) -> set[tuple[str, str]]:
    """(target, subject) of the rows of these subjects for these targets, but for mails that failed."""
    found = and_(deliveries.c.subject.in_(subjects), deliveries.c.channel == channel, deliveries.c.target.in_(targets),
                 deliveries.c.state != DeliveryState.FAILED.value)
    rows = conn.execute(select(deliveries.c.target, deliveries.c.subject).where(found))
    return {(row.target, row.subject) for row in rows}


def insert_rows(conn: Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> int:
    """Queues rows and says how many are new; those that stand in the ledger already stay as they are."""
    common = {"state": DeliveryState.QUEUED.value, "attempts": 0, "queued_at": now}
    return len(insert_ignore(conn, deliveries, [{**common, **row, "next_attempt_at": row["due_at"]} for row in rows]))
