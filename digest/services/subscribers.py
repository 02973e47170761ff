"""Who reads what: adding, signing up with double opt-in, confirming and leaving.

Addresses are compared in one normal form: the domain in ASCII, everything in lower case.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Connection

from digest.documents import Newsletter
from digest.errors import AddressRefused, NotFound, TokenError
from digest.model import Message, Subscriber, Subscription
from digest.pipeline.render import Renderer
from digest.pipeline.view import ThemeView
from digest.services import deliveries, leaving
from digest.settings import Settings
from digest.storage import subscribers as storage
from digest.tokens import Signer

CONFIRM_WITHIN = timedelta(days=7)


def normalise_address(email: str) -> str:
    """The normal form of an address. Raises AddressRefused with a plain reason; no DNS is asked."""
    try:
        checked = validate_email(email.strip(), check_deliverability=False, test_environment=True, strict=True,
                                 allow_smtputf8=False)
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


def sign_up(conn: Connection, newsletter: Newsletter, email: str, *, settings: Settings, signer: Signer,
            renderer: Renderer, now: datetime) -> bool:
    """Queues the mail that asks an address to confirm; True where one was queued. Raises AddressRefused.

    Nothing is queued for who is subscribed already, and at most one mail an hour for one address and newsletter.
    Tell the visitor the same in each case. Nothing that they typed stands in the mail.
    """
    subscription = subscribe(conn, newsletter.slug, email, "double-opt-in", now, active=False).subscription
    if subscription.state == "active":
        return False
    link = confirm_url(conn, subscription, settings, signer, now)
    return deliveries.queue(
        conn, subject=f"notice:confirm:{subscription.id}:{now:%Y%m%d%H}", channel=deliveries.MAIL,
        target=subscription.subscriber.email, message=_confirmation(newsletter, link, settings, renderer),
        unsubscribe=leaving.subscription_mark(subscription.id), due_at=now, now=now)


def confirm_url(conn: Connection, subscription: Subscription, settings: Settings, signer: Signer,
                now: datetime) -> str:
    """The page on which a reader confirms; the link ends with the next change of the subscription, or in 7 days."""
    token = signer.sign("confirm", _confirm_value(conn, subscription), expires_at=now + CONFIRM_WITHIN)
    return f"{deliveries.base_url(settings)}/sign-up/{subscription.newsletter}/{token}"


def read_confirmation(conn: Connection, newsletter: str, token: str, signer: Signer, now: datetime) -> Subscription:
    """The subscription that a confirmation link is for. Raises TokenError where it is forged, expired or was used.

    One whose subscription is active passes: to confirm twice is to confirm once.
    """
    value = signer.read("confirm", token, now)
    subscription = storage.subscription_by_id(conn, int(value.partition(":")[0]))
    if subscription is None or subscription.newsletter != newsletter:
        raise TokenError("not valid")
    if subscription.state != "active" and _confirm_value(conn, subscription) != value:
        raise TokenError("used already")
    return subscription


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


def _confirm_value(conn: Connection, subscription: Subscription) -> str:
    """Names the subscription as it stands now: a reader who left is not brought back by an old link."""
    changed = storage.changed_at(conn, subscription.id)
    return f"{subscription.id}:{subscription.state}:{changed.isoformat() if changed else ''}"


def _confirmation(newsletter: Newsletter, link: str, settings: Settings, renderer: Renderer) -> Message:
    language = newsletter.language
    values: dict[str, Any] = {
        "newsletter": newsletter, "link": link, "days": CONFIRM_WITHIN.days,
        "postal_address": settings.site.postal_address}
    sender = {"From": newsletter.sender} if newsletter.sender else {}
    return Message(
        subject=renderer.words(language).gettext("Confirm: {name}").format(name=newsletter.name),
        html=renderer.mail_html("email/confirm.html", language=language, slug=newsletter.slug,
                                theme=ThemeView(**newsletter.theme.model_dump()), **values),
        text=renderer.render("email/confirm.txt", language=language, slug=newsletter.slug, **values),
        headers={"Content-Language": language, **sender})
