"""Trials: what an alert rule would have found and told, had it been there. Nothing is stored or mailed.

    query ─▶ search of the archive ─▶ items ─▶ their stories ─▶ dry run of the engine ─▶ alerts, mails
                                            ╰▶ counts, samples, near misses, warnings
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, Engine

from digest.alert_rules import AlertRule, AlertSpec
from digest.documents import Configuration
from digest.garbage import collector_paused
from digest.model import Item, Source
from digest.pipeline.alert_matching import KnownRule
from digest.pipeline.alert_policy import Firing, Surroundings
from digest.pipeline.alert_timing import minute_of
from digest.query import parse_query
from digest.query.explain import explain
from digest.query.lint import QueryWarning
from digest.query.tree import Query
from digest.services import search
from digest.services.alert_events import dry_run_of
from digest.services.alert_hints import Asked, NearMiss, near_misses, warnings
from digest.services.alert_stories import LoadedStories
from digest.services.search import Hit
from digest.storage import alert_trials as storage
from digest.storage.engine import read_only
from digest.storage.items import items_by_id

MOST = 5_000  # newest items that match of which alerts are counted
SAMPLES, SOURCES = 10, 5
TRIAL = 0  # id of the rule that is tried
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class TrialDay:
    """A day in UTC: items that match, by when they were published (else first seen), and alerts given on it."""

    day: date
    items: int
    alerts: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule would have found and told since `since`.

    `items` counts matching items published (else first seen) then, `backlog` those of them that were old when their
    feed was first read, and `stories` the stories that they are in. `alerts` is what would have been told by the rule's
    story policy, `mails` in how many messages, after cadence, cool-down, ceiling and quiet hours. `exact` False: the
    query is so broad that the numbers are least numbers.
    """

    canonical: str
    in_words: str
    since: datetime
    until: datetime
    searched: int  # items of that time, whether they match or not
    items: int
    backlog: int
    stories: int
    alerts: int
    mails: int
    exact: bool
    days: tuple[TrialDay, ...]  # oldest first, days with neither items nor alerts left out
    sources: tuple[tuple[Source, int], ...]  # the loudest, most items first
    samples: tuple[Hit, ...]  # newest first
    near_misses: tuple[NearMiss, ...]
    warnings: tuple[QueryWarning, ...]

    @property
    def alerts_a_day(self) -> float:
        """Over all days of the span, those before the archive's first item too."""
        return self.alerts / max(1.0, (self.until - self.since) / timedelta(days=1))


def try_rule(engine: Engine, spec: AlertSpec, configuration: Configuration, *, since: datetime, now: datetime,
             zone: str = "UTC", besides: Sequence[AlertRule] = ()) -> Trial:
    """What a rule that says `spec` would have done since `since`.

    `zone` is the instance's; `besides` are rules whose overlap with this one is told. A rule that waits for its owner's
    digest is tried as a daily one. Stores nothing but what is missing in the search index; raises QueryError.
    """
    tree = parse_query(spec.query, names=configuration.names)
    search.index(engine)
    rule = KnownRule(AlertRule(TRIAL, "trial", None, spec, 1, since, since + INSTANT), configuration)
    with collector_paused(), read_only(engine) as conn:
        fired = fire(conn, rule, tree, (since, now), Surroundings(zone, configuration.names))
        shown = sorted((item for item in fired.items if item.sorted_at > since),
                       key=lambda item: (-item.sorted_at.timestamp(), item.id))
        asked = Asked(conn, rule, tree, since, now, configuration, storage.count_items(conn, since, now), len(shown),
                      shown)
        return _trial(asked, fired, besides)


@dataclass(frozen=True, slots=True)
class Fired:
    """What a rule matches among items first seen in a span, and the alerts that the engine would have given.

    `stories` holds the story of each item that has one.
    """

    items: tuple[Item, ...]
    firings: tuple[Firing, ...]
    stories: Mapping[str, str]
    exact: bool  # False: there are more


def fire(conn: Connection, rule: KnownRule, query: Query, span: tuple[datetime, datetime],
         around: Surroundings) -> Fired:
    """What a rule whose tree is `query` would have done after the first instant of `span` up to the second.

    The engine is asked about the stories of the items alone that a search finds, and of those items whose text was
    another one: that may have matched too. Where nothing else can make the rule fire, the other items of these stories
    are left out.
    """
    since, until = span
    found = search.find(conn, query, since, until, limit=MOST, prepared=rule.text_of, by_sight=True)
    rewritten = storage.rewritten(conn, since)
    asked = {*found.item_ids, *rewritten}
    annals = storage.annals(conn, asked, since, until, whole=rule.looks_at_stories)
    items = items_by_id(conn, asked | {filed.item_id for filed in annals.filed})
    rule.know(items, frozenset(found.item_ids))
    archive = LoadedStories(conn, annals, items, rewritten)
    events = (event for event in annals.events if event.item_id is None or event.item_id in items)
    firings = tuple(dry_run_of(events, archive, rule, around))
    hits = tuple(items[id_] for id_ in found.item_ids if id_ in items and rule.in_scope(items[id_]))
    return Fired(hits, firings, archive.stories_of(until), found.exact and found.total <= MOST)


def _trial(asked: Asked, fired: Fired, besides: Sequence[AlertRule]) -> Trial:
    shown = asked.newest
    samples = tuple(search.hit_of(asked.item_query, item, fired.stories.get(item.id), asked.read)
                    for item in shown[:SAMPLES])
    return Trial(
        canonical=str(asked.query), in_words=explain(asked.query), since=asked.since, until=asked.until,
        searched=asked.searched, items=len(shown), backlog=sum(item.backlog for item in shown),
        stories=len({fired.stories.get(item.id, item.id) for item in shown}), alerts=len(fired.firings),
        mails=len({minute_of(firing.told.at) for firing in fired.firings}), exact=fired.exact,
        days=_days(shown, fired.firings), samples=samples,
        sources=tuple(Counter(item.feed.source for item in shown).most_common(SOURCES)),
        near_misses=near_misses(asked), warnings=(*_told_warnings(asked, fired), *warnings(asked, besides)))


def _days(hits: Sequence[Item], firings: Sequence[Firing]) -> tuple[TrialDay, ...]:
    items = Counter(item.sorted_at.astimezone(UTC).date() for item in hits)
    alerts = Counter(firing.at.astimezone(UTC).date() for firing in firings)
    return tuple(TrialDay(day, items[day], alerts[day]) for day in sorted({*items, *alerts}))


def _told_warnings(asked: Asked, fired: Fired) -> Iterator[QueryWarning]:
    """What is likely wrong with how much the rule tells."""
    ceiling = asked.rule.spec.ceiling
    busiest = Counter(firing.at.astimezone(UTC).date() for firing in fired.firings).most_common(1)
    if not fired.exact:
        yield QueryWarning("broad", f"it matches more than {MOST} items", "ask for one more word")
    if ceiling and busiest and busiest[0][1] > ceiling:
        day, number = busiest[0]
        yield QueryWarning("broad", f"it would have told {number} stories on {day}, with a ceiling of {ceiling} a day",
                           "ask for one more word, or tell it daily")
    if asked.newest and all(item.backlog for item in asked.newest):
        yield QueryWarning("backlog", "all that matches was old when its feed was first read, which alerts nobody",
                           "let some days go by")
