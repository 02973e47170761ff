"""Region of an item and of a story.

An item is of its feed's region unless place names say another: those of its title and dateline, where they name
none those of its summary, where that names none those that its text names twice. A story follows the majority of its
items. Names are compared as folded stems in the item's language and must be capitalised in a text that is written in
two cases, so that "turkey" on a plate is no country.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from digest.documents import Gazetteer
from digest.model import Item
from digest.text.stems import stem, stems
from digest.text.tokens import fold, word_pattern, written_words

MAX_WORDS = 300_000  # of one language that are remembered
NAMED_IN_A_TEXT = 2  # times that a text must name places to say where its item happens
FEED = "its feed"
REASONS = 3  # of a story's items that are told


class Mention(NamedTuple):
    """A place name found in a text: what was written, and the region it says."""

    name: str
    region: str


class Places:
    """The gazetteer's place names, indexed per language at first use."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer
        self._names: dict[str, _Names] = {}
        self._inside: dict[tuple[str, str], bool] = {}
        self._said: dict[tuple[tuple[Mention, ...], str, str], tuple[str, str]] = {}  # by names, home and where
        self._known: defaultdict[str, dict[str, tuple[Mention, ...]]] = defaultdict(dict)  # by language and text

    def inside(self, name: str, outer: str) -> bool:
        """`Gazetteer.inside`, remembered."""
        key = (name, outer)
        if key not in self._inside:
            self._inside[key] = self._gazetteer.inside(name, outer)
        return self._inside[key]

    def mentions(self, text: str, language: str) -> tuple[Mention, ...]:
        """The place names in a text, in order; of overlapping names the longest."""
        known = self._known[language]
        if text not in known:
            if language not in self._names:
                self._names[language] = _names(tuple(self._written()), language)
            known[text] = self._names[language].mentions(text)
        return known[text]

    def item_region(self, item: Item, default: str) -> str:
        """The region of an item; its feed's, or `default` where the feed has none, unless its text says another.

        Of the regions named in title and dateline, the first inside the feed's wins, then the first. One that holds
        the feed's region ("World Cup" in a Kazakh paper) does not say another. Summary and text say another only
        where they name no place of the feed's region.
        """
        return self.item_reason(item, default)[0]

    def item_reason(self, item: Item, default: str) -> tuple[str, str]:
        """`item_region`, and by what: "its feed", or the name and where it stands."""
        home = item.feed.region or default
        found = self.mentions(item.title, item.language)
        if item.place:
            found = (*found, *self.mentions(item.place, item.language))
        if found:
            return self._remembered(found, home, "title or dateline", self._first)
        if found := self.mentions(item.summary, item.language):
            return self._remembered(found, home, "summary", self._foreign)
        found = tuple([mention for block in item.text for mention in self.mentions(block.text, item.language)])
        return self._remembered(found, home, "text", self._foreign) if len(found) >= NAMED_IN_A_TEXT else (home, FEED)

    def _remembered(self, found: tuple[Mention, ...], home: str, where: str,
                    choose: Callable[[Sequence[Mention], str], Mention | None]) -> tuple[str, str]:
        key = (found, home, where)
        if key not in self._said:
            chosen = choose(found, home)
            self._said[key] = (chosen.region, f"“{chosen.name}” in the {where}") if chosen else (home, FEED)
        return self._said[key]

    def _first(self, found: Sequence[Mention], home: str) -> Mention | None:
        """Of the names of a title, the one that says its region; None where none says another than `home`."""
        others = [m for m in found if m.region == home or not self.inside(home, m.region)]
        return next((m for m in others if self.inside(m.region, home)), others[0] if others else None)

    def _foreign(self, found: Sequence[Mention], home: str) -> Mention | None:
        """The first name of the region that a prose names most often, which names none of `home`."""
        if any(self.inside(home, m.region) or self.inside(m.region, home) for m in found):
            return None
        counts = Counter(m.region for m in found)
        return max(found, key=lambda m: counts[m.region])

    def story_region(self, items: Sequence[Item], shown: Item, default: str) -> str:
        """The region of most items; a tie goes to the shown item's. Feeds without one count as of `default`."""
        own = self.item_region(shown, default)
        regions = [own if item is shown else self.item_region(item, default) for item in items]
        if len({*regions}) == 1:
            return regions[0]
        counts = Counter(regions)
        most = max(counts.values())
        return own if counts[own] == most else min(region for region, n in counts.items() if n == most)

    def story_reason(self, items: Sequence[Item], shown: Item, default: str) -> str:
        """Why the story is of its region, in words: how many items say so and by what."""
        region = self.story_region(items, shown, default)
        reasons = [self.item_reason(item, default) for item in items]
        own = Counter(why for said, why in reasons if said == region)
        others = Counter(said for said, _ in reasons if said != region)
        told = ", ".join(f"{count} by {why}" for why, count in own.most_common(REASONS))
        rest = "; others: " + ", ".join(f"{said} {count}" for said, count in others.most_common()) if others else ""
        return f"{region}: {own.total()} of {len(reasons)} item{'' if len(reasons) == 1 else 's'} ({told}){rest}"

    def first_inside(self, text: str, language: str, region: str) -> Mention | None:
        """The first name in `text` of a place in `region`; None where there is none."""
        for mention in self.mentions(text, language):
            if self.inside(mention.region, region):
                return mention
        return None

    def _written(self) -> Iterator[tuple[str, str]]:
        for region in self._gazetteer.regions.values():
            if region.named:
                yield region.name, region.name
            for place in region.places:
                yield place, region.name


@lru_cache(maxsize=32)
def _names(names: tuple[tuple[str, str], ...], language: str) -> "_Names":
    """One for the same gazetteer: what it learned of words serves the next edition."""
    return _Names(names, language)


_Part = tuple[tuple[str, ...], tuple[str, ...]]  # words as they are written, and the forms in which names are compared


class _Names(dict[str, _Part]):
    """The place names of one language; and the words of what stands between two spaces.

    Splitting at spaces is much quicker than finding words, and most texts have no part in which a name begins.
    """

    def __init__(self, names: Iterable[tuple[str, str]], language: str) -> None:
        super().__init__()
        self._language = language
        self._index: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for name, region in names:
            if key := tuple(stems(name, language)):
                self._index.setdefault(key[0], []).append((key, region))
        for entries in self._index.values():
            entries.sort(key=lambda entry: (-len(entry[0]), entry))
        self._dull: set[str] = set()  # parts in which no name begins

    def __missing__(self, part: str) -> _Part:
        """The words of a part of a text that has no space."""
        if len(self) > MAX_WORDS:
            self.clear()
            self._dull.clear()
        written = tuple(written_words(part, self._language))
        forms = tuple([stem(fold(word, self._language), self._language) for word in written])
        self[part] = found = (written, forms)
        if self._index.keys().isdisjoint(forms):
            self._dull.add(part)
        return found

    def mentions(self, text: str) -> tuple[Mention, ...]:
        """The names in a text, in order; of overlapping ones the longest."""
        parts = text.split()
        if self._dull.issuperset(parts):
            return ()
        written: list[str] = []
        forms: list[str] = []
        for part in parts:
            words_of_part, forms_of_part = self[part]
            written += words_of_part
            forms += forms_of_part
        found: list[Mention] = []
        end = 0
        for position, form in enumerate(forms):
            if form not in self._index or position < end or (written[position][0].islower() and not text.islower()):
                continue  # in the name before, or no name: small in a text that has capitals
            if fit := self._longest(forms, position):
                length, region = fit
                end = position + length
                name = written[position] if length == 1 else self._written(text, position, end)
                found.append(Mention(name, region))
        return tuple(found)

    def _written(self, text: str, first: int, end: int) -> str:
        """The words of a text from `first` up to `end` with what stands between them."""
        words = [word.span() for word in islice(word_pattern(self._language).finditer(text), end)]
        return text[words[first][0]:words[-1][1]]

    def _longest(self, forms: Sequence[str], position: int) -> tuple[int, str] | None:
        """The length in words and the region of the longest name that begins at `position`."""
        for key, region in self._index[forms[position]]:
            if tuple(forms[position:position + len(key)]) == key:
                return len(key), region
        return None
