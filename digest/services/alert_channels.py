"""Channels of alert rules beside mail: webhooks, chat services and Atom feeds; the pausing of those that fail long."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from digest.alert_rules import CHAT, FEED, MAIL, WEBHOOK, Alert, AlertRule, Channel
from digest.errors import NotFound
from digest.locale import translator
from digest.notify import chat, webhook
from digest.notify.targets import shown
from digest.pipeline.alert_feed import atom
from digest.pipeline.alerts import Hit
from digest.pipeline.render import Renderer
from digest.services import alert_rules, deliveries, envelopes, leaving
from digest.services.alert_bundles import note
from digest.settings import Settings
from digest.storage import alert_channels as storage
from digest.storage import alert_rules as rule_storage
from digest.storage import alerts as alert_storage
from digest.storage.alert_channels import Record
from digest.storage.engine import read_only
from digest.storage.items import items_by_id

KINDS = (WEBHOOK, CHAT, FEED)
PAUSE_AFTER = timedelta(days=1)  # of nothing but failures
IN_A_FEED = 50  # newest alerts
KEY_BYTES = 24  # of a feed's address
_CHECKS: Mapping[str, Callable[[str], str]] = {WEBHOOK: webhook.check, CHAT: chat.check}


@dataclass(frozen=True, slots=True)
class Told:
    """A channel with its rule and what went to it. `shown` is its target without secrets."""

    channel: Channel
    rule: AlertRule
    shown: str
    record: Record


def add(conn: Connection, rule_name: str, kind: str, target: str, now: datetime) -> tuple[Channel, bool]:
    """A channel of a rule, and whether it is new. A feed's target is made here; idempotent for others.

    Raises NotFound for the rule, and ChannelRefused.
    """
    rule = alert_rules.find(conn, rule_name)
    target = secrets.token_urlsafe(KEY_BYTES) if kind == FEED else _CHECKS[kind](target)
    new = rule_storage.add_channels(conn, rule.id, [(kind, target)], now)
    own = rule_storage.channels_of(conn, [rule.id])[rule.id]
    return next(one for one in own if (one.kind, one.target) == (kind, target)), bool(new)


def of_rules(conn: Connection, rules: Sequence[AlertRule]) -> list[Told]:
    """The channels of rules that are no mail, by rule and age."""
    channels = rule_storage.channels_of(conn, [rule.id for rule in rules])
    return [Told(one, rule, shown(one.kind, one.target), storage.record(conn, one.kind, one.target))
            for rule in rules for one in channels.get(rule.id, ()) if one.kind != MAIL]


def find(conn: Connection, channel_id: int) -> Channel:
    """A channel that is no mail. Raises NotFound."""
    channel = rule_storage.channel_by_id(conn, channel_id)
    if channel is None or channel.kind == MAIL:
        raise NotFound("channel of an alert", str(channel_id))
    return channel


def feed_url(channel: Channel, settings: Settings) -> str:
    """Where a feed is asked for. Who knows the address reads it; removing the channel ends it."""
    return f"{envelopes.base_url(settings)}/alerts/feed/{channel.target}.atom"


def feed(conn: Connection, key: str, settings: Settings, now: datetime) -> str:
    """The Atom document of a feed: what its rule told by `now`, newest first. Raises NotFound."""
    channel = storage.find(conn, FEED, key)
    rule = rule_storage.rule_by_id(conn, channel.rule_id) if channel and channel.state == "active" else None
    if channel is None or rule is None or rule.state == "removed":
        raise NotFound("feed of alerts", key[:60])
    told = [alert for alert, _ in alert_storage.log(conn, rule_id=rule.id, limit=2 * IN_A_FEED)
            if alert.release_at <= now][:IN_A_FEED]
    return atom(rule, _hits(conn, rule, told), address=feed_url(channel, settings), base=envelopes.base_url(settings),
                site_name=settings.site.name, language=settings.site.language)


def pause_failing(engine: Engine, *, settings: Settings, templates: Mapping[str, str], now: datetime) -> list[Channel]:
    """Pauses channels that took nothing for a day, and tells their owners; which. Idempotent."""
    with read_only(engine) as conn:
        if not storage.failing(conn, (WEBHOOK, CHAT), now - PAUSE_AFTER):
            return []
    with engine.begin() as conn:
        found = storage.failing(conn, (WEBHOOK, CHAT), now - PAUSE_AFTER)
        renderer = Renderer(templates, base=envelopes.base_url(settings))
        for channel in found:
            if storage.set_state(conn, channel.id, "paused"):
                _tell_owner(conn, channel, settings, renderer, now)
    return found


def _tell_owner(conn: Connection, channel: Channel, settings: Settings, renderer: Renderer, now: datetime) -> None:
    rule = rule_storage.rule_by_id(conn, channel.rule_id)
    owner = rule.owner if rule else None
    target = owner.email if owner else settings.mail.operator
    if rule is None or not target:
        return
    words, error = translator(settings.site.language), storage.record(conn, channel.kind, channel.target).error
    title = words.gettext("A channel of the alert “{name}” is paused").format(name=rule.name)
    text = words.gettext("For a day, {channel} took nothing that was told to it: {error}.").format(
        channel=shown(channel.kind, channel.target), error=error.rstrip("."))
    message = note(title, text, settings, renderer)
    deliveries.queue(conn, subject=f"notice:channel:{channel.id}/{now:%Y-%m-%d}", channel=MAIL, target=target,
                     message=message, unsubscribe=f"alert:{rule.id}" if owner else leaving.OPERATOR, due_at=now,
                     now=now)


def _hits(conn: Connection, rule: AlertRule, told: Sequence[Alert]) -> list[Hit]:
    items = items_by_id(conn, [alert.item_id for alert in told])
    return [Hit(rule, alert, items[alert.item_id]) for alert in told]
