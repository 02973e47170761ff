"""The live engine of alerts: what happened to stories becomes alerts, alerts become queued mail."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection, Engine

from digest.alert_rules import AlertRule
from digest.documents import Configuration
from digest.model import StoryEvent
from digest.pipeline.alert_matching import RuleSet
from digest.pipeline.alert_policy import Firing, Surroundings
from digest.pipeline.alert_timing import CEILING, next_digest
from digest.resources import template_texts
from digest.services import alert_bundles
from digest.services.alert_events import StoredMemory, Tick, evaluate, ticks
from digest.services.alert_stories import StoredStories
from digest.settings import Settings
from digest.storage import alert_rules as rule_storage
from digest.storage import alerts as storage
from digest.storage.alerts import NewAlert
from digest.storage.engine import read_only
from digest.storage.stories import cursor, events_after, last_event_number
from digest.storage.subscribers import subscriptions_by

EVENTS_AT_A_TIME = 10_000  # read in one go; a tick that has more is read whole

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FireReport:
    """Alerts that were stored, and bundles that were queued, of alerts that had waited too."""

    alerts: int = 0
    bundles: int = 0
    more: bool = False  # bundles are due that were left for later


@dataclass(frozen=True, slots=True)
class Context:
    """What a run is given. `zone` is that of rules that name none; `templates` are read where something is queued."""

    settings: Settings
    configuration: Configuration
    zone: str = "UTC"
    templates: Callable[[], Mapping[str, str]] = template_texts


class AlertEngine:
    """Fires the rules of an instance, and keeps them ready from run to run; the tables are the truth.

    Use one object from one thread at a time.
    """

    def __init__(self, engine: Engine):
        self._engine = engine
        self._rules: RuleSet | None = None
        self._made_of: tuple[int, Configuration] | None = None

    def fire(self, context: Context, now: datetime, most: int | None = None) -> FireReport:
        """Turns story events that were not yet looked at into alerts, and queues what is to be told; sends nothing.

        Writes up to `most` mails (None: all): where many are due, what happens next need not wait for them.

        Steps:
        1. for each tick of events after the cursor: decide which rules fire, when that is told and to whom; in one
           transaction, move the cursor (or give way to the process that did) and store alerts and targets;
        2. bundle by target what is due by `now`, and queue one message a bundle, each in one transaction.

        A process that is killed at any point loses and doubles nothing; running it twice or in two processes changes
        nothing.
        """
        alerts = 0
        while (page := self._page(context.configuration)) is not None:
            alerts += self._fire_page(*page, context)
        told = alert_bundles.release(self._engine, settings=context.settings, now=now, zone=context.zone,
                                     templates=context.templates, most=most)
        if alerts or told.bundles:
            log.info("alerts.fired", alerts=alerts, bundles=told.bundles)
        return FireReport(alerts, told.bundles, told.more)

    def _page(self, configuration: Configuration) -> tuple[int, list[StoryEvent], int] | None:
        """The position of the cursor, the events after it, and the number of the last; None where there are none.

        Where there are no rules nothing has to be read.
        """
        with read_only(self._engine) as conn:
            position = cursor(conn, storage.CURSOR)
            if not len(self._ready(conn, configuration)):
                last = last_event_number(conn)
                return (position, [], last) if last > position else None
            events = _whole_ticks(conn, position)
            return (position, events, events[-1].number) if events else None

    def _fire_page(self, position: int, events: Sequence[StoryEvent], last: int, context: Context) -> int:
        """Stores what fires, tick by tick: what one tells is part of what the next one knows."""
        alerts = 0
        for tick in ticks(events):
            firings = self._evaluate(tick, context)
            if not firings:
                continue
            stored = self._store(position, tick, firings, context)
            if stored is None:
                return alerts
            alerts, position = alerts + stored, tick.to
        if position < last:
            with self._engine.begin() as conn:
                storage.advance(conn, position, last)
        return alerts

    def _evaluate(self, tick: Tick, context: Context) -> list[Firing]:
        with read_only(self._engine) as conn:
            rules = self._ready(conn, context.configuration)
            around = Surroundings(context.zone, context.configuration.names, _digests(conn, context.configuration))
            return evaluate(StoredStories(conn), tick, rules, StoredMemory(conn, rules, around), around)

    def _store(self, position: int, tick: Tick, firings: Sequence[Firing], context: Context) -> int | None:
        """Stores the alerts of a tick with their targets; None where another process moved the cursor first."""
        with self._engine.begin() as conn:
            if not storage.advance(conn, position, tick.to):
                return None
            stored = storage.insert_alerts(conn, [_new_alert(firing) for firing in firings])
            alert_bundles.address(conn, stored, tick.at)
            held = [alert for alert in stored if alert.held_by == CEILING]
            if held:
                alert_bundles.notify_ceiling(conn, held, settings=context.settings, templates=context.templates,
                                             zone=context.zone)
        return len(stored)

    def _ready(self, conn: Connection, configuration: Configuration) -> RuleSet:
        """The active rules, read again only where one was changed since."""
        changes, known = rule_storage.changes(conn), self._made_of
        if self._rules is None or known is None or known[1] is not configuration:
            self._rules = RuleSet(rule_storage.rules(conn, "active"), configuration)
            self._rules.prepare({feed.language for feed in configuration.feeds if feed.language})
        elif known[0] != changes:
            self._rules.renew(rule_storage.rules(conn, "active"))
        if known is None or known != (changes, configuration):
            for why in self._rules.unreadable.values():
                log.error("alert rule cannot be read, and tells nothing", why=why)
        self._made_of = (changes, configuration)
        return self._rules


def fire(engine: Engine, context: Context, now: datetime) -> FireReport:
    """`AlertEngine.fire`, once."""
    return AlertEngine(engine).fire(context, now)


def _whole_ticks(conn: Connection, position: int) -> list[StoryEvent]:
    """The next events, never a part of those of one instant."""
    limit = EVENTS_AT_A_TIME
    while True:
        events = events_after(conn, position, limit)
        if len(events) < limit:
            return events
        whole = [event for event in events if event.at != events[-1].at]
        if whole:
            return whole
        limit *= 10


def _digests(conn: Connection, configuration: Configuration) -> Callable[[AlertRule, datetime], datetime | None]:
    """When the next edition is due to the owner of a rule."""
    def due(rule: AlertRule, at: datetime) -> datetime | None:
        if rule.owner is None:
            return None
        return next_digest(subscriptions_by(conn, rule.owner.id), configuration.newsletters, at)

    return due


def _new_alert(firing: Firing) -> NewAlert:
    rule, quote, told = firing.rule, firing.quote, firing.told
    return NewAlert(rule.id, rule.version, firing.story.id, firing.item.id, firing.occasion, quote.sentence,
                    quote.words, firing.why, firing.at, told.at, told.held_by)
