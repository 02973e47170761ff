"""Reads queries: one pass of lexemes, then recursive descent with one lexeme of look-ahead.

    or      := and ("OR" and)*
    and     := unary (["AND"] unary)*
    unary   := ("NOT" | "-") unary | near
    near    := except (("NEAR" | "ONEAR") ["/" n] except)*
    except  := primary ("EXCEPT" primary)*
    primary := "(" or ")" | ("SENT" | "PARA") "(" or ")" | field ":" primary | condition | term
    term    := ["=" | "!"] (word | phrase) | phrase "~" n | word "*" | "@" name

The tree has nothing of how it was written but positions of mistakes; the canonical form is its `str()`.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NoReturn

from digest.errors import QueryError
from digest.query.lexemes import DEFAULT_DISTANCE, Lexeme, condition_of, lexemes
from digest.query.suggest import suggested_name
from digest.query.tree import (
    And,
    Condition,
    Except,
    Field,
    Name,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Same,
    Word,
    all_of,
    any_of,
    inner,
    is_anchored,
    is_positional,
)
from digest.text.names import NO_NAMES, Names

MAX_LENGTH = 10_000  # characters
MAX_DEPTH = 50  # brackets and NOTs inside each other
MAX_CHAIN = 10  # parts that NEAR and EXCEPT join without brackets

_word = lru_cache(maxsize=200_000)(Word)  # rules share their words: a tenth of the time and memory
_prefix = lru_cache(maxsize=20_000)(Prefix)
_AND_ENDS = frozenset({"OR", "close", "end"})
_JOINING = frozenset({"near", "EXCEPT"})


def parse_query(text: str, *, names: Names | None = NO_NAMES) -> Query:
    """The tree of a query. Raises QueryError, with position, what was expected and a hint; nothing else.

    A query that no word must be in ("NOT sport") is refused: it would match nearly everything. `names` are those of the
    gazetteer; None takes any @name without its spellings, to check a query where they are not at hand.
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(text, MAX_LENGTH, f"query longer than {MAX_LENGTH} characters",
                         hint="divide it into several rules")
    return _Parser(text, names).parse()


class _Parser:
    """Recursive descent over the lexemes of one query."""

    def __init__(self, text: str, names: Names | None):
        self._text = text
        self._names = names
        self._lexemes = lexemes(text)
        self._index = 0
        self._next = self._lexemes[0]
        self._depth = 0
        self._within = ""  # the field or SENT that is being read

    def parse(self) -> Query:
        if self._next.kind == "end":
            self._fail("the query is empty", expected="a word", hint='for example: Tokayev AND (gas OR "oil pipeline")')
        query = self._or()
        if self._next.kind == "close":
            self._fail("closing bracket without an opening one", expected="the end of the query", hint="remove it")
        self._check_conditions(query)
        if not is_anchored(query):
            self._refuse_unanchored()
        return query

    def _take(self) -> Lexeme:
        lexeme = self._next
        self._index += 1
        self._next = self._lexemes[self._index]
        return lexeme

    def _fail(self, message: str, *, expected: str = "", hint: str = "") -> NoReturn:
        raise QueryError(self._text, self._next.position, message, expected=expected, hint=hint)

    def _or(self) -> Query:
        first = self._and()
        if self._next.kind != "OR":
            return first
        parts = [first]
        while self._next.kind == "OR":
            self._take()
            parts.append(self._and())
        return any_of(parts)

    def _and(self) -> Query:
        first = self._unary()
        if self._next.kind in _AND_ENDS:
            return first
        parts = [first]
        while self._next.kind not in _AND_ENDS:
            if self._next.kind == "AND":
                self._take()
            parts.append(self._unary())
        return all_of(parts)

    def _unary(self) -> Query:
        if self._next.kind != "NOT":
            query = self._primary()
            return query if self._next.kind not in _JOINING else self._near(query)
        self._enter()
        self._take()
        query = Not(self._unary())
        self._depth -= 1
        return query

    def _near(self, first: Query) -> Query:
        query = self._except(first)
        joined = 1
        while self._next.kind == "near":
            operator = self._take()
            right = self._except(self._primary())
            self._check_chain(operator, joined := joined + 1, query, right)
            name, _, distance = operator.text.partition("/")
            query = Near(query, right, int(distance or DEFAULT_DISTANCE), name == "ONEAR")
        return query

    def _except(self, query: Query) -> Query:
        joined = 1
        while self._next.kind == "EXCEPT":
            operator = self._take()
            excluded = self._primary()
            self._check_chain(operator, joined := joined + 1, query, excluded)
            query = Except(query, excluded)
        return query

    def _check_chain(self, operator: Lexeme, joined: int, *sides: Query) -> None:
        if joined > MAX_CHAIN:
            raise QueryError(self._text, operator.position, f"{operator.text} joins more than {MAX_CHAIN} parts",
                             hint="divide it into several rules")
        if not all(map(is_positional, sides)):
            raise QueryError(self._text, operator.position, f"{operator.text} joins words, phrases and ORs of them",
                             expected="words or phrases beside it", hint="for AND within a sentence write SENT(… …)")

    def _primary(self) -> Query:
        kind = self._next.kind
        if kind == "word":
            return _word(self._take().text)
        if kind == "exact":
            return _word(self._take().text[1:], True)
        if kind == "phrase":
            return self._phrase("")
        if kind == "sign":
            return self._signed()
        if kind == "open":
            return self._bracket()
        return self._special(kind)

    def _special(self, kind: str) -> Query:
        match kind:
            case "prefix":
                return _prefix(self._take().text)
            case "name":
                return self._name()
            case "field":
                return self._field()
            case "same":
                return self._same()
            case "condition":
                self._refuse_within("a condition of the story")
                return Condition(*condition_of(self._take().text))
        self._fail_at_primary()

    def _signed(self) -> Query:
        sign = self._take().text
        if self._next.kind == "word":
            return _word(self._take().text, True) if sign == "=" else _word(self._take().text, True, True)
        if self._next.kind == "phrase":
            return self._phrase(sign)
        self._fail_at_primary()

    def _phrase(self, sign: str) -> Query:
        text = self._take().text
        slop = int(self._take().text) if self._next.kind == "slop" else None
        return Phrase(text, sign != "", sign == "!", slop)

    def _name(self) -> Query:
        slug = self._next.text
        if self._names is None:
            return Name(self._take().text)
        name = self._names.get(slug)
        if name is None:
            self._fail(f"@{slug} is no name of the gazetteer",
                       hint=suggested_name(slug, (known.slug for known in self._names)))
        self._take()
        return Name(slug, tuple(dict.fromkeys(s for spellings in name.spellings.values() for s in spellings)))

    def _field(self) -> Query:
        self._refuse_within("a field")
        lexeme = self._take()
        field = Field(lexeme.text, self._inside(f"{lexeme.text}:", self._primary))
        if field.is_value and not _is_value(field.part):
            raise QueryError(self._text, lexeme.position, f"{lexeme.text}: takes names and ORs of them",
                             expected="a name", hint=f"for example: {lexeme.text}:(one OR other); NOT stands before it")
        return field

    def _same(self) -> Query:
        lexeme = self._take()
        return Same(lexeme.text, self._inside(self._within or f"{lexeme.text}(…)", self._bracket))

    def _inside(self, within: str, read: Callable[[], Query]) -> Query:
        before, self._within = self._within, within
        query = read()
        self._within = before
        return query

    def _refuse_within(self, what: str) -> None:
        if self._within:
            self._fail(f"{what} cannot stand in {self._within}", expected="a word", hint="let them stand side by side")

    def _bracket(self) -> Query:
        self._enter()
        opening = self._take()
        if self._next.kind == "close":
            self._fail("nothing stands in the brackets", expected="a word", hint="remove the brackets")
        query = self._or()
        if self._next.kind != "close":
            raise QueryError(self._text, opening.position, "bracket is not closed", expected='")"',
                             hint="add a closing bracket")
        self._take()
        self._depth -= 1
        return query

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(f"brackets and NOTs stand more than {MAX_DEPTH} deep", hint="remove brackets")

    def _fail_at_primary(self) -> NoReturn:
        after = self._lexemes[self._index - 1].text if self._index else ""
        where = f" after {after}" if after else " at the beginning"
        if self._next.kind == "end":
            self._fail(f"the query ends{where}", expected="a word", hint=f"remove {after} or add a word")
        text = "=" if self._next.kind == "exact" else self._next.text
        self._fail(f"{text} cannot stand{where}", expected="a word",
                   hint=f'to search for the word itself, write "{text}"' if text.isalpha() else f"remove {text}")

    def _check_conditions(self, query: Query) -> None:
        first = next((lexeme for lexeme in self._lexemes if lexeme.kind == "condition"), None)
        if first is None:
            return
        beside = [part for part in (query.parts if isinstance(query, And) else (query,))
                  if not isinstance(part, Condition)]
        if any(map(_has_condition, beside)):
            raise QueryError(self._text, first.position, f"{first.text} must hold for the story as a whole",
                             expected="it beside all else", hint="put all else in brackets: (a OR b) sources>=3")

    def _refuse_unanchored(self) -> NoReturn:
        first = next(lexeme for lexeme in self._lexemes if lexeme.kind in {"NOT", "condition"})
        if first.kind == "condition":
            raise QueryError(self._text, first.position, f"{first.text} alone says nothing of what is told",
                             expected="a word or field that must be there", hint="write: WORD sources>=3")
        raise QueryError(self._text, first.position, "NOT alone matches nearly everything",
                         expected="a word that must be there", hint="write: WORD NOT WORD")


def _is_value(query: Query) -> bool:
    if isinstance(query, Or):
        return all(map(_is_value, query.parts))
    if isinstance(query, Phrase):
        return not query.exact and query.slop is None
    return isinstance(query, Prefix) or (isinstance(query, Word) and not query.exact)


def _has_condition(query: Query) -> bool:
    return isinstance(query, Condition) or any(map(_has_condition, inner(query)))
