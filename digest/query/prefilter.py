"""What a search index is asked for a query: terms of the index, combined so that no text that matches is missed.

    query ─▶ plan: terms by language, AND, OR, words in a row ─▶ index: candidates ─▶ `match` judges them

A plan that is exact needs no judge: what the index finds is what matches. Stems are those of the text's language, so
each term of the index names its language. Exact are words, phrases, prefixes, forms (=), languages, sources and owners,
and AND, OR and NOT of them; not NEAR, ~n, EXCEPT, parts of a text, capitals and names. A phrase is exact where the
index holds the forms of a word at one place, or where no word of the language has several.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from digest.query.terms import Run, runs_of
from digest.query.tree import And, Except, Field, Name, Near, Not, Or, Phrase, Prefix, Query, Same, Word
from digest.text.tokens import fold, words

LONGEST_TERM = 400  # characters of a term of the index; what is longer is cut
MAX_DEPTH = 12  # brackets inside each other that an index is asked for
STEM, WORD = "stem", "word"
Place = tuple[str, ...]  # terms of the index of which one stands at a place

_MARK = "·"
_SAFE = {code: 0xE000 + code for code in range(128) if not chr(code).isalnum()}
_WITHIN = frozenset({"title", "summary", "text"})


@dataclass(frozen=True, slots=True)
class Found:
    """One of `terms` stands in the text: stems, or folded words of which `prefix` asks for the beginning alone."""

    kind: str
    terms: Place
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class InARow:
    """Words of one language in a row. `most_forms`: so many places of the index one of them may take."""

    kind: str
    places: tuple[Place, ...]
    most_forms: int


@dataclass(frozen=True, slots=True)
class Close:
    """A word of each side with at most `between` others between them; `most_forms` as above, by language.

    `ordered`: the left one first, where the index can tell.
    """

    left: Found
    right: Found
    between: int
    most_forms: Mapping[str, int]
    ordered: bool


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of `parts`, of which there is one at least, and none of `without`."""

    parts: tuple["Node", ...]
    without: tuple["Node", ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of `parts`, of which there is one at least."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Everything:
    """Every text: what the index cannot tell."""


Node = Found | InARow | Close | AllOf | AnyOf | Everything
EVERYTHING = Everything()


@dataclass(frozen=True, slots=True)
class Plan:
    """`exact`: the index finds what matches and nothing else."""

    node: Node
    exact: bool


@dataclass(frozen=True, slots=True)
class Archive:
    """What a plan must know of an index.

    By language the most forms that one of its words has; `one_place`: they stand at one place of the index, and not one
    after the other. `feeds_with` gives the ids of the feeds for which a field (source, family) has a value.
    """

    languages: Mapping[str, int]
    one_place: bool
    feeds_with: Callable[[Field], Sequence[str]] = lambda field: ()


def term(form: str, language: str) -> str:
    """A stem or folded word of a language as the index holds it: nothing in it parts terms."""
    safe = form if form.isalnum() else form.translate(_SAFE)
    return f"{language}{_MARK}{safe}"[:LONGEST_TERM]


def language_of_term(name: str) -> str:
    """The language of a term of the index."""
    return name.partition(_MARK)[0]


def feed_term(feed_id: str) -> str:
    """What the index holds among the words of each item of a feed."""
    return f"{_MARK}feed{feed_id}"


def language_term(language: str) -> str:
    """What it holds among the words of each item in a language."""
    return f"{_MARK}lang{_MARK}{language}"


def plan(query: Query, archive: Archive) -> Plan:
    """What the index of an archive is asked for."""
    return _Planner(archive).plan(query)


class _Planner:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def plan(self, query: Query, depth: int = 0) -> Plan:
        if depth > MAX_DEPTH:
            return Plan(EVERYTHING, False)
        match query:
            case Word() | Phrase() | Prefix() | Name():
                return self._term(query)
            case And(parts):
                return self._and(parts, depth + 1)
            case Or(parts):
                return _any([self.plan(part, depth + 1) for part in parts])
            case Near():
                return self._near(query, depth + 1)
            case Except(part, _) | Same(_, part):
                return Plan(self.plan(part, depth + 1).node, False)
            case Field():
                return self._field(query, depth + 1)
            case _:
                return Plan(EVERYTHING, False)

    def _and(self, parts: Sequence[Query], depth: int) -> Plan:
        """The index leaves out only what it knows to match what is excluded."""
        wanted = [self.plan(part, depth) for part in parts if not isinstance(part, Not)]
        excluded = [self.plan(part.part, depth) for part in parts if isinstance(part, Not)]
        nodes = tuple(plan.node for plan in wanted if not isinstance(plan.node, Everything))
        if not nodes:
            return Plan(EVERYTHING, False)
        without = tuple(plan.node for plan in excluded if plan.exact)
        return Plan(AllOf(nodes, without), all(plan.exact for plan in (*wanted, *excluded)))

    def _field(self, query: Field, depth: int) -> Plan:
        if query.name in _WITHIN:
            return Plan(self.plan(query.part, depth).node, False)
        if query.name == "lang":
            return self._language(query.part)
        if query.name in {"source", "family"}:
            feeds = self._archive.feeds_with(query)
            return Plan(Found(WORD, tuple(map(feed_term, feeds))), True)
        return Plan(EVERYTHING, False)

    def _language(self, wanted: Query) -> Plan:
        """A language is named whole, or by its beginning."""
        if isinstance(wanted, Or):
            return _any([self._language(part) for part in wanted.parts])
        if isinstance(wanted, Prefix):
            return Plan(Found(WORD, (language_term(fold(wanted.text)),), prefix=True), True)
        if isinstance(wanted, Word | Phrase):
            named = tuple(language_term(name) for name in self._archive.languages if words(name) == words(wanted.text))
            return Plan(Found(WORD, named), True)
        return Plan(EVERYTHING, False)

    def _term(self, query: Word | Phrase | Prefix | Name) -> Plan:
        if isinstance(query, Prefix):
            beginnings = tuple(term(fold(query.text, language), language) for language in self._archive.languages)
            return Plan(Found(WORD, beginnings, prefix=True), len(query.text) < LONGEST_TERM // 4)
        if isinstance(query, Name):
            return Plan(_any([self._in_a_row(STEM, spelling) for spelling in query.spellings]).node, False)
        kind = WORD if query.exact else STEM
        if isinstance(query, Phrase) and query.slop is not None:
            return self._all_words(kind, query.text)
        found = self._in_a_row(kind, query.text)
        return Plan(found.node, found.exact and not query.cased)

    def _all_words(self, kind: str, text: str) -> Plan:
        ways = [AllOf(tuple(Found(kind, place) for place in places)) for _, places in self._places(kind, text)]
        return Plan(AnyOf(tuple(ways)) if ways else Found(kind, ()), False)

    def _in_a_row(self, kind: str, text: str) -> Plan:
        """The words of a term in a row, in each language and in each way to write its numbers."""
        single: list[str] = []
        rows: list[InARow] = []
        for language, places in self._places(kind, text):
            if len(places) == 1:
                single.extend(places[0])
            else:
                rows.append(InARow(kind, places, self._most_forms(kind, language)))
        nodes: tuple[Node, ...] = (*([Found(kind, tuple(single))] if single or not rows else []), *rows)
        is_short = max(map(len, text.split()), default=0) < LONGEST_TERM // 4
        exact = is_short and all(row.most_forms == 1 for row in rows)
        return Plan(nodes[0] if len(nodes) == 1 else AnyOf(nodes), exact)

    def _places(self, kind: str, text: str) -> list[tuple[str, tuple[Place, ...]]]:
        return [(language, _named(run, language)) for language in self._archive.languages
                for run in runs_of(text, kind == WORD, language)]

    def _most_forms(self, kind: str, language: str) -> int:
        return 1 if kind == WORD or self._archive.one_place else self._archive.languages[language]

    def _near(self, query: Near, depth: int) -> Plan:
        left, right = self.plan(query.left, depth).node, self.plan(query.right, depth).node
        nodes = tuple(node for node in (left, right) if not isinstance(node, Everything))
        if not nodes:
            return Plan(EVERYTHING, False)
        if isinstance(left, Found) and isinstance(right, Found) and left.kind == right.kind:
            return Plan(Close(left, right, query.distance, self._archive.languages, query.ordered), False)
        return Plan(AllOf(nodes), False)


def _any(plans: Sequence[Plan]) -> Plan:
    """What one of the plans finds; nothing where there are none."""
    nodes = tuple(plan.node for plan in plans)
    if any(isinstance(node, Everything) for node in nodes):
        return Plan(EVERYTHING, False)
    exact = all(plan.exact for plan in plans)
    if not nodes:
        return Plan(Found(WORD, ()), exact)
    return Plan(nodes[0] if len(nodes) == 1 else AnyOf(nodes), exact)


def _named(run: Run, language: str) -> tuple[Place, ...]:
    return tuple(tuple(term(form, language) for form in place) for place in run)
