"""The clusterer's memory: live clusters, an inverted index over their centroids, document frequencies.

Everything here is a function of the documents in the window and of who belongs together: sums are whole numbers
and weights are taken when they are needed. A process that restores the window from tables therefore decides exactly
as the one that built it.
"""

import heapq
import math
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from digest.pipeline.cluster_document import Document

WINDOW = timedelta(hours=72)
WINDOW_ITEMS = 10_000
CENTROID_TERMS = 80
MANY_TERMS = 3 * CENTROID_TERMS
CANDIDATES = 8
COMMON_SHARE = 0.3  # a term in more clusters than this says nothing
FEWEST_COMMON = 50  # clusters that any term may have
POSTINGS_READ = 300  # at most about so many for one item, rarest terms first


@dataclass(slots=True)
class Vector:
    """Weighted terms and their Euclidean length."""

    weights: dict[str, float]
    length: float


@dataclass(slots=True, eq=False)
class Cluster:
    """A live story. `number` grows with the order of founding; members stand in order of arrival."""

    number: int
    story_id: str
    members: list[tuple[int, Document]] = field(default_factory=list)
    sums: dict[str, int] = field(default_factory=dict)  # term -> sum over members
    counts: dict[str, int] = field(default_factory=dict)  # term -> members that have it
    sources: Counter[str] = field(default_factory=Counter)
    squares: int = 0  # of `sums`
    length: float = 0.0  # of `sums`
    in_window: int = 0
    centroid: Vector | None = None
    centroid_epoch: int = -1
    merged_into: "Cluster | None" = None

    @property
    def size(self) -> int:
        return len(self.members)

    def documents(self) -> list[Document]:
        return [document for _, document in self.members]


class _Idf(dict[str, float]):
    """Inverse document frequencies, log(1 + (N + 50) / (df + 1)) over N documents; taken when first needed."""

    def __init__(self, documents: int, frequencies: Counter[str]) -> None:
        super().__init__()
        self._documents, self._frequencies = documents, frequencies

    def __missing__(self, term: str) -> float:
        value = self[term] = math.log(1 + (self._documents + 50) / (self._frequencies[term] + 1))
        return value


class LiveIndex:
    """Clusters with an item of the last 72 hours or among the newest 10,000 items. Does not decide who joins what."""

    def __init__(self, window: timedelta = WINDOW, window_items: int = WINDOW_ITEMS) -> None:
        self.clusters: dict[int, Cluster] = {}
        self._window, self._window_items = window, window_items
        self._frequencies: Counter[str] = Counter()
        self._postings: dict[str, dict[int, int]] = {}
        self._recent: deque[tuple[Document, Cluster]] = deque()
        self._documents = 0
        self._arrivals = 0
        self._epoch = 0
        self.idf = _Idf(0, self._frequencies)
        self._lengths: dict[str, float] = {}

    def observe(self, documents: list[Document]) -> None:
        """Counts new documents' terms and forgets what left the window; weights change here and nowhere else."""
        for document in documents:
            self._frequencies.update(document.terms.keys())
        self._documents += len(documents)
        if documents:
            self._expire(documents[-1].at - self._window)
        self._epoch += 1
        self.idf = _Idf(self._documents, self._frequencies)
        self._lengths.clear()

    def found(self, document: Document, story_id: str) -> Cluster:
        """A new cluster of one observed document."""
        cluster = Cluster(self._arrivals, story_id)
        self.clusters[cluster.number] = cluster
        self.join(cluster, document)
        return cluster

    def join(self, cluster: Cluster, document: Document) -> None:
        """Puts an observed document into a cluster."""
        cluster.members.append((self._arrivals, document))
        cluster.sources[document.source] += 1
        cluster.in_window += 1
        cluster.centroid = None
        self._arrivals += 1
        self._recent.append((document, cluster))
        for term in document.terms:
            cluster.counts[term] = cluster.counts.get(term, 0) + 1
        self._add(cluster, document.terms)

    def merge(self, younger: Cluster, older: Cluster) -> None:
        """Moves the younger cluster's members into the older one."""
        self._remove(younger)
        older.members = sorted(older.members + younger.members, key=lambda member: member[0])
        older.sources.update(younger.sources)
        older.in_window += younger.in_window
        older.centroid = None
        for term, count in younger.counts.items():
            older.counts[term] = older.counts.get(term, 0) + count
        self._add(older, younger.sums)
        younger.merged_into = older

    def weighted(self, document: Document) -> Vector:
        """The document's terms times their inverse document frequency."""
        idf = self.idf
        weights = {term: weight * idf[term] for term, weight in document.terms.items()}
        return Vector(weights, math.sqrt(sum(value * value for value in weights.values())))

    def length(self, document: Document) -> float:
        """The length of the weighted document."""
        known = self._lengths.get(document.item_id)
        if known is None:
            known = self._lengths[document.item_id] = self.weighted(document).length
        return known

    def centroid(self, cluster: Cluster) -> Vector:
        """The sum of the cluster's members, weighted, with its 80 heaviest terms."""
        if cluster.centroid is None or cluster.centroid_epoch != self._epoch:
            weights = self._heaviest(cluster)
            cluster.centroid = Vector(weights, math.sqrt(sum(value * value for value in weights.values())))
            cluster.centroid_epoch = self._epoch
        return cluster.centroid

    def _heaviest(self, cluster: Cluster) -> dict[str, float]:
        """The cluster's 80 heaviest terms; of a cluster with very many, those that several members have."""
        idf = self.idf
        fewest = 1 if len(cluster.sums) <= MANY_TERMS else 1 + math.isqrt(cluster.size) // 2
        weights = {term: total * idf[term] for term, total in cluster.sums.items() if cluster.counts[term] >= fewest}
        if len(weights) <= CENTROID_TERMS:
            return weights
        return {term: -weight for weight, term in sorted((-weight, term) for term, weight in weights.items())
                [:CENTROID_TERMS]}

    def candidates(self, vector: Vector, besides: Cluster | None = None) -> list[Cluster]:
        """The eight clusters nearest to a vector by the rarest terms they share, nearest first."""
        scores: defaultdict[int, float] = defaultdict(float)
        postings, idf, read = self._postings, self.idf, 0
        limit = max(FEWEST_COMMON, COMMON_SHARE * len(self.clusters))
        shared = sorted((len(postings[term]), term) for term in vector.weights if term in postings)
        for length, term in shared:
            read += length
            if length > limit or (read > POSTINGS_READ and scores):
                break
            weight = vector.weights[term] * idf[term]
            for number, total in postings[term].items():
                scores[number] += weight * total
        if besides is not None:
            scores.pop(besides.number, None)
        clusters = self.clusters
        ranked = [(score / clusters[number].length, -number) for number, score in scores.items()]
        return [clusters[-number] for _, number in heapq.nlargest(CANDIDATES, ranked)]

    def _add(self, cluster: Cluster, terms: dict[str, int]) -> None:
        for term, weight in terms.items():
            before = cluster.sums.get(term, 0)
            total = cluster.sums[term] = before + weight
            cluster.squares += total * total - before * before
            self._postings.setdefault(term, {})[cluster.number] = total
        cluster.length = math.sqrt(cluster.squares)

    def _expire(self, horizon: datetime) -> None:
        while self._recent and self._documents > self._window_items and self._recent[0][0].at < horizon:
            document, cluster = self._recent.popleft()
            self._documents -= 1
            for term in document.terms:
                self._frequencies[term] -= 1
                if not self._frequencies[term]:
                    del self._frequencies[term]
            while cluster.merged_into is not None:
                cluster = cluster.merged_into
            cluster.in_window -= 1
            if not cluster.in_window:
                self._remove(cluster)

    def _remove(self, cluster: Cluster) -> None:
        del self.clusters[cluster.number]
        for term in cluster.sums:
            posting = self._postings[term]
            del posting[cluster.number]
            if not posting:
                del self._postings[term]


def cosine(one: Vector, other: Vector) -> float:
    """The cosine of two vectors; 0 where one is empty."""
    if not one.length or not other.length:
        return 0.0
    if len(one.weights) > len(other.weights):
        one, other = other, one
    others = other.weights
    dot = sum(value * others[term] for term, value in one.weights.items() if term in others)
    return dot / (one.length * other.length)
