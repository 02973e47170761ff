"""What queueing an edition reads and writes: readers in parts, what they got before, rows of the ledger in bulk."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select

from digest.model import DeliveryState, Period
from digest.pipeline.due import Released
from digest.storage.editions import RELEASED
from digest.storage.schema import deliveries, editions, messages, subscriptions
from digest.storage.upsert import insert_quietly


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


@dataclass(frozen=True, slots=True)
class Reached:
    """Somebody whom a mail reached or will reach, and what kind of mail it is."""

    id: int  # of the row
    target: str
    unsubscribe: str
    text_only: bool
    language: str  # of the mail's interface; "" where it names none


def reached_by(conn: Connection, subject: str, channel: str, *, after: int, limit: int) -> list[Reached]:
    """Up to `limit` rows of a subject with ids over `after`, by id, but for mails that failed."""
    own = and_(deliveries.c.subject == subject, deliveries.c.channel == channel, deliveries.c.id > after,
               deliveries.c.state != DeliveryState.FAILED.value)
    columns = (deliveries.c.id, deliveries.c.target, deliveries.c.unsubscribe, messages.c.headers,
               (messages.c.html == "").label("text_only"))
    rows = conn.execute(select(*columns).join(messages, messages.c.id == deliveries.c.message_id).where(own)
                        .order_by(deliveries.c.id).limit(limit))
    return [Reached(row.id, row.target, row.unsubscribe, bool(row.text_only),
                    json.loads(row.headers).get("Content-Language", "")) for row in rows]


def lock_edition(conn: Connection, edition_id: int) -> None:
    """Waits until nobody else queues this edition or works on it at the desk, until the end of the transaction."""
    conn.execute(select(editions.c.id).where(editions.c.id == edition_id).with_for_update())


def insert_rows(
    conn: Connection, subject: str, channel: str, rows: Sequence[Mapping[str, Any]], now: datetime
) -> int:
    """Queues rows of one subject and says how many are new; those that stand in the ledger already stay as they are.

    The count is exact where nobody else queues the subject meanwhile: see `lock_edition`.
    """
    own = and_(deliveries.c.subject == subject, deliveries.c.channel == channel,
               deliveries.c.target.in_([row["target"] for row in rows]))
    known = conn.execute(select(func.count()).select_from(deliveries).where(own)).scalar_one()
    common = {"subject": subject, "channel": channel, "state": DeliveryState.QUEUED.value, "attempts": 0,
              "queued_at": now}
    insert_quietly(conn, deliveries, [{**common, **row, "next_attempt_at": row["due_at"]} for row in rows])
    return len(rows) - int(known)
