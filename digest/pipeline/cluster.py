"""Which items tell one event: an online clusterer with a fixed linear score.

An item is compared with the nearest live clusters. Four features, each between 0 and 1, times their weights and a
bias make its score; it joins the best cluster that passes, or founds a story of its own. After each batch the
clusters that it touched may merge with their nearest neighbour. What keeps different events apart:

- an item joins a story that its source has told already where it repeats a member's text or title; without that it
  needs more points for every item that the source has there, and its title may not fill the same template;
- items and stories meet only where they share several terms, however rare one of them is;
- the threshold rises with the size of the cluster;
- two clusters merge on their centroids alone, never through a chain of items, and not where that would put many
  different items of one source together.

Languages meet only in the terms that they share (names in one script, numbers).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.model import Item, Join
from digest.pipeline.cluster_document import Document, document, repeats, same_news, same_pattern
from digest.pipeline.cluster_index import Cluster, LiveIndex, Vector, cosine
from digest.pipeline.story_edits import Apart

WEIGHTS = {"cosine": 9.5, "coverage": 1.5, "nearest": 3.8, "title": 1.7}
BIAS = -4.4
ACCEPT = -1.0
FAR = 0.05  # a centroid cosine with which no item reaches ACCEPT
MERGE = 0.26
CALM_SIZE = 10  # from here on a larger cluster is harder to join and to merge
TIGHTEN_JOIN = 0.5  # points for each doubling beyond CALM_SIZE
TIGHTEN_MERGE = 0.04  # cosine for each doubling beyond CALM_SIZE
NEAREST_MEMBERS = 8
KNOWN_SHARE = 0.15  # of the members that must have a term for the cluster to know it
FEWEST_KNOWN = 4  # terms of an item that a cluster must know before the item may join
FEWEST_KNOWN_OF_SHORT = 2  # the same for a short item
SHORT_TERMS = 12  # an item with fewer terms is short, a headline alone
TITLE_TERMS = 6
FEWEST_KNOWN_TITLE = 2  # title terms that a cluster must know of such an item, beside a source's boilerplate
OWN_ITEM = 0.5  # points for each item that a cluster has of the source of an item that repeats none of it
REPEATED_SOURCE = 0.06  # cosine for each item that the larger cluster has of a source of the smaller one
NEVER = 2.0  # a cosine that no merge reaches


@dataclass(frozen=True, slots=True)
class Merge:
    """Two stories turned out to be one: `alias` lives on as `story_id`. `similarity` is their centroids' cosine."""

    alias: str
    story_id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Assignment:
    """What became of one batch of items: a join for each, then the merges that followed."""

    joins: tuple[Join, ...]
    merges: tuple[Merge, ...]


@dataclass(frozen=True, slots=True)
class _Fit:
    """How well an item fits a cluster: weighted features that sum to the score."""

    features: dict[str, float]
    cluster: Cluster

    @property
    def score(self) -> float:
        return sum(self.features.values())


class Clusterer:
    """Assigns batches of items to stories. Holds the live window in memory; does not store anything."""

    def __init__(self) -> None:
        self._index = LiveIndex()
        self._apart = Apart()

    def restore(self, members: Iterable[tuple[Item, str]], apart: Iterable[tuple[str, str]] = ()) -> None:
        """Puts back items with their story ids (aliases resolved), in the order in which they were assigned.

        `apart` are pairs of stories that an editor keeps apart: they never merge, nor does what they merge with.
        """
        self._apart = Apart(apart)
        documents = [(document(item), story_id) for item, story_id in members]
        self._index.observe([doc for doc, _ in documents])
        clusters: dict[str, Cluster] = {}
        for doc, story_id in documents:
            if story_id in clusters:
                self._index.join(clusters[story_id], doc)
            else:
                clusters[story_id] = self._index.found(doc, story_id)

    def assign(self, batch: Sequence[Item], at: datetime) -> Assignment:
        """Joins each item of one batch (see `batches`) to a story as of `at`, then merges the stories it touched."""
        documents = [document(item) for item in batch]
        self._index.observe(documents)
        touched: dict[int, Cluster] = {}
        joins = []
        for doc in documents:
            join, cluster, nearest = self._join(doc, at)
            joins.append(join)
            if nearest >= MERGE:  # a new story that is near none cannot merge with one that stays as it is
                touched[cluster.number] = cluster
        return Assignment(tuple(joins), tuple(self._merges(touched)))

    def _join(self, doc: Document, at: datetime) -> tuple[Join, Cluster, float]:
        """The join, its cluster, and the greatest centroid cosine among the clusters it was compared with."""
        fit, nearest = self._best(doc)
        if fit is None:
            return Join(doc.item_id, doc.item_id, at, 0.0, {}), self._index.found(doc, doc.item_id), nearest
        cluster = fit.cluster
        original = next((member.item_id for member in cluster.documents() if repeats(doc, member)), None)
        self._index.join(cluster, doc)
        return Join(doc.item_id, cluster.story_id, at, fit.score, fit.features, original), cluster, 1.0

    def _best(self, doc: Document) -> tuple[_Fit | None, float]:
        """The cluster that an item fits best, None where it fits none; and the cosine of the nearest one."""
        vector = self._index.weighted(doc)
        best: _Fit | None = None
        nearest = 0.0
        for cluster in self._index.candidates(vector):
            similarity = cosine(vector, self._index.centroid(cluster))
            nearest = max(nearest, similarity)
            if similarity < FAR:
                continue
            fit = _Fit(self._features(doc, vector, cluster, similarity), cluster)
            if fit.score < join_threshold(cluster.size) or not _speaks_of(doc, cluster):
                continue
            if (best is None or fit.score > best.score) and fit.score >= _join_bar(doc, cluster):
                best = fit
        return best, nearest

    def _features(self, doc: Document, vector: Vector, cluster: Cluster, similarity: float) -> dict[str, float]:
        """The weighted features of an item and a cluster, rounded to 4 decimals; their sum is the score."""
        values = {
            "cosine": similarity,
            "coverage": _coverage(vector, cluster),
            "nearest": self._nearest(vector, cluster),
            "title": _title(doc, cluster),
        }
        return {**{name: round(WEIGHTS[name] * value, 4) for name, value in values.items()}, "bias": BIAS}

    def _nearest(self, vector: Vector, cluster: Cluster) -> float:
        """The greatest cosine with one of the last eight members."""
        index = self._index
        pulls = [(term, weight * index.idf[term]) for term, weight in vector.weights.items() if term in cluster.counts]
        best = 0.0
        for _, member in cluster.members[-NEAREST_MEMBERS:]:
            terms = member.terms
            dot = sum(pull * terms[term] for term, pull in pulls if term in terms)
            if dot:
                best = max(best, dot / (vector.length * index.length(member)))
        return best

    def _merges(self, touched: dict[int, Cluster]) -> Iterable[Merge]:
        """Merges each touched cluster with its best neighbour, older clusters first; a merged one is done."""
        for number in sorted(touched):
            cluster = touched[number]
            if cluster.merged_into is not None:
                continue
            neighbour, similarity = self._neighbour(cluster)
            if neighbour is None:
                continue
            younger, older = sorted((cluster, neighbour), key=lambda c: c.number, reverse=True)
            self._index.merge(younger, older)
            self._apart.merge(younger.story_id, older.story_id)
            yield Merge(younger.story_id, older.story_id, round(similarity, 4))

    def _neighbour(self, cluster: Cluster) -> tuple[Cluster | None, float]:
        centroid = self._index.centroid(cluster)
        found: Cluster | None = None
        best = 0.0
        for other in self._index.candidates(centroid, besides=cluster):
            if (cluster.story_id, other.story_id) in self._apart:
                continue
            similarity = cosine(centroid, self._index.centroid(other))
            if similarity >= MERGE and similarity > best and similarity >= _merge_bar(cluster, other):
                found, best = other, similarity
        return found, best


def join_threshold(size: int) -> float:
    """The score from which an item may join a cluster of so many items."""
    return ACCEPT + TIGHTEN_JOIN * _doublings(size)


def merge_threshold(size: int) -> float:
    """The cosine from which two clusters that make one of so many items may merge."""
    return MERGE + TIGHTEN_MERGE * _doublings(size)


def _doublings(size: int) -> float:
    return max(0.0, math.log2(size / CALM_SIZE))


def _welcome(doc: Document, cluster: Cluster) -> bool:
    """Whether the item is the cluster's first of its source, or repeats what that source told there."""
    if doc.source not in cluster.sources:
        return True
    return any(same_news(doc, member) for member in cluster.documents())


def _join_bar(doc: Document, cluster: Cluster) -> float:
    """The score from which the item may join; infinite where its source fills a template or repeats its boilerplate."""
    bar = join_threshold(cluster.size)
    if _welcome(doc, cluster):
        return bar
    if _known(doc.title_terms, cluster) < FEWEST_KNOWN_TITLE:
        return math.inf
    own = [member for member in cluster.documents() if member.source == doc.source]
    return math.inf if any(same_pattern(doc, member) for member in own) else bar + OWN_ITEM * len(own)


def _merge_bar(one: Cluster, other: Cluster) -> float:
    """The centroid cosine from which two clusters may merge; above 1 where they may not.

    It rises with every item that the story would then have of a source twice. A source's own series never
    merges: two clusters of one source alone, or titles of one pattern ("Fire in Almaty", "Fire in Astana").
    """
    smaller, larger = sorted((one, other), key=lambda c: (c.size, c.number))
    bar = merge_threshold(one.size + other.size)
    if not any(_speaks_of(doc, larger) for doc in smaller.documents()):
        return NEVER
    strangers = [doc for doc in smaller.documents() if not _welcome(doc, larger)]
    if not strangers:
        return bar
    if len(smaller.sources.keys() | larger.sources.keys()) == 1:
        return NEVER
    if any(doc.source == member.source and same_pattern(doc, member)
           for doc in strangers for member in larger.documents()):
        return NEVER
    return bar + REPEATED_SOURCE * max(larger.sources[doc.source] for doc in strangers)


def _coverage(vector: Vector, cluster: Cluster) -> float:
    """How much of the item the cluster's members speak of: squared weights times min(1, members with it / √size)."""
    if not vector.length:
        return 0.0
    root = math.sqrt(cluster.size)
    shared = sum(weight * weight * min(1.0, cluster.counts[term] / root)
                 for term, weight in vector.weights.items() if term in cluster.counts)
    return shared / (vector.length * vector.length)


def _title(doc: Document, cluster: Cluster) -> float:
    return min(TITLE_TERMS, _known(doc.title_terms, cluster)) / TITLE_TERMS


def _speaks_of(doc: Document, cluster: Cluster) -> bool:
    """Whether the item shares more with the cluster than a rare word or two ("August", "Ramadan")."""
    needed = FEWEST_KNOWN if len(doc.terms) >= SHORT_TERMS else FEWEST_KNOWN_OF_SHORT
    return _known(doc.terms, cluster) >= needed


def _known(terms: Iterable[str], cluster: Cluster) -> int:
    """How many of the terms at least 15 % of the cluster's members have."""
    enough = KNOWN_SHARE * cluster.size
    return sum(cluster.counts[term] >= enough for term in terms if term in cluster.counts)
