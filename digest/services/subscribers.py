"""Who reads what: adding, finding and leaving. How readers come by themselves is in `sign_ups`."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from digest.errors import NotFound
from digest.model import UNCONFIRMED, Subscriber, Subscription
from digest.services.addresses import normalise_address
from digest.storage import subscribers as storage


def ensure(conn: Connection, email: str, consent_source: str, now: datetime) -> Subscriber:
    """The subscriber with this address, stored at first sight. Idempotent; raises AddressRefused.

    `consent_source` is "operator", "double-opt-in", "demo" or the words of an import; that of a known one stays.
    """
    address = normalise_address(email)
    storage.insert_subscriber(conn, address, consent_source, now)
    subscriber = storage.subscriber_by_email(conn, address)
    assert subscriber is not None
    return subscriber


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The subscription as it stands now; `changed` is False where it stood so before."""

    subscription: Subscription
    changed: bool


def subscribe(conn: Connection, newsletter: str, email: str, consent_source: str, now: datetime, *,
              active: bool = True, again: bool = False) -> Subscribed:
    """Subscribes an address to a newsletter; active at once, or pending until the reader confirms.

    Who has left stays away unless `again` says that they asked to come back. Idempotent; raises AddressRefused.
    """
    subscriber = ensure(conn, email, consent_source, now)
    state = "active" if active else "pending"
    new = storage.insert_subscription(conn, subscriber.id, newsletter, state, now)
    subscription = storage.subscription_of(conn, subscriber.email, newsletter)
    assert subscription is not None
    if active and subscriber.consent_source == UNCONFIRMED:
        storage.set_consent_source(conn, subscriber.id, consent_source)
    if new or not active or subscription.state == "active" or (subscription.state == "left" and not again):
        return Subscribed(subscription, new)
    return Subscribed(moved(conn, subscription, "active", now), True)


def leave(conn: Connection, subscription_id: int, now: datetime) -> Subscription:
    """Ends a subscription; what is queued for it and not yet being sent is withdrawn. Idempotent; raises NotFound."""
    return moved(conn, find(conn, subscription_id), "left", now)


def find(conn: Connection, subscription_id: int) -> Subscription:
    """The subscription with an id. Raises NotFound."""
    subscription = storage.subscription_by_id(conn, subscription_id)
    if subscription is None:
        raise NotFound("subscription", str(subscription_id))
    return subscription


def active_subscriptions(conn: Connection, newsletter: str) -> list[Subscription]:
    """The subscriptions that an edition of this newsletter goes to, by id."""
    return storage.subscriptions_to(conn, newsletter, "active")


def subscriptions_to(conn: Connection, newsletter: str) -> list[Subscription]:
    """The subscriptions to a newsletter in whatever state, by id."""
    return storage.subscriptions_to(conn, newsletter)


def subscriptions_of(conn: Connection, subscriber: Subscriber) -> list[Subscription]:
    """All subscriptions of a subscriber in whatever state, by newsletter."""
    return storage.subscriptions_by(conn, subscriber.id)


def known(conn: Connection, email: str) -> Subscriber:
    """The subscriber with this address. Raises NotFound, or AddressRefused."""
    address = normalise_address(email)
    subscriber = storage.subscriber_by_email(conn, address)
    if subscriber is None:
        raise NotFound("subscriber", address, hint="see: digest subscribers list")
    return subscriber


def remove(conn: Connection, email: str, now: datetime) -> list[Subscription]:
    """Ends all subscriptions of an address; returns those that were not ended before. Raises NotFound."""
    subscriber = known(conn, email)
    current = [s for s in storage.subscriptions_by(conn, subscriber.id) if s.state != "left"]
    return [moved(conn, subscription, "left", now) for subscription in current]


def moved(conn: Connection, subscription: Subscription, state: str, now: datetime) -> Subscription:
    """The subscription in another state. Idempotent."""
    storage.set_state(conn, subscription.id, state, now)
    return find(conn, subscription.id)
