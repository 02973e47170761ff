"""What the clusterer compares of an item: weighted stems, title stems, shingles, source."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from digest.model import Item
from digest.text.evidence import Facts, facts
from digest.text.names import NO_NAMES, Mention, Names
from digest.text.roundups import announces_roundup
from digest.text.stems import stem
from digest.text.stopwords import stop_words
from digest.text.tokens import words

STATED = 300  # characters of the text beside the title: what is stated first
NO_FACTS = Facts()  # numbers without a name say too little
TITLE_WEIGHT = 2  # a word of the title counts as so many of the text
LONGEST_TEXT_WORDS = 120
SHINGLE_WORDS = 3
FEWEST_SHINGLES = 4  # shorter texts share shingles by chance
NEAR_DUPLICATE = 0.5  # containment from which one text repeats another
PATTERN = 0.65  # share of common title words from which two titles follow one template
BATCH_ITEMS = 10_000  # of one poll; more items than stay live are cut
UNIT = 10_000  # length of a document's vector; whole numbers add up alike in every order


@dataclass(frozen=True, slots=True)
class Places:
    """Where an item's news is from, as far as the gazetteer knows: countries, or places that it puts into none."""

    titled: frozenset[str] = frozenset()  # named in the title
    named: frozenset[str] = frozenset()  # named in title or beginning
    terms: frozenset[str] = frozenset()  # the terms of all places named


@dataclass(frozen=True, slots=True)
class Document:
    """An item as the clusterer sees it. `terms` holds its log term frequencies, scaled to length UNIT."""

    item_id: str
    source: str
    at: datetime
    terms: dict[str, int]
    title_terms: tuple[str, ...]
    title: str  # its folded words
    language: str
    facts: Facts  # what its title and first words state: names of the gazetteer, numbers, dates
    places: Places
    roundup: bool  # announces many unrelated things
    shingles: frozenset[int]  # of the text; a title alone is too short to tell a reprint from a template


NOWHERE = Places()


def document(item: Item, names: Names = NO_NAMES) -> Document:
    """The document of an item: title and the first 120 words of its longest text."""
    language = _language(item)
    title = words(item.title, language)
    written = _text(item)
    text = words(written, language)[:LONGEST_TEXT_WORDS]
    title_terms = _terms(title, language)
    counts: Counter[str] = Counter(_terms(text, language))
    for term in title_terms:
        counts[term] += TITLE_WEIGHT
    beginning = f"{item.title}. {written[:STATED]}"
    mentions = names.find(beginning, language)
    stated = facts(beginning, language, names) if mentions else NO_FACTS
    return Document(item.id, item.feed.source.slug, item.first_seen_at, _scaled(counts),
                    tuple(dict.fromkeys(title_terms)), " ".join(title), language, stated,
                    _places(item.title, beginning, language, mentions, names) if mentions else NOWHERE,
                    announces_roundup(title, language), _shingles(text))


def containment(one: Document, other: Document) -> float:
    """The share of the shorter text's three-word shingles that the other has too; 0 where it is too short to tell."""
    shorter = min(len(one.shingles), len(other.shingles))
    if shorter < FEWEST_SHINGLES:
        return 0.0
    return len(one.shingles & other.shingles) / shorter


def repeats(one: Document, other: Document) -> bool:
    """Whether one text repeats the other (a reprint, or an update of the same copy)."""
    return containment(one, other) >= NEAR_DUPLICATE


def same_news(one: Document, other: Document) -> bool:
    """Whether two items of one source may be the same news: equal titles, or one text repeats the other.

    Titles without a common term part them: what is repeated then is the source's boilerplate.
    """
    if one.title == other.title:
        return True
    return not set(one.title_terms).isdisjoint(other.title_terms) and repeats(one, other)


def same_pattern(one: Document, other: Document) -> bool:
    """Whether two titles share 65 % of their words and each has others: a template with another object.

    Where one title only adds words, it tells more of the same.
    """
    words_of_one, words_of_other = set(one.title.split()), set(other.title.split())
    if words_of_one <= words_of_other or words_of_other <= words_of_one:
        return False
    return len(words_of_one & words_of_other) >= PATTERN * len(words_of_one | words_of_other)


def batches(items: Iterable[Item], most: int = BATCH_ITEMS) -> Iterator[list[Item]]:
    """Items in runs of one time of first sight, in order of (feed id, key), at most so many in a run.

    Where runs begin and end depends on the items alone, so that a rebuild cuts them alike.
    """
    ordered = sorted(items, key=lambda item: (item.first_seen_at, item.feed.id, item.key))
    batch: list[Item] = []
    for item in ordered:
        if batch and (len(batch) == most or item.first_seen_at != batch[0].first_seen_at):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def _language(item: Item) -> str:
    """The item's language; where it is unknown, the commonest one of its script."""
    if item.language != "und":
        return item.language
    cyrillic = sum("а" <= letter <= "я" for letter in item.title.casefold())
    return "ru" if cyrillic * 2 > len(item.title) else "en"


def _text(item: Item) -> str:
    body = " ".join(block.text for block in item.text if block.kind == "p")
    text = body if len(body) > len(item.summary) else item.summary
    return text[:LONGEST_TEXT_WORDS * 20]


def _places(title: str, text: str, language: str, mentions: Iterable[Mention], names: Names) -> Places:
    """The places that mentions in a text name; the text begins with the title."""
    titled: set[str] = set()
    named: set[str] = set()
    terms: set[str] = set()
    for mention in mentions:
        name = names.get(mention.slug)
        if name is None or name.kind != "place":
            continue
        place = name.region or name.slug
        named.add(place)
        if mention.end <= len(title):
            titled.add(place)
        terms.update(_terms(words(text[mention.start:mention.end], language), language))
    return Places(frozenset(titled), frozenset(named), frozenset(terms))


def _terms(folded: list[str], language: str) -> list[str]:
    stops = stop_words(language)
    return [stem(word, language) for word in folded if word not in stops and (len(word) > 1 or word.isdigit())]


def _scaled(counts: Counter[str]) -> dict[str, int]:
    logs = {term: 1.0 + math.log(count) for term, count in counts.items()}
    length = math.sqrt(sum(value * value for value in logs.values()))
    return {term: max(1, round(UNIT * value / length)) for term, value in logs.items()}


def _shingles(folded: list[str]) -> frozenset[int]:
    return frozenset(map(hash, zip(folded, folded[1:], folded[2:], strict=False)))
