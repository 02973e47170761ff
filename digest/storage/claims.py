"""Who is sending what: claims of the ledger's rows, their phases and their outcomes.

Every change of a row's state is one conditional UPDATE … RETURNING, so that two processes cannot both make it. A row
that is being sent belongs to the holder in `lease_holder`; `phase` says how far it got: "claimed", then "data" when the
end of the message may be written.
"""

import json
from collections.abc import Callable, Collection
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Integer,
    Update,
    and_,
    bindparam,
    case,
    or_,
    select,
    update,
)

from digest.model import Delivery, DeliveryState
from digest.storage.deliveries import ROW, Shelf, read_rows
from digest.storage.schema import deliveries
from digest.storage.schema.ledger import WAITING

LEASE_ENDED = "the process that was sending it ended"
SENDING, SENT, UNCERTAIN = (state.value for state in (
    DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNCERTAIN))


# Run for each group of mails, and so told to the driver itself: the ids are one value, for with as many values as ids
# each length is another statement to prepare, and no index but that of the ids is of use.
_OFTEN = {
    "sqlite": ("UPDATE deliveries NOT INDEXED", "IN (SELECT value FROM json_each(?))", "?"),
    "postgresql": ("UPDATE deliveries", "= ANY(%s)", "%s"),
}


@lru_cache(maxsize=2)
def _often(dialect: str) -> tuple[str, str]:
    """`mark_data`, with the ids and the holder to fill in; `mark_sent`, with the time before them."""
    start, among, value = _OFTEN[dialect]
    own = f"WHERE id {among} AND lease_holder = {value}"
    return (f"{start} SET phase = 'data' {own} AND state = '{SENDING}' AND phase = 'claimed' RETURNING id",
            f"{start} SET state = '{SENT}', phase = NULL, lease_holder = NULL, lease_until = NULL, sent_at = {value}, "
            f"last_error = NULL {own} AND state IN ('{SENDING}', '{UNCERTAIN}') RETURNING id")


@lru_cache(maxsize=2)
def _instant(dialect: Dialect) -> Callable[[datetime], Any]:
    """How an instant is told to the driver."""
    told: Any = deliveries.c.sent_at.type.bind_processor(dialect)
    return told or (lambda at: at)


def _changed_of(conn: Connection, statement: str, ids: Collection[int], *values: Any) -> set[int]:
    """Runs one of `_often` in the transaction of `conn`."""
    *before, holder = values
    among = list(ids) if conn.dialect.name == "postgresql" else json.dumps(list(ids))
    driver: Any = conn.connection.driver_connection  # of sqlite3 or psycopg: both know execute
    return {row[0] for row in driver.execute(statement, (*before, among, holder))}


def claim(conn: Connection, *, now: datetime, holder: str, until: datetime, limit: int, domain: str,
          subject: str | None = None, shelf: Shelf | None = None) -> list[Delivery]:
    """Up to `limit` due rows (of one subject), now held by `holder` until `until` in phase "claimed".

    Urgent ones first, then the longest due. The first claim fixes the Message-ID for good: the row's name at `domain`.
    Messages are read through `shelf`, where there is one.
    """
    rows: list[Delivery] = []
    for urgent in (1, 0):
        if len(rows) < limit:
            found = conn.execute(_claim(subject is not None), {
                "now": now, "holder": holder, "until": until, "limit": limit - len(rows), "domain": f"@{domain}",
                "of": subject, "bit": urgent}).all()
            found = sorted(found, key=lambda row: (row.next_attempt_at, row.id))
            rows += read_rows(conn, found, shelf)
    return rows


def mark_data(conn: Connection, ids: Collection[int], holder: str) -> set[int]:
    """Records that these messages are about to be written; returns those that may be.

    Of the others the lease was lost, and nothing may be written.
    """
    return _changed_of(conn, _often(conn.dialect.name)[0], ids, holder)


def mark_sent(conn: Connection, ids: Collection[int], holder: str, now: datetime) -> set[int]:
    """Records the server's acceptance, also where it came so late that the row was called uncertain."""
    return _changed_of(conn, _often(conn.dialect.name)[1], ids, _instant(conn.dialect)(now), holder)


def mark_deferred(conn: Connection, delivery_id: int, holder: str, *, until: datetime, error: str | None) -> bool:
    """Records that the row is tried again at `until`."""
    return _settle(conn, delivery_id, holder, state=DeliveryState.DEFERRED.value, phase=None,
                   next_attempt_at=until, last_error=error)


def mark_failed(conn: Connection, delivery_id: int, holder: str, error: str) -> bool:
    """Records that the row is not tried again by itself."""
    return _settle(conn, delivery_id, holder, state=DeliveryState.FAILED.value, phase=None, last_error=error)


def mark_uncertain(conn: Connection, delivery_id: int, holder: str, error: str) -> bool:
    """Records that the message may or may not have been handed over."""
    return _settle(conn, delivery_id, holder, state=UNCERTAIN, last_error=error)


def release(conn: Connection, ids: Collection[int], holder: str, *, until: datetime | None = None) -> set[int]:
    """Gives rows back that were not tried, whatever their phase, to be taken at `until` (None: as soon as before).

    The holder knows that nothing of them was written. The claim counts as no attempt.
    """
    before = case((deliveries.c.last_error.is_(None), DeliveryState.QUEUED.value), else_=DeliveryState.DEFERRED.value)
    values: dict[str, Any] = {} if until is None else {"next_attempt_at": until}
    return _changed(conn, update(deliveries).where(_held(ids, holder)).values(
        state=before, phase=None, lease_holder=None, lease_until=None, attempts=deliveries.c.attempts - 1, **values))


def renew(conn: Connection, holder: str, until: datetime) -> None:
    """Holds on to all rows of `holder` until `until`."""
    held = and_(deliveries.c.state == SENDING, deliveries.c.lease_holder == holder)
    conn.execute(update(deliveries).where(held).values(lease_until=until))


def holders(conn: Connection) -> set[str]:
    """Who holds rows that are being sent, alive or not."""
    names = select(deliveries.c.lease_holder).where(deliveries.c.state == SENDING).distinct()
    return {name for name in conn.execute(names).scalars() if name is not None}


def recover(conn: Connection, now: datetime, *, ended: Collection[str] = (), alive: Collection[str] = ()
            ) -> tuple[int, int]:
    """Settles rows that nobody is sending any more; returns how many are retried and how many uncertain.

    These are the rows of holders that are known to have `ended`, and those whose lease ended unless their holder is
    known to be `alive`. What had only been claimed is due at once, and the claim counts as no attempt; what may have
    been handed over is uncertain and never re-sent.
    """
    expired = and_(deliveries.c.lease_until < now, deliveries.c.lease_holder.not_in(alive))
    orphaned = select(deliveries.c.id).where(
        deliveries.c.state == SENDING, or_(deliveries.c.lease_holder.in_(ended), expired))
    ids = conn.execute(orphaned.order_by(deliveries.c.id).with_for_update(skip_locked=True)).scalars().all()
    if not ids:
        return 0, 0
    mine = and_(deliveries.c.id.in_(ids), deliveries.c.state == SENDING)
    uncertain = _changed(conn, update(deliveries).where(mine, deliveries.c.phase == "data").values(
        state=UNCERTAIN, last_error=f"{LEASE_ENDED}; the server's answer is not known"))
    retried = _changed(conn, update(deliveries).where(mine, deliveries.c.phase == "claimed").values(
        state=DeliveryState.DEFERRED.value, phase=None, lease_holder=None, lease_until=None,
        attempts=deliveries.c.attempts - 1, last_error=LEASE_ENDED))
    return len(retried), len(uncertain)


@lru_cache(maxsize=2)
def _claim(of_one_subject: bool) -> Any:
    """The limit stands in a common table: in a plain subquery PostgreSQL may take it more than once."""
    now = bindparam("now", type_=deliveries.c.attempted_at.type)
    due: list[Any] = [WAITING, deliveries.c.urgent == bindparam("bit"), deliveries.c.next_attempt_at <= now]
    if of_one_subject:
        due.append(deliveries.c.subject == bindparam("of"))
    first = select(deliveries.c.id).where(*due).order_by(deliveries.c.next_attempt_at, deliveries.c.id).limit(
        bindparam("limit", type_=Integer)).with_for_update(skip_locked=True).cte("first")
    mail_id = case((deliveries.c.mail_id.contains("@"), deliveries.c.mail_id),
                   else_=deliveries.c.mail_id.concat(bindparam("domain")))
    return update(deliveries).where(deliveries.c.id.in_(select(first.c.id)), WAITING).values(
        state=SENDING, phase="claimed", lease_holder=bindparam("holder"), lease_until=bindparam("until"),
        attempted_at=now, attempts=deliveries.c.attempts + 1, mail_id=mail_id,
        ).returning(*ROW, deliveries.c.next_attempt_at)


def _held(ids: Collection[int], holder: str) -> ColumnElement[bool]:
    return and_(deliveries.c.id.in_(ids), deliveries.c.lease_holder == holder, deliveries.c.state == SENDING)


def _settle(conn: Connection, delivery_id: int, holder: str, **values: Any) -> bool:
    return bool(_changed(conn, update(deliveries).where(_held([delivery_id], holder)).values(
        lease_holder=None, lease_until=None, **values)))


def _changed(conn: Connection, statement: Update) -> set[int]:
    return set(conn.execute(statement.returning(deliveries.c.id)).scalars())
