"""The clusterer's memory: live clusters, an inverted index over their terms, document frequencies.

Everything here is a function of the documents in the window and of who belongs together, and all sums are of whole
numbers, which add up alike in every order. A process that restores the window from tables therefore decides exactly
as the one that built it.
"""

import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from digest.pipeline.cluster_document import Document
from digest.pipeline.cluster_names import NameIndex
from digest.text.evidence import Evidence, Facts
from digest.text.names import NO_NAMES, Names

WINDOW = timedelta(hours=72)
WINDOW_ITEMS = 10_000
CANDIDATES = 5  # clusters that one is compared with
FAR = 0.06  # a mean cosine with which words alone join no two clusters
MANY_TERMS = 240  # of a cluster with more, those count that several members have
COMMON_SHARE = 0.3  # a term in more clusters than this says nothing
FEWEST_COMMON = 50  # clusters that any term may have
FOREIGN = 3  # clusters in other languages that one is compared with
COMPARED = 4  # newest members whose names are compared
POSTINGS_READ = 150  # at most about so many for one cluster, rarest terms first
LEAST_PART = 0.3  # of what the nearest shares: who shares less is no candidate
FEWEST_TO_JUDGE = 500  # documents that show which words are rare
UNIT_WEIGHT = 1_000  # of squared inverse document frequencies, which are kept as whole numbers


@dataclass(slots=True, eq=False)
class Cluster:
    """A live story. `number` grows with the order of founding; members stand in order of arrival."""

    number: int
    story_id: str
    members: list[tuple[int, Document]] = field(default_factory=list)
    sums: dict[str, int] = field(default_factory=dict)  # term -> sum over members
    counts: dict[str, int] = field(default_factory=dict)  # term -> members that have it
    sources: Counter[str] = field(default_factory=Counter)
    languages: set[str] = field(default_factory=set)
    in_window: int = 0
    length: float = 0.0  # of its newest member, in `epoch`
    norm: float = 0.0  # length of `sums`, in `epoch`; 0 where not yet taken
    epoch: int = -1
    merged_into: "Cluster | None" = None

    @property
    def size(self) -> int:
        return len(self.members)

    def documents(self) -> list[Document]:
        return [document for _, document in self.members]

    def newest(self, most: int) -> list[Document]:
        return [document for _, document in self.members[-most:]]


class Pair(NamedTuple):
    """Two clusters compared. `mean` and `centres` are between 0 and 1."""

    live: "LiveIndex"
    younger: Cluster
    older: Cluster
    mean: float  # cosine of a member of one and a member of the other
    centres: float  # cosine of both as wholes; 0 where `mean` is below `FAR`
    evidence: Evidence | None = None  # names, numbers and dates of both, where they have no language in common

    def by_size(self) -> tuple[Cluster, Cluster]:
        """Both, the smaller first, of equal ones the older."""
        return (self.younger, self.older) if self.younger.size < self.older.size else (self.older, self.younger)


class _Weights(dict[str, int]):
    """Squared inverse document frequencies of terms, log(1 + (N + 50) / (df + 1))², taken when first needed.

    N, the number of documents, is rounded down to five binary digits, so that most weights outlast a poll.
    """

    def __init__(self, frequencies: Counter[str]) -> None:
        super().__init__()
        self._frequencies = frequencies
        self.documents = 0
        self._table: dict[int, int] = {}  # by document frequency

    def refresh(self, documents: int, changed: Iterable[str]) -> None:
        """Forgets what no longer holds of so many documents, of which the terms in `changed` came or went."""
        step = 1 << max(0, documents.bit_length() - 5)
        if documents // step * step == self.documents:
            for term in changed:
                self.pop(term, None)
            return
        self.documents = documents // step * step
        self.clear()
        self._table.clear()

    def __missing__(self, term: str) -> int:
        frequency = self._frequencies[term]
        value = self._table.get(frequency)
        if value is None:
            idf = math.log(1 + (self.documents + 50) / (frequency + 1))
            value = self._table[frequency] = round(UNIT_WEIGHT * idf * idf)
        self[term] = value
        return value


class LiveIndex:
    """Clusters with an item of the last 72 hours or among the newest 10,000 items. Does not decide who joins what."""

    def __init__(
        self, names: Names = NO_NAMES, window: timedelta = WINDOW, window_items: int = WINDOW_ITEMS
    ) -> None:
        self.clusters: dict[int, Cluster] = {}
        self._names = NameIndex(names)
        self._window, self._window_items = window, window_items
        self._frequencies: Counter[str] = Counter()
        self._postings: dict[str, dict[int, int]] = {}
        self._shares: dict[int, float] = {}  # of clusters, by number: 1 / √size
        self._recent: deque[tuple[Document, Cluster]] = deque()
        self.documents = 0
        self._arrivals = 0
        self._epoch = 0
        self._weights = _Weights(self._frequencies)

    def observe(self, documents: list[Document]) -> None:
        """Counts new documents' terms and forgets what left the window; weights change here and nowhere else."""
        changed: set[str] = set()
        for document in documents:
            self._frequencies.update(document.terms.keys())
            changed.update(document.terms)
            self._names.observe(document.facts)
        self.documents += len(documents)
        if documents:
            changed.update(self._expire(documents[-1].at - self._window))
        self._epoch += 1
        self._weights.refresh(self.documents, changed)

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
        cluster.languages.add(document.language)
        self._names.add(cluster.number, [document.facts])
        cluster.in_window += 1
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
        older.languages |= younger.languages
        self._names.add(older.number, _facts(younger))
        older.in_window += younger.in_window
        for term, count in younger.counts.items():
            older.counts[term] = older.counts.get(term, 0) + count
        self._add(older, younger.sums)
        younger.merged_into = older

    def compare(self, younger: Cluster, older: Cluster) -> Pair:
        """Both clusters with their cosines; the newest member gives the length of all."""
        one, other = (younger, older) if len(younger.sums) <= len(older.sums) else (older, younger)
        sums, others, weights = one.sums, other.sums, self._weights
        dot = sum([sums[term] * others[term] * weights[term] for term in sums.keys() & others.keys()])
        evidence = None
        if younger.languages.isdisjoint(older.languages):
            evidence = self._names.evidence(_facts(younger)[-COMPARED:], _facts(older)[-COMPARED:])
        if not dot:
            return Pair(self, younger, older, 0.0, 0.0, evidence)
        mean = dot / (one.size * other.size * self._length(one) * self._length(other))
        if mean < FAR:
            return Pair(self, younger, older, mean, 0.0, evidence)
        return Pair(self, younger, older, mean, dot / (self._norm(one) * self._norm(other)), evidence)

    def foreign(self, cluster: Cluster) -> list[Cluster]:
        """The clusters in other languages that name the same, nearest first."""
        near = (self.clusters[number] for number in self._names.near(_facts(cluster)[-COMPARED:]))
        return list(islice((other for other in near if other.languages.isdisjoint(cluster.languages)), FOREIGN))

    def worth(self, terms: Iterable[str]) -> float:
        """How much the terms tell, in terms that two documents of the window alone have.

        In a small window every word is rare: there it takes more of them, as if many documents had been seen.
        """
        weights = self._weights
        rarest = math.log(1 + (max(weights.documents, FEWEST_TO_JUDGE) + 50) / 3)
        return sum([math.sqrt(weights[term] / UNIT_WEIGHT) for term in terms]) / rarest

    def candidates(self, cluster: Cluster) -> list[Cluster]:
        """The nearest few clusters to one by the rarest terms they share, nearest first; those far behind left out."""
        scores: defaultdict[int, int] = defaultdict(int)
        postings, weights, sums, read = self._postings, self._weights, cluster.sums, 0
        limit = max(FEWEST_COMMON, COMMON_SHARE * len(self.clusters))
        for length, term in sorted([(len(postings[term]), term) for term in self._telling(cluster)]):
            if length == 1:
                continue
            read += length
            if length > limit or (read > POSTINGS_READ and len(scores) > 1):
                break
            weight = sums[term] * weights[term]
            for number, total in postings[term].items():
                scores[number] += weight * total
        scores.pop(cluster.number, None)
        shares = self._shares
        ranked = {number: score * shares[number] for number, score in scores.items()}
        enough = LEAST_PART * max(ranked.values(), default=0.0)
        near = sorted([(-rank, number) for number, rank in ranked.items() if rank >= enough])
        return [self.clusters[number] for _, number in near[:CANDIDATES]]

    def _telling(self, cluster: Cluster) -> list[str]:
        """The cluster's terms; of one with very many, those that several members have."""
        if len(cluster.sums) <= MANY_TERMS:
            return list(cluster.sums)
        fewest = 1 + math.isqrt(cluster.size) // 2
        return [term for term, count in cluster.counts.items() if count >= fewest]

    def _length(self, cluster: Cluster) -> float:
        """The length of the cluster's newest member, which stands for all."""
        if cluster.epoch != self._epoch:
            weights = self._weights
            terms = cluster.members[-1][1].terms
            cluster.length = math.sqrt(sum([value * value * weights[term] for term, value in terms.items()]))
            cluster.norm = cluster.length if cluster.size == 1 else 0.0
            cluster.epoch = self._epoch
        return cluster.length

    def _norm(self, cluster: Cluster) -> float:
        """The length of the sum of all members; after `_length`."""
        if not cluster.norm:
            weights = self._weights
            cluster.norm = math.sqrt(sum([total * total * weights[term] for term, total in cluster.sums.items()]))
        return cluster.norm

    def _add(self, cluster: Cluster, terms: dict[str, int]) -> None:
        sums, postings, number = cluster.sums, self._postings, cluster.number
        for term, weight in terms.items():
            total = sums[term] = sums.get(term, 0) + weight
            posting = postings.get(term)
            if posting is None:
                postings[term] = {number: total}
            else:
                posting[number] = total
        self._shares[number] = 1 / math.sqrt(len(cluster.members))
        cluster.epoch = -1

    def _expire(self, horizon: datetime) -> set[str]:
        """Forgets documents that are older and not among the newest; the terms that they had."""
        gone: set[str] = set()
        while self._recent and self.documents > self._window_items and self._recent[0][0].at < horizon:
            document, cluster = self._recent.popleft()
            self.documents -= 1
            gone.update(document.terms)
            self._names.forget(document.facts)
            for term in document.terms:
                self._frequencies[term] -= 1
                if not self._frequencies[term]:
                    del self._frequencies[term]
            while cluster.merged_into is not None:
                cluster = cluster.merged_into
            cluster.in_window -= 1
            if not cluster.in_window:
                self._remove(cluster)
        return gone

    def _remove(self, cluster: Cluster) -> None:
        del self.clusters[cluster.number], self._shares[cluster.number]
        self._names.remove(cluster.number, _facts(cluster))
        for term in cluster.sums:
            posting = self._postings[term]
            del posting[cluster.number]
            if not posting:
                del self._postings[term]


def _facts(cluster: Cluster) -> list[Facts]:
    return [document.facts for _, document in cluster.members if document.facts.names]
