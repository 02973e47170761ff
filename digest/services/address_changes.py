"""Changing a reader's address: asked for on the page of a signed link, confirmed from the old mailbox and the new.

Who has one of the two alone, as of a mail that was forwarded, changes nothing. The page and both mails say the same
for every address, and nothing that was typed stands in a mail.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from digest.errors import TokenError
from digest.locale import N_
from digest.model import AddressChange, Subscriber, Subscription
from digest.pipeline.render import Renderer
from digest.services import deliveries, envelopes, leaving, limits, notices
from digest.services.addresses import address_for_sign_up, masked
from digest.services.envelopes import base_url
from digest.services.notices import Notice
from digest.services.sign_ups import DOUBLE_OPT_IN
from digest.services.subscribers import moved
from digest.settings import Settings
from digest.storage import address_changes as storage
from digest.storage import personal_data
from digest.storage import subscribers as subscriber_storage
from digest.tokens import Signer, id_in

CONFIRM_WITHIN = timedelta(days=3)
SIDES = ("old", "new")
_OLD = Notice(
    N_("Confirm: another address"), N_("Another address for your mail?"),
    N_("Somebody, we hope you, wants the mail that comes to this address to go to another one."),
    N_("Show me the change"), N_("No, keep my address"))
_NEW = Notice(
    N_("Confirm: your new address"), N_("Is this your new address?"),
    N_("Somebody, we hope you, wants mail of ours to come to this address instead of another one."),
    N_("Show me the change"), N_("No, forget this"))


@dataclass(frozen=True, slots=True)
class Asked:
    """A change as one of its two mailboxes sees it. `old` is the address that it would replace."""

    change: AddressChange
    side: str
    old: str

    @property
    def shown(self) -> str:
        """The old address as this side may see it: masked at the new one, which may be a stranger's by mistake."""
        return self.old if self.side == "old" else masked(self.old)


def ask(conn: Connection, subscriber: Subscriber, email: str, *, language: str, settings: Settings, signer: Signer,
        renderer: Renderer, now: datetime) -> bool:
    """Queues a mail to both addresses; False where nothing was queued. Raises AddressRefused.

    Nothing is queued for the address that the subscriber has already, nor where one of the mailboxes got as many
    mails today as visitors may have sent. Tell the visitor the same in each case. An earlier wish is given up.
    """
    address = address_for_sign_up(email, settings.sign_up)
    both = {"old": subscriber.email, "new": address}
    full = any(limits.mailbox_is_full(conn, target, settings.sign_up, signer, now) for target in both.values())
    if address == subscriber.email or full:
        return False
    change = storage.insert_change(conn, subscriber.id, address, language, now)
    for side, target in both.items():
        token = signer.sign("address", f"{change.id}:{side}", expires_at=now + CONFIRM_WITHIN)
        message = notices.message(_OLD if side == "old" else _NEW, f"{base_url(settings)}/u/address/{token}",
                                  language=language, settings=settings, renderer=renderer, days=CONFIRM_WITHIN.days)
        deliveries.queue(conn, subject=f"notice:address:{change.id}:{side}", channel=envelopes.MAIL, target=target,
                         message=message, unsubscribe=leaving.change_mark(change.id), due_at=now, now=now)
        limits.count_mail(conn, target, settings.sign_up, signer, now)
    return True


def read(conn: Connection, token: str, signer: Signer, now: datetime) -> Asked:
    """The change that a link is for. Raises TokenError where it is forged, expired or the change was given up.

    A change that is done passes: to confirm twice is to confirm once.
    """
    number, _, side = signer.read("address", token, now).partition(":")
    change = storage.change_by_id(conn, id_in(number)) if side in SIDES else None
    if change is None:
        raise TokenError("not valid")
    owner = subscriber_storage.subscriber_by_id(conn, change.subscriber_id)
    if change.state == "cancelled" or owner is None:
        raise TokenError("used already")
    return Asked(change, side, owner.email)


def confirm(conn: Connection, asked: Asked, now: datetime) -> AddressChange:
    """Notes that one mailbox confirmed; with the second one the address changes. Idempotent."""
    storage.confirm(conn, asked.change.id, asked.side, now)
    change = storage.change_by_id(conn, asked.change.id)
    assert change is not None
    if change.state == "open" and change.old_confirmed_at and change.new_confirmed_at:
        subscriber = subscriber_storage.subscriber_by_id(conn, change.subscriber_id)
        assert subscriber is not None
        storage.set_state(conn, change.id, "done")
        replace_address(conn, subscriber, change.email, now)
        subscriber_storage.set_consent_source(conn, subscriber.id, DOUBLE_OPT_IN)
    found = storage.change_by_id(conn, asked.change.id)
    assert found is not None
    return found


def cancel(conn: Connection, change_id: int) -> bool:
    """Gives a change up; False where it is over."""
    return storage.set_state(conn, change_id, "cancelled")


def replace_address(conn: Connection, subscriber: Subscriber, email: str, now: datetime) -> None:
    """Gives a subscriber another normalised address, and what waits in the ledger with it.

    Where the address has a subscriber already, both are one person: what the first one reads and watches becomes the
    other's, and an empty row stays behind.
    """
    other = subscriber_storage.subscriber_by_email(conn, email)
    if other == subscriber:
        return
    storage.move_waiting_mail(conn, subscriber.email, email)
    storage.move_targets(conn, subscriber.email, email)
    if other is None:
        storage.set_email(conn, subscriber.id, email)
        return
    theirs = {s.newsletter: s for s in subscriber_storage.subscriptions_by(conn, other.id)}
    for own in subscriber_storage.subscriptions_by(conn, subscriber.id):
        if own.newsletter not in theirs:
            storage.move_subscription(conn, own.id, other.id)
        elif own.state == "active":
            _take_over(conn, own, theirs[own.newsletter], now)
    storage.move_rules(conn, subscriber.id, other.id)
    personal_data.erase(conn, subscriber.id, subscriber.email, now)


def _take_over(conn: Connection, own: Subscription, theirs: Subscription, now: datetime) -> None:
    """Makes the other subscription what this one was, unless its reader reads it already."""
    if theirs.state != "active":
        moved(conn, theirs, "active", now)
        subscriber_storage.set_preferences(conn, theirs.id, own.preferences, own.hidden_sections)
