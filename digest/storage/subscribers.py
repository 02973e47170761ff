"""Subscribers and their subscriptions."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from digest.model import Frequency, Preferences, Subscriber, Subscription
from digest.storage.schema import newsletters, subscribers, subscriptions
from digest.storage.upsert import insert_ignore

_COLUMNS = (
    subscriptions, subscribers.c.email, subscribers.c.consent_source, subscribers.c.created_at.label("known_since"))


def insert_subscriber(conn: Connection, email: str, consent_source: str, now: datetime) -> None:
    """Stores a subscriber; one who is known stays as stored. Idempotent."""
    insert_ignore(conn, subscribers, [{"email": email, "consent_source": consent_source, "created_at": now}])


def subscriber_by_email(conn: Connection, email: str) -> Subscriber | None:
    """The subscriber with a normalised address; None where there is none."""
    row = conn.execute(select(subscribers).where(subscribers.c.email == email)).one_or_none()
    return Subscriber(row.id, row.email, row.consent_source, row.created_at) if row else None


def subscriber_by_id(conn: Connection, subscriber_id: int) -> Subscriber | None:
    """The subscriber with an id; None where there is none."""
    row = conn.execute(select(subscribers).where(subscribers.c.id == subscriber_id)).one_or_none()
    return Subscriber(row.id, row.email, row.consent_source, row.created_at) if row else None


def set_consent_source(conn: Connection, subscriber_id: int, consent_source: str) -> None:
    """Records a later and stronger consent of a subscriber."""
    conn.execute(update(subscribers).where(subscribers.c.id == subscriber_id).values(consent_source=consent_source))


def insert_subscription(conn: Connection, subscriber_id: int, newsletter: str, state: str, now: datetime) -> bool:
    """Stores a subscription; False where the subscriber has one for this newsletter, which stays as it is."""
    values = {"subscriber_id": subscriber_id, "newsletter": newsletter, "state": state, "created_at": now,
              "changed_at": now, "hidden_sections": "[]"}
    return bool(insert_ignore(conn, subscriptions, [values]))


def set_state(conn: Connection, subscription_id: int, state: str, now: datetime) -> bool:
    """Moves a subscription to `state`; False where it is there already or does not exist."""
    statement = update(subscriptions).where(
        subscriptions.c.id == subscription_id, subscriptions.c.state != state).values(state=state, changed_at=now)
    return conn.execute(statement.returning(subscriptions.c.id)).one_or_none() is not None


def set_preferences(
    conn: Connection, subscription_id: int, preferences: Preferences, hidden_sections: tuple[str, ...]
) -> bool:
    """Stores how a reader wants a newsletter; False where there is no such subscription. Idempotent."""
    statement = update(subscriptions).where(subscriptions.c.id == subscription_id).values(
        **columns_of(preferences, hidden_sections))
    return conn.execute(statement.returning(subscriptions.c.id)).one_or_none() is not None


def subscription_by_id(conn: Connection, subscription_id: int) -> Subscription | None:
    """The subscription with an id; None where there is none."""
    return _one(conn, subscriptions.c.id == subscription_id)


def subscription_of(conn: Connection, email: str, newsletter: str) -> Subscription | None:
    """A normalised address's subscription to a newsletter, in whatever state; None where there is none."""
    return _one(conn, (subscribers.c.email == email) & (subscriptions.c.newsletter == newsletter))


def changed_at(conn: Connection, subscription_id: int) -> datetime | None:
    """When the subscription's state last changed; None where there is no such subscription."""
    return conn.execute(
        select(subscriptions.c.changed_at).where(subscriptions.c.id == subscription_id)).scalar_one_or_none()


def subscriptions_to(conn: Connection, newsletter: str, state: str | None = None) -> list[Subscription]:
    """Subscriptions to a newsletter in one state (None: in any), by id."""
    statement = select_subscriptions().where(subscriptions.c.newsletter == newsletter).order_by(subscriptions.c.id)
    statement = statement.where(subscribers.c.erased_at.is_(None))
    if state is not None:
        statement = statement.where(subscriptions.c.state == state)
    return [subscription_from(row) for row in conn.execute(statement)]


def active_after(conn: Connection, newsletter: str, *, after: int, limit: int) -> list[tuple[Subscription, datetime]]:
    """Up to `limit` active subscriptions with ids over `after`, by id, each with when it became active."""
    active = (subscriptions.c.newsletter == newsletter, subscriptions.c.state == "active", subscriptions.c.id > after)
    ids = select(subscriptions.c.id).where(*active).order_by(subscriptions.c.id).limit(limit).scalar_subquery()
    rows = conn.execute(select_subscriptions().where(subscriptions.c.id.in_(ids)).order_by(subscriptions.c.id))
    return [(subscription_from(row), row.changed_at) for row in rows]


def subscriptions_by(conn: Connection, subscriber_id: int) -> list[Subscription]:
    """All subscriptions of one subscriber, by newsletter."""
    statement = select_subscriptions().where(subscriptions.c.subscriber_id == subscriber_id)
    statement = statement.order_by(subscriptions.c.newsletter)
    return [subscription_from(row) for row in conn.execute(statement)]


def all_subscribers(conn: Connection) -> list[Subscriber]:
    """All subscribers but those who were erased, by address."""
    rows = conn.execute(select(subscribers).where(subscribers.c.erased_at.is_(None)).order_by(subscribers.c.email))
    return [Subscriber(row.id, row.email, row.consent_source, row.created_at) for row in rows]


@dataclass(frozen=True, slots=True)
class Listing:
    """What of a subscription says why its reader gets a mail; `name` is the newsletter's."""

    name: str
    newsletter: str
    state: str
    consent_source: str


def listings(conn: Connection, ids: Collection[int]) -> dict[int, Listing]:
    """What the subscriptions with some ids are of. At most 10,000 at a time, for SQLite's sake."""
    if not ids:
        return {}
    rows = conn.execute(
        select(subscriptions.c.id, func.coalesce(newsletters.c.name, subscriptions.c.newsletter),
               subscriptions.c.newsletter, subscriptions.c.state, subscribers.c.consent_source)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .outerjoin(newsletters, newsletters.c.slug == subscriptions.c.newsletter)
        .where(subscriptions.c.id.in_(ids)))
    return {row[0]: Listing(*row[1:]) for row in rows}


def newsletter_name(conn: Connection, slug: str) -> str | None:
    """The name of a newsletter as readers know it; None where it is not mirrored."""
    return conn.execute(select(newsletters.c.name).where(newsletters.c.slug == slug)).scalar_one_or_none()


def select_subscriptions() -> Any:
    """A SELECT of subscriptions with what `subscription_from` needs of their subscribers."""
    return select(*_COLUMNS).join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)


def _one(conn: Connection, condition: Any) -> Subscription | None:
    row = conn.execute(select_subscriptions().where(condition)).one_or_none()
    return subscription_from(row) if row else None


def subscription_from(row: Row[Any]) -> Subscription:
    """The subscription of a row of `select_subscriptions`."""
    subscriber = Subscriber(row.subscriber_id, row.email, row.consent_source, row.known_since)
    return Subscription(row.id, subscriber, row.newsletter, row.state, row.created_at,
                        tuple(json.loads(row.hidden_sections)), _preferences(row))


def _preferences(row: Row[Any]) -> Preferences:
    return Preferences(
        Frequency(row.frequency), date.fromisoformat(row.paused_until) if row.paused_until else None, row.hour,
        row.zone, row.language, tuple(json.loads(row.read_languages)), row.format)


def columns_of(preferences: Preferences, hidden_sections: tuple[str, ...]) -> dict[str, Any]:
    """The columns of a subscription that hold how its reader wants it."""
    paused = preferences.paused_until
    return {
        "hidden_sections": json.dumps(hidden_sections), "frequency": preferences.frequency.value,
        "paused_until": paused.isoformat() if paused else None,
        "hour": preferences.hour, "zone": preferences.zone, "language": preferences.language,
        "read_languages": json.dumps(preferences.read), "format": preferences.format}
