"""Which alert rules match which items: query, scope, and what a rule may see at all. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.alert_rules import AlertRule, AlertSpec
from digest.documents import Configuration
from digest.errors import QueryError
from digest.model import BodyPolicy, Item, Story
from digest.pipeline.region import Places
from digest.pipeline.story_conditions import facts_of
from digest.query import match, parse_query, prepare
from digest.query.conditions import holds, story_conditions
from digest.query.match import MatchText, Span
from digest.query.quote import Quote, quote
from digest.query.tree import Condition, Query

NOWHERE = ""  # region of an item whose feed has none and whose text names none


@dataclass(frozen=True, slots=True)
class Match:
    """An item that a rule matches, and the places of its text that made it match."""

    rule_id: int
    item: Item
    text: MatchText
    spans: tuple[Span, ...]

    @property
    def quote(self) -> Quote:
        return quote_item(self.item, self.text, self.spans)


def quote_item(item: Item, text: MatchText, spans: Sequence[Span]) -> Quote:
    """The sentence of an item that matched; its title where the feed's texts may not be shown."""
    return quote(text, spans, title_only=item.feed.body is BodyPolicy.HEADLINE)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A rule whose query was read, split into what is asked of items and of stories."""

    rule: AlertRule
    query: Query
    conditions: tuple[Condition, ...]
    passes: Query | None
    pass_conditions: tuple[Condition, ...]


class RuleSet:
    """Rules made ready for many items. A stored query that can no longer be read never fires.

    Does not decide whether a rule that matches fires: `alert_policy` does.
    """

    def __init__(self, rules: Iterable[AlertRule], configuration: Configuration):
        self._configuration = configuration
        self._places = Places(configuration.gazetteer)
        self._ready = {rule.id: ready for rule in rules if (ready := self._read(rule)) is not None}

    def __len__(self) -> int:
        return len(self._ready)

    @property
    def conditional(self) -> bool:
        """Whether there is a rule that looks at the story beside the item that joined it."""
        return any(ready.conditions for ready in self._ready.values())

    def rule(self, rule_id: int) -> AlertRule:
        return self._ready[rule_id].rule

    def __contains__(self, rule_id: int) -> bool:
        return rule_id in self._ready

    def has_conditions(self, rule_id: int) -> bool:
        return bool(self._ready[rule_id].conditions)

    def matches(self, item: Item, *, conditional: bool | None = None) -> Iterator[Match]:
        """The rules that match an item, in order of id; `conditional` asks those with (or without) conditions alone.

        A feed's backlog, and what was first seen before a rule, match nothing.
        """
        if item.backlog:
            return
        text: MatchText | None = None
        for rule_id, ready in self._ready.items():
            if conditional is not None and bool(ready.conditions) is not conditional:
                continue
            if item.first_seen_at < ready.rule.since or not self._in_scope(ready.rule.spec, item):
                continue
            text = text or self._prepare(item)
            if (spans := match(ready.query, text)) is not None:
                yield Match(rule_id, item, text, spans)

    def conditions_hold(self, rule_id: int, story: Story, at: datetime) -> bool:
        """Whether the story is as the rule's query asks."""
        conditions = self._ready[rule_id].conditions
        return not conditions or holds(conditions, facts_of(story, at))

    def conditions(self, rule_id: int) -> tuple[Condition, ...]:
        return self._ready[rule_id].conditions

    def passes(self, rule_id: int, story: Story, at: datetime) -> bool:
        """Whether the story may be told in the rule's quiet hours: one of its items matches, as the story does."""
        ready = self._ready[rule_id]
        if ready.passes is None or not holds(ready.pass_conditions, facts_of(story, at)):
            return False
        return any(match(ready.passes, self._prepare(item)) is not None for item in story.items)

    def _read(self, rule: AlertRule) -> _Ready | None:
        try:
            query, conditions = story_conditions(parse_query(rule.spec.query, names=self._configuration.names))
            passes: tuple[Query | None, tuple[Condition, ...]] = (None, ())
            if rule.spec.quiet and rule.spec.quiet.passes:
                passes = story_conditions(parse_query(rule.spec.quiet.passes, names=self._configuration.names))
        except QueryError:
            return None
        return _Ready(rule, query, conditions, *passes)

    def _prepare(self, item: Item) -> MatchText:
        return prepare(item)

    def _in_scope(self, spec: AlertSpec, item: Item) -> bool:
        feed, newsletters = item.feed, self._configuration.newsletters
        if spec.languages and item.language not in spec.languages:
            return False
        if spec.sources and feed.source.slug not in spec.sources:
            return False
        if spec.newsletters and not any(
                newsletters[slug].takes(feed, self._configuration.gazetteer)
                for slug in spec.newsletters if slug in newsletters):
            return False
        if not spec.regions:
            return True
        region = self._places.item_region(item, NOWHERE)
        return any(self._places.inside(region, outer) for outer in spec.regions)


def by_rule(matches: Iterable[Match]) -> Mapping[int, list[Match]]:
    """Matches by the id of their rule, in their order."""
    found: dict[int, list[Match]] = {}
    for one in matches:
        found.setdefault(one.rule_id, []).append(one)
    return found
