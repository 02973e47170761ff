"""Which alert rules match which items: query, scope, and what a rule may see at all. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial

from digest.alert_rules import AlertRule, AlertSpec, StoryPolicy
from digest.documents import Configuration
from digest.errors import QueryError
from digest.model import BodyPolicy, Item, Story
from digest.pipeline.region import Places
from digest.pipeline.story_conditions import facts_of
from digest.query import match, parse_query, prepare
from digest.query.conditions import holds, story_conditions
from digest.query.index import RuleIndex
from digest.query.match import MatchText, Span, paragraphs
from digest.query.quote import Quote, quote
from digest.query.sieve import Sieve
from digest.query.tree import Condition, Query

NOWHERE = ""  # region of an item whose feed has none and whose text names none


@dataclass(frozen=True)
class Match:
    """An item that a rule matches. Its text, and the places of it that made it match, are looked at when needed."""

    rule_id: int
    item: Item
    query: Query
    read: Callable[[Item], MatchText] = field(repr=False, compare=False)

    @cached_property
    def text(self) -> MatchText:
        return self.read(self.item)

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        return match(self.query, self.text) or ()

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
        self._ready: dict[int, _Ready] = {}
        self._developing: set[int] = set()
        self._index: RuleIndex[int] = RuleIndex()
        self._conditional: RuleIndex[int] = RuleIndex()  # of those that look at the story too
        self._topics = _Topics(configuration)
        self.unreadable: dict[int, str] = {}  # why a rule never fires, by its id
        self.renew(rules)

    def renew(self, rules: Iterable[AlertRule]) -> None:
        """Makes these the rules; what stayed as it was stays ready."""
        wanted = {rule.id: rule for rule in rules}
        known = {rule_id: ready.rule for rule_id, ready in self._ready.items()}
        for rule_id in [rule_id for rule_id, rule in known.items() if wanted.get(rule_id) != rule]:
            del self._ready[rule_id]
            self._developing.discard(rule_id)
            self._index.remove(rule_id)
            self._conditional.remove(rule_id)
        self.unreadable.clear()
        for rule_id, rule in wanted.items():
            if known.get(rule_id) != rule and (ready := self._read(rule)) is not None:
                self._ready[rule_id] = ready
                if rule.spec.story is StoryPolicy.DEVELOPS:
                    self._developing.add(rule_id)
                self._index.add(rule_id, ready.query)
                if ready.conditions:
                    self._conditional.add(rule_id, ready.query)

    def prepare(self, languages: Iterable[str]) -> None:
        """Files the rules for texts of these languages now, so that the first of them need not wait."""
        for language in languages:
            self._index.prepare(language)

    def __len__(self) -> int:
        return len(self._ready)

    def __contains__(self, rule_id: int) -> bool:
        return rule_id in self._ready

    @property
    def conditional(self) -> bool:
        """Whether there is a rule that looks at the story beside the item that joined it."""
        return len(self._conditional) > 0

    @property
    def developing(self) -> bool:
        """Whether there is a rule that may tell of a story again without an item that matches."""
        return bool(self._developing)

    def rule(self, rule_id: int) -> AlertRule:
        return self._ready[rule_id].rule

    def matches(self, item: Item, *, conditional: bool = False) -> list[Match]:
        """The rules that match an item, in order of id; `conditional` asks those alone that look at the story too.

        A feed's backlog, and what was first seen before a rule, match nothing.
        """
        if item.backlog:
            return []
        text = self.text_of(item)
        index = self._conditional if conditional else self._index
        found = []
        for rule_id in sorted(index.keys_matching(text)):
            ready = self._ready[rule_id]
            if item.first_seen_at >= ready.rule.since and self._in_scope(rule_id, item):
                found.append(Match(rule_id, item, ready.query, partial(_given, text)))
        return found

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
        return any(match(ready.passes, self.text_of(item)) is not None for item in story.items)

    def _read(self, rule: AlertRule) -> _Ready | None:
        try:
            query, conditions = story_conditions(parse_query(rule.spec.query, names=self._configuration.names))
            passes: tuple[Query | None, tuple[Condition, ...]] = (None, ())
            if rule.spec.quiet and rule.spec.quiet.passes:
                passes = story_conditions(parse_query(rule.spec.quiet.passes, names=self._configuration.names))
        except QueryError as error:
            self.unreadable[rule.id] = f"{rule.name}: {error}"
            return None
        return _Ready(rule, query, conditions, *passes)

    def text_of(self, item: Item) -> MatchText:
        """The item's text with the regions that it lies in and the topics that it matches."""
        return prepare(item, regions=self._regions(item), topics=self._topics.of(item))

    def _regions(self, item: Item) -> list[str]:
        """The region that the item is of, and those that hold it, from the inside out."""
        found: list[str] = []
        region: str | None = self._places.item_region(item, NOWHERE)
        while region and region not in found:
            found.append(region)
            region = self._configuration.gazetteer.parent(region)
        return found

    def _in_scope(self, rule_id: int, item: Item) -> bool:
        """Whether an item is of the regions, newsletters, sources and languages that the rule is limited to."""
        spec = self._ready[rule_id].rule.spec
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


def _given(text: MatchText, _item: Item) -> MatchText:
    return text


class KnownRule(RuleSet):
    """One rule, of which it is known which items it matches as they are now: a search has found them.

    `current` are items as they are now, by id, `found` the ids of those that match. Another text of an item is asked.
    """

    def __init__(self, rule: AlertRule, configuration: Configuration):
        super().__init__([rule], configuration)
        self._rule_id = rule.id
        self._current: Mapping[str, Item] = {}
        self._found: Collection[str] = frozenset()

    def know(self, current: Mapping[str, Item], found: Collection[str]) -> None:
        self._current, self._found = current, found

    def in_scope(self, item: Item) -> bool:
        return self._in_scope(self._rule_id, item)

    @property
    def spec(self) -> AlertSpec:
        return self._ready[self._rule_id].rule.spec

    @property
    def is_limited(self) -> bool:
        """Whether it asks for more of an item than its query says."""
        spec = self.spec
        return bool(spec.regions or spec.newsletters or spec.sources or spec.languages)

    @property
    def looks_at_stories(self) -> bool:
        """Whether it asks for more of a story than the items that match."""
        return self.conditional or self.developing or bool(self.spec.quiet and self.spec.quiet.passes)

    def matches(self, item: Item, *, conditional: bool = False) -> list[Match]:
        if self._current.get(item.id) is not item:
            return super().matches(item, conditional=conditional)
        ready = self._ready[self._rule_id]
        is_news = not item.backlog and item.first_seen_at >= ready.rule.since
        if item.id not in self._found or not is_news or not self.in_scope(item) or (
                conditional and not ready.conditions):
            return []
        return [Match(self._rule_id, item, ready.query, self.text_of)]


class _Topics:
    """Which topics of the newsletters an item matches."""

    def __init__(self, configuration: Configuration):
        topics = [topic for newsletter in configuration.newsletters.values() for topic in newsletter.topics]
        self._slugs = [topic.slug for topic in topics]
        self._sieve = Sieve(parse_query(topic.query, names=configuration.names) for topic in topics)

    def of(self, item: Item) -> tuple[str, ...]:
        """Their slugs, each once."""
        if not self._slugs:
            return ()
        numbers = self._sieve.matching(paragraphs(item), item.language, lambda: prepare(item))
        return tuple(dict.fromkeys(self._slugs[number] for number in numbers))
