"""Decides whether a query matches a text, and which places of the text made it match.

Words are compared by their stems in the text's language; what that language's stemmer does not know (names in
another script) is compared as folded words. A phrase never runs from one field or paragraph into the next.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from digest.model import Item
from digest.query.tree import And, Not, Or, Phrase, Query, Word
from digest.text.stems import stem
from digest.text.tokens import APOSTROPHES, Token, fold, tokens

SEPARATOR = "\n\n"  # between the fields and paragraphs of a text
_LIGHT_ENDINGS = {
    "ru": re.compile("[аяоеыиуюйь]$"),
    "kk": re.compile("(?<=..)(?:[дт]ың|[дт]ің|ның|нің|[дт]ан|[дт]ен|нан|нен|[дтн]ы|[дтн]і|[дт]а|[дт]е|[ғқ]а|[гк]е)$"),
}
_GAP = Token("", 0, 0)  # stands between them in the list of tokens: no phrase crosses it


class Span(NamedTuple):
    """`text[start:end]` of the text that was matched."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MatchText:
    """A text made ready for many queries. The first paragraph of an item's text is its title.

    `words` and `stems` say at which indexes of `tokens` a folded word or a stem stands.
    """

    text: str
    language: str
    tokens: tuple[Token, ...]
    words: Mapping[str, tuple[int, ...]]
    stems: Mapping[str, tuple[int, ...]]


def prepare(item: Item) -> MatchText:
    """The text of an item, made ready."""
    return prepare_text(paragraphs(item), item.language)


def paragraphs(item: Item) -> tuple[str, ...]:
    """The text of an item: title, summary and the blocks of its text, each a paragraph."""
    return (item.title, item.summary, *[block.text for block in item.text])


def prepare_text(paragraphs: Iterable[str], language: str = "und") -> MatchText:
    """A text of paragraphs, blank ones left out. `language` is a BCP 47 primary subtag."""
    kept = [paragraph for paragraph in paragraphs if paragraph.strip()]
    found: list[Token] = []
    start = 0
    for paragraph in kept:
        found.extend(Token(t.word, t.start + start, t.end + start) for t in _tokens(paragraph, language))
        found.append(_GAP)
        start += len(paragraph) + len(SEPARATOR)
    words: dict[str, list[int]] = {}
    for index, token in enumerate(found):
        if token.word:
            words.setdefault(token.word, []).append(index)
    stems: dict[str, list[int]] = {}
    for word, places in words.items():
        for form in stems_of(word, language):
            stems.setdefault(form, []).extend(places)
    return MatchText(
        SEPARATOR.join(kept), language, tuple(found),
        {word: tuple(places) for word, places in words.items()},
        {form: tuple(sorted(places)) for form, places in stems.items()},
    )


def _tokens(text: str, language: str) -> list[Token]:
    """The words of a text without the s of a genitive: "Kazakhstan's parliament" is two words in a row."""
    found = tokens(text, language)
    return [t for t in found if t.word != "s" or t.start < 2 or text[t.start - 1] not in APOSTROPHES
            or not text[t.start - 2].isalnum()]


def match(query: Query, text: MatchText) -> tuple[Span, ...] | None:
    """The places that made the query match, in order and without overlap; None where it does not match."""
    found = _evaluate(query, text)
    return None if found is None else _merged(found)


def _evaluate(query: Query, text: MatchText) -> list[Span] | None:
    """The spans of all words that count, with doubles; None where the query does not match."""
    match query:
        case Word() | Phrase():
            return _term(query, text)
        case And(parts):
            return _every(parts, text)
        case Or(parts):
            results = [found for part in parts if (found := _evaluate(part, text)) is not None]
            return [span for found in results for span in found] if results else None
        case Not(part):
            return [] if _evaluate(part, text) is None else None


def _every(parts: tuple[Query, ...], text: MatchText) -> list[Span] | None:
    spans: list[Span] = []
    for part in parts:
        found = _evaluate(part, text)
        if found is None:
            return None
        spans.extend(found)
    return spans


def _term(term: Word | Phrase, text: MatchText) -> list[Span] | None:
    forms = forms_of(term.text, term.exact, text.language)
    index = text.words if term.exact else text.stems
    starts = _places(forms[0], index)
    for offset in range(1, len(forms)):
        if not starts:
            return None
        following = frozenset(_places(forms[offset], index))
        starts = tuple(start for start in starts if start + offset in following)
    if not starts:
        return None
    last = len(forms) - 1
    return [Span(text.tokens[start].start, text.tokens[start + last].end) for start in starts]


def _places(alternatives: tuple[str, ...], index: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    if len(alternatives) == 1:
        return index.get(alternatives[0], ())
    return tuple({place for form in alternatives for place in index.get(form, ())})


@lru_cache(maxsize=200_000)
def forms_of(text: str, exact: bool, language: str) -> tuple[tuple[str, ...], ...]:
    """For each word of a term, never none, the forms under which it is found in a text of a language."""
    words = [token.word for token in _tokens(text, language)] or [fold(text, language)]
    return tuple((word,) if exact else stems_of(word, language) for word in words)


@lru_cache(maxsize=400_000)
def stems_of(word: str, language: str) -> tuple[str, ...]:
    """The stem of a folded word, and in some languages the word without one light ending.

    Stemmers cut a short name in the nominative further than in other cases: Snowball makes "тока" of Токаев but
    "токаев" of Токаева, "аста" of Астана but "астан" of Астане. Two words are one where they share a form.
    """
    form = stem(word, language)
    ending = _LIGHT_ENDINGS.get(language)
    light = ending.sub("", word, count=1) if ending else form
    return (form,) if light == form or (language == "ru" and len(light) < len(form)) else (form, light)


def _merged(spans: list[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for span in sorted(set(spans)):
        if merged and span.start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(span.end, merged[-1].end))
        else:
            merged.append(span)
    return tuple(merged)
