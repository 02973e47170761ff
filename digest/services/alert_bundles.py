"""From alerts to mail: whom an alert goes to, and the bundles in which what is due goes out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from digest.alert_rules import CHAT, MAIL, WEBHOOK, Alert, AlertRule
from digest.locale import translator
from digest.model import Item, Message, Story
from digest.pipeline.alert_payload import chat, payload
from digest.pipeline.alert_timing import minute_of
from digest.pipeline.alerts import AlertView, Hit, compose, message
from digest.pipeline.render import Renderer, one_line
from digest.resources import template_texts
from digest.services import deliveries, envelopes, leaving
from digest.settings import Settings
from digest.storage import alert_rules as rule_storage
from digest.storage import alerts as storage
from digest.storage.engine import read_only
from digest.storage.items import items_by_id
from digest.storage.stories import stories_by_id

CHANNELS = (MAIL, WEBHOOK, CHAT)  # kinds that are told; others are asked
PART = 20  # mails written and queued in one go
Templates = Callable[[], Mapping[str, str]]


def address(conn: Connection, alerts: Sequence[Alert], at: datetime) -> None:
    """Notes to which targets new alerts go: the channels of their rules, but for who muted the story."""
    channels = rule_storage.channels_of(conn, [alert.rule_id for alert in alerts], "active")
    names = storage.names_of(conn, {alert.story_id for alert in alerts})
    muted = {(channel, target, names[story_id]) for channel, target, story_id in storage.muted(conn, names, at)}
    storage.address(conn, [
        (alert.id, channel.kind, channel.target)
        for alert in alerts for channel in channels.get(alert.rule_id, ())
        if channel.kind in CHANNELS and (channel.kind, channel.target, alert.story_id) not in muted])


@dataclass(frozen=True, slots=True)
class Released:
    """How many bundles were queued, and whether more are due that `most` left for later."""

    bundles: int = 0
    more: bool = False


def release(engine: Engine, *, settings: Settings, now: datetime, zone: str = "UTC",
            templates: Templates = template_texts, most: int | None = None) -> Released:
    """Queues one mail a target with all that is due by `now`, up to `most` mails (None: all).

    Idempotent, in several processes too. What waits for the same target on the same story goes with it, so that one
    mail names all rules. A target that was told something in this minute is told the rest at the next.
    """
    renderer: Renderer | None = None
    queued = 0
    while True:
        part = PART if most is None else min(PART, most - queued)
        with read_only(engine) as conn:
            due = storage.due(conn, now, CHANNELS, told_before=minute_of(now))
            if not due or not part:
                return Released(queued, bool(due))
            renderer = renderer or Renderer(templates(), base=envelopes.base_url(settings))
            mails = _Post(conn, settings, now, zone, renderer).mails(due[:part])
        done = _queue(engine, mails, now)
        if not done:  # another process was quicker
            return Released(queued, more=False)
        queued += done


def notify_ceiling(conn: Connection, held: Sequence[Alert], *, settings: Settings, templates: Templates,
                   zone: str) -> None:
    """Tells the targets of rules that these have told as many as they may today: once a rule and day."""
    rules = rule_storage.rules_by_id(conn, [alert.rule_id for alert in held])
    channels = rule_storage.channels_of(conn, rules, "active")
    renderer = Renderer(templates(), base=envelopes.base_url(settings))
    for alert in held:
        rule = rules[alert.rule_id]
        day = alert.at.astimezone(ZoneInfo(rule.spec.zone or zone)).date()
        mail = _ceiling_mail(rule, settings, renderer)
        for channel in channels.get(rule.id, ()):
            if channel.kind == MAIL:
                deliveries.queue(conn, subject=f"notice:ceiling:{rule.id}/{day}", channel=channel.kind,
                                 target=channel.target, message=mail,
                                 unsubscribe=leaving.alerts_mark(conn, [rule], channel.target), due_at=alert.at,
                                 now=alert.at)


@dataclass(frozen=True, slots=True)
class _Mail:
    """A bundle to be, with its message."""

    channel: str
    target: str
    alert_ids: tuple[int, ...]
    message: Message
    mark: str


class _Post:
    """Writes the mails of some targets; what they have in common is read once."""

    def __init__(self, conn: Connection, settings: Settings, now: datetime, zone: str, renderer: Renderer):
        self._conn, self._settings, self._now, self._zone, self._renderer = conn, settings, now, zone, renderer
        self._rules: dict[int, AlertRule] = {}
        self._items: dict[str, Item] = {}
        self._stories: dict[str, Story] = {}

    def mails(self, targets: Sequence[tuple[str, str]]) -> list[_Mail]:
        """The mails of targets, by (channel, target)."""
        waiting = {key: storage.waiting(self._conn, *key, self._now) for key in targets}
        alerts = [alert for found in waiting.values() for alert in found]
        self._rules = rule_storage.rules_by_id(self._conn, [alert.rule_id for alert in alerts])
        self._items = items_by_id(self._conn, [alert.item_id for alert in alerts])
        self._stories = stories_by_id(self._conn, [alert.story_id for alert in alerts])
        return [self._mail(channel, target, found) for (channel, target), found in waiting.items() if found]

    def _mail(self, channel: str, target: str, alerts: Sequence[Alert]) -> _Mail:
        rules = [self._rules[rule_id] for rule_id in dict.fromkeys(alert.rule_id for alert in alerts)]
        hits = [Hit(self._rules[alert.rule_id], alert, self._items[alert.item_id]) for alert in alerts]
        stories = {hit.story_id: self._stories[hit.story_id] for hit in hits if hit.story_id in self._stories}
        site, host = self._settings.site, envelopes.host(self._settings)
        names = storage.names_of(self._conn, {story.id for story in stories.values()})
        parents = {story_id: name if "@" in name else f"{name}@{host}"
                   for story_id, name in storage.first_mails(self._conn, channel, target, names).items()}
        view = compose(hits, stories, now=self._now, zone=self._zone, site_name=site.name, language=site.language,
                       postal_address=site.postal_address, parents=parents)
        return _Mail(channel, target, tuple(alert.id for alert in alerts), self._message(channel, view),
                     leaving.alerts_mark(self._conn, rules, target, channel))

    def _message(self, channel: str, view: AlertView) -> Message:
        base = envelopes.base_url(self._settings)
        if channel == MAIL:
            return message(self._renderer, view, base)
        return payload(view, base) if channel == WEBHOOK else chat(view, base)


def _queue(engine: Engine, mails: Sequence[_Mail], now: datetime) -> int:
    """Makes bundles and queues their mails in one transaction, but for those that another process made; how many."""
    queued = 0
    with engine.begin() as conn:
        for mail in mails:
            with conn.begin_nested() as savepoint:
                bundle_id = storage.claim(conn, mail.channel, mail.target, mail.alert_ids, now)
                if bundle_id is None:
                    savepoint.rollback()
                    continue
                queued += deliveries.queue(
                    conn, subject=f"bundle:{bundle_id}", channel=mail.channel, target=mail.target,
                    message=mail.message, unsubscribe=mail.mark, due_at=now, now=now)
    return queued


def _ceiling_mail(rule: AlertRule, settings: Settings, renderer: Renderer) -> Message:
    words = translator(settings.site.language)
    title = words.gettext("The alert “{name}” has told as many as it may today").format(name=rule.name)
    text = words.gettext("It may tell {count} a day. What else it finds today comes in one mail when the day is over.")
    return note(title, text.format(count=rule.spec.ceiling), settings, renderer)


def note(title: str, text: str, settings: Settings, renderer: Renderer) -> Message:
    """A mail to the owner of a rule about the rule itself, in the language of the site."""
    language = settings.site.language
    values: dict[str, Any] = {"title": title, "text": text, "postal_address": settings.site.postal_address}
    return Message(
        subject=one_line(f"{title} · {settings.site.name}"),
        html=renderer.mail_html("alerts/note.html", language=language, **values),
        text=renderer.render("alerts/note.txt", language=language, **values), headers={"Content-Language": language})
