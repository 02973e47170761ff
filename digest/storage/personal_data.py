"""All that is stored of one person: to show it to them, and to erase it.

Erasing leaves rows without content behind: their ids are never given to anybody else, so a link in an old mail stays
the link of nobody, and editions keep their counts.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, delete, exists, or_, select, update

from digest.model import UNCONFIRMED, DeliveryState, Message, Subscriber
from digest.storage.deliveries import store_message
from digest.storage.schema import (
    address_changes,
    alert_channels,
    alert_marks,
    alert_mutes,
    alert_rule_versions,
    alert_rules,
    alerts,
    bundle_alerts,
    bundles,
    deliveries,
    messages,
    subscribers,
    subscriptions,
)
from digest.storage.schema.ledger import WAITING

ERASED = Message("", "", "")
NOTHING = '{"query": "erased"}'  # what a rule says whose owner was erased


def subscription_dates(conn: Connection, subscriber_id: int) -> dict[int, tuple[datetime, datetime]]:
    """When each subscription of a subscriber began and last changed its state, by its id."""
    rows = conn.execute(select(subscriptions.c.id, subscriptions.c.created_at, subscriptions.c.changed_at).where(
        subscriptions.c.subscriber_id == subscriber_id))
    return {row.id: (row.created_at, row.changed_at) for row in rows}


def mails_to(conn: Connection, email: str) -> list[dict[str, Any]]:
    """What was queued or sent to a normalised address, oldest first: subject lines, states and times."""
    rows = conn.execute(
        select(deliveries.c.subject, messages.c.subject.label("title"), deliveries.c.state, deliveries.c.queued_at,
               deliveries.c.sent_at)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .where(deliveries.c.target == email).order_by(deliveries.c.id))
    return [dict(row._mapping) for row in rows]


def alerts_of(conn: Connection, subscriber_id: int) -> list[dict[str, Any]]:
    """What a subscriber's alert rules found, oldest first."""
    rows = conn.execute(
        select(alert_rules.c.name, alerts.c.sentence, alerts.c.at)
        .join(alert_rules, alert_rules.c.id == alerts.c.rule_id)
        .where(alert_rules.c.owner_id == subscriber_id).order_by(alerts.c.id))
    return [dict(row._mapping) for row in rows]


def unconfirmed(conn: Connection, before: datetime, limit: int) -> list[Subscriber]:
    """Subscribers of earlier than an instant who never confirmed, and whom nothing was mailed since; by id."""
    rows = conn.execute(select(subscribers).where(
        subscribers.c.consent_source == UNCONFIRMED, subscribers.c.created_at < before,
        ~exists().where(deliveries.c.target == subscribers.c.email, deliveries.c.queued_at >= before),
        ~exists().where(alert_rules.c.owner_id == subscribers.c.id,
                        alert_rules.c.state.in_(("active", "paused")))).order_by(subscribers.c.id).limit(limit))
    return [Subscriber(row.id, row.email, row.consent_source, row.created_at) for row in rows]


def erase(conn: Connection, subscriber_id: int, email: str, now: datetime) -> None:
    """Takes a person out of every row; their subscriptions end. Idempotent."""
    gone = f"erased-{subscriber_id}"
    _erase_alerts(conn, subscriber_id, email, gone)
    _erase_mail(conn, subscriber_id, email, gone)
    own_changes = address_changes.c.subscriber_id == subscriber_id
    conn.execute(update(address_changes).where(own_changes, address_changes.c.state == "open").values(
        state="cancelled"))
    conn.execute(update(address_changes).where(own_changes).values(email=gone))
    conn.execute(update(subscriptions).where(subscriptions.c.subscriber_id == subscriber_id).values(
        state="left", hidden_sections="[]", frequency="daily", paused_until=None, hour=None, zone=None, language=None,
        read_languages="[]", format="html"))
    conn.execute(update(subscribers).where(subscribers.c.id == subscriber_id).values(
        email=gone, consent_source="erased", erased_at=now))


def answers_of(conn: Connection, email: str) -> list[RowMapping]:
    """What somebody said of alerts: rows with `name`, `useful` (1 or 0) and `at`, newest first."""
    query = select(alert_rules.c.name, alert_marks.c.useful, alert_marks.c.at).join(
        alerts, alerts.c.id == alert_marks.c.alert_id).join(alert_rules, alert_rules.c.id == alerts.c.rule_id)
    rows = conn.execute(query.where(alert_marks.c.target == email).order_by(alert_marks.c.at.desc()))
    return list(rows.mappings())


def mutes_of(conn: Connection, email: str) -> list[RowMapping]:
    """The stories that somebody wants to hear no more of: rows with `story_id` and `until`."""
    query = select(alert_mutes.c.story_id, alert_mutes.c.until).where(alert_mutes.c.target == email)
    return list(conn.execute(query.order_by(alert_mutes.c.until)).mappings())


def _erase_alerts(conn: Connection, subscriber_id: int, email: str, gone: str) -> None:
    own = select(alert_rules.c.id).where(alert_rules.c.owner_id == subscriber_id)
    conn.execute(update(alerts).where(alerts.c.rule_id.in_(own)).values(sentence="", words="[]"))
    for rule_id in conn.execute(own).scalars().all():
        conn.execute(update(alert_rules).where(alert_rules.c.id == rule_id).values(
            name=f"{gone}-{rule_id}", spec=NOTHING, state="removed"))
    conn.execute(update(alert_rule_versions).where(alert_rule_versions.c.rule_id.in_(own)).values(spec=NOTHING))
    conn.execute(delete(alert_channels).where(or_(alert_channels.c.target == email, alert_channels.c.rule_id.in_(own))))
    conn.execute(delete(alert_mutes).where(alert_mutes.c.target == email))
    conn.execute(update(alert_marks).where(alert_marks.c.target == email).values(target=gone))
    conn.execute(update(bundles).where(bundles.c.target == email).values(target=gone))
    conn.execute(update(bundle_alerts).where(bundle_alerts.c.target == email).values(target=gone))


def _erase_mail(conn: Connection, subscriber_id: int, email: str, gone: str) -> None:
    """Editions stay, without their reader; messages that were one person's alone lose their text; what waits fails."""
    changes = conn.execute(
        select(address_changes.c.id).where(address_changes.c.subscriber_id == subscriber_id)).scalars().all()
    theirs = or_(deliveries.c.target == email, deliveries.c.subject.in_([f"notice:address:{n}:new" for n in changes]))
    own = and_(theirs, or_(*(deliveries.c.subject.like(f"{kind}:%") for kind in ("notice", "bundle", "test"))))
    texts = conn.execute(select(deliveries.c.message_id).where(own)).scalars().all()
    nothing = store_message(conn, ERASED)
    conn.execute(update(deliveries).where(own).values(message_id=nothing))
    conn.execute(update(deliveries).where(theirs, WAITING).values(state=DeliveryState.FAILED.value))
    conn.execute(update(deliveries).where(theirs).values(target=gone, last_error="the reader was erased"))
    for message_id in set(texts) - {nothing}:
        conn.execute(delete(messages).where(
            messages.c.id == message_id, ~exists().where(deliveries.c.message_id == message_id)))
