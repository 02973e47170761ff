"""The delivery ledger: messages, and one row for each message and recipient. Who sends them is in `storage.claims`."""

import hashlib
import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from digest.model import Delivery, DeliveryState, Message
from digest.storage.schema import deliveries, messages
from digest.storage.schema.ledger import WAITING
from digest.storage.upsert import insert_ignore

SHELF = 64  # messages kept; of an edition there is one a variant
ROW = tuple(deliveries.c[name] for name in (  # what `read_rows` reads
    "id", "subject", "channel", "target", "state", "phase", "mail_id", "message_id", "unsubscribe", "due_at",
    "attempts", "last_error", "view_sha256"))
_STATES = {state.value: state for state in DeliveryState}


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
    return _message(row) if row else None


class Shelf:
    """Stored messages by their ids, each read once: a row of the ledger does not carry its 43 KB again.

    Keeps the last 64. Belongs to one thread at a time.
    """

    def __init__(self) -> None:
        self._messages: dict[str, Message] = {}

    def of(self, conn: Connection, ids: Collection[str]) -> dict[str, Message]:
        """The messages with these ids."""
        missing = [key for key in ids if key not in self._messages]
        for start in range(0, len(missing), SHELF):
            rows = conn.execute(select(messages).where(messages.c.id.in_(missing[start:start + SHELF])))
            self._messages.update({row.id: _message(row) for row in rows})
        found = {key: self._messages[key] for key in ids}
        if len(self._messages) > SHELF:
            kept = {**self._messages, **found}
            self._messages = dict(list(kept.items())[-SHELF:])
        return found


def insert(conn: Connection, *, subject: str, channel: str, target: str, message_id: str, mail_id: str,
           unsubscribe: str, due_at: datetime, now: datetime, view_sha256: str | None = None) -> bool:
    """Queues a row; True where it is new, False where (subject, channel, target) stands in the ledger already."""
    values = {
        "subject": subject, "channel": channel, "target": target, "message_id": message_id, "mail_id": mail_id,
        "unsubscribe": unsubscribe, "state": DeliveryState.QUEUED.value, "due_at": due_at, "next_attempt_at": due_at,
        "attempts": 0, "queued_at": now, "view_sha256": view_sha256, "urgent": int(not subject.startswith("edition:")),
    }
    return bool(insert_ignore(conn, deliveries, [values]))


def count_due(conn: Connection, now: datetime, subject: str | None = None) -> int:
    """How many rows (of one subject) are due or being sent."""
    due = (WAITING, deliveries.c.next_attempt_at <= now)
    sending = (deliveries.c.state == DeliveryState.SENDING.value,)
    of_subject = () if subject is None else (deliveries.c.subject == subject,)
    return sum(conn.execute(select(func.count()).select_from(deliveries).where(*rows, *of_subject)).scalar_one()
               for rows in (due, sending))


def is_open(conn: Connection, now: datetime) -> bool:
    """Whether any row is due or being sent."""
    due = select(deliveries.c.id).where(WAITING, deliveries.c.next_attempt_at <= now)
    sending = select(deliveries.c.id).where(deliveries.c.state == DeliveryState.SENDING.value)
    return any(conn.execute(rows.limit(1)).first() for rows in (due, sending))


def count_by_state(conn: Connection, subject: str) -> dict[DeliveryState, int]:
    """How many rows of one subject are in each state."""
    rows = conn.execute(select(deliveries.c.state, func.count()).where(deliveries.c.subject == subject)
                        .group_by(deliveries.c.state))
    return {DeliveryState(state): count for state, count in rows}


def next_attempt_at(conn: Connection) -> datetime | None:
    """When the next waiting row is due; None where none waits."""
    return conn.execute(select(func.min(deliveries.c.next_attempt_at)).where(WAITING)).scalar()


def deliveries_of(conn: Connection, subject: str) -> list[Delivery]:
    """All rows of one subject ("edition:SLUG/DATE"), in the order in which they were queued."""
    return _read(conn, deliveries.c.subject == subject)


def deliveries_in(conn: Connection, state: DeliveryState, limit: int = 1000) -> list[Delivery]:
    """The first `limit` rows in one state."""
    return _read(conn, deliveries.c.state == state.value, limit)


def _message(row: Row[Any]) -> Message:
    return Message(row.subject, row.html, row.text, json.loads(row.headers))


def read_rows(conn: Connection, rows: Sequence[Row[Any]], shelf: Shelf | None = None) -> list[Delivery]:
    """Rows of the ledger as deliveries, in their order, each with its message."""
    found = (shelf or Shelf()).of(conn, {row.message_id for row in rows})
    return [_delivery(row, found[row.message_id]) for row in rows]


def _read(conn: Connection, condition: Any, limit: int | None = None) -> list[Delivery]:
    rows = conn.execute(select(*ROW).where(condition).order_by(deliveries.c.id).limit(limit)).all()
    return read_rows(conn, rows)


def _delivery(row: Row[Any], message: Message) -> Delivery:
    key, subject, channel, target, state, phase, mail_id, _, unsubscribe, due_at, attempts, error, view = row[:len(ROW)]
    return Delivery(
        id=key, subject=subject, channel=channel, target=target, state=_STATES[state], phase=phase, message_id=mail_id,
        message=message, unsubscribe=unsubscribe, due_at=due_at, attempts=attempts, last_error=error, view_sha256=view)
