"""Where languages meet: which live clusters name the same people, places and bodies as one in another language."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from digest.text.evidence import Evidence, Facts, Rarity, shared
from digest.text.names import Names

NOTHING = Evidence((), (), (), 0.0)
COMMONEST = 200  # clusters with a name, from which on it leads to none of them


class NameIndex:
    """The names of live clusters, by cluster number. Does not decide who joins what."""

    def __init__(self, names: Names) -> None:
        self._rarity = Rarity(names)
        self._clusters: defaultdict[str, set[int]] = defaultdict(set)

    def observe(self, facts: Facts) -> None:
        """Counts what a new document states."""
        self._rarity.add(facts)

    def forget(self, facts: Facts) -> None:
        """Takes off a document that left the window."""
        self._rarity.remove(facts)

    def add(self, number: int, facts: Iterable[Facts]) -> None:
        """Notes that documents of a cluster state something."""
        for slug in {slug for one in facts for slug in one.names}:
            self._clusters[slug].add(number)

    def remove(self, number: int, facts: Iterable[Facts]) -> None:
        """Forgets a cluster with these documents."""
        for slug in {slug for one in facts for slug in one.names}:
            self._clusters[slug].discard(number)

    def near(self, facts: Sequence[Facts]) -> list[int]:
        """Clusters that share the rarest names with these documents, the heaviest first."""
        weights: defaultdict[int, float] = defaultdict(float)
        for slug in sorted({slug for one in facts for slug in one.names}):
            numbers = self._clusters[slug]
            if len(numbers) <= COMMONEST:
                weight = self._rarity.weight(slug)
                for number in numbers:
                    weights[number] += weight
        return sorted(weights, key=lambda number: (-weights[number], number))

    def evidence(self, ones: Sequence[Facts], others: Sequence[Facts]) -> Evidence:
        """The strongest evidence that a document of one side and one of the other tell the same."""
        pairs = [shared(one, other, self._rarity) for one in ones if one.names for other in others if other.names]
        return max(pairs, key=lambda evidence: evidence.strength, default=NOTHING)
