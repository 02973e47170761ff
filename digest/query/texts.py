"""A text made ready for many queries: its words, and where they stand in title, paragraphs and sentences."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from digest.model import Item
from digest.query.terms import folded_words, stems_of, text_word_pattern
from digest.text.sentences import sentences
from digest.text.tokens import words

SEPARATOR = "\n\n"  # between the fields and paragraphs of a text
GAP = ""  # stands between them in the list of words: no phrase crosses it
Window = tuple[int, int]  # words[start:end]

_GIVEN = re.compile(r"\S+")


@dataclass(frozen=True)
class MatchText:
    """The first paragraph of an item's text is its title. What a query does not ask for is not computed.

    `words` are folded, with a gap behind each paragraph; `fields` and `paragraphs` say which of them are whose.
    `values` are what is known of the item beside its text, by field.
    """

    text: str
    language: str  # BCP 47 primary subtag
    words: Sequence[str]
    fields: Mapping[str, Window]
    paragraphs: Sequence[Window]
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    pattern: re.Pattern[str] | None = None  # what finds the words; None: that of the language

    @cached_property
    def places(self) -> Mapping[str, Sequence[int]]:
        """At which indexes of `words` a folded word stands, ascending."""
        places: dict[str, list[int]] = {}
        for index, word in enumerate(self.words):
            if word in places:
                places[word].append(index)
            else:
                places[word] = [index]
        places.pop(GAP, None)
        return places

    @cached_property
    def stems(self) -> Mapping[str, Sequence[int]]:
        """At which indexes of `words` a stem stands, ascending."""
        stems: dict[str, list[int]] = {}
        language = self.language
        for word, places in self.places.items():
            for form in stems_of(word, language):
                if form in stems:
                    stems[form] = sorted({*stems[form], *places})
                else:
                    stems[form] = places if isinstance(places, list) else list(places)
        return stems

    @cached_property
    def spans(self) -> Sequence[tuple[int, int]]:
        """Where each of `words` stands in `text`; gaps stand nowhere."""
        pattern = self.pattern or text_word_pattern(self.language)
        found = (match.span() for match in pattern.finditer(self.text))
        return [next(found) if word else (0, 0) for word in self.words]

    @cached_property
    def sentences(self) -> Sequence[Window]:
        """The words of each sentence that has any."""
        kept = [index for index, word in enumerate(self.words) if word]
        starts = [self.spans[index][0] for index in kept]
        windows = []
        for start, end in sentences(self.text, self.language):
            first, last = bisect_left(starts, start), bisect_left(starts, end)
            if first < last:
                windows.append((kept[first], kept[last - 1] + 1))
        return windows

    @cached_property
    def is_of_one_case(self) -> bool:
        """Whether it is all small or all capitals, so that capitals tell nothing."""
        return self.text.islower() or self.text.isupper()

    @cached_property
    def value_words(self) -> Mapping[str, Sequence[Sequence[str]]]:
        """The folded words of each value, by field."""
        return {name: [words(value) for value in values] for name, values in self.values.items()}

    def written(self, index: int) -> str:
        """The word at an index of `words` as it stands in the text."""
        start, end = self.spans[index]
        return self.text[start:end]

    def is_within_a_paragraph(self, start: int, end: int) -> bool:
        """Whether `words[start:end]` crosses no gap."""
        return self.paragraphs[bisect_right(self._paragraph_starts, start) - 1][1] >= end

    @cached_property
    def _paragraph_starts(self) -> Sequence[int]:
        return [start for start, _ in self.paragraphs]


def prepare(item: Item, *, regions: Sequence[str] | None = None, topics: Sequence[str] = (),
            authors: Sequence[str] = ()) -> MatchText:
    """The text of an item, made ready, with what its fields are asked for.

    `regions` are those that it lies in (None: that of its feed); `topics` are slugs; `authors` stand beside the agency
    that wrote it.
    """
    source = item.feed.source
    values = {
        "source": (source.slug, source.name), "family": (source.family,), "url": (item.url,), "lang": (item.language,),
        "region": tuple(filter(None, (item.feed.region,) if regions is None else regions)), "topic": tuple(topics),
        "author": tuple(filter(None, (item.agency, *authors))), "place": (item.place,) if item.place else (),
    }
    return prepare_text(paragraphs(item), item.language, values)


def paragraphs(item: Item) -> tuple[str, ...]:
    """The text of an item: title, summary and the blocks of its text, each a paragraph."""
    return (item.title, item.summary, *[block.text for block in item.text])


def prepare_text(paragraphs: Iterable[str], language: str = "und",
                 values: Mapping[str, Sequence[str]] | None = None) -> MatchText:
    """A text of paragraphs: title, summary, then those of its text; blank ones are left out."""
    kept: list[str] = []
    found: list[str] = []
    windows: list[Window] = []
    ends: list[int] = []  # of title, summary and all
    for number, paragraph in enumerate(paragraphs):
        if paragraph and not paragraph.isspace():
            kept.append(paragraph)
            start = len(found)
            found += folded_words(paragraph, language)
            windows.append((start, len(found)))
            found.append(GAP)
        if number < 2:
            ends.append(len(found))
    return MatchText(SEPARATOR.join(kept), language, found, fields_of(ends, len(found)), windows, values or {})


def fields_of(ends: Sequence[int], length: int) -> Mapping[str, Window]:
    """The words of each field; `ends` are those of title and summary, where there are such. Text is all but title."""
    title, summary = (*ends, length, length)[:2]
    return {"title": (0, title), "summary": (title, summary), "text": (title, length)}


def text_of_words(words: Sequence[str], language: str = "und") -> MatchText:
    """A text of one paragraph whose words are given, folded already."""
    whole = (0, len(words))
    return MatchText(" ".join(words), language, words, {"title": whole}, (whole,), {}, _GIVEN)
