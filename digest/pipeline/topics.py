"""Topics of a story: a topic counts by the share of the story's items that its query matches.

The share, not the joined text, is what counts: one odd headline of many must not pull a story into a topic.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain

from digest.documents import Topic
from digest.pipeline.pool import Candidate
from digest.query import parse_query
from digest.query.match import paragraphs, prepare
from digest.query.sieve import Sieve
from digest.text.names import Names

FULL_SHARE = 0.5  # share of matching items from which a topic counts fully
SMALLEST_CLAIM = 1 / 3  # share from which a topic claims a story for its section


@dataclass(frozen=True, slots=True)
class TopicMatch:
    """How a topic fits a story: `matching` of `of` items, worth `points` of the score."""

    topic: Topic
    matching: int
    of: int

    @property
    def share(self) -> float:
        return self.matching / self.of

    @property
    def points(self) -> float:
        return self.topic.weight * min(1.0, self.share / FULL_SHARE)


class TopicMatcher:
    """The parsed queries of a newsletter's topics. Without `names`, an @name in them is in no text."""

    def __init__(self, topics: Iterable[Topic], names: Names | None = None) -> None:
        self._topics = tuple(topics)
        self._sieve = _sieve(tuple(topic.query for topic in self._topics), names)
        self._known: dict[tuple[tuple[int, ...], tuple[int, ...], int], tuple[TopicMatch, ...]] = {}

    def matches(self, candidate: Candidate) -> tuple[TopicMatch, ...]:
        """The topics that match at least one counted item, in the order of the configuration."""
        if not self._topics:
            return ()
        found = [self._sieve.matching(paragraphs(item), item.language, partial(prepare, item))
                 for item in candidate.counted]
        if len(found) == 1:
            return self._fits(found[0], (1,) * len(found[0]), 1)
        counts = Counter(chain.from_iterable(found))
        numbers = sorted(counts)
        return self._fits(tuple(numbers), tuple(counts[n] for n in numbers), len(found))

    def _fits(self, numbers: tuple[int, ...], matching: tuple[int, ...], of: int) -> tuple[TopicMatch, ...]:
        """The matches of these topics; many stories share one answer."""
        key = (numbers, matching, of)
        if key not in self._known:
            self._known[key] = tuple(
                TopicMatch(self._topics[n], count, of) for n, count in zip(numbers, matching, strict=True))
        return self._known[key]


@lru_cache(maxsize=32)
def _sieve(queries: tuple[str, ...], names: Names | None) -> Sieve:
    """One for the same queries: what it learned of words serves the next edition."""
    return Sieve(parse_query(query, names=names) for query in queries)


def claimant(matches: Sequence[TopicMatch]) -> Topic | None:
    """The topic in whose section the story stands; None where no topic with a section claims it."""
    return main_topic([m for m in matches if m.topic.limit])


def main_topic(matches: Sequence[TopicMatch]) -> Topic | None:
    """What the story is about: weight times share, then the order of the configuration; None where nothing claims it.

    Unlike points, the share counts above one half: what all copies are about goes before what half of them mention.
    A topic of negative weight claims nothing.
    """
    claims = [m for m in matches if m.topic.weight >= 0 and m.share >= SMALLEST_CLAIM]
    return max(claims, key=lambda m: (m.topic.weight * m.share, m.share)).topic if claims else None
