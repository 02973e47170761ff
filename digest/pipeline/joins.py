"""Why an item is in its story, for people: the points of its join, and the words that it shares with those before."""

from collections.abc import Iterable
from dataclasses import dataclass

from digest.model import Item, Join
from digest.pipeline.cluster_document import document
from digest.text.names import NO_NAMES, Names
from digest.text.stems import stem
from digest.text.tokens import words

SHARED = 8  # words named
NAME = "@"  # before the slug of a name; no term begins with it


@dataclass(frozen=True, slots=True)
class WhyJoined:
    """A join, with the words of the item that its story's earlier items have too, heaviest first.

    Names of the gazetteer that they share stand before the words, as the item writes them: they join languages.
    """

    join: Join
    item: Item
    shared: tuple[str, ...]

    @property
    def points(self) -> tuple[tuple[str, float], ...]:
        """The features that moved the score, largest first; they add up to it."""
        named = [(name, value) for name, value in self.join.features.items() if value]
        return tuple(sorted(named, key=lambda pair: (-abs(pair[1]), pair[0])))


def why_joined(joins: Iterable[tuple[Join, Item]], names: Names = NO_NAMES) -> tuple[WhyJoined, ...]:
    """The reasons of the joins of one story, which come in order of joining; `join.story_id` is where each item went.

    Items that founded a story share words with none.
    """
    known: dict[str, set[str]] = {}
    told = []
    for join, item in joins:
        terms = document(item).terms
        before = known.setdefault(join.story_id, set())
        forms = {NAME + slug: written for slug, written in _mentions(item, names).items()}
        shared = [term for term in forms if term in before]
        shared += sorted(before & terms.keys(), key=lambda term: (-terms[term], term))[:SHARED]
        forms |= _forms(item)
        told.append(WhyJoined(join, item, tuple(dict.fromkeys(forms.get(term, term) for term in shared))))
        before.update(terms, forms)
    return tuple(told)


def _mentions(item: Item, names: Names) -> dict[str, str]:
    """The names of the gazetteer in an item's title and summary, as they are first written there."""
    text = f"{item.title}. {item.summary}"
    found: dict[str, str] = {}
    for mention in names.find(text, item.language):
        found.setdefault(mention.slug, text[mention.start:mention.end])
    return found


def _forms(item: Item) -> dict[str, str]:
    """The first word of an item behind each term."""
    text = " ".join((item.title, item.summary, *(block.text for block in item.text)))
    forms: dict[str, str] = {}
    for word in words(text, item.language):
        forms.setdefault(stem(word, item.language), word)
    return forms
