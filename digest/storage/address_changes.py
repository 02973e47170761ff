"""Changes of a subscriber's address, and what moves with one."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from digest.alert_rules import MAIL
from digest.model import AddressChange
from digest.storage.schema import (
    address_changes,
    alert_channels,
    alert_rules,
    bundle_alerts,
    deliveries,
    subscribers,
    subscriptions,
)
from digest.storage.schema.ledger import WAITING


def insert_change(conn: Connection, subscriber_id: int, email: str, language: str, now: datetime) -> AddressChange:
    """Stores a wish; one of the subscriber that is still open is cancelled by it."""
    conn.execute(update(address_changes).where(
        address_changes.c.subscriber_id == subscriber_id, address_changes.c.state == "open").values(state="cancelled"))
    values = {"subscriber_id": subscriber_id, "email": email, "language": language, "asked_at": now, "state": "open"}
    statement = insert(address_changes).values(values).returning(address_changes)
    return _change(conn.execute(statement).one())


def change_by_id(conn: Connection, change_id: int) -> AddressChange | None:
    """The change with an id; None where there is none."""
    row = conn.execute(select(address_changes).where(address_changes.c.id == change_id)).one_or_none()
    return _change(row) if row else None


def changes_of(conn: Connection, subscriber_id: int) -> list[AddressChange]:
    """All changes of a subscriber, oldest first."""
    rows = conn.execute(select(address_changes).where(
        address_changes.c.subscriber_id == subscriber_id).order_by(address_changes.c.id))
    return [_change(row) for row in rows]


def confirm(conn: Connection, change_id: int, side: str, now: datetime) -> None:
    """Notes that a mailbox, "old" or "new", confirmed a change. The first time counts."""
    column = address_changes.c[f"{side}_confirmed_at"]
    conn.execute(update(address_changes).where(
        address_changes.c.id == change_id, address_changes.c.state == "open", column.is_(None)).values({column: now}))


def set_state(conn: Connection, change_id: int, state: str) -> bool:
    """Ends an open change; False where it is over or does not exist."""
    statement = update(address_changes).where(address_changes.c.id == change_id, address_changes.c.state == "open")
    return conn.execute(statement.values(state=state).returning(address_changes.c.id)).one_or_none() is not None


def set_email(conn: Connection, subscriber_id: int, email: str) -> None:
    """Gives a subscriber another normalised address, which nobody else has."""
    conn.execute(update(subscribers).where(subscribers.c.id == subscriber_id).values(email=email))


def move_subscription(conn: Connection, subscription_id: int, subscriber_id: int) -> None:
    """Gives a subscription to another subscriber, who has none for its newsletter."""
    conn.execute(update(subscriptions).where(
        subscriptions.c.id == subscription_id).values(subscriber_id=subscriber_id))


def move_rules(conn: Connection, subscriber_id: int, to: int) -> None:
    """Gives all alert rules of a subscriber to another."""
    conn.execute(update(alert_rules).where(alert_rules.c.owner_id == subscriber_id).values(owner_id=to))


def move_targets(conn: Connection, old: str, new: str) -> None:
    """Sends what alert rules send to an address, and what waits to be told to it, to another."""
    for table, kind in ((alert_channels, alert_channels.c.kind), (bundle_alerts, bundle_alerts.c.channel)):
        owner = table.c.rule_id if table is alert_channels else table.c.alert_id
        known = select(owner).where(kind == MAIL, table.c.target == new).scalar_subquery()
        waits = [table.c.bundle_id.is_(None)] if table is bundle_alerts else []
        old_ones = (kind == MAIL, table.c.target == old, *waits)
        conn.execute(update(table).where(*old_ones, owner.not_in(known)).values(target=new))


def move_waiting_mail(conn: Connection, old: str, new: str) -> None:
    """Sends what waits for an address to another, but for notices, which are about the address itself."""
    standing = select(deliveries.c.subject).where(deliveries.c.target == new, deliveries.c.channel == "mail")
    conn.execute(update(deliveries).where(
        deliveries.c.target == old, deliveries.c.channel == "mail", WAITING,
        deliveries.c.subject.not_like("notice:%"), deliveries.c.subject.not_in(standing)).values(target=new))


def _change(row: Row[Any]) -> AddressChange:
    return AddressChange(row.id, row.subscriber_id, row.email, row.language, row.asked_at, row.old_confirmed_at,
                         row.new_confirmed_at, row.state)
