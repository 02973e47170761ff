"""The delivery ledger: messages, and one row for each message and recipient.

Every change of a row's state is one conditional UPDATE … RETURNING, so that two processes cannot both make it.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, case, func, or_, select, update

from digest.model import Delivery, DeliveryState, Message
from digest.storage.schema import deliveries, messages
from digest.storage.upsert import insert_ignore

WAITING = (DeliveryState.QUEUED.value, DeliveryState.DEFERRED.value)
LEASE_ENDED = "the process that was sending it ended"


def store_message(conn: Connection, message: Message) -> str:
    """Stores a message once and returns its id, the SHA-256 of its content. Idempotent."""
    headers = json.dumps(dict(message.headers), ensure_ascii=False, sort_keys=True)
    content = json.dumps([message.subject, message.html, message.text, headers], ensure_ascii=False)
    key = hashlib.sha256(content.encode()).hexdigest()
    values = {"id": key, "subject": message.subject, "html": message.html, "text": message.text, "headers": headers}
    insert_ignore(conn, messages, [values])
    return key


def load_message(conn: Connection, message_id: str) -> Message | None:
    """A stored message by its id; None where it is not stored."""
    row = conn.execute(select(messages).where(messages.c.id == message_id)).one_or_none()
    return Message(row.subject, row.html, row.text, json.loads(row.headers)) if row else None


def insert(conn: Connection, *, subject: str, channel: str, target: str, message_id: str, mail_id: str,
           unsubscribe: str, due_at: datetime, now: datetime, view_sha256: str | None = None) -> bool:
    """Queues a row; True where it is new, False where (subject, channel, target) stands in the ledger already."""
    values = {
        "subject": subject, "channel": channel, "target": target, "message_id": message_id, "mail_id": mail_id,
        "unsubscribe": unsubscribe, "state": DeliveryState.QUEUED.value, "due_at": due_at, "next_attempt_at": due_at,
        "attempts": 0, "queued_at": now, "view_sha256": view_sha256, "urgent": int(not subject.startswith("edition:")),
    }
    return bool(insert_ignore(conn, deliveries, [values]))


def recover(conn: Connection, now: datetime) -> tuple[int, int]:
    """Settles rows whose lease ended without an outcome; returns how many are retried and how many uncertain.

    What had only been claimed is due at once; what may have been handed over is uncertain and never re-sent.
    """
    ended = and_(deliveries.c.state == DeliveryState.SENDING.value, deliveries.c.lease_until < now)
    uncertain = conn.execute(
        update(deliveries).where(ended, deliveries.c.phase == "data")
        .values(state=DeliveryState.UNCERTAIN.value, last_error=f"{LEASE_ENDED}; the server's answer is not known")
        .returning(deliveries.c.id)).all()
    retried = conn.execute(
        update(deliveries).where(ended, deliveries.c.phase == "claimed")
        .values(state=DeliveryState.DEFERRED.value, phase=None, lease_holder=None, lease_until=None,
                next_attempt_at=now, last_error=LEASE_ENDED)
        .returning(deliveries.c.id)).all()
    return len(retried), len(uncertain)


def claim(conn: Connection, *, now: datetime, holder: str, until: datetime, limit: int, domain: str,
          subject: str | None = None) -> list[Delivery]:
    """Up to `limit` due rows, longest due first, now held by `holder` until `until` in phase "claimed".

    The first claim fixes the Message-ID for good: the row's name at `domain`.
    """
    due = select(deliveries.c.id).where(_due(now, subject)).order_by(
        deliveries.c.next_attempt_at, deliveries.c.id).limit(limit).with_for_update(skip_locked=True)
    mail_id = case((deliveries.c.mail_id.contains("@"), deliveries.c.mail_id),
                   else_=deliveries.c.mail_id.concat(f"@{domain}"))
    claimed = conn.execute(
        update(deliveries).where(deliveries.c.id.in_(due), deliveries.c.state.in_(WAITING))
        .values(state=DeliveryState.SENDING.value, phase="claimed", lease_holder=holder, lease_until=until,
                attempts=deliveries.c.attempts + 1, mail_id=mail_id)
        .returning(deliveries.c.id)).scalars().all()
    return _read(conn, deliveries.c.id.in_(claimed)) if claimed else []


def mark_data(conn: Connection, delivery_id: int, holder: str, until: datetime) -> bool:
    """Records that the message is about to be written; False where the lease was lost, and nothing may be written."""
    held = and_(deliveries.c.id == delivery_id, deliveries.c.lease_holder == holder,
                deliveries.c.state == DeliveryState.SENDING.value, deliveries.c.phase == "claimed")
    return _changed(conn, update(deliveries).where(held).values(phase="data", lease_until=until))


def mark_sent(conn: Connection, delivery_id: int, holder: str, now: datetime) -> bool:
    """Records the server's acceptance, also where it came so late that the row was called uncertain."""
    accepted = and_(deliveries.c.id == delivery_id, deliveries.c.lease_holder == holder,
                    deliveries.c.state.in_((DeliveryState.SENDING.value, DeliveryState.UNCERTAIN.value)))
    return _changed(conn, update(deliveries).where(accepted).values(
        state=DeliveryState.SENT.value, phase=None, lease_holder=None, lease_until=None, sent_at=now, last_error=None))


def mark_deferred(conn: Connection, delivery_id: int, holder: str, *, until: datetime, error: str | None) -> bool:
    """Records that the row is tried again at `until`."""
    return _settle(conn, delivery_id, holder, state=DeliveryState.DEFERRED.value, phase=None,
                   next_attempt_at=until, last_error=error)


def mark_failed(conn: Connection, delivery_id: int, holder: str, error: str) -> bool:
    """Records that the row is never tried again."""
    return _settle(conn, delivery_id, holder, state=DeliveryState.FAILED.value, phase=None, last_error=error)


def mark_uncertain(conn: Connection, delivery_id: int, holder: str, error: str) -> bool:
    """Records that the message may or may not have been handed over."""
    return _settle(conn, delivery_id, holder, state=DeliveryState.UNCERTAIN.value, last_error=error)


def count_due(conn: Connection, now: datetime, subject: str | None = None) -> int:
    """How many rows are due or being sent."""
    sending = deliveries.c.state == DeliveryState.SENDING.value
    if subject is not None:
        sending = and_(sending, deliveries.c.subject == subject)
    return int(conn.execute(
        select(func.count()).select_from(deliveries).where(or_(_due(now, subject), sending))).scalar_one())


def count_by_state(conn: Connection, subject: str) -> dict[DeliveryState, int]:
    """How many rows of one subject are in each state."""
    rows = conn.execute(select(deliveries.c.state, func.count()).where(deliveries.c.subject == subject)
                        .group_by(deliveries.c.state))
    return {DeliveryState(state): count for state, count in rows}


def next_attempt_at(conn: Connection) -> datetime | None:
    """When the next waiting row is due; None where none waits."""
    return conn.execute(select(func.min(deliveries.c.next_attempt_at)).where(deliveries.c.state.in_(WAITING))).scalar()


def deliveries_of(conn: Connection, subject: str) -> list[Delivery]:
    """All rows of one subject ("edition:SLUG/DATE"), in the order in which they were queued."""
    return _read(conn, deliveries.c.subject == subject)


def deliveries_in(conn: Connection, state: DeliveryState, limit: int = 1000) -> list[Delivery]:
    """The first `limit` rows in one state."""
    return _read(conn, deliveries.c.state == state.value, limit)


def _due(now: datetime, subject: str | None) -> Any:
    due = and_(deliveries.c.state.in_(WAITING), deliveries.c.next_attempt_at <= now)
    return due if subject is None else and_(due, deliveries.c.subject == subject)


def _settle(conn: Connection, delivery_id: int, holder: str, **values: Any) -> bool:
    held = and_(deliveries.c.id == delivery_id, deliveries.c.lease_holder == holder,
                deliveries.c.state == DeliveryState.SENDING.value)
    return _changed(conn, update(deliveries).where(held).values(lease_holder=None, lease_until=None, **values))


def _changed(conn: Connection, statement: Any) -> bool:
    return conn.execute(statement.returning(deliveries.c.id)).one_or_none() is not None


def _read(conn: Connection, condition: Any, limit: int | None = None) -> list[Delivery]:
    columns = (deliveries, messages.c.subject.label("title"), messages.c.html, messages.c.text, messages.c.headers)
    statement = select(*columns).join(messages, messages.c.id == deliveries.c.message_id).where(condition)
    rows: Sequence[Row[Any]] = conn.execute(statement.order_by(deliveries.c.id).limit(limit)).all()
    return [_delivery(row) for row in rows]


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id, subject=row.subject, channel=row.channel, target=row.target, state=DeliveryState(row.state),
        phase=row.phase, message_id=row.mail_id,
        message=Message(row.title, row.html, row.text, json.loads(row.headers)),
        unsubscribe=row.unsubscribe, due_at=row.due_at, attempts=row.attempts, last_error=row.last_error,
        view_sha256=row.view_sha256)

