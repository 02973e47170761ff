"""Region of an item and of a story.

An item is of its feed's region unless the place names in its title or dateline say another. A story follows the
majority of its items. Names are compared as folded stems in the item's language and must be capitalised in a title
that is written in two cases, so that "turkey" on a plate is no country.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from digest.documents import Gazetteer
from digest.model import Item
from digest.text.stems import stem
from digest.text.tokens import Token, tokens


@dataclass(frozen=True, slots=True)
class Mention:
    """A place name found in a text: what was written, and the region it says."""

    name: str
    region: str
    start: int


class Places:
    """The gazetteer's place names, indexed per language at first use."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer
        self._index: dict[str, dict[str, list[tuple[tuple[str, ...], str]]]] = {}

    def mentions(self, text: str, language: str) -> list[Mention]:
        """The place names in a text, in order; of overlapping names the longest."""
        found: list[Mention] = []
        words = tokens(text, language)
        stems = [stem(token.word, language) for token in words]
        names = self._names(language)
        position = 0
        while position < len(words):
            fit = self._longest(names.get(stems[position], ()), stems, position)
            if fit is None or not _is_name(text, words[position]):
                position += 1
                continue
            length, region = fit
            start, end = words[position].start, words[position + length - 1].end
            found.append(Mention(text[start:end], region, start))
            position += length
        return found

    def item_region(self, item: Item, default: str) -> str:
        """The region of an item; its feed's, or `default` where the feed has none, unless its text says another.

        Of the regions named, the first inside the feed's wins, then the first. One that holds the feed's region
        ("World Cup" in a Kazakh paper) does not say another.
        """
        home = item.feed.region or default
        found = self.mentions(item.title, item.language)
        if item.place:
            found += self.mentions(item.place, item.language)
        named = [m.region for m in found if m.region == home or not self._gazetteer.inside(home, m.region)]
        return next((region for region in named if self._gazetteer.inside(region, home)), named[0] if named else home)

    def story_region(self, items: Sequence[Item], shown: Item, default: str) -> str:
        """The region of most items; a tie goes to the shown item's. Feeds without one count as of `default`."""
        counts = Counter(self.item_region(item, default) for item in items)
        most = max(counts.values())
        own = self.item_region(shown, default)
        return own if counts[own] == most else min(region for region, n in counts.items() if n == most)

    def first_inside(self, text: str, language: str, region: str) -> Mention | None:
        """The first name in `text` of a place in `region`; None where there is none."""
        inside = (m for m in self.mentions(text, language) if self._gazetteer.inside(m.region, region))
        return next(inside, None)

    def _names(self, language: str) -> dict[str, list[tuple[tuple[str, ...], str]]]:
        if language not in self._index:
            index: dict[str, list[tuple[tuple[str, ...], str]]] = {}
            for name, region in self._written():
                key = tuple(stem(token.word, language) for token in tokens(name, language))
                if key:
                    index.setdefault(key[0], []).append((key, region))
            for entries in index.values():
                entries.sort(key=lambda entry: (-len(entry[0]), entry))
            self._index[language] = index
        return self._index[language]

    def _written(self) -> Iterator[tuple[str, str]]:
        for region in self._gazetteer.regions.values():
            if region.named:
                yield region.name, region.name
            for place in region.places:
                yield place, region.name

    @staticmethod
    def _longest(
        entries: Sequence[tuple[tuple[str, ...], str]], stems: list[str], position: int
    ) -> tuple[int, str] | None:
        for key, region in entries:
            if tuple(stems[position:position + len(key)]) == key:
                return len(key), region
        return None


def _is_name(text: str, token: Token) -> bool:
    """Whether the word may be a name: not small in a text that has capitals."""
    return not text[token.start].islower() or text.islower()
