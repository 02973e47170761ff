"""What is likely wrong in a query that can be read: it can match nothing, it matches too much, it is mistyped."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from digest.query.contradictions import contradiction
from digest.query.tree import Name, Or, Phrase, Query, Word, terms_of
from digest.text.stopwords import STOPWORDS, is_stop
from digest.text.tokens import fold, written_words

TOO_BROAD = 0.2  # share of items from which a query is too broad
_OPERATORS = {"and": "AND", "or": "OR", "not": "NOT", "near": "NEAR", "except": "EXCEPT"}
_CYRILLIC = range(0x400, 0x530)


@dataclass(frozen=True, slots=True)
class QueryWarning:
    """`kind` is never, broad, operator, script or name."""

    kind: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return self.message + (f" ({self.hint})" if self.hint else "")


def lint_query(query: Query, *, share: Callable[[Query], float] | None = None) -> tuple[QueryWarning, ...]:
    """What an analyst should know before a query is used; () where nothing is likely wrong.

    `share` gives the share of recent items, from 0 to 1, that a query matches; it is asked for the query and for each
    alternative of an OR.
    """
    return (*_never(query), *_words(terms_of(query)), *_broad(query, share))


def _never(query: Query) -> Iterable[QueryWarning]:
    if reason := contradiction(query):
        yield QueryWarning("never", f"it can match nothing: {reason}")
    elif isinstance(query, Or):
        for part in query.parts:
            if reason := contradiction(part):
                yield QueryWarning("never", f"one alternative can match nothing: {reason}")


def _words(terms: Iterable[object]) -> Iterable[QueryWarning]:
    for term in dict.fromkeys(terms):
        if isinstance(term, Name) and not term.spellings:
            yield QueryWarning("name", f"{term} has no spelling", "add some in config/gazetteer/")
        if not isinstance(term, Word | Phrase):
            continue
        if isinstance(term, Word) and term.text in _OPERATORS:
            yield QueryWarning("operator", f"“{term.text}” is searched as a word", f"write {_OPERATORS[term.text]}")
        for word in written_words(term.text):
            if mixed := _mixed_letters(word):
                yield QueryWarning("script", f"“{word}” has letters of two scripts: {mixed}", "type it anew")


def _mixed_letters(word: str) -> str:
    """The letters of a word's rarer script, where they only look like the other's; "" where there is no doubt."""
    cyrillic = [letter for letter in word if ord(letter) in _CYRILLIC]
    latin = [letter for letter in word if letter.isalpha() and letter.isascii()]
    if not cyrillic or not latin:
        return ""
    fewer, script = (cyrillic, "Cyrillic") if len(cyrillic) <= len(latin) else (latin, "Latin")
    return f"{', '.join(dict.fromkeys(fewer))} {'is' if len(set(fewer)) == 1 else 'are'} {script}"


def _broad(query: Query, share: Callable[[Query], float] | None) -> Iterable[QueryWarning]:
    alternatives: Sequence[Query] = query.parts if isinstance(query, Or) else (query,)
    for part in alternatives:
        if isinstance(part, Word) and any(is_stop(fold(part.text), language) for language in STOPWORDS):
            yield QueryWarning("broad", f"“{part.text}” stands in nearly every text", "leave it out")
        elif share and (found := share(part)) >= TOO_BROAD:
            yield QueryWarning("broad", f"{part} matches {found:.0%} of recent items", "ask for one more word")
    if share and len(alternatives) > 1 and (found := share(query)) >= TOO_BROAD:
        yield QueryWarning("broad", f"it matches {found:.0%} of recent items", "leave out the commonest alternatives")
