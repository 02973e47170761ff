"""The index over the words of items: FTS5 on SQLite, a tsvector with GIN on PostgreSQL. Both hold our own terms.

FTS5 keeps the forms of a word one after the other, PostgreSQL at one place; folded words are a column of their own in
the one, and marked with = in the other. Paragraphs are parted by a place that no query asks for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from math import prod
from typing import Protocol

from sqlalchemy import Connection, Integer, column, text
from sqlalchemy.sql.selectable import TextualSelect

from digest.query.prefilter import (
    STEM,
    WORD,
    AllOf,
    AnyOf,
    Close,
    Everything,
    Found,
    InARow,
    Node,
    Place,
    feed_term,
    language_of_term,
    language_term,
)
from digest.query.stored import terms_of_lines

MOST_PLACES = 16_000  # words of a text that PostgreSQL tells apart by place
MOST_REPEATS = 255  # places of one word that it keeps
MOST_ROWS = 64  # of terms that one phrase is asked for as; beyond, its words must stand side by side, two by two
GAP, NEVER = "¶", "¬"  # stands between paragraphs; stands nowhere


@dataclass(frozen=True, slots=True)
class Indexed:
    """The row of an item in the index. `whole` False: it is left out, for the index could not tell its places."""

    number: int
    values: Mapping[str, str]
    most_forms: int
    whole: bool = True


class Kept(Protocol):
    """What is kept of an item; `words` are `query.stored.stored_words` of it."""

    @property
    def words(self) -> str: ...

    @property
    def language(self) -> str: ...

    @property
    def feed_id(self) -> str: ...


class SearchIndex(Protocol):
    """What the two kinds have in common. `one_place` is that of `query.prefilter.Archive`."""

    one_place: bool

    def row(self, number: int, item: Kept) -> Indexed: ...

    def add(self, conn: Connection, rows: Sequence[Indexed]) -> None: ...

    def remove(self, conn: Connection, rows: Sequence[Indexed]) -> None:
        """Takes rows out that are equal to those that were added."""

    def clear(self, conn: Connection) -> None: ...

    def matching(self, node: Node) -> TextualSelect:
        """The numbers of the rows that a part of a plan finds, as a column `number`. Not for everything."""


def index_of(conn: Connection) -> SearchIndex:
    """The index of a database."""
    return _TSVECTOR if conn.dialect.name == "postgresql" else _FTS5


class Fts5:
    """Terms as text between spaces."""

    one_place = False

    def row(self, number: int, item: Kept) -> Indexed:
        stems: list[str] = []
        folded: list[str] = []
        most = 1
        for line in terms_of_lines(item.words, item.language):
            for word, forms in line:
                folded.append(word)
                stems.extend(forms)
                if len(forms) > most:
                    most = len(forms)
            stems.append(GAP)
            folded.append(GAP)
        folded += (language_term(item.language), feed_term(item.feed_id))
        return Indexed(number, {"stems": " ".join(stems), "words": " ".join(folded)}, most)

    def add(self, conn: Connection, rows: Sequence[Indexed]) -> None:
        statement = text("INSERT INTO search_index (rowid, stems, words) VALUES (:number, :stems, :words)")
        conn.execute(statement, [{"number": row.number, **row.values} for row in rows])

    def remove(self, conn: Connection, rows: Sequence[Indexed]) -> None:
        statement = text("INSERT INTO search_index (search_index, rowid, stems, words)"
                         " VALUES ('delete', :number, :stems, :words)")
        conn.execute(statement, [{"number": row.number, **row.values} for row in rows])

    def clear(self, conn: Connection) -> None:
        conn.execute(text("INSERT INTO search_index (search_index) VALUES ('delete-all')"))

    def matching(self, node: Node) -> TextualSelect:
        return _numbers("SELECT rowid AS number FROM search_index WHERE search_index MATCH :asked", fts5_query(node))


class Tsvector:
    """Terms with their places, as PostgreSQL writes a tsvector."""

    one_place = True

    def row(self, number: int, item: Kept) -> Indexed:
        found: dict[str, list[int]] = {}
        place, most = 0, 1
        for line in terms_of_lines(item.words, item.language):
            for word, forms in line:
                place += 1
                found.setdefault(f"={word}", []).append(place)
                for form in forms:
                    found.setdefault(form, []).append(place)
                most = max(most, len(forms))
            place += 1
        found |= {f"={name}": [place + 1] for name in (language_term(item.language), feed_term(item.feed_id))}
        whole = place < MOST_PLACES and all(len(places) <= MOST_REPEATS for places in found.values())
        terms = " ".join(f"'{form}':{','.join(map(str, places))}" for form, places in found.items())
        return Indexed(number, {"terms": terms if whole else ""}, most, whole)

    def add(self, conn: Connection, rows: Sequence[Indexed]) -> None:
        statement = text("INSERT INTO search_index (number, terms) VALUES (:number, CAST(:terms AS tsvector))")
        conn.execute(statement, [{"number": row.number, **row.values} for row in rows])

    def remove(self, conn: Connection, rows: Sequence[Indexed]) -> None:
        statement = text("DELETE FROM search_index WHERE number = ANY(:numbers)")
        conn.execute(statement, {"numbers": [row.number for row in rows]})

    def clear(self, conn: Connection) -> None:
        conn.execute(text("DELETE FROM search_index"))

    def matching(self, node: Node) -> TextualSelect:
        return _numbers("SELECT number FROM search_index WHERE terms @@ CAST(:asked AS tsquery)", tsquery(node))


def fts5_query(node: Node) -> str:
    """A part of a plan in the words of FTS5."""
    match node:
        case Found(_, ()):
            return _quoted(NEVER)
        case Found(kind, terms, prefix):
            return f"{_column(kind)} : ({' OR '.join(_quoted(term, prefix) for term in terms)})"
        case InARow(kind, places, most):
            if most == 1 and prod(map(len, places)) <= MOST_ROWS:
                return " OR ".join(f"{_column(kind)} : {_quoted(' '.join(row))}" for row in product(*places))
            return _fts5_all([_fts5_close(kind, pair, 0, most) for pair in pairwise(places)])
        case Close(left, right, between, most, _):
            pairs = [_fts5_close(left.kind, (mine, theirs), between, most[language], left.prefix, right.prefix)
                     for language, mine, theirs in _by_language(left.terms, right.terms)]
            return " OR ".join(pairs) or _quoted(NEVER)
        case AllOf(parts, without):
            wanted = _fts5_all([fts5_query(part) for part in parts])
            return " NOT ".join([f"({wanted})", *(f"({fts5_query(part)})" for part in without)])
        case AnyOf(parts):
            return " OR ".join(f"({fts5_query(part)})" for part in parts)
        case Everything():
            raise ValueError("an index is not asked for everything")


def tsquery(node: Node) -> str:
    """A part of a plan in the words of PostgreSQL."""
    match node:
        case Found(_, ()):
            return _ts_place(STEM, (NEVER,))
        case Found(kind, terms, prefix):
            return _ts_place(kind, terms, prefix)
        case InARow(kind, places, _):
            return " <-> ".join(_ts_place(kind, terms) for terms in places)
        case Close(left, right, between, _, ordered):
            one, other = tsquery(left), tsquery(right)
            ways = [f"({one} <{far}> {other})" for far in range(1, between + 2)]
            ways += [] if ordered else [f"({other} <{far}> {one})" for far in range(1, between + 2)]
            return f"{one} & {other} & ({' | '.join(ways)})"  # told of both, it expects no more rows than there are
        case AllOf(parts, without):
            wanted = [f"({tsquery(part)})" for part in parts]
            return " & ".join([*wanted, *(f"!({tsquery(part)})" for part in without)])
        case AnyOf(parts):
            return " | ".join(f"({tsquery(part)})" for part in parts)
        case Everything():
            raise ValueError("an index is not asked for everything")


def _fts5_all(queries: Sequence[str]) -> str:
    return " AND ".join(f"({query})" for query in queries)


def _fts5_close(kind: str, sides: tuple[Place, Place], between: int, most_forms: int,
                *prefixes: bool) -> str:
    """One of each side near each other: what stands between two words may be as many terms as it has forms."""
    distance = between * most_forms + 2 * (most_forms - 1)
    left_prefix, right_prefix = prefixes or (False, False)
    pairs = [f"NEAR({_quoted(left, left_prefix)} {_quoted(right, right_prefix)}, {distance})"
             for left, right in product(*sides)]
    return f"{_column(kind)} : ({' OR '.join(pairs)})"


def _by_language(left: Place, right: Place) -> Iterator[tuple[str, Place, Place]]:
    """The terms of both sides, a language at a time."""
    for language in dict.fromkeys(language_of_term(term) for term in left):
        mine, theirs = ([t for t in side if language_of_term(t) == language] for side in (left, right))
        if mine and theirs:
            yield language, tuple(mine), tuple(theirs)


def _column(kind: str) -> str:
    return "words" if kind == WORD else "stems"


def _quoted(term: str, prefix: bool = False) -> str:
    return f'"{term}"*' if prefix else f'"{term}"'


def _ts_place(kind: str, terms: Place, prefix: bool = False) -> str:
    mark = "=" if kind == WORD else ""
    star = ":*" if prefix else ""
    return "(" + " | ".join(f"'{mark}{term}'{star}" for term in terms) + ")"


def _numbers(statement: str, asked: str) -> TextualSelect:
    return text(statement).bindparams(asked=asked).columns(column("number", Integer))


_FTS5, _TSVECTOR = Fts5(), Tsvector()
