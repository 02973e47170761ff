"""What two texts state alike, whatever their languages: names, numbers and dates.

Names of the gazetteer are the same in every script, so that a Kazakh and an English report of one event share them.
How much a shared name says depends on how rare it is: of ten reports five name the country, and one the mine. Names of
one region go together (Macron and France), so that the second says half as much as it would alone, and so on. The
strength of the evidence is the weight of what is shared, times the part that this is of what the richer text states:
two reports on one president share him and differ in the rest.

Texts that are to be compared should be titles and their first sentences: in a long text much is named once.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from digest.text.figures import figures
from digest.text.names import Names

FEW = 50  # texts that are thought to have been seen before the first
PRIOR = {"place": 6, "body": 1, "person": 1}  # of them had a name of that kind; places say least
STRONG = 0.9  # from which two texts of one or two days are hardly ever of two events
OF_ONE_REGION = 0.5  # what each further name of a region counts, of the one before
DATE_WEIGHT = 0.5  # of a date that both texts give
SMALL_WEIGHT, NUMBER_WEIGHT, LONG_WEIGHT = 0.25, 0.5, 1.0  # of "5", of "17" or "5%", of "1,742" or "5.4%"


@dataclass(frozen=True, slots=True)
class Facts:
    """What one text states: slugs of names, numbers and dates in the form of `figures`."""

    names: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    dates: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What two texts state alike, the heaviest first, and how much that says: 0 is nothing, STRONG is enough."""

    names: tuple[str, ...]
    numbers: tuple[str, ...]
    dates: tuple[tuple[int, int], ...]
    strength: float


class Rarity:
    """How many of the texts so far had each name. Texts that are forgotten are taken off again."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._texts = 0
        self._counts: Counter[str] = Counter()

    def add(self, facts: Facts) -> None:
        self._texts += 1
        self._counts.update(facts.names)

    def remove(self, facts: Facts) -> None:
        """Takes off a text that was added before."""
        self._texts -= 1
        self._counts.subtract(facts.names)

    def weight(self, slug: str) -> float:
        """From 1 for a name that no text had to 0 for one that all have."""
        name = self._names.get(slug)
        total = self._texts + FEW
        return max(0.0, math.log(total / (self._counts[slug] + PRIOR[name.kind if name else "body"])) / math.log(total))

    def weight_of_all(self, slugs: Iterable[str]) -> float:
        """What names say together: of those of one region each says less than the one before."""
        regions: defaultdict[str, list[float]] = defaultdict(list)
        for slug in slugs:
            name = self._names.get(slug)
            regions[name.region if name and name.region else slug].append(self.weight(slug))
        return sum(weight * OF_ONE_REGION ** place for weights in regions.values()
                   for place, weight in enumerate(sorted(weights, reverse=True)))


def facts(text: str, language: str, names: Names) -> Facts:
    """What a text of a language states."""
    found = figures(text, language)
    return Facts(frozenset(mention.slug for mention in names.find(text, language)), found.numbers, found.dates)


def shared(one: Facts, other: Facts, rarity: Rarity) -> Evidence:
    """What two texts state alike. Symmetric; the strength without a shared name is 0."""
    names = sorted(one.names & other.names, key=lambda slug: (-rarity.weight(slug), slug))
    numbers = sorted(one.numbers & other.numbers, key=lambda number: (-number_weight(number), number))
    dates = sorted(one.dates & other.dates)
    richer = max(rarity.weight_of_all(one.names), rarity.weight_of_all(other.names))
    own = rarity.weight_of_all(names)
    figures_weight = sum(map(number_weight, numbers)) + DATE_WEIGHT * len(dates)
    strength = (own + figures_weight) * own / richer if richer else 0.0
    return Evidence(tuple(names), tuple(numbers), tuple(dates), strength)


def number_weight(number: str) -> float:
    """How much it says that two texts give the same number: more, the more of its digits are told."""
    told = len(number.partition("e")[0].strip("0").replace(".", "").rstrip("%0"))
    if told <= 1 and number.isdigit() and len(number) == 1:
        return SMALL_WEIGHT
    return LONG_WEIGHT if told > 2 else NUMBER_WEIGHT
