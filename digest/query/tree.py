"""The syntax tree of a query: frozen values whose `str()` is the canonical form.

Parsing the canonical form gives an equal tree. AND and OR of the grammar's making are flat: no `And` stands
directly in an `And`, no `Or` in an `Or`, and both have at least two parts.

    terms        Word Prefix Phrase Name                what stands at places of a text
    positional   terms, Or of positional, Near, Except   may stand beside NEAR and EXCEPT
    windows      Same Field("title", …)                 a query within a sentence, paragraph or part of the text
    values       Field("source", …)                     what is known of the item beside its text
    Condition    of the item's story; only beside all else
"""

from collections.abc import Sequence
from dataclasses import dataclass

TEXT_FIELDS = ("title", "summary", "text")
VALUE_FIELDS = ("source", "family", "url", "lang", "region", "topic", "author", "place")
FIELDS = (*TEXT_FIELDS, *VALUE_FIELDS)
MEASURES = ("sources", "families", "rate")


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it was written, without punctuation round it; "Kassym-Jomart" is two words in a row.

    `exact` (written =word): the form itself, not its inflections. `cased` (written !Word): also with these capitals.
    """

    text: str
    exact: bool = False
    cased: bool = False

    def __str__(self) -> str:
        return _sign(self) + self.text


@dataclass(frozen=True, slots=True)
class Prefix:
    """The beginning of a word, written word*; three letters at least."""

    text: str

    def __str__(self) -> str:
        return f"{self.text}*"


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in a row, in this order; punctuation between them does not matter. `text` has no quotation marks.

    `slop` (written "…"~n): in any order, with at most so many other words among them; None: in a row.
    """

    text: str
    exact: bool = False
    cased: bool = False
    slop: int | None = None

    def __str__(self) -> str:
        return f'{_sign(self)}"{self.text}"' + ("" if self.slop is None else f"~{self.slop}")


@dataclass(frozen=True, slots=True)
class Name:
    """A name of the gazetteer, written @slug, in any of its spellings; none where names were not at hand."""

    slug: str
    spellings: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"@{self.slug}"


@dataclass(frozen=True, slots=True)
class Near:
    """Both, with at most `distance` words between them; `ordered` (written ONEAR): the left one first."""

    left: "Query"
    right: "Query"
    distance: int
    ordered: bool = False

    def __str__(self) -> str:
        left = _bracketed(self.left, And | Or | Not)
        right = _bracketed(self.right, And | Or | Not | Near)
        return f"{left} {'O' if self.ordered else ''}NEAR/{self.distance} {right}"


@dataclass(frozen=True, slots=True)
class Except:
    """`part` where it stands outside of `excluded`: turbulence EXCEPT "light turbulence"."""

    part: "Query"
    excluded: "Query"

    def __str__(self) -> str:
        left = _bracketed(self.part, And | Or | Not | Near)
        return f"{left} EXCEPT {_bracketed(self.excluded, And | Or | Not | Near | Except)}"


@dataclass(frozen=True, slots=True)
class Same:
    """All within one sentence (`scope` SENT) or one paragraph (PARA)."""

    scope: str
    part: "Query"

    def __str__(self) -> str:
        return f"{self.scope}({self.part})"


@dataclass(frozen=True, slots=True)
class Field:
    """A query within a part of the text, or what a field of the item says."""

    name: str
    part: "Query"

    def __str__(self) -> str:
        return f"{self.name}:{_bracketed(self.part, And | Or | Not | Near | Except)}"

    @property
    def is_value(self) -> bool:
        """Whether it is asked of the item and not of its text."""
        return self.name in VALUE_FIELDS


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on the item's story, such as sources>=3 or rate>3x. `sign` is one of < <= = >= >."""

    measure: str
    sign: str
    number: float

    def __str__(self) -> str:
        return f"{self.measure}{self.sign}{self.number:.15g}{'x' if self.measure == 'rate' else ''}"


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Query", ...]

    def __str__(self) -> str:
        return " AND ".join(_bracketed(part, Or) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Query", ...]

    def __str__(self) -> str:
        return " OR ".join(str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    part: "Query"

    def __str__(self) -> str:
        return f"NOT {_bracketed(self.part, And | Or | Near | Except)}"


Term = Word | Prefix | Phrase | Name
_TERMS = frozenset({Word, Prefix, Phrase, Name})
Query = Term | Near | Except | Same | Field | Condition | And | Or | Not


def all_of(parts: Sequence[Query]) -> Query:
    """The conjunction of one or more queries, flat; a single one stands for itself."""
    if And not in map(type, parts):
        return parts[0] if len(parts) == 1 else And(tuple(parts))
    flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,)))
    return flat[0] if len(flat) == 1 else And(flat)


def any_of(parts: Sequence[Query]) -> Query:
    """The disjunction of one or more queries, flat; a single one stands for itself."""
    if Or not in map(type, parts):
        return parts[0] if len(parts) == 1 else Or(tuple(parts))
    flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,)))
    return flat[0] if len(flat) == 1 else Or(flat)


def needs_a_word(query: Query) -> bool:
    """Whether every text that matches holds at least one word of the query; "NOT sport" and "lang:ru" need none."""
    match query:
        case Word() | Phrase() | Prefix() | Name() | Near() | Except():
            return True
        case And(parts):
            return any(needs_a_word(part) for part in parts)
        case Or(parts):
            return all(needs_a_word(part) for part in parts)
        case Field() as field:
            return not field.is_value and needs_a_word(field.part)
        case Same(_, part):
            return needs_a_word(part)
        case Not() | Condition():
            return False


def is_anchored(query: Query) -> bool:
    """Whether every match holds a word of the query or has a field's value; what is not matches nearly everything."""
    if type(query) in _TERMS:  # each rule is asked: this is quicker than patterns, and most end here
        return True
    if isinstance(query, And):
        return any(map(is_anchored, query.parts))
    if isinstance(query, Or):
        return all(map(is_anchored, query.parts))
    match query:
        case Field() as field if field.is_value:
            return True
        case Field(_, part) | Same(_, part):
            return is_anchored(part)
        case _:
            return needs_a_word(query)


def is_positional(query: Query) -> bool:
    """Whether it stands at places of a text, so that NEAR and EXCEPT can ask where."""
    if isinstance(query, Or):
        return all(is_positional(part) for part in query.parts)
    return isinstance(query, Word | Phrase | Prefix | Name | Near | Except)


def inner(query: Query) -> tuple[Query, ...]:
    """The queries directly in it."""
    match query:
        case And(parts) | Or(parts):
            return parts
        case Near(left, right) | Except(left, right):
            return left, right
        case Not(part) | Field(_, part) | Same(_, part):
            return (part,)
        case _:
            return ()


def terms_of(query: Query) -> tuple[Term, ...]:
    """The terms asked of the text, in order, those under NOT and EXCEPT included; a field's values are none."""
    if isinstance(query, Word | Prefix | Phrase | Name):
        return (query,)
    if isinstance(query, Field) and query.is_value:
        return ()
    return tuple(term for part in inner(query) for term in terms_of(part))


def _sign(term: Word | Phrase) -> str:
    return "!" if term.cased else "=" if term.exact else ""


def _bracketed(query: Query, kinds: object) -> str:
    return f"({query})" if isinstance(query, kinds) else str(query)  # type: ignore[arg-type]
