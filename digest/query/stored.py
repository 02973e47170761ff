"""The words of an item as the archive keeps them: for the search index, and for judging queries without its text.

A line is a paragraph: title, summary, then the blocks of the text; words are folded and stand between spaces.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from digest.model import Item
from digest.query.match import find
from digest.query.prefilter import term
from digest.query.terms import folded_words, runs_of, stems_of
from digest.query.texts import GAP, MatchText, Window, fields_of, paragraphs
from digest.query.tree import Field, Name, Phrase, Prefix, Query, Same, Word, inner, terms_of
from digest.text.tokens import fold

SPACE_IN_WORD = "\ue020"  # for the few letters that are several words once they are folded
KNOWN_VALUES = frozenset({"lang"})  # fields of an item that are kept with its words


def stored_words(item: Item) -> str:
    """The words of an item."""
    return "\n".join(_line(paragraph, item.language) for paragraph in paragraphs(item))


def terms_of_lines(words: str, language: str) -> Iterator[list[tuple[str, tuple[str, ...]]]]:
    """Of each line of stored words, what an index holds for each word: the word itself, and its forms."""
    for line in words.split("\n"):
        yield [_terms(word, language) for word in line.split()]


def can_judge(query: Query) -> bool:
    """Whether the stored words are enough: capitals, names, sentences and most fields need the item itself."""
    if isinstance(query, Name) or (isinstance(query, Word | Phrase) and query.cased):
        return False
    if isinstance(query, Same) and query.scope == "SENT":
        return False
    if isinstance(query, Field) and query.is_value:
        return query.name in KNOWN_VALUES
    return all(map(can_judge, inner(query)))


class Judge:
    """Asks `match` whether a query matches items of which the words alone are at hand; see `can_judge`."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._asked: dict[str, _Asked] = {}

    def matches(self, words: str, language: str) -> bool:
        """Whether an item with these stored words in this language matches."""
        asked = self._asked.get(language)
        if asked is None:
            asked = self._asked[language] = _Asked(self._query, language)
        return find(self._query, _text(words, language, asked), None) is not None


class _Asked(dict[str, bool]):
    """By word of a language, whether a query's terms ask for it: the others need no place."""

    def __init__(self, query: Query, language: str) -> None:
        super().__init__()
        self._language = language
        terms = terms_of(query)
        self._beginnings = tuple(fold(term.text, language) for term in terms if isinstance(term, Prefix))
        runs = [(term.exact, run) for term in terms if isinstance(term, Word | Phrase)
                for run in runs_of(term.text, term.exact, language)]
        self._words = {form for exact, run in runs if exact for place in run for form in place}
        self._stems = {form for exact, run in runs if not exact for place in run for form in place}

    def __missing__(self, word: str) -> bool:
        found = word in self._words or word.startswith(self._beginnings) or not self._stems.isdisjoint(
            stems_of(word, self._language))
        self[word] = found
        return found


@dataclass(frozen=True)
class _StoredText(MatchText):
    """Knows the places of the words that are asked for, and no others."""

    asked: Mapping[str, bool] = field(default_factory=dict)

    @cached_property
    def places(self) -> Mapping[str, Sequence[int]]:
        places: dict[str, list[int]] = {}
        asked = self.asked
        for index, word in enumerate(self.words):
            if asked[word]:
                places.setdefault(word, []).append(index)
        return places


def _text(words: str, language: str, asked: _Asked) -> MatchText:
    """The text as `texts.prepare_text` makes it, but for what is written."""
    found: list[str] = []
    windows: list[Window] = []
    ends: list[int] = []
    for number, line in enumerate(words.split("\n")):
        if line:
            start = len(found)
            found += line.split(" ")
            windows.append((start, len(found)))
            found.append(GAP)
        if number < 2:
            ends.append(len(found))
    if SPACE_IN_WORD in words:
        found = [word.replace(SPACE_IN_WORD, " ") for word in found]
    return _StoredText("", language, found, fields_of(ends, len(found)), windows, {"lang": (language,)}, asked=asked)


@lru_cache(maxsize=200_000)
def _terms(stored: str, language: str) -> tuple[str, tuple[str, ...]]:
    word = stored.replace(SPACE_IN_WORD, " ")
    return term(word, language), tuple(term(form, language) for form in stems_of(word, language))


def _line(paragraph: str, language: str) -> str:
    found = folded_words(paragraph, language)
    line = " ".join(found)
    if line.count(" ") >= max(1, len(found)):
        line = " ".join(word.replace(" ", SPACE_IN_WORD) for word in found)
    return line
