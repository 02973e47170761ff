"""Variety of an edition: a story that repeats one of the mail is worth less there.

Maximal marginal relevance (Carbonell and Goldstein 1998) with λ = 0.7: of two stories the one goes first for which
λ·score − (1 − λ)·likeness is greater. Divided by λ, a story loses up to `MOST_LOST` points of its score. Likeness is
that to the most similar story that stands already: the cosine of both titles' stems without stop words, 0 to 1.
"""

from math import sqrt

from digest.pipeline.rank import Ranked
from digest.text.stems import stem
from digest.text.stopwords import is_stop
from digest.text.tokens import words

LAMBDA = 0.7
MOST_LOST = (1 - LAMBDA) / LAMBDA  # points, 0.43


class Variety:
    """What stands in the mail so far, by the words of its titles."""

    def __init__(self) -> None:
        self._placed: list[frozenset[str]] = []
        self._terms: dict[str, frozenset[str]] = {}
        self._likeness: dict[str, tuple[int, float]] = {}  # (how many placed were compared, the greatest) by story id

    def place(self, story: Ranked) -> None:
        self._placed.append(self._terms_of(story))

    def worth(self, story: Ranked) -> float:
        """The story's score in points, less what it repeats."""
        compared, likeness = self._likeness.get(story.id, (0, 0.0))
        own = self._terms_of(story)
        likeness = max(likeness, *(_cosine(own, other) for other in self._placed[compared:]), 0.0)
        self._likeness[story.id] = len(self._placed), likeness
        return story.score.total - MOST_LOST * likeness

    def _terms_of(self, story: Ranked) -> frozenset[str]:
        if story.id not in self._terms:
            shown = story.candidate.shown
            self._terms[story.id] = frozenset(
                stem(word, shown.language) for word in words(shown.title, shown.language)
                if not is_stop(word, shown.language))
        return self._terms[story.id]


def _cosine(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / sqrt(len(one) * len(other)) if one and other else 0.0
