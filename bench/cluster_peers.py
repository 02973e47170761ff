"""Other ways to group the same items: normalised titles, SimHash, MinHash-LSH, TF-IDF in a single pass.

Each gets the clusterer's own words and stems. Where a method has a threshold, it is given the one that suits the set
best among a few, by the labels: a favour that the clusterer does not get.
"""

import hashlib
import importlib.util
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from digest.pipeline.cluster_document import Document

Groups = dict[str, str]
SIMHASH_BITS = 64
SIMHASH_DISTANCES = (3, 10, 14)
LSH_THRESHOLDS = (0.3, 0.5)
LSH_PERMUTATIONS = 128
TFIDF_THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35)


@dataclass(frozen=True, slots=True)
class Peer:
    """A method; `group` yields its groups for each of its thresholds. `missing`: a package that is not installed."""

    name: str
    group: Callable[[Sequence[Document]], Iterator[tuple[str, Groups]]]
    missing: str = ""


def peers() -> list[Peer]:
    """All peers; those of the `bench` group of dependencies are named with what they miss."""
    absent = "" if importlib.util.find_spec("datasketch") else "datasketch"
    return [Peer("normalised titles", by_title), Peer("SimHash of titles", by_simhash),
            Peer("MinHash-LSH (datasketch)", by_minhash, absent), Peer("TF-IDF single pass", by_tfidf)]


def by_title(documents: Sequence[Document]) -> Iterator[tuple[str, Groups]]:
    """Items whose folded titles are equal."""
    yield "", {doc.item_id: doc.title for doc in documents}


def by_simhash(documents: Sequence[Document]) -> Iterator[tuple[str, Groups]]:
    """Items whose 64-bit SimHashes of the title differ in so many bits, or chains of such items."""
    prints = [_simhash(doc.title_terms) for doc in documents]
    near: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, one in enumerate(prints):
        for other in range(number):
            distance = (one ^ prints[other]).bit_count()
            if distance <= SIMHASH_DISTANCES[-1]:
                near[distance].append((number, other))
    for most in SIMHASH_DISTANCES:
        yield f"≤ {most} bits", _chained(documents, [pair for d in range(most + 1) for pair in near[d]])


def by_minhash(documents: Sequence[Document]) -> Iterator[tuple[str, Groups]]:
    """Items that locality-sensitive hashing of their title's stems finds alike, or chains of them."""
    from datasketch import MinHash, MinHashLSH

    hashes = []
    for doc in documents:
        one = MinHash(num_perm=LSH_PERMUTATIONS, seed=1)
        one.update_batch([term.encode() for term in doc.title_terms])
        hashes.append(one)
    for threshold in LSH_THRESHOLDS:
        index = MinHashLSH(threshold=threshold, num_perm=LSH_PERMUTATIONS)
        pairs = []
        for number, one in enumerate(hashes):
            pairs += [(number, other) for other in index.query(one)]
            index.insert(number, one)
        yield f"≥ {threshold}", _chained(documents, pairs)


def by_tfidf(documents: Sequence[Document]) -> Iterator[tuple[str, Groups]]:
    """Each item in order to the group with the nearest centroid, or to a group of its own."""
    for threshold in TFIDF_THRESHOLDS:
        yield f"≥ {threshold}", _single_pass(documents, threshold)


def _single_pass(documents: Sequence[Document], threshold: float) -> Groups:
    frequencies: Counter[str] = Counter()
    centroids: list[dict[str, float]] = []
    postings: defaultdict[str, set[int]] = defaultdict(set)
    groups: Groups = {}
    for seen, doc in enumerate(documents, start=1):
        frequencies.update(doc.terms.keys())
        vector = _unit({term: n * math.log(1 + seen / frequencies[term]) for term, n in doc.terms.items()})
        scores: defaultdict[int, float] = defaultdict(float)
        for term, weight in vector.items():
            for number in postings[term]:
                scores[number] += weight * centroids[number][term]
        best = max(scores, key=lambda number: (scores[number] / _length(centroids[number]), -number), default=-1)
        if best < 0 or scores[best] / _length(centroids[best]) < threshold:
            best = len(centroids)
            centroids.append({})
        for term, weight in vector.items():
            centroids[best][term] = centroids[best].get(term, 0.0) + weight
            postings[term].add(best)
        groups[doc.item_id] = str(best)
    return groups


def _simhash(terms: Sequence[str]) -> int:
    sums = [0] * SIMHASH_BITS
    for term in terms:
        digest = int.from_bytes(hashlib.blake2b(term.encode(), digest_size=SIMHASH_BITS // 8).digest(), "big")
        for bit in range(SIMHASH_BITS):
            sums[bit] += 1 if digest >> bit & 1 else -1
    return sum(1 << bit for bit, total in enumerate(sums) if total > 0)


def _chained(documents: Sequence[Document], pairs: Sequence[tuple[int, int]]) -> Groups:
    """Groups of items that pairs link, directly or through others."""
    parents = list(range(len(documents)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    for one, other in pairs:
        parents[root(one)] = root(other)
    return {doc.item_id: str(root(number)) for number, doc in enumerate(documents)}


def _unit(vector: Mapping[str, float]) -> dict[str, float]:
    length = _length(vector) or 1.0
    return {term: value / length for term, value in vector.items()}


def _length(vector: Mapping[str, float]) -> float:
    return math.sqrt(sum(value * value for value in vector.values()))
