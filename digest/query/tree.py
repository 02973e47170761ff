"""The syntax tree of a query: frozen values whose `str()` is the canonical form.

Parsing the canonical form gives an equal tree. AND and OR of the grammar's making are flat: no `And` stands
directly in an `And`, no `Or` in an `Or`, and both have at least two parts.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it was written, without punctuation round it; "Kassym-Jomart" is two words in a row.

    `exact` (written =word): the form itself, not its inflections.
    """

    text: str
    exact: bool = False

    def __str__(self) -> str:
        return f"={self.text}" if self.exact else self.text


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in a row, in this order; punctuation between them does not matter. `text` has no quotation marks."""

    text: str
    exact: bool = False

    def __str__(self) -> str:
        return f'="{self.text}"' if self.exact else f'"{self.text}"'


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Query", ...]

    def __str__(self) -> str:
        return " AND ".join(f"({part})" if isinstance(part, Or) else str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Query", ...]

    def __str__(self) -> str:
        return " OR ".join(str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    part: "Query"

    def __str__(self) -> str:
        return f"NOT ({self.part})" if isinstance(self.part, And | Or) else f"NOT {self.part}"


Query = Word | Phrase | And | Or | Not


def all_of(parts: list[Query]) -> Query:
    """The conjunction of one or more queries, flat; a single one stands for itself."""
    flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,)))
    return flat[0] if len(flat) == 1 else And(flat)


def any_of(parts: list[Query]) -> Query:
    """The disjunction of one or more queries, flat; a single one stands for itself."""
    flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,)))
    return flat[0] if len(flat) == 1 else Or(flat)


def needs_a_word(query: Query) -> bool:
    """Whether every text that matches holds at least one word of the query; "NOT sport" needs none."""
    match query:
        case Word() | Phrase():
            return True
        case And(parts):
            return any(needs_a_word(part) for part in parts)
        case Or(parts):
            return all(needs_a_word(part) for part in parts)
        case Not():
            return False
