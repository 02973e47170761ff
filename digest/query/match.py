"""Decides whether a query matches a text, and which places of the text made it match.

A phrase, and what NEAR joins, never runs from one field or paragraph into the next.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from digest.query.terms import Run, folded_words, runs_of, written_words
from digest.query.texts import MatchText, Window, paragraphs, prepare, prepare_text
from digest.query.tree import And, Condition, Except, Field, Name, Near, Not, Or, Phrase, Prefix, Query, Same, Word
from digest.text.inflection import forms, keys
from digest.text.tokens import fold, words

__all__ = ["MatchText", "Span", "match", "paragraphs", "prepare", "prepare_text"]

SHORT_ACRONYM = 4  # letters to which an acronym may be a word too ("US", "ОТГ")
WHOLE_VALUES = frozenset({"family", "lang", "region", "topic"})  # fields of which the whole value is named
MAX_PAIRS = 20_000  # that one NEAR tries in a text, from its beginning; only texts made for it have more
Place = tuple[int, int]  # words[start:end] of a text


class Span(NamedTuple):
    """`text[start:end]` of the text that was matched."""

    start: int
    end: int


class Hit(NamedTuple):
    """Where a positional query stands: from where to where, and the words that make it."""

    start: int
    end: int
    places: tuple[Place, ...]


def match(query: Query, text: MatchText) -> tuple[Span, ...] | None:
    """The places that made the query match, in order and without overlap; None where it does not match.

    Conditions on the story are taken to hold: `conditions.story_conditions` splits them off.
    """
    found = find(query, text, None)
    return None if found is None else _merged(_spans(found, text))


def find(query: Query, text: MatchText, window: Window | None) -> list[Place] | None:
    """The places of all words that count within a window, with doubles; None where the query does not match there."""
    return _FINDERS[type(query)](query, text, window)


def _find_hits(query: Query, text: MatchText, window: Window | None) -> list[Place] | None:
    hits = _HITS[type(query)](query, text, window)
    return [place for hit in hits for place in hit.places] if hits else None


def _find_and(query: And, text: MatchText, window: Window | None) -> list[Place] | None:
    places: list[Place] = []
    for part in query.parts:
        found = find(part, text, window)
        if found is None:
            return None
        places += found
    return places


def _find_or(query: Or, text: MatchText, window: Window | None) -> list[Place] | None:
    results = [found for part in query.parts if (found := find(part, text, window)) is not None]
    return [place for found in results for place in found] if results else None


def _find_not(query: Not, text: MatchText, window: Window | None) -> list[Place] | None:
    return [] if find(query.part, text, window) is None else None


def _find_condition(query: Condition, text: MatchText, window: Window | None) -> list[Place] | None:
    return []


def _find_same(query: Same, text: MatchText, window: Window | None) -> list[Place] | None:
    windows = text.sentences if query.scope == "SENT" else text.paragraphs
    results = [found for start, end in windows if window is None or (window[0] <= start and end <= window[1])
               if (found := find(query.part, text, (start, end))) is not None]
    return [place for found in results for place in found] if results else None


def _find_field(query: Field, text: MatchText, window: Window | None) -> list[Place] | None:
    if query.is_value:
        return [] if _has_value(query.name, query.part, text) else None
    field = text.fields.get(query.name)
    return None if field is None else find(query.part, text, field)


def _has_value(name: str, wanted: Query, text: MatchText) -> bool:
    if isinstance(wanted, Or):
        return any(_has_value(name, part, text) for part in wanted.parts)
    values = text.value_words.get(name, ())
    if isinstance(wanted, Prefix):
        return any(word.startswith(fold(wanted.text)) for value in values for word in value)
    assert isinstance(wanted, Word | Phrase)
    named = words(wanted.text)
    if name in WHOLE_VALUES:
        return named in values
    return any(named == value[start:start + len(named)] for value in values for start in range(len(value)))


def _word_hits(term: Word | Phrase, text: MatchText, window: Window | None) -> list[Hit]:
    index = text.places if term.exact else text.stems
    hits = [Hit(start, start + len(run), ((start, start + len(run)),))
            for run in runs_of(term.text, term.exact, text.language) for start in _starts(run, index, window)]
    if not term.cased:
        return hits
    wanted = written_words(term.text, text.language)
    return [hit for hit in hits if all(map(str.__eq__, wanted, map(text.written, range(hit.start, hit.end))))]


def _phrase_hits(term: Phrase, text: MatchText, window: Window | None) -> list[Hit]:
    if term.slop is None:
        return _word_hits(term, text, window)
    index = text.places if term.exact else text.stems
    hits = [hit for run in runs_of(term.text, term.exact, text.language)
            for hit in _loose(run, index, window, len(run) + term.slop)
            if text.is_within_a_paragraph(hit.start, hit.end)]
    if not term.cased:
        return hits
    wanted = sorted(written_words(term.text, text.language))
    return [hit for hit in hits if sorted(text.written(start) for start, _ in hit.places) == wanted]


def _prefix_hits(term: Prefix, text: MatchText, window: Window | None) -> list[Hit]:
    beginning = fold(term.text, text.language)
    return [Hit(place, place + 1, ((place, place + 1),)) for word, places in text.places.items()
            if word.startswith(beginning) for place in places if window is None or window[0] <= place < window[1]]


def _name_hits(term: Name, text: MatchText, window: Window | None) -> list[Hit]:
    return [Hit(start, start + len(run), ((start, start + len(run)),))
            for spelling in term.spellings for run in runs_of(spelling, False, text.language)
            for start in _starts(run, text.stems, window) if _is_spelled(spelling, text, start)]


def _is_spelled(spelling: str, text: MatchText, start: int) -> bool:
    """Whether words of a text that have a name's stems are forms of it and have its capitals, as `names.Names` asks."""
    acronym, capital, known = _spelled(spelling, text.language)
    written = text.written(start)
    if acronym and (not text.is_of_one_case or len(acronym) <= SHORT_ACRONYM):
        return not text.is_of_one_case and written.startswith(acronym)
    if capital and not text.is_of_one_case and not written[:1].isupper():
        return False
    return all(not of_word.isdisjoint(forms(word, text.language))
               for of_word, word in zip(known, text.words[start:start + len(known)], strict=True))


@lru_cache(maxsize=50_000)
def _spelled(spelling: str, language: str) -> tuple[str, bool, tuple[frozenset[str], ...]]:
    """A spelling's letters where it is one acronym, else ""; whether a capital begins it; what its words may be."""
    letters = "".join(filter(str.isalnum, spelling))
    folded = folded_words(spelling, language) or [fold(spelling, language)]
    return (letters if letters.isupper() and len(folded) == 1 else "", letters[:1].isupper(),
            tuple(keys(word, language, language) for word in folded))


def _or_hits(query: Or, text: MatchText, window: Window | None) -> list[Hit]:
    return [hit for part in query.parts for hit in hits_of(part, text, window)]


def _except_hits(query: Except, text: MatchText, window: Window | None) -> list[Hit]:
    hits = hits_of(query.part, text, window)
    if not hits:
        return hits
    covered = {place for hit in hits_of(query.excluded, text, window) for place in range(hit.start, hit.end)}
    return [hit for hit in hits if covered.isdisjoint(range(hit.start, hit.end))]


def _near_hits(query: Near, text: MatchText, window: Window | None) -> list[Hit]:
    left = hits_of(query.left, text, window)
    right = sorted(hits_of(query.right, text, window)) if left else []
    if not right:
        return []
    starts = [hit.start for hit in right]
    longest = max(hit.end - hit.start for hit in right)
    joined: dict[tuple[int, int], Hit] = {}
    tried = 0
    for one in sorted(left):
        earliest = one.end if query.ordered else one.start - query.distance - longest
        close = right[bisect_left(starts, earliest):bisect_right(starts, one.end + query.distance)]
        tried += len(close)
        if tried > MAX_PAIRS:
            break
        for other in close:
            between = max(other.start - one.end, one.start - other.end)
            start, end = min(one.start, other.start), max(one.end, other.end)
            if 0 <= between <= query.distance and (start, end) not in joined and text.is_within_a_paragraph(start, end):
                joined[start, end] = Hit(start, end, one.places + other.places)
    return list(joined.values())


def hits_of(query: Query, text: MatchText, window: Window | None) -> list[Hit]:
    """Where a positional query stands within a window."""
    return _HITS[type(query)](query, text, window)


def _starts(run: Run, index: Mapping[str, Sequence[int]], window: Window | None) -> Iterable[int]:
    """At which places of an index, within a window, words in a row begin."""
    starts = _places(run[0], index)
    for offset in range(1, len(run)):
        if not starts:
            return ()
        following = frozenset(_places(run[offset], index))
        starts = [start for start in starts if start + offset in following]
    if window is None:
        return starts
    return [start for start in starts if window[0] <= start and start + len(run) <= window[1]]


def _loose(run: Run, index: Mapping[str, Sequence[int]], window: Window | None, length: int) -> list[Hit]:
    """Where all words of a run stand in any order among `length` words."""
    wanted = [(sorted(_starts((forms,), index, window)), run.count(forms)) for forms in dict.fromkeys(run)]
    hits = []
    for start in sorted({place for places, _ in wanted for place in places}):
        found: list[int] = []
        for places, count in wanted:
            first = bisect_left(places, start)
            found += places[first:first + count]
        if len(set(found)) == len(run) and max(found) < start + length:
            hits.append(Hit(start, max(found) + 1, tuple((place, place + 1) for place in sorted(found))))
    return hits


def _places(alternatives: tuple[str, ...], index: Mapping[str, Sequence[int]]) -> Sequence[int]:
    if len(alternatives) == 1:
        return index.get(alternatives[0], ())
    return sorted({place for form in alternatives for place in index.get(form, ())})


def _spans(places: Iterable[Place], text: MatchText) -> list[Span]:
    return [Span(text.spans[start][0], text.spans[end - 1][1]) for start, end in places]


def _merged(spans: list[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for span in sorted(set(spans)):
        if merged and span.start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(span.end, merged[-1].end))
        else:
            merged.append(span)
    return tuple(merged)


_HITS: Mapping[type[Any], Callable[[Any, MatchText, Window | None], list[Hit]]] = {
    Word: _word_hits, Phrase: _phrase_hits, Prefix: _prefix_hits, Name: _name_hits, Or: _or_hits, Near: _near_hits,
    Except: _except_hits,
}
_FINDERS: Mapping[type[Any], Callable[[Any, MatchText, Window | None], list[Place] | None]] = {
    **dict.fromkeys(_HITS, _find_hits),
    And: _find_and, Or: _find_or, Not: _find_not, Same: _find_same, Field: _find_field, Condition: _find_condition,
}
