"""Signing up with double opt-in: a mail with a link, a page with a button.

A visitor hears the same for every address, and nothing that they typed stands in the mail.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from digest.documents import Newsletter
from digest.errors import TokenError
from digest.model import UNCONFIRMED, Message, Subscription
from digest.pipeline.render import Renderer
from digest.pipeline.view import ThemeView
from digest.services import deliveries, envelopes, leaving, limits, personal_data
from digest.services.addresses import address_for_sign_up
from digest.services.envelopes import base_url
from digest.services.subscribers import find, moved, subscribe
from digest.settings import Settings
from digest.storage import personal_data as personal_data_storage
from digest.storage import subscribers as storage
from digest.tokens import Signer, id_in

DOUBLE_OPT_IN = "double-opt-in"
FORGET_AFTER = timedelta(days=30)  # since somebody last entered an address that never confirmed
FORGET_AT_ONCE = 20  # so many are looked for with each sign-up
CONFIRM_WITHIN = timedelta(days=7)


def sign_up(conn: Connection, newsletter: Newsletter, email: str, *, settings: Settings, signer: Signer,
            renderer: Renderer, now: datetime) -> bool:
    """Queues the mail that asks an address to confirm; True where one was queued. Raises AddressRefused.

    Nothing is queued for who is subscribed already, nor more than one mail an hour for one address and newsletter, nor
    more than `sign_up.mails_per_address` a day for one mailbox. Tell the visitor the same in each case.
    """
    address = address_for_sign_up(email, settings.sign_up)
    forget_unconfirmed(conn, now)
    if limits.mailbox_is_full(conn, address, settings.sign_up, signer, now):
        return False
    subscription = subscribe(conn, newsletter.slug, address, UNCONFIRMED, now, active=False).subscription
    # Rendered for whoever reads already too, so that the time an answer takes tells nothing.
    message = _confirmation(newsletter, confirm_url(conn, subscription, settings, signer, now), settings, renderer)
    if subscription.state == "active":
        return False
    queued = deliveries.queue(
        conn, subject=f"notice:confirm:{subscription.id}:{now:%Y%m%d%H}", channel=envelopes.MAIL,
        target=subscription.subscriber.email, message=message,
        unsubscribe=leaving.subscription_mark(subscription.id), due_at=now, now=now)
    if queued:
        limits.count_mail(conn, address, settings.sign_up, signer, now)
    return queued


def forget_unconfirmed(conn: Connection, now: datetime) -> int:
    """Erases addresses that were entered at a sign-up page and not confirmed within 30 days; how many. Idempotent."""
    forgotten = personal_data_storage.unconfirmed(conn, now - FORGET_AFTER, FORGET_AT_ONCE)
    for subscriber in forgotten:
        personal_data.erase(conn, subscriber, now)
    return len(forgotten)


def confirm_url(conn: Connection, subscription: Subscription, settings: Settings, signer: Signer,
                now: datetime) -> str:
    """The page on which a reader confirms; the link ends with the next change of the subscription, or in 7 days."""
    token = signer.sign("confirm", _confirm_value(conn, subscription), expires_at=now + CONFIRM_WITHIN)
    return f"{base_url(settings)}/sign-up/{subscription.newsletter}/{token}"


def read_confirmation(conn: Connection, newsletter: str, token: str, signer: Signer, now: datetime) -> Subscription:
    """The subscription that a confirmation link is for. Raises TokenError where it is forged, expired or was used.

    One whose subscription is active passes: to confirm twice is to confirm once.
    """
    value = signer.read("confirm", token, now)
    subscription = storage.subscription_by_id(conn, id_in(value.partition(":")[0]))
    if subscription is None or subscription.newsletter != newsletter:
        raise TokenError("not valid")
    if subscription.state != "active" and _confirm_value(conn, subscription) != value:
        raise TokenError("used already")
    return subscription


def confirm(conn: Connection, subscription_id: int, now: datetime) -> Subscription:
    """Makes a subscription active: its reader proved to own the address. Idempotent; raises NotFound."""
    subscription = find(conn, subscription_id)
    storage.set_consent_source(conn, subscription.subscriber.id, DOUBLE_OPT_IN)
    return moved(conn, subscription, "active", now)


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
