"""Alert rules that visitors make: a rule waits until the owner of its address confirms it by the link of a mail.

A visitor hears the same for every address, and nothing that they typed stands in the mail.
"""

from datetime import datetime

from sqlalchemy import Connection

from digest.alert_rules import MAIL, WEB, AlertRule, AlertSpec
from digest.errors import TokenError
from digest.locale import N_
from digest.model import UNCONFIRMED
from digest.pipeline.render import Renderer, one_line
from digest.services import deliveries, envelopes, limits, notices, sign_ups, subscribers
from digest.services.addresses import address_for_sign_up
from digest.services.envelopes import base_url
from digest.services.notices import Notice
from digest.services.own_alerts import READER
from digest.settings import Settings
from digest.storage import alert_rules as storage
from digest.storage import subscribers as subscriber_storage
from digest.storage.alert_rules import NewRule
from digest.tokens import Signer, id_in

KIND = "alert"  # of the tokens of confirmation links
LONGEST_NAME = 60  # characters of a query that name its rule
_NOTICE = Notice(
    N_("Confirm your alert"), N_("One click to go"),
    N_("Somebody, we hope you, asked at our site to be alerted at this address to certain news."),
    N_("Look at it, and confirm"), N_("Forget it"))


def ask(conn: Connection, spec: AlertSpec, email: str, *, settings: Settings, signer: Signer, renderer: Renderer,
        language: str, now: datetime) -> bool:
    """Stores a rule that waits, and queues the mail that asks to confirm it; True where one was queued.

    Raises AddressRefused. Nothing is queued for a rule that its owner has, more than once an hour for one that waits,
    for an address with `alerts.rules_per_address` rules, nor beyond `sign_up.mails_per_address` a day for a mailbox.
    Tell the visitor the same in each case.
    """
    address = address_for_sign_up(email, settings.sign_up)
    sign_ups.forget_unconfirmed(conn, now)
    storage.forget_pending(conn, now - sign_ups.FORGET_AFTER)
    if limits.mailbox_is_full(conn, address, settings.sign_up, signer, now):
        return False
    owner = subscribers.ensure(conn, address, UNCONFIRMED, now)
    own = storage.rules_of(conn, owner.id)
    rule = next((one for one in own if one.spec == spec), None)
    if rule is None and len(own) < settings.alerts.rules_per_address:
        rule = _store(conn, spec, owner.id, owner.email, now)
    # Rendered in any case, so that the time an answer takes tells little.
    link = confirm_url(rule.id if rule else 0, settings, signer, now)
    message = notices.message(_NOTICE, link, language=language, settings=settings, renderer=renderer,
                              days=sign_ups.CONFIRM_WITHIN.days)
    if rule is None or rule.state != "pending":
        return False
    queued = deliveries.queue(
        conn, subject=f"notice:alert:{rule.id}:{now:%Y%m%d%H}", channel=envelopes.MAIL, target=owner.email,
        message=message, unsubscribe=f"alert:{rule.id}", due_at=now, now=now)
    if queued:
        limits.count_mail(conn, address, settings.sign_up, signer, now)
    return queued


def confirm_url(rule_id: int, settings: Settings, signer: Signer, now: datetime) -> str:
    """The page on which the owner of an address confirms a rule; the link works for 7 days."""
    token = signer.sign(KIND, str(rule_id), expires_at=now + sign_ups.CONFIRM_WITHIN)
    return f"{base_url(settings)}/alerts/new/{token}"


def read_confirmation(conn: Connection, token: str, signer: Signer, now: datetime) -> AlertRule:
    """The rule that a link confirms, also one that is confirmed. Raises TokenError where it is forged, has expired, or
    the rule was given up.
    """
    rule = storage.rule_by_id(conn, id_in(signer.read(KIND, token, now)))
    if rule is None or rule.owner is None:
        raise TokenError("not valid")
    if rule.state == "removed":
        raise TokenError("used already")
    return rule


def confirm(conn: Connection, rule: AlertRule, now: datetime) -> None:
    """Makes a rule that waits active; it fires on nothing that was first seen before. Idempotent."""
    if rule.state == "pending" and rule.owner:
        subscriber_storage.set_consent_source(conn, rule.owner.id, sign_ups.DOUBLE_OPT_IN)
        storage.set_state(conn, rule.id, "active", now)


def _store(conn: Connection, spec: AlertSpec, owner_id: int, address: str, now: datetime) -> AlertRule:
    """The new rule, named by its query and, where that name is taken, by a number."""
    name = plain = one_line(spec.query)[:LONGEST_NAME]
    number = 1
    while not storage.insert_rule(
            conn, NewRule(name, owner_id, spec, [(MAIL, address)], READER, WEB, state="pending"), now):
        number += 1
        name = f"{plain} ({number})"
    rule = storage.rule_by_name(conn, name)
    assert rule is not None
    return rule
