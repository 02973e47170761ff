"""The ledger as operators look at it: rows without their messages, and what a person decides about them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Update, and_, func, or_, select, update

from digest.model import DeliveryState
from digest.storage.schema import deliveries
from digest.storage.schema.ledger import WAITING

SENDING = DeliveryState.SENDING.value


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One delivery. `holder` names who sends it, or sent it when its outcome was lost."""

    id: int
    subject: str
    channel: str
    target: str
    state: DeliveryState
    phase: str | None
    message_id: str
    attempts: int
    due_at: datetime
    next_attempt_at: datetime
    attempted_at: datetime | None
    sent_at: datetime | None
    holder: str | None
    last_error: str | None


_COLUMNS = (
    deliveries.c.id, deliveries.c.subject, deliveries.c.channel, deliveries.c.target, deliveries.c.state,
    deliveries.c.phase,
    deliveries.c.mail_id, deliveries.c.attempts, deliveries.c.due_at, deliveries.c.next_attempt_at,
    deliveries.c.attempted_at, deliveries.c.sent_at, deliveries.c.lease_holder, deliveries.c.last_error)


def rows(conn: Connection, *, states: Collection[DeliveryState] = (), subject: str | None = None,
         target: str | None = None, limit: int | None = None) -> list[LedgerRow]:
    """Rows in some states (none given: in any), of a subject, for an address: newest first."""
    wanted: list[Any] = [deliveries.c.state.in_([state.value for state in states])] if states else []
    if subject is not None:
        wanted.append(deliveries.c.subject == subject)
    if target is not None:
        wanted.append(deliveries.c.target == target)
    return _read(conn, wanted, deliveries.c.id.desc(), limit)


def overdue(conn: Connection, since: datetime, limit: int) -> list[LedgerRow]:
    """Rows that have been waiting to be taken since before `since`, the longest first."""
    return _read(conn, [WAITING, deliveries.c.next_attempt_at < since], deliveries.c.next_attempt_at, limit)


def sending_since(conn: Connection, since: datetime, ended: Collection[str], now: datetime) -> list[LedgerRow]:
    """Rows being sent since before `since`, by a holder that has `ended`, or whose lease is over."""
    left = or_(deliveries.c.attempted_at < since, deliveries.c.lease_holder.in_(ended), deliveries.c.lease_until < now)
    return _read(conn, [and_(deliveries.c.state == SENDING, left)], deliveries.c.id, None)


def counts(conn: Connection, subject: str | None = None) -> dict[str, dict[DeliveryState, int]]:
    """How many rows each subject has in each state; the subject queued last comes first."""
    statement = select(deliveries.c.subject, deliveries.c.state, func.count(), func.max(deliveries.c.id)).group_by(
        deliveries.c.subject, deliveries.c.state).order_by(func.max(deliveries.c.id).desc())
    if subject is not None:
        statement = statement.where(deliveries.c.subject == subject)
    found: dict[str, dict[DeliveryState, int]] = {}
    for name, state, count, _ in conn.execute(statement):
        found.setdefault(name, {})[DeliveryState(state)] = count
    return found


def ids_in(conn: Connection, subject: str, states: Collection[DeliveryState]) -> list[int]:
    """The ids of a subject's rows in some states."""
    return list(conn.execute(select(deliveries.c.id).where(
        deliveries.c.subject == subject, deliveries.c.state.in_([state.value for state in states]))
        .order_by(deliveries.c.id)).scalars())


def settle_arrived(conn: Connection, ids: Collection[int], note: str, now: datetime) -> set[int]:
    """Calls uncertain rows sent, because somebody found out that they arrived; returns those that it changed."""
    return _changed(conn, update(deliveries).where(_in(ids, DeliveryState.UNCERTAIN)).values(
        state=DeliveryState.SENT.value, phase=None, lease_holder=None, lease_until=None, sent_at=now, last_error=note))


def queue_again(conn: Connection, ids: Collection[int], states: Collection[DeliveryState], note: str, now: datetime
                ) -> set[int]:
    """Has rows in some states tried again now, with three more days; returns those that it changed.

    Their Message-ID stays, so that a reader's server may know a second copy.
    """
    return _changed(conn, update(deliveries).where(_in(ids, *states)).values(
        state=DeliveryState.DEFERRED.value, phase=None, lease_holder=None, lease_until=None, due_at=now,
        next_attempt_at=now, attempts=0, last_error=note))


def _in(ids: Collection[int], *states: DeliveryState) -> Any:
    return and_(deliveries.c.id.in_(ids), deliveries.c.state.in_([state.value for state in states]))


def _changed(conn: Connection, statement: Update) -> set[int]:
    return set(conn.execute(statement.returning(deliveries.c.id)).scalars())


def _read(conn: Connection, conditions: list[Any], order: Any, limit: int | None) -> list[LedgerRow]:
    found = conn.execute(select(*_COLUMNS).where(*conditions).order_by(order).limit(limit))
    return [_row(row) for row in found]


def _row(row: Any) -> LedgerRow:
    return LedgerRow(row.id, row.subject, row.channel, row.target, DeliveryState(row.state), row.phase, row.mail_id,
                     row.attempts, row.due_at, row.next_attempt_at, row.attempted_at, row.sent_at, row.lease_holder,
                     row.last_error)
