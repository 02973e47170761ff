"""Who reads what: adding, signing up with double opt-in, confirming and leaving.

Addresses are compared in one normal form: the domain in ASCII, everything in lower case.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Connection

from digest.errors import AddressRefused, NotFound
from digest.model import Subscriber, Subscription
from digest.storage import subscribers as storage

CONFIRM_DAYS = timedelta(days=7)


def normalise_address(email: str) -> str:
    """The normal form of an address. Raises AddressRefused with a plain reason; no DNS is asked."""
    try:
        checked = validate_email(email.strip(), check_deliverability=False, test_environment=True, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise AddressRefused(email.strip()[:80], str(error)) from error
    return (checked.ascii_email or checked.normalized).lower()


def ensure(conn: Connection, email: str, consent_source: str, now: datetime) -> Subscriber:
    """The subscriber with this address, stored at first sight. Idempotent; raises AddressRefused.

    `consent_source` is "operator", "double-opt-in" or "demo"; that of a known subscriber stays.
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
    if new or not active or subscription.state == "active" or (subscription.state == "left" and not again):
        return Subscribed(subscription, new)
    return Subscribed(_moved(conn, subscription, "active", now), True)


def confirm(conn: Connection, subscription_id: int, now: datetime) -> Subscription:
    """Makes a subscription active: its reader proved to own the address. Idempotent; raises NotFound."""
    subscription = find(conn, subscription_id)
    storage.set_consent_source(conn, subscription.subscriber.id, "double-opt-in")
    return _moved(conn, subscription, "active", now)


def leave(conn: Connection, subscription_id: int, now: datetime) -> Subscription:
    """Ends a subscription; what is queued for it and not yet being sent is withdrawn. Idempotent; raises NotFound."""
    return _moved(conn, find(conn, subscription_id), "left", now)


def find(conn: Connection, subscription_id: int) -> Subscription:
    """The subscription with an id. Raises NotFound."""
    subscription = storage.subscription_by_id(conn, subscription_id)
    if subscription is None:
        raise NotFound("subscription", str(subscription_id))
    return subscription


def active_subscriptions(conn: Connection, newsletter: str) -> list[Subscription]:
    """The subscriptions that an edition of this newsletter goes to, by id."""
    return storage.subscriptions_to(conn, newsletter, "active")


def remove(conn: Connection, email: str, now: datetime) -> list[Subscription]:
    """Ends all subscriptions of an address; returns those that were not ended before. Raises NotFound."""
    address = normalise_address(email)
    subscriber = storage.subscriber_by_email(conn, address)
    if subscriber is None:
        raise NotFound("subscriber", address, hint="see: digest subscribers list")
    current = [s for s in storage.subscriptions_by(conn, subscriber.id) if s.state != "left"]
    return [_moved(conn, subscription, "left", now) for subscription in current]


def _moved(conn: Connection, subscription: Subscription, state: str, now: datetime) -> Subscription:
    storage.set_state(conn, subscription.id, state, now)
    return find(conn, subscription.id)
