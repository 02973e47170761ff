"""From alerts to mail: whom an alert goes to, and the bundles in which what is due goes out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from digest.alert_rules import MAIL, Alert, AlertRule
from digest.errors import NotFound
from digest.locale import translator
from digest.model import Message, Story
from digest.pipeline.alert_timing import minute_of
from digest.pipeline.alerts import Hit, compose, message
from digest.pipeline.render import Renderer, one_line
from digest.resources import template_texts
from digest.services import deliveries, envelopes, leaving
from digest.settings import Settings
from digest.storage import alert_rules as rule_storage
from digest.storage import alerts as storage
from digest.storage.alerts import Waiting
from digest.storage.engine import read_only
from digest.storage.items import items_by_id
from digest.storage.stories import story_by_id

CHANNELS = (MAIL,)  # kinds that are told here
Templates = Callable[[], Mapping[str, str]]


def address(conn: Connection, alerts: Sequence[Alert], at: datetime) -> None:
    """Notes to which targets new alerts go: the channels of their rules, but for who muted the story."""
    channels = rule_storage.channels_of(conn, [alert.rule_id for alert in alerts], "active")
    names = storage.names_of(conn, {alert.story_id for alert in alerts})
    muted = {(channel, target, names[story_id]) for channel, target, story_id in storage.muted(conn, names, at)}
    storage.address(conn, [
        (alert.id, channel.kind, channel.target)
        for alert in alerts for channel in channels.get(alert.rule_id, ())
        if (channel.kind, channel.target, alert.story_id) not in muted])


def release(engine: Engine, *, settings: Settings, now: datetime, zone: str = "UTC",
            templates: Templates = template_texts) -> int:
    """Queues one mail a target with all that is due by `now`; returns how many. Idempotent, in several processes too.

    What waits for the same target on the same story goes with it, so that one mail names all rules. A target that was
    told something in this minute is told the rest at the next.
    """
    with read_only(engine) as conn:
        due = {key: found for key, found in storage.waiting(conn, now, CHANNELS).items()
               if not _in_minute(storage.last_bundle_at(conn, *key), now)}
        if not due:
            return 0
        post = _Post(conn, settings, now, zone, templates())
        mails = [mail for (channel, target), found in due.items() if (mail := post.mail(channel, target, found))]
    return sum(_queue(engine, mail, now) for mail in mails)


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
            if channel.kind in CHANNELS:
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
    """Writes the mails of one run; each story is read once."""

    def __init__(self, conn: Connection, settings: Settings, now: datetime, zone: str, templates: Mapping[str, str]):
        self._conn, self._settings, self._now, self._zone = conn, settings, now, zone
        self._renderer = Renderer(templates, base=envelopes.base_url(settings))
        self._read: dict[str, Story | None] = {}

    def mail(self, channel: str, target: str, waiting: Sequence[Waiting]) -> _Mail | None:
        """The mail of what waits for a target; None where none of its items is there any more."""
        alerts = [one.alert for one in waiting]
        rules = rule_storage.rules_by_id(self._conn, [alert.rule_id for alert in alerts])
        items = items_by_id(self._conn, [alert.item_id for alert in alerts])
        hits = [Hit(rules[alert.rule_id], alert, items[alert.item_id]) for alert in alerts if alert.item_id in items]
        if not hits:
            return None
        stories = {hit.story_id: story for hit in hits if (story := self._story(hit.story_id)) is not None}
        site, host = self._settings.site, envelopes.host(self._settings)
        names = storage.names_of(self._conn, {stories[s].id if s in stories else s for s in
                                              (hit.story_id for hit in hits)})
        parents = storage.first_mails(self._conn, channel, target, names)
        view = compose(hits, stories, now=self._now, zone=self._zone, site_name=site.name, language=site.language,
                       postal_address=site.postal_address,
                       parents={story_id: f"{name}@{host}" for story_id, name in parents.items()})
        return _Mail(channel, target, tuple(alert.id for alert in alerts),
                     message(self._renderer, view, envelopes.base_url(self._settings)),
                     leaving.alerts_mark(self._conn, list(rules.values()), target))

    def _story(self, story_id: str) -> Story | None:
        if story_id not in self._read:
            try:
                self._read[story_id] = story_by_id(self._conn, story_id)
            except NotFound:
                self._read[story_id] = None
        return self._read[story_id]


def _queue(engine: Engine, mail: _Mail, now: datetime) -> bool:
    """Makes the bundle and queues its mail in one transaction; False where another process did."""
    with engine.connect() as conn, conn.begin() as transaction:
        bundle_id = storage.claim(conn, mail.channel, mail.target, mail.alert_ids, now)
        if bundle_id is None:
            transaction.rollback()
            return False
        return deliveries.queue(conn, subject=f"bundle:{bundle_id}", channel=mail.channel, target=mail.target,
                                message=mail.message, unsubscribe=mail.mark, due_at=now, now=now)


def _in_minute(last: datetime | None, now: datetime) -> bool:
    return last is not None and minute_of(last) == minute_of(now)


def _ceiling_mail(rule: AlertRule, settings: Settings, renderer: Renderer) -> Message:
    words = translator(settings.site.language)
    title = words.gettext("The alert “{name}” has told as many as it may today").format(name=rule.name)
    text = words.gettext("It may tell {count} a day. What else it finds today comes in one mail when the day is over.")
    language = settings.site.language
    values: dict[str, Any] = {"title": title, "text": text.format(count=rule.spec.ceiling),
                              "postal_address": settings.site.postal_address}
    return Message(
        subject=one_line(f"{title} · {settings.site.name}"),
        html=renderer.mail_html("alerts/note.html", language=language, **values),
        text=renderer.render("alerts/note.txt", language=language, **values), headers={"Content-Language": language})
