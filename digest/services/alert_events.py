"""Ticks of the log of story events, and what alert rules make of each: shared by the live engine and by trials."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Protocol

from sqlalchemy import Connection

from digest.alert_rules import Alert, StoryPolicy
from digest.model import Item, Story, StoryEvent, StoryEventKind
from digest.pipeline.alert_matching import Match, RuleSet
from digest.pipeline.alert_policy import Firing, History, Occurrence, Surroundings, decide
from digest.pipeline.alert_timing import LOOK_BACK, paces
from digest.services.alert_stories import StoredStories, StoriesThen
from digest.storage import alerts as storage
from digest.storage.stories import events_after

EVENTS_AT_A_TIME = 10_000


@dataclass(frozen=True, slots=True)
class Tick:
    """The events of one instant; `to` is the number of the last."""

    at: datetime
    to: int
    events: tuple[StoryEvent, ...]


class Memory(Protocol):
    """What rules told before a tick: in the tables, or in a trial's own memory."""

    def told(self, names: Sequence[str], at: datetime) -> set[tuple[int, str]]:
        """(rule id, story id) of what was told under any of these names of stories."""
        ...

    def history(self, stories: Sequence[Story], rule_ids: Sequence[int], at: datetime) -> History:
        """What is to be known to decide on these stories: of these rules, and of those that told of them before."""
        ...


class StoredMemory:
    """What the tables say was told."""

    def __init__(self, conn: Connection, rules: RuleSet, around: Surroundings):
        self._conn, self._rules, self._around = conn, rules, around

    def told(self, names: Sequence[str], at: datetime) -> set[tuple[int, str]]:
        return {(alert.rule_id, alert.story_id) for alert in storage.told(self._conn, names, (), at)}

    def history(self, stories: Sequence[Story], rule_ids: Sequence[int], at: datetime) -> History:
        items = [item.id for story in stories for item in story.items]
        found = History()
        told = storage.told(self._conn, [story.id for story in stories], items, at)
        found.note(told)
        paced = sorted({rule_id for rule_id in (*rule_ids, *(alert.rule_id for alert in told))
                        if self._is_paced(rule_id)})
        zones = {rule_id: self._around.zone_of(self._rules.rule(rule_id).spec) for rule_id in paced}
        known: Sequence[Alert] = storage.releases(self._conn, paced, at - LOOK_BACK) if paced else ()
        found.paces = paces((alert for alert in known if alert.at <= at), zones)
        return found

    def _is_paced(self, rule_id: int) -> bool:
        if rule_id not in self._rules:
            return False
        spec = self._rules.rule(rule_id).spec
        return bool(spec.cool_down_minutes or spec.ceiling)


class TrialMemory:
    """What a trial over the archive told so far; nothing of the tables."""

    def __init__(self) -> None:
        self._history = History()

    def told(self, names: Sequence[str], at: datetime) -> set[tuple[int, str]]:
        return {(rule_id, name) for name in names for rule_id in self._history.of_stories.get(name, {})}

    def history(self, stories: Sequence[Story], rule_ids: Sequence[int], at: datetime) -> History:
        return self._history


def ticks(events: Iterable[StoryEvent]) -> Iterator[Tick]:
    """Events in their order, those of one instant together."""
    own: list[StoryEvent] = []
    for event in events:
        if own and own[-1].at != event.at:
            yield Tick(own[-1].at, own[-1].number, tuple(own))
            own = []
        own.append(event)
    if own:
        yield Tick(own[-1].at, own[-1].number, tuple(own))


def evaluate(archive: StoriesThen, tick: Tick, rules: RuleSet, memory: Memory, around: Surroundings) -> list[Firing]:
    """The alerts of a tick. Everything is read as it was then, however late this is done.

    Steps:
    1. match the items that joined stories;
    2. find the stories to look at whole: those of matches, those that a rule told of which may tell of it again, and
       all where a rule asks for something of the story;
    3. decide.
    """
    items = _items(archive, tick)
    roots = archive.roots([event.story_id for event in tick.events], tick.at)
    found = {item_id: [] if item is None else rules.matches(item) for item_id, item in items.items()}
    stories = _stories(archive, tick, roots, found, rules, memory)
    occurrences = _occurrences(tick, roots, stories, items)
    matches = {one.story.id: _by_rule(one, found, rules) for one in occurrences}
    rule_ids = sorted({rule_id for by_rule in matches.values() for rule_id in by_rule})
    history = memory.history([one.story for one in occurrences], rule_ids, tick.at)
    return decide(tick.at, occurrences, matches, rules, history, around)


def _items(archive: StoriesThen, tick: Tick) -> dict[str, Item | None]:
    """The items that joined stories, in their order; None where one is not there any more."""
    ids = [event.item_id for event in tick.events if event.item_id is not None]
    found = archive.items(ids, tick.at)
    return {item_id: found.get(item_id) for item_id in ids}


def _stories(archive: StoriesThen, tick: Tick, roots: dict[str, str], found: dict[str, list[Match]], rules: RuleSet,
             memory: Memory) -> dict[str, Story]:
    """By root, the stories that have to be looked at whole."""
    wanted = {roots[event.story_id] for event in tick.events if event.item_id and found.get(event.item_id)}
    if rules.conditional:
        wanted |= set(roots.values())
    if rules.developing:
        names = archive.families(set(roots.values()), tick.at)
        wanted |= {names[story_id] for rule_id, story_id in memory.told(list(names), tick.at)
                   if rule_id in rules and rules.rule(rule_id).spec.story is StoryPolicy.DEVELOPS}
    return archive.stories(wanted, tick.at) if wanted else {}


def _occurrences(tick: Tick, roots: dict[str, str], stories: dict[str, Story],
                 items: dict[str, Item | None]) -> list[Occurrence]:
    """What happened to each story that is looked at, in order of the events."""
    joined: dict[str, list[Item]] = {}
    flagged: set[str] = set()
    for event in tick.events:
        root = roots[event.story_id]
        if root not in stories:
            continue
        own = joined.setdefault(root, [])
        item = items.get(event.item_id) if event.item_id else None
        if item is not None and item not in own:
            own.append(item)
        if event.kind is StoryEventKind.FLAGGED:
            flagged.add(root)
    return [Occurrence(stories[root], tuple(own), root in flagged) for root, own in joined.items()]


def _by_rule(occurrence: Occurrence, found: dict[str, list[Match]], rules: RuleSet) -> dict[int, list[Match]]:
    """The matches of a story by rule: of new items, and for rules with conditions of the story's earlier ones too."""
    matches: dict[int, list[Match]] = {}
    new = {item.id for item in occurrence.items}
    for item in occurrence.story.items:
        if item.id not in new and rules.conditional:
            for one in rules.matches(item, conditional=True):
                matches.setdefault(one.rule_id, []).append(one)
    for item in occurrence.items:
        for one in found.get(item.id, ()):
            matches.setdefault(one.rule_id, []).append(one)
    return matches


def dry_run(conn: Connection, rules: RuleSet, around: Surroundings, *, after: int = 0,
            until: datetime | None = None) -> list[Firing]:
    """What rules would have told of the recorded events after number `after`, up to `until`; nothing is stored.

    What was told in fact plays no part: the rules begin with nothing told, and fire on what was first seen since their
    `since`. So a rule that was active all the time gives what it gave.
    """
    events = takewhile(lambda event: until is None or event.at <= until, _recorded(conn, after))
    return dry_run_of(events, StoredStories(conn), rules, around)


def dry_run_of(events: Iterable[StoryEvent], archive: StoriesThen, rules: RuleSet,
               around: Surroundings) -> list[Firing]:
    """What rules would have told of these events, in order of the log."""
    memory = TrialMemory()
    return [firing for tick in ticks(events) for firing in evaluate(archive, tick, rules, memory, around)]


def _recorded(conn: Connection, after: int) -> Iterator[StoryEvent]:
    while events := events_after(conn, after, EVENTS_AT_A_TIME):
        yield from events
        after = events[-1].number
