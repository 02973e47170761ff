"""Region of an item and of a story.

An item is of its feed's region unless the place names in its title or dateline say another. A story follows the
majority of its items. Names are compared as folded stems in the item's language and must be capitalised in a title
that is written in two cases, so that "turkey" on a plate is no country.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple

from digest.documents import Gazetteer
from digest.model import Item
from digest.text.stems import stem, stems
from digest.text.tokens import fold, word_pattern, written_words

MAX_WORDS = 300_000  # of one language that are remembered


@dataclass(frozen=True, slots=True)
class Mention:
    """A place name found in a text: what was written, and the region it says."""

    name: str
    region: str
    start: int


class _Found(NamedTuple):
    """A place name in a text: its words from `first` up to `end`, and the region it says."""

    first: int
    end: int
    region: str


class Places:
    """The gazetteer's place names, indexed per language at first use."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer
        self._names: dict[str, _Names] = {}
        self._inside: dict[tuple[str, str], bool] = {}
        self._known: dict[tuple[str, str], tuple[_Found, ...]] = {}  # by text and language

    def inside(self, name: str, outer: str) -> bool:
        """`Gazetteer.inside`, remembered."""
        key = (name, outer)
        if key not in self._inside:
            self._inside[key] = self._gazetteer.inside(name, outer)
        return self._inside[key]

    def mentions(self, text: str, language: str) -> list[Mention]:
        """The place names in a text, in order; of overlapping names the longest."""
        found = self._found(text, language)
        if not found:
            return []
        words = [match.span() for match in word_pattern(language).finditer(text)]
        return [self._mention(text, words, place) for place in found]

    def item_region(self, item: Item, default: str) -> str:
        """The region of an item; its feed's, or `default` where the feed has none, unless its text says another.

        Of the regions named, the first inside the feed's wins, then the first. One that holds the feed's region
        ("World Cup" in a Kazakh paper) does not say another.
        """
        home = item.feed.region or default
        found = self._found(item.title, item.language)
        if not found and not item.place:
            return home
        if item.place:
            found = (*found, *self._found(item.place, item.language))
        named = [m.region for m in found if m.region == home or not self.inside(home, m.region)]
        return next((region for region in named if self.inside(region, home)), named[0] if named else home)

    def story_region(self, items: Sequence[Item], shown: Item, default: str) -> str:
        """The region of most items; a tie goes to the shown item's. Feeds without one count as of `default`."""
        own = self.item_region(shown, default)
        if items == (shown,):
            return own
        counts = Counter(own if item is shown else self.item_region(item, default) for item in items)
        most = max(counts.values())
        return own if counts[own] == most else min(region for region, n in counts.items() if n == most)

    def first_inside(self, text: str, language: str, region: str) -> Mention | None:
        """The first name in `text` of a place in `region`; None where there is none."""
        first = next((f for f in self._found(text, language) if self.inside(f.region, region)), None)
        if first is None:
            return None
        words = [match.span() for match in islice(word_pattern(language).finditer(text), first.end)]
        return self._mention(text, words, first)

    def _found(self, text: str, language: str) -> tuple[_Found, ...]:
        """Where place names stand in a text, in words."""
        key = (text, language)
        if key not in self._known:
            names = self._names.get(language)
            if names is None:
                names = self._names[language] = _names(tuple(self._written()), language)
            self._known[key] = names.found(text)
        return self._known[key]

    @staticmethod
    def _mention(text: str, words: Sequence[tuple[int, int]], place: _Found) -> Mention:
        start, end = words[place.first][0], words[place.end - 1][1]
        return Mention(text[start:end], place.region, start)

    def _written(self) -> Iterator[tuple[str, str]]:
        for region in self._gazetteer.regions.values():
            if region.named:
                yield region.name, region.name
            for place in region.places:
                yield place, region.name


_Word = tuple[str, bool]  # the form in which names are compared, and whether it begins with a small letter


@lru_cache(maxsize=32)
def _names(names: tuple[tuple[str, str], ...], language: str) -> "_Names":
    """One for the same gazetteer: what it learned of words serves the next edition."""
    return _Names(names, language)


class _Begins(dict[str, bool]):
    """Whether a place name may begin in what stands between two spaces: for most texts the whole answer."""

    def __init__(self, names: "_Names") -> None:
        super().__init__()
        self._names = names

    def __missing__(self, between_spaces: str) -> bool:
        if len(self) > MAX_WORDS:
            self.clear()
        self[between_spaces] = begins = self._names.begins(between_spaces)
        return begins


class _Names(dict[str, tuple[_Word, ...]]):
    """The place names of one language; and the words of what stands between two spaces, which is quicker to find."""

    def __init__(self, names: Iterable[tuple[str, str]], language: str) -> None:
        super().__init__()
        self._language = language
        self._index: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for name, region in names:
            if key := tuple(stems(name, language)):
                self._index.setdefault(key[0], []).append((key, region))
        for entries in self._index.values():
            entries.sort(key=lambda entry: (-len(entry[0]), entry))
        self._begins = _Begins(self)

    def begins(self, between_spaces: str) -> bool:
        return any(form in self._index for form in stems(between_spaces, self._language))

    def __missing__(self, between_spaces: str) -> tuple[_Word, ...]:
        found = tuple((stem(fold(word, self._language), self._language), word[0].islower())
                      for word in written_words(between_spaces, self._language))
        if len(self) > MAX_WORDS:
            self.clear()
        self[between_spaces] = found
        return found

    def found(self, text: str) -> tuple[_Found, ...]:
        """The names in a text, in order; of overlapping ones the longest."""
        parts = text.split()
        if not any(map(self._begins.__getitem__, parts)):
            return ()
        words = list(chain.from_iterable(map(self.__getitem__, parts)))
        begins = [position for position, (form, _) in enumerate(words) if form in self._index]
        found: list[_Found] = []
        end, is_small = 0, text.islower()
        forms = [form for form, _ in words]
        for position in begins:
            if position < end or (words[position][1] and not is_small):
                continue  # in the name before, or no name: small in a text that has capitals
            if fit := self._longest(forms, position):
                length, region = fit
                end = position + length
                found.append(_Found(position, end, region))
        return tuple(found)

    def _longest(self, forms: Sequence[str], position: int) -> tuple[int, str] | None:
        """The length in words and the region of the longest name that begins at `position`."""
        for key, region in self._index[forms[position]]:
            if tuple(forms[position:position + len(key)]) == key:
                return len(key), region
        return None
