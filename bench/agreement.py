"""How well made groups agree with labels: B-cubed, pairwise, adjusted Rand index, judged pairs. No I/O.

B-cubed figures follow Bagga and Baldwin (1998), the adjusted Rand index Hubert and Arabie (1985).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quality:
    """Precision and recall, both between 0 and 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    def __str__(self) -> str:
        return f"P {self.precision:.3f}  R {self.recall:.3f}  F1 {self.f1:.3f}"


def b_cubed(stories: Mapping[str, str], labels: Mapping[str, str]) -> Quality:
    """B-cubed precision and recall of `stories` against `labels`; items without a label are left out."""
    items = [item for item in stories if item in labels]
    both = Counter((stories[item], labels[item]) for item in items)
    per_story, per_label = Counter(stories[item] for item in items), Counter(labels[item] for item in items)
    precision = sum(n * n / per_story[story] for (story, _), n in both.items())
    recall = sum(n * n / per_label[label] for (_, label), n in both.items())
    return Quality(precision / len(items), recall / len(items))


def pairwise(stories: Mapping[str, str], labels: Mapping[str, str]) -> Quality:
    """Precision and recall over pairs of items in one story; items without a label are left out."""
    together, made, true, _ = _pair_counts(stories, labels)
    return Quality(together / made if made else 1.0, together / true if true else 1.0)


def adjusted_rand(stories: Mapping[str, str], labels: Mapping[str, str]) -> float:
    """The adjusted Rand index: 1 for equal groups, about 0 for chance."""
    together, made, true, every = _pair_counts(stories, labels)
    expected = made * true / every if every else 0.0
    most = (made + true) / 2
    return (together - expected) / (most - expected) if most != expected else 1.0


def judged(stories: Mapping[str, str], pairs: Iterable[tuple[str, str, bool]]) -> Quality:
    """Precision and recall over pairs of which is known whether they tell one event."""
    found = Counter((stories[one] == stories[other], same) for one, other, same in pairs)
    together, true = found[True, True] + found[True, False], found[True, True] + found[False, True]
    return Quality(found[True, True] / together if together else 1.0, found[True, True] / true if true else 1.0)


def _pair_counts(stories: Mapping[str, str], labels: Mapping[str, str]) -> tuple[int, int, int, int]:
    """Pairs of labelled items that are together in both, in a story, under a label, and all of them."""
    items = [item for item in stories if item in labels]
    return (_pairs(Counter((stories[item], labels[item]) for item in items).values()),
            _pairs(Counter(stories[item] for item in items).values()),
            _pairs(Counter(labels[item] for item in items).values()), _pairs([len(items)]))


def _pairs(sizes: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes)
