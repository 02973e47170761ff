"""Reads queries: one pass of tokens, then recursive descent with one token of look-ahead.

    or     := and ("OR" and)*
    and    := unary (["AND"] unary)*
    unary  := ("NOT" | "-") unary | primary
    primary:= "(" or ")" | ["="] phrase | ["="] word

Operators are capitals, so that "or" stays a word. Signs that the language keeps for later (NEAR/5, word*, title:x,
!NASA, @name, sources>=3) are refused rather than read as words.
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from digest.errors import QueryError
from digest.query.tree import Not, Phrase, Query, Word, all_of, any_of, needs_a_word
from digest.text.tokens import tokens

MAX_LENGTH = 10_000  # characters
MAX_DEPTH = 50  # brackets and NOTs inside each other

QUOTES = '"“”„«»'
_CLOSERS = {  # by opening mark; » opens nothing
    opener: re.compile(f"[{closers}]")
    for opener, closers in {'"': '"”', "“": '”"', "„": '“”"', "«": '»"', "”": '”"'}.items()
}
_LEXEME = re.compile(rf"""
    (?P<space>\s+) | (?P<open>\() | (?P<close>\)) | (?P<quote>[{QUOTES}])
  | (?P<minus>[-−–](?=[^\s()])|[-−–](?=\()) | (?P<exact>=) | (?P<chunk>[^\s(){QUOTES}]+)
""", re.VERBOSE)
_FIELD = re.compile(r"[^\W\d_]+:")
_NEAR = re.compile(r"O?NEAR(/.*)?")
_RESERVED_STARTS = {
    "!": "! (capitals as written) is not understood yet",
    "@": "@ (names of the gazetteer) is not understood yet",
    "+": "+ is not an operator",
    "~": "~ (distance in a phrase) is not understood yet",
}
_RESERVED_SIGNS = {
    "*": ("* (beginning of a word) is not understood yet", "inflected forms match without it"),
    "~": ("~ (distance in a phrase) is not understood yet", "write a phrase or AND"),
    "<": ("conditions with < are not understood yet", "put it in quotation marks to search for the words"),
    ">": ("conditions with > are not understood yet", "put it in quotation marks to search for the words"),
    "|": ("| is not an operator", "write OR"),
}


@dataclass(frozen=True, slots=True)
class _Lexeme:
    """`kind` is word, phrase, exact, open, close, AND, OR, NOT or end."""

    kind: str
    text: str
    position: int


def parse_query(text: str) -> Query:
    """The tree of a query. Raises QueryError, with position, what was expected and a hint; nothing else.

    A query that no word must be in ("NOT sport") is refused: it would match nearly everything.
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(text, MAX_LENGTH, f"query longer than {MAX_LENGTH} characters",
                         hint="divide it into several rules")
    return _Parser(text).parse()


class _Parser:
    """Recursive descent over the tokens of one query."""

    def __init__(self, text: str):
        self._text = text
        self._lexemes = _lex(text)
        self._index = 0
        self._depth = 0

    def parse(self) -> Query:
        if self._next.kind == "end":
            self._fail("the query is empty", expected="a word", hint='for example: Tokayev AND (gas OR "oil pipeline")')
        query = self._or()
        if self._next.kind == "close":
            self._fail("closing bracket without an opening one", expected="the end of the query", hint="remove it")
        if not needs_a_word(query):
            first = next(lexeme for lexeme in self._lexemes if lexeme.kind == "NOT")
            raise QueryError(self._text, first.position, "NOT alone matches nearly everything",
                             expected="a word that must be there", hint="write: WORD NOT WORD")
        return query

    @property
    def _next(self) -> _Lexeme:
        return self._lexemes[self._index]

    def _take(self) -> _Lexeme:
        lexeme = self._next
        self._index += 1
        return lexeme

    def _fail(self, message: str, *, expected: str = "", hint: str = "") -> NoReturn:
        raise QueryError(self._text, self._next.position, message, expected=expected, hint=hint)

    def _or(self) -> Query:
        parts = [self._and()]
        while self._next.kind == "OR":
            self._take()
            parts.append(self._and())
        return any_of(parts)

    def _and(self) -> Query:
        parts = [self._unary()]
        while self._next.kind not in {"OR", "close", "end"}:
            if self._next.kind == "AND":
                self._take()
            parts.append(self._unary())
        return all_of(parts)

    def _unary(self) -> Query:
        if self._next.kind != "NOT":
            return self._primary()
        self._enter()
        self._take()
        query = Not(self._unary())
        self._depth -= 1
        return query

    def _primary(self) -> Query:
        if self._next.kind == "open":
            return self._bracket()
        exact = self._next.kind == "exact"
        if exact:
            self._take()
        if self._next.kind == "word":
            return Word(self._take().text, exact)
        if self._next.kind == "phrase":
            return Phrase(self._take().text, exact)
        self._fail_at_primary()

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
        text = self._next.text
        self._fail(f"{text} cannot stand{where}", expected="a word",
                   hint=f'to search for the word itself, write "{text}"' if text.isalpha() else f"remove {text}")


def _lex(text: str) -> list[_Lexeme]:
    """The tokens of a query, with an end token; every character is looked at a bounded number of times."""
    lexemes: list[_Lexeme] = []
    position = 0
    while position < len(text):
        match = _LEXEME.match(text, position)
        if match is None or match.lastgroup is None:
            raise QueryError(text, position, "this character cannot be read", hint="remove it")
        kind, end = match.lastgroup, match.end()
        if kind == "quote":
            lexeme, end = _phrase(text, position)
            lexemes.append(lexeme)
        elif kind == "chunk":
            lexemes.append(_chunk(text, position, match.group()))
        elif kind == "minus":
            lexemes.append(_Lexeme("NOT", "-", position))
        elif kind != "space":
            lexemes.append(_Lexeme(kind, match.group(), position))
        position = end
    lexemes.append(_Lexeme("end", "", len(text)))
    return lexemes


def _phrase(text: str, position: int) -> tuple[_Lexeme, int]:
    """The phrase that opens at `position`, and where the text goes on."""
    closer = _CLOSERS.get(text[position])
    if closer is None:
        raise QueryError(text, position, "closing quotation mark without an opening one", hint="remove it")
    found = closer.search(text, position + 1)
    if found is None:
        raise QueryError(text, position, "quotation mark is not closed", expected='"', hint="add a closing one")
    phrase = " ".join(re.sub(f"[{QUOTES}]", " ", text[position + 1:found.start()]).split())
    if not tokens(phrase):
        raise QueryError(text, position, "no word stands in the quotation marks", expected="a word",
                         hint="remove the quotation marks")
    return _Lexeme("phrase", phrase, position), found.end()


def _chunk(text: str, position: int, chunk: str) -> _Lexeme:
    """The word or operator of a run of characters without space, bracket or quotation mark."""
    if message := _RESERVED_STARTS.get(chunk[0]):
        raise QueryError(text, position, message, expected="a word", hint=f"remove the {chunk[0]}")
    for sign, (message, hint) in _RESERVED_SIGNS.items():
        if (offset := chunk.find(sign)) >= 0:
            raise QueryError(text, position + offset, message, hint=hint)
    found = tokens(chunk)
    if not found:
        raise QueryError(text, position, f"{chunk} has no letter or digit", expected="a word", hint="remove it")
    core = chunk[found[0].start:found[-1].end]
    start = position + found[0].start
    if core in {"AND", "OR", "NOT"}:
        return _Lexeme(core, core, start)
    _refuse_reserved_word(text, start, core, text[start + len(core):start + len(core) + 1])
    return _Lexeme("word", core, start)


def _refuse_reserved_word(text: str, position: int, core: str, following: str) -> None:
    if _NEAR.fullmatch(core) or core == "EXCEPT" or (core in {"SENT", "PARA"} and following == "("):
        raise QueryError(text, position, f"{core} is not understood yet", hint="write a phrase or AND")
    if field := _FIELD.match(core + following):
        raise QueryError(text, position, f"{field.group()} (a field) is not understood yet", expected="a word",
                         hint="put it in quotation marks to search for the words")
