"""Alert rules and their firing: what happened to stories becomes alerts, alerts become queued mail."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, Engine

from digest.errors import NameTaken, NotFound
from digest.model import AlertRule, Item, Message, Story
from digest.pipeline.alerts import Hit, compose, find_hits, message, quote_item
from digest.pipeline.render import Renderer
from digest.query import match, parse_query, prepare
from digest.query.quote import Quote
from digest.resources import template_texts
from digest.services import deliveries, envelopes, subscribers
from digest.settings import Settings
from digest.storage import alerts as storage
from digest.storage.engine import read_only
from digest.storage.items import items_by_id
from digest.storage.stories import cursor, events_after, story_by_id

EVENTS_AT_A_TIME = 10_000  # looked at, and their alerts stored, in one transaction
ITEMS_AT_A_TIME = 500
SAMPLES = 10

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FireReport:
    """Alerts that were stored and mails (one a reader) that were queued for them."""

    alerts: int = 0
    bundles: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    item: Item
    story_id: str | None
    quote: Quote


@dataclass(frozen=True, slots=True)
class Trial:
    """What a query matches in the archive. `stories` is the number of alerts that it would have given.

    `days` counts matching items by UTC day of publication (else of first sight), oldest first.
    """

    searched: int
    items: int
    stories: int
    days: tuple[tuple[date, int], ...]
    samples: tuple[Sample, ...]


def add(conn: Connection, name: str, query: str, email: str, now: datetime,
        consent_source: str = "operator") -> AlertRule:
    """A new active rule; its owner becomes a subscriber where the address is new.

    Adding the same rule again changes nothing. Raises QueryError, AddressRefused, or NameTaken where another rule has
    the name.
    """
    parse_query(query)
    owner = subscribers.ensure(conn, email, consent_source, now)
    storage.insert_rule(conn, name, owner.id, query, now)
    rule = find(conn, name)
    if (rule.query, rule.owner.id) != (query, owner.id):
        raise NameTaken("alert rule", name, "choose another name, or remove that rule first")
    return rule


def find(conn: Connection, name: str) -> AlertRule:
    """The rule of a name. Raises NotFound with the names that there are."""
    rule = storage.rule_by_name(conn, name)
    if rule is None or rule.state == "removed":
        known = tuple(rule.name for rule in storage.rules(conn, "active", "paused"))
        raise NotFound("alert rule", name, known)
    return rule


def pause(conn: Connection, name: str) -> AlertRule:
    """Stops a rule until it is resumed; what happens meanwhile is not caught up. Idempotent; raises NotFound."""
    storage.set_state(conn, find(conn, name).id, "paused")
    return find(conn, name)


def resume(conn: Connection, name: str) -> AlertRule:
    """Makes a paused rule fire again, from now on. Idempotent; raises NotFound."""
    storage.set_state(conn, find(conn, name).id, "active")
    return find(conn, name)


def remove(conn: Connection, name: str) -> AlertRule:
    """Ends a rule for good; its name may be given again. Returns it as it was; raises NotFound."""
    rule = find(conn, name)
    storage.remove_rule(conn, rule.id)
    return rule


def fire(engine: Engine, *, settings: Settings, now: datetime, zone: str = "UTC",
         templates: Callable[[], Mapping[str, str]] = template_texts) -> FireReport:
    """Turns story events that were not yet looked at into alerts and queued mail; sends nothing.

    Steps, until no event is left:
    1. read the events after the cursor, their items, and what has fired for their stories;
    2. decide which rules fire: at most once for a story, merged stories being one;
    3. in one transaction: move the cursor (or give way to the process that did), store the alerts, bundle them by
       reader, queue one mail a bundle.

    A process that is killed at any point loses and doubles nothing; running it twice or in two processes changes
    nothing. `zone` is that of the times shown; `templates` are read only where something fires.
    """
    total = FireReport()
    post = _Post(settings, now, ZoneInfo(zone), templates)
    while (page := _read_page(engine)) is not None:
        done = post.store(engine, page)
        total = FireReport(total.alerts + done.alerts, total.bundles + done.bundles)
    if total.alerts:
        log.info("alerts.fired", alerts=total.alerts, bundles=total.bundles)
    return total


@dataclass(frozen=True, slots=True)
class _Page:
    """Events from one position of the cursor to another, and what fires for them."""

    position: int
    to: int
    hits: tuple[Hit, ...]
    stories: Mapping[str, Story]


def _read_page(engine: Engine) -> _Page | None:
    with read_only(engine) as conn:
        position = cursor(conn, storage.CURSOR)
        events = events_after(conn, position, EVENTS_AT_A_TIME)
        if not events:
            return None
        rules = storage.rules(conn, "active")
        ids = [event.item_id for event in events if event.item_id is not None] if rules else []
        hits = _hits(conn, rules, ids)
        stories = {story_id: story_by_id(conn, story_id) for story_id in dict.fromkeys(hit.story_id for hit in hits)}
    return _Page(position, events[-1].number, tuple(hits), stories)


def _hits(conn: Connection, rules: Sequence[AlertRule], item_ids: Sequence[str]) -> list[Hit]:
    stories = storage.stories_of(conn, item_ids)
    alerted = storage.alerted(conn, stories.values())
    hits: list[Hit] = []
    for start in range(0, len(item_ids), ITEMS_AT_A_TIME):
        chunk = item_ids[start:start + ITEMS_AT_A_TIME]
        items = items_by_id(conn, chunk)
        known = [(items[item_id], stories[item_id]) for item_id in chunk if item_id in items and item_id in stories]
        found = find_hits(rules, known, alerted)
        alerted |= {(hit.rule.id, hit.story_id) for hit in found}
        hits.extend(found)
    return hits


class _Post:
    """Stores the alerts of a page and queues their mail."""

    def __init__(self, settings: Settings, now: datetime, zone: ZoneInfo,
                 templates: Callable[[], Mapping[str, str]]):
        self._settings, self._now, self._zone, self._templates = settings, now, zone, templates

    def store(self, engine: Engine, page: _Page) -> FireReport:
        new = [storage.NewAlert(h.rule, h.story_id, h.item.id, h.quote.sentence, h.quote.words) for h in page.hits]
        with engine.begin() as conn:
            if not storage.advance(conn, page.position, page.to):
                return FireReport()
            stored = {(a.rule.id, a.story_id): a.id for a in storage.insert_alerts(conn, new, self._now)}
            by_target: dict[str, list[Hit]] = {}
            for hit in page.hits:
                if (hit.rule.id, hit.story_id) in stored:
                    by_target.setdefault(hit.rule.owner.email, []).append(hit)
            for target, hits in by_target.items():
                alert_ids = [stored[hit.rule.id, hit.story_id] for hit in hits]
                self._queue(conn, target, hits, alert_ids, self._message(hits, page.stories))
        return FireReport(len(stored), len(by_target))

    @cached_property
    def _renderer(self) -> Renderer:
        return Renderer(self._templates(), base=envelopes.base_url(self._settings))

    def _message(self, hits: Sequence[Hit], stories: Mapping[str, Story]) -> Message:
        site = self._settings.site
        view = compose(hits, stories, zone=self._zone, site_name=site.name, postal_address=site.postal_address,
                       language=site.language)
        return message(self._renderer, view, envelopes.base_url(self._settings))

    def _queue(self, conn: Connection, target: str, hits: Sequence[Hit], alert_ids: Sequence[int],
               mail: Message) -> None:
        bundle_id = storage.insert_bundle(conn, envelopes.MAIL, target, alert_ids, self._now)
        rules = {hit.rule.id for hit in hits}
        mark = f"alert:{min(rules)}" if len(rules) == 1 else f"alerts:{hits[0].rule.owner.id}"
        deliveries.queue(conn, subject=f"bundle:{bundle_id}", channel=envelopes.MAIL, target=target, message=mail,
                         unsubscribe=mark, due_at=self._now, now=self._now)


def try_query(engine: Engine, query: str, since: datetime, now: datetime) -> Trial:
    """What the archive since `since` would have matched, backlog included. Stores nothing; raises QueryError."""
    tree = parse_query(query)
    found: list[tuple[str, datetime]] = []
    samples: list[tuple[Item, Quote]] = []
    with read_only(engine) as conn:
        ids = storage.archive_ids(conn, since, now)
        for item in _archive(conn, ids, now):
            text = prepare(item)
            if (spans := match(tree, text)) is None:
                continue
            found.append((item.id, item.sorted_at))
            if len(samples) < SAMPLES:
                samples.append((item, quote_item(item, text, spans)))
        stories = storage.stories_of(conn, [item_id for item_id, _ in found])
    days = Counter(at.astimezone(UTC).date() for _, at in found)
    return Trial(
        searched=len(ids), items=len(found), stories=len({stories.get(item_id, item_id) for item_id, _ in found}),
        days=tuple(sorted(days.items())),
        samples=tuple(Sample(item, stories.get(item.id), sentence) for item, sentence in samples),
    )


def _archive(conn: Connection, ids: Sequence[str], at: datetime) -> Iterator[Item]:
    """The items in the order of `ids`, a part of them in memory at a time."""
    for start in range(0, len(ids), ITEMS_AT_A_TIME):
        chunk = ids[start:start + ITEMS_AT_A_TIME]
        items = items_by_id(conn, chunk, at=at)
        yield from (items[item_id] for item_id in chunk if item_id in items)
