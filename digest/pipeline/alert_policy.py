"""Which matches become alerts: the story policy, and the stated triggers by which a story that was told develops. Pure.

A tick is what happened to stories at one instant. What a rule told before is the only thing that is remembered, so the
live engine, a trial over the archive and a replay are this one function over the same ticks.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from digest.alert_rules import Alert, AlertRule, AlertSpec, Cadence, StoryPolicy, Trigger
from digest.model import Item, Story
from digest.pipeline.alert_matching import Match, RuleSet
from digest.pipeline.alert_news import news_beside
from digest.pipeline.alert_timing import Pace, Told, told_at
from digest.query.quote import Quote
from digest.text.names import Names

FIRST, ITEM, NAME, FIGURE, FAMILIES, LANGUAGE, FLAG = (
    "first", "another item", "new name", "new figure", "new owners", "new language", "editor's flag")
MOST_NAMED = 3  # names or figures in one trigger
UNKNOWN_LANGUAGE = "und"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What a tick did to a story: items that joined it, in their order, and whether an editor flagged it."""

    story: Story
    items: tuple[Item, ...] = ()
    flagged: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """What a rule told of a story: when last, and with which items."""

    at: datetime
    items: frozenset[str]


@dataclass(slots=True)
class History:
    """What rules told before, by story and by item, then by rule: an item that changes its story takes with it what was
    told of it.
    """

    of_stories: dict[str, dict[int, Past]] = field(default_factory=dict)
    of_items: dict[str, dict[int, datetime]] = field(default_factory=dict)
    paces: dict[int, Pace] = field(default_factory=dict)

    def note_alert(self, rule_id: int, story_id: str, item_id: str, at: datetime) -> None:
        stories, items = self.of_stories.setdefault(story_id, {}), self.of_items.setdefault(item_id, {})
        past = stories.get(rule_id, Past(at, frozenset()))
        stories[rule_id] = Past(max(past.at, at), past.items | {item_id})
        items[rule_id] = max(at, items.get(rule_id, at))

    def note(self, alerts: Iterable[Alert]) -> None:
        """Remembers alerts; their paces are noted apart."""
        for alert in alerts:
            self.note_alert(alert.rule_id, alert.story_id, alert.item_id, alert.at)

    def past(self, rule_id: int, story: Story) -> Past | None:
        """What the rule told of the story or of items that are in it now; None where nothing."""
        own = self.of_stories.get(story.id, {}).get(rule_id)
        times = {item.id: at for item in story.items
                 if (at := self.of_items.get(item.id, {}).get(rule_id)) is not None}
        if own is None and not times:
            return None
        newest = max([*times.values(), *([own.at] if own else [])])
        return Past(newest, frozenset(times) | (own.items if own else frozenset()))

    def rules_that_told(self, story: Story) -> set[int]:
        """The rules that told anything of the story."""
        return {*self.of_stories.get(story.id, {}),
                *(rule for item in story.items for rule in self.of_items.get(item.id, {}))}


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert to be: the rule, the item that made it fire, why, and when it is told.

    `match` is None where what made it fire is no item that matches.
    """

    rule: AlertRule
    story: Story
    item: Item
    match: Match | None
    occasion: str
    why: tuple[Trigger, ...]
    at: datetime
    told: Told

    @property
    def quote(self) -> Quote:
        """The sentence that matched; else the item's title."""
        return self.match.quote if self.match else Quote(self.item.title, ())


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What decisions need beside rules and stories. `zone` is the instance's; `digests` says when the next edition of
    the owner of a rule is due after an instant (None: they read none).
    """

    zone: str
    names: Names
    digests: Callable[[AlertRule, datetime], datetime | None] = lambda _rule, _at: None

    def zone_of(self, spec: AlertSpec) -> str:
        return spec.zone or self.zone


def decide(at: datetime, occurrences: Sequence[Occurrence], matches: Mapping[str, Mapping[int, Sequence[Match]]],
           rules: RuleSet, history: History, around: Surroundings) -> list[Firing]:
    """The alerts of one tick, in order of the occurrences and of rule ids; `history` is told of them.

    `matches` is by story id and rule id: of new items, and for rules with conditions of all items of the story.
    """
    firings: list[Firing] = []
    for occurrence in occurrences:
        story, by_rule = occurrence.story, matches.get(occurrence.story.id, {})
        told = {rule_id for rule_id in history.rules_that_told(story) if rule_id in rules}
        for rule_id in sorted({*by_rule, *told}):
            if not rules.conditions_hold(rule_id, story, at):
                continue
            past, rule = history.past(rule_id, story), rules.rule(rule_id)
            for item, found, occasion, why in _fires(at, occurrence, rule, by_rule.get(rule_id, ()), past, rules,
                                                     around.names):
                timed = _timed(at, story, rule, rules, history, around)
                firings.append(Firing(rule, story, item, found, occasion, why, at, timed))
                history.note_alert(rule_id, story.id, item.id, at)
    return firings


Fire = tuple[Item, Match | None, str, tuple[Trigger, ...]]


def _fires(at: datetime, occurrence: Occurrence, rule: AlertRule, matches: Sequence[Match], past: Past | None,
           rules: RuleSet, names: Names) -> list[Fire]:
    """What the rule has to say of the story: item, match, occasion and triggers of each alert."""
    policy = rule.spec.story
    if past is None:
        first = _first(occurrence, matches, rules.conditions(rule.id))
        if first is None or policy is not StoryPolicy.EVERY_ITEM:
            return [] if first is None else [first]
        return [first, *_items(matches, {first[0].id})]
    if policy is StoryPolicy.EVERY_ITEM:
        return _items(matches, past.items)
    if policy is StoryPolicy.DEVELOPS:
        return _developed(at, occurrence, rule.spec, matches, past, names)
    return []


def _first(occurrence: Occurrence, matches: Sequence[Match], conditions: Iterable[object]) -> Fire | None:
    """With the first new item that matches; where only the story's conditions are new, with the first that did."""
    if not matches:
        return None
    joined = {item.id for item in occurrence.items}
    chosen = next((one for one in matches if one.item.id in joined), matches[0])
    return chosen.item, chosen, FIRST, (Trigger(FIRST, " ".join(map(str, conditions))),)


def _items(matches: Iterable[Match], known: Collection[str]) -> list[Fire]:
    return [(one.item, one, one.item.id, (Trigger(ITEM, one.item.feed.source.name),))
            for one in matches if one.item.id not in known]


def _developed(at: datetime, occurrence: Occurrence, spec: AlertSpec, matches: Sequence[Match], past: Past,
               names: Names) -> list[Fire]:
    """One alert where at least one trigger says that the story developed since it was last told."""
    story = occurrence.story
    before = [item for item in story.items if item.first_seen_at <= past.at]
    joined = {item.id for item in occurrence.items}
    new = [one for one in matches if one.item.id in joined and one.item.first_seen_at > past.at]
    found, told_by = _beside(new, before, names)
    found += _coverage(story, before, spec)
    if occurrence.flagged:
        found.append(Trigger(FLAG))
    if not found:
        return []
    if told_by or new:
        chosen = told_by or new[0]
        return [(chosen.item, chosen, at.isoformat(), tuple(found))]
    item = (occurrence.items or story.items)[-1]
    return [(item, None, at.isoformat(), tuple(found))]


def _beside(new: Sequence[Match], before: Sequence[Item], names: Names) -> tuple[list[Trigger], Match | None]:
    """Names and figures beside the matched words that no earlier item had, and the first match that has one."""
    told: dict[str, list[str]] = {NAME: [], FIGURE: []}
    told_by: Match | None = None
    for one in new:
        news = news_beside(one, before, names)
        if told_by is None and (news.names or news.figures):
            told_by = one
        told[NAME] += [name for name in news.names if name not in told[NAME]]
        told[FIGURE] += [figure for figure in news.figures if figure not in told[FIGURE]]
    return [Trigger(name, ", ".join(found[:MOST_NAMED])) for name, found in told.items() if found], told_by


def _coverage(story: Story, before: Sequence[Item], spec: AlertSpec) -> list[Trigger]:
    """So many more independent owners, and the first item in another language."""
    found: list[Trigger] = []
    known = {item.id for item in before}
    if not known:
        return found
    earlier = replace(story, items=tuple(before)).families
    added = sorted(story.families - earlier)
    if len(added) >= spec.families:
        found.append(Trigger(FAMILIES, ", ".join(added[:MOST_NAMED]) + (" …" if len(added) > MOST_NAMED else "")))
    spoken = {item.language for item in before}
    languages = {item.language for item in story.items if item.id not in known} - spoken - {UNKNOWN_LANGUAGE}
    if languages:
        found.append(Trigger(LANGUAGE, ", ".join(sorted(languages))))
    return found


def _timed(at: datetime, story: Story, rule: AlertRule, rules: RuleSet, history: History,
           around: Surroundings) -> Told:
    spec, zone = rule.spec, around.zone_of(rule.spec)
    pace = history.paces.setdefault(rule.id, Pace())
    told = told_at(spec, at, pace, zone, passes=bool(spec.quiet) and rules.passes(rule.id, story, at),
                   digest_at=around.digests(rule, at) if spec.cadence is Cadence.DIGEST else None)
    pace.note(told, zone)
    return told
