"""What came back of sent mail, and the suppression list."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, or_, select, update

from digest.model import Bounce, BounceKind, Suppression
from digest.storage.schema import bounces, cursors, deliveries, subscribers, suppressions
from digest.storage.upsert import insert_ignore, upsert


def insert(conn: Connection, digest: str, bounce: Bounce) -> bool:
    """Stores a bounce; False where one with this digest is stored already, which stays as it is."""
    values = {
        "digest": digest, "at": bounce.at, "origin": bounce.origin, "kind": bounce.kind.value,
        "reason": bounce.reason, "target": bounce.target, "subject": bounce.subject, "code": bounce.code,
        "enhanced": bounce.enhanced, "text": bounce.text, "points": bounce.points}
    return bool(insert_ignore(conn, bounces, [values]))


def recent(conn: Connection, limit: int, target: str | None = None) -> list[Bounce]:
    """The newest bounces (of one address), newest first."""
    statement = select(bounces).order_by(bounces.c.at.desc(), bounces.c.id.desc()).limit(limit)
    if target is not None:
        statement = statement.where(bounces.c.target == target)
    return [_bounce(row) for row in conn.execute(statement)]


def counted(conn: Connection, target: str, since: datetime) -> list[Bounce]:
    """The bounces of an address with points since an instant and since its suppression was last lifted, oldest first.
    """
    lifted = conn.execute(select(suppressions.c.lifted_at).where(suppressions.c.target == target)).scalar()
    after = max(since, lifted) if lifted else since
    rows = conn.execute(select(bounces).where(
        bounces.c.target == target, bounces.c.points > 0, bounces.c.at > after).order_by(bounces.c.at, bounces.c.id))
    return [_bounce(row) for row in rows]


def suppress(conn: Connection, suppression: Suppression) -> bool:
    """Puts an address on the list; False where it stands there in force, and stays with its first reason."""
    if suppression_of(conn, suppression.target) is not None:
        return False
    values = {"target": suppression.target, "reason": suppression.reason, "note": suppression.note,
              "at": suppression.at, "lifted_at": None}
    upsert(conn, suppressions, [values])
    return True


def lift(conn: Connection, target: str, now: datetime) -> bool:
    """Takes an address off the list and forgets its points; False where it does not stand there."""
    statement = update(suppressions).where(
        suppressions.c.target == target, suppressions.c.lifted_at.is_(None)).values(lifted_at=now)
    return conn.execute(statement.returning(suppressions.c.target)).one_or_none() is not None


def suppression_of(conn: Connection, target: str) -> Suppression | None:
    """The suppression in force of a normalised address; None where there is none."""
    row = conn.execute(select(suppressions).where(
        suppressions.c.target == target, suppressions.c.lifted_at.is_(None))).one_or_none()
    return _suppression(row) if row else None


def suppressed_of(conn: Connection, targets: Sequence[str]) -> set[str]:
    """Those of some normalised addresses that are suppressed. At most 500 at a time, for SQLite's sake."""
    statement = select(suppressions.c.target).where(
        suppressions.c.target.in_(targets), suppressions.c.lifted_at.is_(None))
    return set(conn.execute(statement).scalars())


def suppressions_in_force(conn: Connection) -> list[Suppression]:
    """The suppression list, newest first."""
    rows = conn.execute(select(suppressions).where(suppressions.c.lifted_at.is_(None))
                        .order_by(suppressions.c.at.desc(), suppressions.c.target))
    return [_suppression(row) for row in rows]


def forget(conn: Connection, target: str) -> None:
    """Erases all that is stored here of an address. Idempotent."""
    conn.execute(delete(bounces).where(bounces.c.target == target))
    conn.execute(delete(suppressions).where(suppressions.c.target == target))


def delivery_named(conn: Connection, name: str, host: str) -> tuple[str, str] | None:
    """The target and subject of the delivery that a name of 32 digits is of; None for none.

    Its Message-ID is the name at `host`, or at one that the instance had before, which takes a look at every row.
    """
    mail_id = deliveries.c.mail_id
    for condition in (mail_id.in_([name, f"{name}@{host}"]), mail_id.startswith(f"{name}@", autoescape=True)):
        row = conn.execute(select(deliveries.c.target, deliveries.c.subject).where(condition).limit(1)).one_or_none()
        if row:
            return row.target, row.subject
    return None


def position(conn: Connection, name: str) -> int:
    """How far a mailbox has been read: the number of the last mail taken in; 0 for none."""
    return conn.execute(select(cursors.c.position).where(cursors.c.name == name)).scalar() or 0


def set_position(conn: Connection, name: str, position: int) -> None:
    """Remembers how far a mailbox has been read."""
    upsert(conn, cursors, [{"name": name, "position": position}])


def is_ours(conn: Connection, target: str) -> bool:
    """Whether a normalised address is a subscriber's or one that something was ever mailed to."""
    known = or_(exists().where(subscribers.c.email == target), exists().where(deliveries.c.target == target))
    return bool(conn.execute(select(known)).scalar())


def _bounce(row: Row[Any]) -> Bounce:
    return Bounce(row.at, row.origin, BounceKind(row.kind), row.reason, row.target, row.subject, row.code,
                  row.enhanced, row.text, row.points)


def _suppression(row: Row[Any]) -> Suppression:
    return Suppression(row.target, row.reason, row.note, row.at)
