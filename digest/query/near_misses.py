"""What a query asks for, clause by clause: what would match but for one clause, and which clauses a text fulfils.

A clause is what stands beside AND at the top of a query; a query without AND is one clause.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from digest.query.match import MatchText, match
from digest.query.tree import (
    And,
    Condition,
    Except,
    Field,
    Near,
    Not,
    Or,
    Phrase,
    Query,
    Same,
    Word,
    all_of,
    any_of,
    is_anchored,
)


@dataclass(frozen=True, slots=True)
class Relaxed:
    """What matches all of a query but one clause: `query` asks for just that; `why` says what is wrong with it."""

    clause: Query
    why: str
    query: Query


@dataclass(frozen=True, slots=True)
class Judged:
    """A clause and whether a text fulfils it; `words` are those of the text that do, or that stand in the way."""

    clause: Query
    fulfilled: bool
    words: tuple[str, ...]
    why: str = ""  # how nearly it is fulfilled, where it is


def relaxations(query: Query) -> tuple[Relaxed, ...]:
    """The ways to fall one clause short, the narrowest first; those that leave nothing to search for are left out."""
    clauses = clauses_of(query)
    found = [relaxed for clause in clauses for relaxed in _of(clause, [one for one in clauses if one != clause])]
    return tuple(sorted(found, key=lambda one: one.why == _lacks(one.clause)))


def clauses_of(query: Query) -> tuple[Query, ...]:
    """What is asked of an item; conditions of its story are left out."""
    parts = query.parts if isinstance(query, And) else (query,)
    return tuple(part for part in parts if not isinstance(part, Condition))


def judge(query: Query, text: MatchText) -> tuple[Judged, ...]:
    """Each clause, and whether a text fulfils it."""
    return tuple(_judged(clause, text) for clause in clauses_of(query))


def _judged(clause: Query, text: MatchText) -> Judged:
    if isinstance(clause, Not):
        against = match(clause.part, text)
        return Judged(clause, against is None, _words(text, against))
    found = match(clause, text)
    if found is not None:
        return Judged(clause, True, _words(text, found))
    looser = _looser(clause)
    spans = None if looser is None else match(looser[0], text)
    if looser is None or spans is None:
        return Judged(clause, False, ())
    return Judged(clause, False, _words(text, spans), looser[1])


def _words(text: MatchText, spans: Sequence[tuple[int, int]] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.text[start:end] for start, end in spans or ()))


def _of(clause: Query, others: Sequence[Query]) -> Iterator[Relaxed]:
    if isinstance(clause, Not):
        if wanted := _anchored([*others, clause.part]):
            yield Relaxed(clause, f"has {clause.part}", wanted)
        return
    missing: Query = clause
    if looser := _looser(clause):
        missing, why = looser
        if wanted := _anchored([*others, missing, Not(clause)]):
            yield Relaxed(clause, why, wanted)
    if wanted := _anchored([*others, Not(missing)]):
        yield Relaxed(clause, _lacks(clause), wanted)


def _lacks(clause: Query) -> str:
    return f"lacks {clause}"


def _anchored(parts: Sequence[Query]) -> Query | None:
    query = all_of(parts)
    return query if is_anchored(query) else None


def _looser(clause: Query) -> tuple[Query, str] | None:
    """What nearly fulfils a clause, and how it falls short."""
    match clause:
        case Near(left, right, distance, ordered):
            after = " in this order" if ordered else ""
            return all_of([left, right]), f"has both, but not within {distance} words{after}"
        case Same(scope, part) if isinstance(part, And):
            return part, f"has all, but not in one {'sentence' if scope == 'SENT' else 'paragraph'}"
        case Field(name, part) as field if not field.is_value:
            return part, f"has it, but not in the {name}"
        case Except(part, excluded):
            return part, f"has it in {excluded} alone"
        case Or(parts):
            return _looser_or(parts)
        case Word() | Phrase():
            return _looser_term(clause)
    return None


def _looser_or(parts: Sequence[Query]) -> tuple[Query, str] | None:
    found = [looser for part in parts if (looser := _looser(part)) is not None]
    if not found:
        return None
    return any_of([query for query, _ in found]), found[0][1] if len(found) == 1 else "nearly has one of them"


def _looser_term(term: Word | Phrase) -> tuple[Query, str] | None:
    if term.cased:
        return replace(term, cased=False), "has it with other capitals"
    if term.exact:
        return replace(term, exact=False), "has it in another form"
    words = term.text.split()
    if isinstance(term, Phrase) and term.slop is None and len(words) > 1:
        return all_of([Word(word) for word in words]), "has the words, but not in a row"
    return None
