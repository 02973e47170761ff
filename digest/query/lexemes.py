"""Cuts a query into lexemes: words, phrases, signs and operators, each with its place.

Every character is looked at a bounded number of times. Operators are capitals, so that "or" stays a word; what only
looks like an operator (near/5, and not, site:) is refused with the one that was meant.
"""

import re
from typing import NamedTuple, NoReturn

from digest.errors import QueryError
from digest.query.suggest import suggested_field, suggested_measure
from digest.query.tree import FIELDS, MEASURES, VALUE_FIELDS
from digest.text.tokens import tokens, word_pattern

QUOTES = '"“”„«»'
DEFAULT_DISTANCE = 4  # words, of NEAR without a number
MAX_DISTANCE = 20  # words
SHORTEST_PREFIX = 3  # letters

_CLOSERS = {  # by opening mark; » opens nothing
    opener: re.compile(f"[{closers}]")
    for opener, closers in {'"': '"”', "“": '”"', "„": '“”"', "«": '»"', "”": '”"'}.items()
}
_OPERATORS = {name: name for name in ("AND", "OR", "NOT", "EXCEPT")} | {"NEAR": "near", "ONEAR": "near"}
_PLAIN = {**_OPERATORS, "SENT": "", "PARA": "", "not": ""}  # "": more has to be looked at
_LEXEME = re.compile(rf"""
    \s*(?:
    (?P<plain>=?[^\W\d_ʰ-˿]+)(?=[\s()]|\Z) | (?P<open>\() | (?P<close>\)) | (?P<quote>[{QUOTES}])
  | (?P<minus>[-−–](?=[^\s])) | (?P<sign>[=!]) | (?P<chunk>[^\s(){QUOTES}]+) | (?P<end>\Z)
    )""", re.VERBOSE)
_BRACKET_FOLLOWS = re.compile(r"\s*\(")
_QUOTE_MARKS = re.compile(f"[{QUOTES}]")
_HAS_WORD = word_pattern("und").search
_SLOP = re.compile(r"~(\d*)")
_FIELD = re.compile(r"[^\W\d_]+:")
_VALUE = re.compile(rf"[^\s(){QUOTES}]+")
_NEAR = re.compile(r"(O?NEAR)/(.*)|(?i:(o?)near/(\d+)|(w)/(\d+))", re.DOTALL)
_NAME = re.compile(r"@([^\W_]+(?:[-_][^\W_]+)*)\W*")
_CONDITION = re.compile(rf"({'|'.join(MEASURES)})(<=|>=|=|<|>)(\d{{1,6}}(?:\.\d{{1,3}})?)(x?)\W*")
_REFUSED_STARTS = {
    "+": ("+ is not an operator", "every word must be there anyway"),
    "~": ("~ stands behind nothing", 'a distance stands behind a phrase: "oil pipeline"~3'),
    "*": ("* stands behind nothing", "it stands behind the beginning of a word: kazakh*"),
}
_MEANT = {"|": "write OR", "||": "write OR", "&": "write AND", "&&": "write AND"}
_REFUSED_SIGNS = {
    "*": ("* stands within a word", "it stands behind the beginning of one word: kazakh*"),
    "~": ("~ stands within a word", 'a distance stands behind a phrase: "oil pipeline"~3'),
    "<": ("this is no condition", "write sources>=3, families>=2 or rate>3x; or put it in quotation marks"),
    ">": ("this is no condition", "write sources>=3, families>=2 or rate>3x; or put it in quotation marks"),
    "|": ("| is not an operator", "write OR"),
}


class Lexeme(NamedTuple):
    """`kind` is word, exact, prefix, phrase, slop, name, condition, field, near, same, sign, open, close, AND…."""

    kind: str
    text: str
    position: int


def lexemes(text: str) -> list[Lexeme]:
    """The lexemes of a query, with one of kind end behind them. Raises QueryError."""
    found: list[Lexeme] = []
    position = 0
    match_at = _LEXEME.match
    while True:
        match = match_at(text, position)
        if match is None or match.lastgroup is None:  # pragma: no cover - every character has its group
            raise QueryError(text, position, "this character cannot be read", hint="remove it")
        kind, position = match.lastgroup, match.end()
        if kind == "plain":
            word = match["plain"]
            plain = "exact" if word[0] == "=" else _PLAIN.get(word, "word")
            found.append(Lexeme(plain, word, position - len(word)) if plain else _unusual(text, word, position, found))
        elif kind == "quote":
            position = _phrase(text, match.start("quote"), found)
        elif kind == "chunk":
            position = _chunk(text, match.start("chunk"), match["chunk"], found)
        elif kind == "minus":
            found.append(Lexeme("NOT", "-", position - 1))
        elif kind == "end":
            found.append(Lexeme("end", "", len(text)))
            return found
        else:
            found.append(Lexeme(kind, match[kind], position - 1))


def _unusual(text: str, word: str, end: int, before: list[Lexeme]) -> Lexeme:
    """The lexeme of a run of letters that may be more than a word: SENT and PARA before a bracket, and not."""
    position = end - len(word)
    if word != "not" and _BRACKET_FOLLOWS.match(text, end):
        return Lexeme("same", word, position)
    if word == "not" and before and before[-1].kind == "word" and before[-1].text == "and":
        raise QueryError(text, before[-1].position, "and not would be searched as two words", expected="NOT",
                         hint='write NOT; to search for the words, write "and not"')
    return Lexeme("word", word, position)


def _phrase(text: str, position: int, found: list[Lexeme]) -> int:
    """Adds the phrase that opens at `position` and its ~n; gives where the text goes on."""
    closer = _CLOSERS.get(text[position])
    if closer is None:
        raise QueryError(text, position, "closing quotation mark without an opening one", hint="remove it")
    closing = closer.search(text, position + 1)
    if closing is None:
        raise QueryError(text, position, "quotation mark is not closed", expected='"', hint="add a closing one")
    phrase = " ".join(_QUOTE_MARKS.sub(" ", text[position + 1:closing.start()]).split())
    if not _HAS_WORD(phrase):
        raise QueryError(text, position, "no word stands in the quotation marks", expected="a word",
                         hint="remove the quotation marks")
    found.append(Lexeme("phrase", phrase, position))
    slop = _SLOP.match(text, closing.end())
    if slop is None:
        return closing.end()
    if not slop[1] or len(slop[1]) > 3 or int(slop[1]) > MAX_DISTANCE:
        raise QueryError(text, slop.start(), f"~ takes a number of words up to {MAX_DISTANCE}",
                         expected=f"a number from 0 to {MAX_DISTANCE}", hint='for example: "oil pipeline"~3')
    found.append(Lexeme("slop", slop[1], slop.start()))
    return slop.end()


def _chunk(text: str, position: int, chunk: str, found: list[Lexeme]) -> int:
    """Adds what a run without space, bracket or quotation mark holds; gives where the text goes on."""
    if chunk[0] == "@":
        found.append(_name(text, position, chunk))
        return position + len(chunk)
    if refused := _REFUSED_STARTS.get(chunk[0]):
        raise QueryError(text, position, refused[0], expected="a word", hint=refused[1])
    if field := _FIELD.match(chunk):
        return _field(text, position, field.group()[:-1], found)
    if lead := next((token.start for token in tokens(chunk)), 0):
        _refuse_signs(text, position, chunk[:lead])
        return _chunk(text, position + lead, chunk[lead:], found)
    found.append(_condition(position, chunk) or _near(text, position, chunk) or _word(text, position, chunk))
    return position + len(chunk)


def _name(text: str, position: int, chunk: str) -> Lexeme:
    name = _NAME.fullmatch(chunk)
    if name is None:
        raise QueryError(text, position, "@ takes the name of the gazetteer", expected="a name such as @tokayev",
                         hint="letters, digits and hyphens")
    return Lexeme("name", name[1], position)


def _field(text: str, position: int, name: str, found: list[Lexeme]) -> int:
    """Adds a field's name and, where it stands directly behind it, the value of one that is not of the text."""
    if name not in FIELDS:
        raise QueryError(text, position, f"{name}: is no field", expected=f"one of {', '.join(FIELDS)}",
                         hint=suggested_field(name))
    found.append(Lexeme("field", name, position))
    start = position + len(name) + 1
    value = _VALUE.match(text, start) if name in VALUE_FIELDS else None
    if value is None:
        return start
    kept = tokens(value.group())
    if not kept:
        raise QueryError(text, start, f"{name}: takes a name", expected="a word", hint=f"for example: {name}:example")
    first, last = kept[0].start, kept[-1].end
    kind = "prefix" if value.group()[last:last + 1] == "*" else "word"
    found.append(Lexeme(kind, value.group()[first:last], start + first))
    return value.end()


def _condition(position: int, chunk: str) -> Lexeme | None:
    condition = _CONDITION.fullmatch(chunk)
    if condition is None or (condition[4] == "x") != (condition[1] == "rate"):
        return None
    return Lexeme("condition", condition.group(), position)


def condition_of(text: str) -> tuple[str, str, float]:
    """Measure, sign and number of a lexeme that is a condition."""
    condition = _CONDITION.fullmatch(text)
    assert condition is not None
    return condition[1], condition[2], float(condition[3])


def _near(text: str, position: int, chunk: str) -> Lexeme | None:
    near = _NEAR.fullmatch(chunk)
    if near is None:
        return None
    operator, distance, ordered, number, _, words = near.groups()
    if operator is None:
        meant = f"{'O' if ordered else ''}NEAR/{number or words}"
        raise QueryError(text, position, f"{chunk} is no operator", expected="a word", hint=f"write {meant}")
    if not distance.isdecimal() or len(distance) > 3 or not 1 <= int(distance) <= MAX_DISTANCE:
        raise QueryError(text, position, f"{operator} takes a number of words up to {MAX_DISTANCE}",
                         expected=f"a number from 1 to {MAX_DISTANCE}",
                         hint=f"write {operator}/{DEFAULT_DISTANCE}; for a whole sentence, SENT(… …)")
    return Lexeme("near", f"{operator}/{int(distance)}", position)


def _word(text: str, position: int, chunk: str) -> Lexeme:
    """The word, beginning of a word or operator of a run of characters."""
    kept = tokens(chunk)
    if not kept:
        raise QueryError(text, position, f"{chunk} has no letter or digit", expected="a word",
                         hint=_MEANT.get(chunk, "remove it"))
    start, core, rest = position + kept[0].start, chunk[kept[0].start:kept[-1].end], chunk[kept[-1].end:]
    if rest.startswith("*"):
        return _prefix(text, start, core)
    _refuse_signs(text, position, chunk)
    if core in _OPERATORS:
        return Lexeme(_OPERATORS[core], core, start)
    return Lexeme("word", core, start)


def _prefix(text: str, position: int, core: str) -> Lexeme:
    kept = tokens(core)
    if len(kept) > 1:
        raise QueryError(text, position, "* stands behind several words", expected="one word",
                         hint=f"write {core[:kept[-1].start]} AND {core[kept[-1].start:]}*")
    if len(kept[0].word) < SHORTEST_PREFIX:
        raise QueryError(text, position, f"{core}* would match too many words",
                         expected=f"at least {SHORTEST_PREFIX} letters before the *",
                         hint="write more letters; inflected forms match without *")
    return Lexeme("prefix", core, position)


def _refuse_signs(text: str, position: int, chunk: str) -> None:
    for sign, (message, hint) in _REFUSED_SIGNS.items():
        if (offset := chunk.find(sign)) >= 0:
            raise QueryError(text, position + offset, message, hint=suggested_measure(chunk) or hint)
    if chunk.split("=", 1)[0] in MEASURES and "=" in chunk:
        refuse_condition(text, position, chunk)


def refuse_condition(text: str, position: int, chunk: str) -> NoReturn:
    measure = chunk.split("=", 1)[0]
    raise QueryError(text, position, f"{chunk} is no condition", expected=f"{measure}= and a number",
                     hint="for example: sources>=3, families>=2, rate>3x")
