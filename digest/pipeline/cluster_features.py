"""How well two clusters fit together: named features whose points add up to a score.

A feature is a function of two clusters that were compared; an item by itself is a cluster of one. To
add one, write the function and put it into `FEATURES` with its weight; nothing else needs to know of it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from digest.pipeline.cluster_document import Document, same_news
from digest.pipeline.cluster_index import FAR, Cluster, Pair
from digest.text.evidence import STRONG

Feature = Callable[[Pair], float]

BIAS = -1.25
CALM_SIZE = 10  # from here on a larger story is harder to join
LONG_GAP = timedelta(hours=72)
TITLES = 4  # newest members whose titles are compared
GRAM = 4  # characters
FEWEST_GRAMS = 3  # fewer are shared by chance


def words(pair: Pair) -> float:
    """The mean cosine of their members' words, from 0 to 1: average link, so no chain of items joins strangers."""
    return pair.mean


def centres(pair: Pair) -> float:
    """The cosine of both as wholes, from 0 to 1: what many tellings of one event have in common stands out there."""
    return pair.centres


def titles(pair: Pair) -> float:
    """The mean share of character 4-grams that their newest titles have in common, from 0 to 1.

    It sees through endings, compounds and transliterations that stems miss.
    """
    ones = [grams(doc.title) for _, doc in pair.younger.members[-TITLES:]]
    others = [grams(doc.title) for _, doc in pair.older.members[-TITLES:]]
    return sum([overlap(one, other) for one in ones for other in others]) / (len(ones) * len(others))


def size(pair: Pair) -> float:
    """Doublings of `CALM_SIZE` that one story of both would have: a large story must fit better."""
    return max(0.0, math.log2((pair.younger.size + pair.older.size) / CALM_SIZE))


def sources(pair: Pair) -> float:
    """How often the larger of both tells already what a source of the smaller one tells in other words."""
    smaller, larger = pair.by_size()
    return float(max((larger.sources[doc.source] for doc in strangers(smaller, larger)), default=0))


def gap(pair: Pair) -> float:
    """The time from the older's newest item to the younger's first sight, as a share of 72 hours, 1 at most."""
    hours = (pair.younger.members[0][1].at - pair.older.members[-1][1].at) / LONG_GAP
    return min(1.0, max(0.0, hours))


def names(pair: Pair) -> float:
    """How strong it is that both state the same names, numbers and dates in different languages; from 0 to 1.

    1 is as much as hardly ever two events of a day or two share (`evidence.STRONG`).
    """
    return min(1.0, pair.evidence.strength / STRONG) if pair.evidence else 0.0


FEATURES: tuple[tuple[str, float, Feature], ...] = (  # those that only take points away stand last
    ("words", 4.0, words),
    ("centres", 2.0, centres),
    ("titles", 4.0, titles),
    ("names", 1.5, names),
    ("gap", -0.6, gap),
    ("size", -0.12, size),
    ("sources", -0.18, sources),
)


@dataclass(frozen=True, slots=True)
class Weights:
    """What each feature counts, in the order in which they are asked, and what stands against a join from the start."""

    features: tuple[tuple[str, float, Feature], ...] = FEATURES
    bias: float = BIAS


WEIGHTS = Weights()


def points(pair: Pair, weights: Weights = WEIGHTS) -> dict[str, float]:
    """The weighted features, rounded to 4 decimals, and the bias; {} where these cannot come to 0."""
    if pair.mean < FAR and not (pair.evidence and pair.evidence.strength):
        return {}
    found = {"bias": weights.bias}
    score = weights.bias
    for name, weight, feature in weights.features:
        if weight < 0 and score < 0:
            return {}
        found[name] = round(weight * feature(pair), 4)
        score += found[name]
    return found if score >= 0 else {}


def strangers(smaller: Cluster, larger: Cluster) -> list[Document]:
    """Items of the smaller cluster whose source told the larger one too, where none of these is repeated."""
    if smaller.sources.keys().isdisjoint(larger.sources):
        return []
    return [doc for _, doc in smaller.members if doc.source in larger.sources and not any(
        doc.source == member.source and same_news(doc, member) for _, member in larger.members)]


@lru_cache(maxsize=20_000)
def grams(title: str) -> frozenset[str]:
    """The character 4-grams of a folded title, word ends included."""
    padded = f" {title} "
    return frozenset([padded[start:start + GRAM] for start in range(len(padded) - GRAM + 1)])


def overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of grams that two titles have in common, from 0 to 1."""
    shared = len(one & other)
    return shared / math.sqrt(len(one) * len(other)) if shared >= FEWEST_GRAMS else 0.0
