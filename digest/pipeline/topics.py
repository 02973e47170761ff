"""Topics of a story: a topic counts by the share of the story's items that its query matches.

The share, not the joined text, is what counts: one odd headline of many must not pull a story into a topic.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from digest.documents import Topic
from digest.model import Item
from digest.pipeline.pool import Candidate
from digest.query import parse_query
from digest.query.match import MatchText, match, prepare
from digest.query.tree import Query

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
    """The parsed queries of a newsletter's topics; prepares the text of an item once."""

    def __init__(self, topics: Iterable[Topic]) -> None:
        self._queries: list[tuple[Topic, Query]] = [(topic, parse_query(topic.query)) for topic in topics]
        self._texts: dict[str, MatchText] = {}

    def matches(self, candidate: Candidate) -> tuple[TopicMatch, ...]:
        """The topics that match at least one counted item, in the order of the configuration."""
        if not self._queries:
            return ()
        texts = [self._text(item) for item in candidate.counted]
        found = (
            TopicMatch(topic, sum(match(query, text) is not None for text in texts), len(texts))
            for topic, query in self._queries
        )
        return tuple(fit for fit in found if fit.matching)

    def _text(self, item: Item) -> MatchText:
        if item.id not in self._texts:
            self._texts[item.id] = prepare(item)
        return self._texts[item.id]


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


def matches_of(candidates: Iterable[Candidate], topics: Iterable[Topic]) -> Mapping[str, tuple[TopicMatch, ...]]:
    """The topic matches of each candidate, by story id."""
    matcher = TopicMatcher(topics)
    return {candidate.story.id: matcher.matches(candidate) for candidate in candidates}
