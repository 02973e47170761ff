"""Finds queries that can match nothing, by what their parts say of each other."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, permutations

from digest.query.tree import And, Condition, Except, Field, Near, Not, Or, Phrase, Prefix, Query, Same, Word
from digest.text.tokens import APOSTROPHES, fold, words, written_words

_UNSURE = re.compile(rf"[\d{APOSTROPHES}]")
SINGLE_VALUES = frozenset({"lang", "family"})  # fields of which an item has one value


def contradiction(query: Query) -> str | None:
    """Why a query can match nothing; None where that cannot be said. Not every contradiction is found."""
    match query:
        case And(parts):
            return next(_between(parts), None) or _first(parts) or _of_conditions(parts)
        case Or(parts):
            reasons = [contradiction(part) for part in parts]
            return None if None in reasons else reasons[0]
        case Except(part, excluded) if implies(part, excluded):
            return f"{part} never stands outside of {excluded}"
        case Near(left, right) | Except(left, right):
            return contradiction(left) or (contradiction(right) if isinstance(query, Near) else None)
        case Field(_, part) | Same(_, part):
            return contradiction(part)
    return None


def implies(one: Query, other: Query) -> bool:
    """Whether every text that `one` matches is surely matched by `other`."""
    if one == other:
        return True
    match one, other:
        case (Or(parts), _):
            return all(implies(part, other) for part in parts)
        case (_, And(parts)):
            return all(implies(one, part) for part in parts)
        case (_, Or(parts)):
            return any(implies(one, part) for part in parts) or _part_implies(one, other)
    return _part_implies(one, other)


def _part_implies(one: Query, other: Query) -> bool:
    """Whether a part of a query, which is there whenever the query matches, implies the other."""
    match one:
        case And(parts):
            return any(implies(part, other) for part in parts)
        case Near(left, right):
            return implies(left, other) or implies(right, other)
        case Except(part, _):
            return implies(part, other)
        case Same(_, part):
            return not _has_not(other) and implies(part, other)
        case Field(name, part) as field:
            if isinstance(other, Field):
                return name == other.name and implies(part, other.part)
            return not field.is_value and not _has_not(other) and implies(part, other)
    return isinstance(one, Word | Phrase) and _term_implies(one, other)


def _term_implies(one: Word | Phrase, other: Query) -> bool:
    """Whether a term holds another: a phrase its words, an exact word its inflected forms and beginnings.

    Numbers and apostrophes, of which languages make words of different length, are left alone.
    """
    held = words(one.text)
    if isinstance(other, Prefix):
        return one.exact and any(word.startswith(fold(other.text)) for word in held)
    if not isinstance(other, Word | Phrase) or other.cased > one.cased or other.exact > one.exact:
        return False
    wanted = words(other.text)
    in_a_row = isinstance(one, Word) or one.slop is None
    if _UNSURE.search(one.text) or (isinstance(other, Phrase) and other.slop is not None) or (
            not in_a_row and len(wanted) > 1):
        return False
    if other.cased:
        held, wanted = written_words(one.text), written_words(other.text)
    return any(held[start:start + len(wanted)] == wanted for start in range(len(held) - len(wanted) + 1))


def _between(parts: Sequence[Query]) -> Iterator[str]:
    """Pairs of parts that cannot both hold."""
    for one, other in combinations(parts, 2):
        for asked, refused in ((one, other), (other, one)):
            if isinstance(refused, Not) and not isinstance(asked, Not) and implies(asked, refused.part):
                yield f"{asked} and {refused} exclude each other"
        if isinstance(one, Field) and isinstance(other, Field) and one.name == other.name in SINGLE_VALUES \
                and not _values(one.part) & _values(other.part):
            yield f"no item is of both {one} and {other}"


def _values(query: Query) -> set[str]:
    parts = query.parts if isinstance(query, Or) else (query,)
    return {fold(part.text) for part in parts if isinstance(part, Word | Phrase | Prefix)}


def _has_not(query: Query) -> bool:
    return isinstance(query, Not) or (isinstance(query, And | Or) and any(map(_has_not, query.parts)))


def _first(parts: Iterable[Query]) -> str | None:
    return next((reason for part in parts if (reason := contradiction(part))), None)


def _of_conditions(parts: Sequence[Query]) -> str | None:
    """Bounds that no story meets; no story has more families than sources."""
    conditions = [part for part in parts if isinstance(part, Condition)]
    for low, high in permutations(conditions, 2):
        comparable = low.measure == high.measure or (low.measure, high.measure) == ("families", "sources")
        if comparable and low.sign in {">", ">=", "="} and high.sign in {"<", "<=", "="}:
            strict = low.sign == ">" or high.sign == "<"
            if low.number > high.number or (strict and low.number == high.number):
                return f"no story meets {low} and {high}"
    return None
