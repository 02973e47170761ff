"""Which items tell one event: online average-link clustering with a fixed linear score.

    batch of items ─▶ a cluster each ─▶ links to the nearest live clusters ─▶ the best link first, until none passes

A link's score is the sum of named features (`cluster_features.FEATURES`); it passes at 0 unless a guard keeps the
two apart (`cluster_guards.GUARDS`). Items that are new in the batch are joined to a story; two stories that turn out
to be one are merged, and the older id is kept. Because the best link of the whole batch goes first, the order in
which a poll brought its items does not matter. What keeps different events apart:

- the score takes the mean likeness of all members (average link), never a chain of items, and asks more of a large
  story and of a source that has told the story already;
- an item joins a story of its own source only where it repeats a member's text or title, or where other outlets tell
  it too and its title does not fill the same template;
- items meet only where they share several terms, however rare one of them is.

Languages meet in what they state alike: names of the gazetteer, numbers and dates (`text/evidence.py`).
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from digest.model import Item, Join
from digest.pipeline.cluster_document import Document, document, repeats
from digest.pipeline.cluster_features import WEIGHTS, Weights, points
from digest.pipeline.cluster_guards import parted
from digest.pipeline.cluster_index import Cluster, LiveIndex, Pair
from digest.pipeline.story_edits import Apart
from digest.text.names import NO_NAMES, Names


@dataclass(frozen=True, slots=True)
class Merge:
    """Two stories turned out to be one: `alias` lives on as `story_id`. `similarity` is the score of their link."""

    alias: str
    story_id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Assignment:
    """What became of one batch of items: a join for each, then the merges that followed."""

    joins: tuple[Join, ...]
    merges: tuple[Merge, ...]


class _Link(NamedTuple):
    """Two clusters that may be one. Sorts the best link first, then the older clusters; no two sort alike."""

    minus_score: float
    older: int  # number of the cluster
    younger: int
    older_size: int
    younger_size: int
    pair: Pair
    features: dict[str, float]

    @property
    def stands(self) -> bool:
        """Whether both are still as they were when they were compared."""
        younger, older = self.pair.younger, self.pair.older
        return (younger.merged_into is None and older.merged_into is None
                and younger.size == self.younger_size and older.size == self.older_size)


class Clusterer:
    """Assigns batches of items to stories. Holds the live window in memory; does not store anything."""

    def __init__(self, names: Names = NO_NAMES, weights: Weights = WEIGHTS) -> None:
        self._names, self._weights = names, weights
        self._index = LiveIndex(names)
        self._apart = Apart()

    @property
    def live_items(self) -> int:
        """How many items of the window are in memory."""
        return self._index.documents

    def restore(self, members: Iterable[tuple[Item, str]], apart: Iterable[tuple[str, str]] = ()) -> None:
        """Puts back items with their story ids (aliases resolved), in the order in which they were assigned.

        `apart` are pairs of stories that an editor keeps apart: they never merge, nor does what they merge with.
        """
        self._apart = Apart(apart)
        documents = [(document(item, self._names), story_id) for item, story_id in members]
        self._index.observe([doc for doc, _ in documents])
        clusters: dict[str, Cluster] = {}
        for doc, story_id in documents:
            if story_id in clusters:
                self._index.join(clusters[story_id], doc)
            else:
                clusters[story_id] = self._index.found(doc, story_id)

    def assign(self, batch: Sequence[Item], at: datetime) -> Assignment:
        """Joins each item of one batch (see `batches`) to a story as of `at`; stories that are one are merged."""
        documents = [document(item, self._names) for item in batch]
        self._index.observe(documents)
        founded = [self._index.found(doc, doc.item_id) for doc in documents]
        links: dict[str, _Link] = {}  # by the item that founded the younger cluster
        merges = []
        for link in self._fitting(founded):
            if link.younger >= founded[0].number:
                links[link.pair.younger.story_id] = link
            else:
                merges.append(Merge(link.pair.younger.story_id, link.pair.older.story_id, round(-link.minus_score, 4)))
        joins = [_join(cluster, doc, links.get(doc.item_id), at)
                 for cluster, doc in zip(founded, documents, strict=True)]
        return Assignment(tuple(joins), tuple(merges))

    def _fitting(self, founded: Sequence[Cluster]) -> Iterable[_Link]:
        """Makes one of the two clusters of the best link, again and again, and yields each link."""
        waiting: list[_Link] = []
        seen: set[tuple[int, int, int, int]] = set()
        for cluster in founded:
            self._compare(cluster, waiting, seen)
        while waiting:
            link = heapq.heappop(waiting)
            if link.stands and not parted(link.pair):
                younger, older = link.pair.younger, link.pair.older
                self._index.merge(younger, older)
                self._apart.merge(younger.story_id, older.story_id)
                yield link
                self._compare(older, waiting, seen)

    def _compare(self, cluster: Cluster, waiting: list[_Link], seen: set[tuple[int, int, int, int]]) -> None:
        """Adds the links of a cluster with its nearest neighbours to those that wait, each once."""
        for other in (*self._index.candidates(cluster), *self._index.foreign(cluster)):
            younger, older = (cluster, other) if cluster.number > other.number else (other, cluster)
            key = (older.number, younger.number, older.size, younger.size)
            if key in seen or (younger.story_id, older.story_id) in self._apart:
                continue
            seen.add(key)
            pair = self._index.compare(younger, older)
            if features := points(pair, self._weights):
                heapq.heappush(waiting, _Link(-sum(features.values()), *key, pair, features))


def _join(cluster: Cluster, doc: Document, link: _Link | None, at: datetime) -> Join:
    """Why an item is in its story: the link by which it came there; none for the item that founded it."""
    while cluster.merged_into is not None:
        cluster = cluster.merged_into
    if link is None:
        return Join(doc.item_id, cluster.story_id, at, 0.0, {})
    earlier = []
    for _, member in cluster.members:
        if member.item_id == doc.item_id:
            break
        earlier.append(member)
    original = next((member.item_id for member in earlier if repeats(doc, member)), None)
    return Join(doc.item_id, cluster.story_id, at, -link.minus_score, link.features, original)
