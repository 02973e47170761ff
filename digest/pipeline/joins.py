"""Why an item is in its story, for people: the points of its join, and the words that it shares with those before."""

from collections.abc import Iterable
from dataclasses import dataclass

from digest.model import Item, Join
from digest.pipeline.cluster_document import document
from digest.text.stems import stem
from digest.text.tokens import words

SHARED = 8  # words named


@dataclass(frozen=True, slots=True)
class WhyJoined:
    """A join, with the words of the item that its story's earlier items have too, heaviest first."""

    join: Join
    item: Item
    shared: tuple[str, ...]

    @property
    def points(self) -> tuple[tuple[str, float], ...]:
        """The features that moved the score, largest first; they add up to it."""
        named = [(name, value) for name, value in self.join.features.items() if value]
        return tuple(sorted(named, key=lambda pair: (-abs(pair[1]), pair[0])))


def why_joined(joins: Iterable[tuple[Join, Item]]) -> tuple[WhyJoined, ...]:
    """The reasons of the joins of one story, which come in order of joining; `join.story_id` is where each item went.

    Items that founded a story share words with none.
    """
    known: dict[str, set[str]] = {}
    told = []
    for join, item in joins:
        terms = document(item).terms
        before = known.setdefault(join.story_id, set())
        shared = sorted(before & terms.keys(), key=lambda term: (-terms[term], term))[:SHARED]
        forms = _forms(item)
        told.append(WhyJoined(join, item, tuple(forms.get(term, term) for term in shared)))
        before.update(terms)
    return tuple(told)


def _forms(item: Item) -> dict[str, str]:
    """The first word of an item behind each term."""
    text = " ".join((item.title, item.summary, *(block.text for block in item.text)))
    forms: dict[str, str] = {}
    for word in words(text, item.language):
        forms.setdefault(stem(word, item.language), word)
    return forms
