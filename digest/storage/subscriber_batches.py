"""Many subscribers at once, for imports and exports: a few statements for a batch, whatever its size."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from digest.model import UNCONFIRMED, Preferences, Subscription
from digest.storage.schema import subscribers, subscriptions
from digest.storage.subscribers import (
    columns_of,
    select_subscriptions,
    set_consent_source,
    subscription_from,
)
from digest.storage.upsert import insert_ignore

PAGE = 1000  # subscriptions read at a time


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """A subscription that is to be stored."""

    subscriber_id: int
    newsletter: str
    state: str
    created_at: datetime
    preferences: Preferences
    hidden_sections: tuple[str, ...]


def ensure_all(conn: Connection, rows: Mapping[str, tuple[str, datetime]]) -> dict[str, int]:
    """Stores the subscribers of these addresses with (consent source, since) where they are new; the ids of all.

    Who asked and never confirmed has the consent of the row from now on.
    """
    known = {row.email: row for row in _of(conn, list(rows))}
    new = [{"email": email, "consent_source": consent, "created_at": since}
           for email, (consent, since) in rows.items() if email not in known]
    for email, row in known.items():
        if row.consent_source == UNCONFIRMED:
            set_consent_source(conn, row.id, rows[email][0])
    insert_ignore(conn, subscribers, new)
    added = _of(conn, [str(row["email"]) for row in new]) if new else []
    return {row.email: row.id for row in (*known.values(), *added)}


def _of(conn: Connection, emails: Sequence[str]) -> Sequence[Any]:
    columns = (subscribers.c.email, subscribers.c.id, subscribers.c.consent_source)
    return conn.execute(select(*columns).where(subscribers.c.email.in_(emails))).all()


def states_of(conn: Connection, subscriber_ids: Sequence[int]) -> dict[tuple[int, str], tuple[int, str]]:
    """Ids and states of the subscriptions of some subscribers, by subscriber and newsletter."""
    rows = conn.execute(
        select(subscriptions.c.id, subscriptions.c.subscriber_id, subscriptions.c.newsletter, subscriptions.c.state)
        .where(subscriptions.c.subscriber_id.in_(subscriber_ids)))
    return {(row.subscriber_id, row.newsletter): (row.id, row.state) for row in rows}


def insert_all(conn: Connection, rows: Sequence[NewSubscription], now: datetime) -> None:
    """Stores subscriptions; where a subscriber has one for the newsletter, that one stays."""
    insert_ignore(conn, subscriptions, [{
        "subscriber_id": row.subscriber_id, "newsletter": row.newsletter, "state": row.state,
        "created_at": row.created_at, "changed_at": now, **columns_of(row.preferences, row.hidden_sections),
    } for row in rows])


def move_all(conn: Connection, ids: Sequence[int], state: str, now: datetime) -> None:
    """Moves subscriptions to a state."""
    if ids:
        conn.execute(update(subscriptions).where(subscriptions.c.id.in_(ids)).values(state=state, changed_at=now))


def count(conn: Connection, newsletter: str | None = None, state: str | None = None) -> int:
    """How many subscriptions `pages` would give."""
    joined = subscriptions.join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
    query = select(func.count()).select_from(joined).where(*_conditions(newsletter, state))
    return int(conn.execute(query).scalar_one())


def pages(conn: Connection, newsletter: str | None = None, state: str | None = None) -> Iterator[list[Subscription]]:
    """All subscriptions (to one newsletter, in one state), by id, a thousand at a time."""
    conditions = _conditions(newsletter, state)
    after = 0
    while True:
        statement = select_subscriptions().where(subscriptions.c.id > after, *conditions)
        page = [subscription_from(row) for row in conn.execute(statement.order_by(subscriptions.c.id).limit(PAGE))]
        if not page:
            return
        yield page
        after = page[-1].id


def _conditions(newsletter: str | None, state: str | None) -> list[Any]:
    conditions: list[Any] = [subscribers.c.erased_at.is_(None)]
    conditions += [subscriptions.c.newsletter == newsletter] if newsletter else []
    conditions += [subscriptions.c.state == state] if state else []
    return conditions
