"""A person's own data: what is stored of them, and how they have it erased.

A mail may be forwarded with its links, so neither is done by the link of a mail that everybody gets: one that is good
for a day is mailed to the address itself.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from digest.errors import TokenError
from digest.locale import N_
from digest.model import Subscriber
from digest.pipeline.render import Renderer
from digest.services import bounces, deliveries, envelopes, limits, notices, preferences
from digest.services.envelopes import base_url
from digest.services.notices import Notice
from digest.settings import Settings
from digest.storage import address_changes
from digest.storage import alert_rules as alerts
from digest.storage import personal_data as storage
from digest.storage import subscribers as subscriber_storage
from digest.tokens import Signer, id_in

VALID_FOR = timedelta(days=1)
MOST_BOUNCES = 1000
_NOTICE = Notice(
    N_("Your data"), N_("What we know of you"),
    N_("Somebody, we hope you, asked to see or to erase what we have stored of this address."),
    N_("Show me, or erase it"), N_("Unsubscribe"))


def offer(conn: Connection, subscriber: Subscriber, mark: str, *, language: str, settings: Settings, signer: Signer,
          renderer: Renderer, now: datetime) -> bool:
    """Queues a mail to the subscriber with the link to their data; False where enough mail was asked for today.

    `mark` is what the mail's own way out leaves.
    """
    if limits.mailbox_is_full(conn, subscriber.email, settings.sign_up, signer, now):
        return False
    token = signer.sign("data", f"{_value(subscriber, signer)}:{language}", expires_at=now + VALID_FOR)
    message = notices.message(_NOTICE, f"{base_url(settings)}/u/data/{token}", language=language, settings=settings,
                              renderer=renderer, days=VALID_FOR.days)
    queued = deliveries.queue(
        conn, subject=f"notice:data:{subscriber.id}:{now:%Y%m%d%H%M}", channel=envelopes.MAIL,
        target=subscriber.email, message=message, unsubscribe=mark, due_at=now, now=now)
    if queued:
        limits.count_mail(conn, subscriber.email, settings.sign_up, signer, now)
    return queued


def read(conn: Connection, token: str, signer: Signer, now: datetime) -> tuple[Subscriber, str]:
    """Whose data a link shows, and in which language. Raises TokenError where it is forged or expired, or the address
    is not theirs any more.
    """
    value, _, language = signer.read("data", token, now).rpartition(":")
    subscriber = subscriber_storage.subscriber_by_id(conn, id_in(value.partition(":")[0]))
    if subscriber is None:
        raise TokenError("not valid")
    if _value(subscriber, signer) != value:
        raise TokenError("used already")
    return subscriber, language


def gather(conn: Connection, subscriber: Subscriber) -> dict[str, Any]:
    """All that is stored of a subscriber, as values that JSON has; instants in ISO 8601."""
    dates = storage.subscription_dates(conn, subscriber.id)
    subscriptions = [{
        "newsletter": own.newsletter, "state": own.state, "since": _iso(dates[own.id][0]),
        "changed": _iso(dates[own.id][1]), **preferences.in_words(own),
    } for own in subscriber_storage.subscriptions_by(conn, subscriber.id)]
    return {
        "address": subscriber.email, "since": _iso(subscriber.created_at), "consent": subscriber.consent_source,
        "subscriptions": subscriptions,
        "changes_of_address": [{"to": change.email, "asked": _iso(change.asked_at), "state": change.state}
                               for change in address_changes.changes_of(conn, subscriber.id)],
        "alert_rules": [{"name": rule.name, "query": rule.query, "state": rule.state, "since": _iso(rule.created_at)}
                        for rule in alerts.rules_of(conn, subscriber.id)],
        "alerts": [{"rule": row["name"], "sentence": row["sentence"], "at": _iso(row["at"])}
                   for row in storage.alerts_of(conn, subscriber.id)],
        "said_of_alerts": [{"rule": row["name"], "useful": bool(row["useful"]), "at": _iso(row["at"])}
                           for row in storage.answers_of(conn, subscriber.email)],
        "muted_stories": [{"story": row["story_id"], "until": _iso(row["until"])}
                          for row in storage.mutes_of(conn, subscriber.email)],
        "mails": [{"what": row["subject"], "subject": row["title"], "state": row["state"],
                   "queued": _iso(row["queued_at"]), "sent": _iso(row["sent_at"])}
                  for row in storage.mails_to(conn, subscriber.email)],
        "returned_mail": [{"at": _iso(bounce.at), "kind": bounce.kind.value, "reason": bounce.reason,
                           "text": bounce.text}
                          for bounce in bounces.recent(conn, limit=MOST_BOUNCES, target=subscriber.email)],
        "suppressed": bounces.suppressed(conn, subscriber.email),
    }


def erase(conn: Connection, subscriber: Subscriber, now: datetime) -> None:
    """Ends all that a subscriber gets and takes them out of every row. Idempotent, and cannot be undone."""
    storage.erase(conn, subscriber.id, subscriber.email, now)
    bounces.forget(conn, subscriber.email)


def _value(subscriber: Subscriber, signer: Signer) -> str:
    """Names a subscriber with the address of today: a link ends with a change of address and with erasing."""
    return f"{subscriber.id}:{signer.fingerprint('data', subscriber.email)[:16]}"


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
