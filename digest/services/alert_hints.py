"""What a trial tells an analyst beside counts: near misses, and what is likely wrong with a rule."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from digest.alert_rules import AlertRule
from digest.documents import Configuration
from digest.model import Item
from digest.pipeline.alert_matching import KnownRule, RuleSet
from digest.query import lint_query
from digest.query.conditions import story_conditions
from digest.query.lint import QueryWarning
from digest.query.match import MatchText
from digest.query.near_misses import Relaxed, clauses_of, relaxations
from digest.query.spellings import BEGINNING, SHORTEST, name_of, other_spellings, sounding_alike, wanted_terms
from digest.query.tree import Not, Or, Phrase, Prefix, Query, Word, all_of
from digest.services import search
from digest.storage.items import items_by_id
from digest.text.tokens import fold

LOOKED_AT = 60  # latest candidates of one question
MOST_QUESTIONS = 6  # near misses, and spellings, that are asked for
MOST_ALTERNATIVES = 30  # of a query that are asked for one by one
SHOWN = 3  # items of a near miss
COMPARED, OVERLAP, LEAST_COMPARED = 100, 0.5, 3  # newest items; the share from which, and of how many, rules overlap


@dataclass(frozen=True, slots=True)
class NearMiss:
    """Items that match all of the query but one clause, some of them shown. `total` is a least number where `exact` is
    False.
    """

    clause: str  # as the query says it
    why: str  # how the items fall short of it, in words
    total: int
    exact: bool
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A trial's rule, the span that it looks at, and what it found: the newest items first, of `searched` in all."""

    conn: Connection
    rule: KnownRule
    query: Query  # with its conditions on stories
    since: datetime
    until: datetime
    configuration: Configuration
    searched: int
    total: int
    newest: Sequence[Item]

    @property
    def item_query(self) -> Query:
        return story_conditions(self.query)[0]

    @property
    def read(self) -> Callable[[Item], MatchText]:
        return self.rule.text_of

    def glance(self, query: Query, most: int = LOOKED_AT) -> search.Glance:
        return search.glance(self.conn, query, self.since, self.until, most=most, prepared=self.read)


def near_misses(asked: Asked) -> tuple[NearMiss, ...]:
    """The ways in which items fall one clause short, the narrowest first; those of no item are left out."""
    found = (_near_miss(asked, relaxed) for relaxed in relaxations(asked.item_query)[:MOST_QUESTIONS])
    return tuple(one for one in found if one is not None)


def _near_miss(asked: Asked, relaxed: Relaxed) -> NearMiss | None:
    seen = asked.glance(relaxed.query)
    ids = seen.item_ids if asked.rule.is_limited else seen.item_ids[:SHOWN]
    items = items_by_id(asked.conn, ids)
    kept = [items[item_id] for item_id in ids if item_id in items and asked.rule.in_scope(items[item_id])]
    total = len(kept) if asked.rule.is_limited else len(seen.item_ids)
    return NearMiss(str(relaxed.clause), relaxed.why, total, seen.whole, tuple(kept[:SHOWN])) if total else None


def warnings(asked: Asked, besides: Sequence[AlertRule]) -> tuple[QueryWarning, ...]:
    """What is likely wrong: too broad, clauses that never match, spellings that it misses, rules that find the same."""
    return (*lint_query(asked.query, share=_share(asked)), *_never(asked), *_spellings(asked),
            *_overlaps(asked, besides))


def _share(asked: Asked) -> Callable[[Query], float]:
    """The share of items that a query matches. An alternative has at most what the whole has."""
    whole = asked.total / asked.searched if asked.searched else 0.0

    def share(query: Query) -> float:
        if query == asked.query or whole < 0.2:
            return whole
        found = search.find(asked.conn, query, asked.since, asked.until, limit=0, prepared=asked.read)
        return found.total / max(1, asked.searched)

    return share


def _never(asked: Asked) -> Iterator[QueryWarning]:
    """Clauses and alternatives that nothing of the span matches, and exclusions that exclude nothing."""
    if not asked.searched:
        return
    clauses = clauses_of(asked.item_query)
    for part in [one for clause in clauses for one in _alternatives(clause)][:MOST_ALTERNATIVES]:
        wanted = part.part if isinstance(part, Not) else part
        seen = asked.glance(wanted, 5 * LOOKED_AT)
        if seen.whole and not seen.item_ids:
            what = "so it excludes nothing" if isinstance(part, Not) else "in all of this time"
            yield QueryWarning("unmatched", f"{wanted} matches no item, {what}", "is it spelled as the sources do?")


def _alternatives(clause: Query) -> tuple[Query, ...]:
    return clause.parts if isinstance(clause, Or) else (clause,)


def _spellings(asked: Asked) -> Iterator[QueryWarning]:
    terms = [term for term in dict.fromkeys(wanted_terms(asked.item_query)) if isinstance(term, Word | Phrase)]
    names = asked.configuration.names
    for term in terms[:MOST_QUESTIONS]:
        if (slug := name_of(term, names)) is not None:
            missed = other_spellings(slug, names, asked.query)
            if missed is not None and (number := _further(asked, term, missed)):
                yield QueryWarning("spelling", f"other spellings of “{term.text}” stand in {number} more items",
                                   f"write @{slug} for all of them")
        elif isinstance(term, Word) and term.text.isalpha() and len(term.text) >= SHORTEST:
            yield from _alike(asked, term)


def _further(asked: Asked, term: Word | Phrase, missed: Query) -> str:
    """How many of the items with other spellings do not have this one; "" for none."""
    seen = asked.glance(all_of([missed, Not(term)]))
    return (str(len(seen.item_ids)) if seen.whole else f"{len(seen.item_ids)} or more") if seen.item_ids else ""


def _alike(asked: Asked, term: Word) -> Iterator[QueryWarning]:
    beginning = Prefix(fold(term.text)[:BEGINNING])
    found = search.words_of_some(asked.conn, all_of([beginning, Not(term)]), asked.since, asked.until,
                                 most=5 * LOOKED_AT)
    starts = ((word, language) for word, language in found if word.startswith(beginning.text))
    for word, number in sounding_alike(term, starts, asked.query).items():
        items = "an item" if number == 1 else f"{number} items"
        yield QueryWarning("spelling", f"“{word}” stands in {items} and sounds like “{term.text}”",
                           f"({term} OR {word}) would find both")


def _overlaps(asked: Asked, besides: Sequence[AlertRule]) -> Iterator[QueryWarning]:
    """Other rules that find most of what this one finds."""
    items = [item for item in asked.newest if not item.backlog][:COMPARED]
    if len(items) < LEAST_COMPARED or not besides:
        return
    rules = RuleSet([replace(rule, since=asked.since) for rule in besides], asked.configuration)
    shared: dict[int, int] = {}
    for item in items:
        for one in rules.matches(item):
            shared[one.rule_id] = shared.get(one.rule_id, 0) + 1
    for rule_id, number in sorted(shared.items(), key=lambda one: -one[1]):
        if number >= OVERLAP * len(items):
            yield QueryWarning("overlap", f"{rules.rule(rule_id).name!r} matches {number} of its newest {len(items)} "
                                          "items too", "one rule may be enough")
