"""Finds made-up copies of recorded articles again: `python -m bench.near_duplicates FILE.jsonl`.

Each article with at least 60 words is cut off, edited in a tenth of its words, wrapped in a dateline and boilerplate,
and shortened to a lead of 30 words. Printed is how many of these repeat the article by the rule that calls an item a
reprint, and how many pairs of articles of different events do. The seed is fixed.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from random import Random

from bench.cluster import read_items
from digest.model import Block, Item
from digest.pipeline.cluster_document import document, repeats

SEED = 6
ALL_WORDS = 1_000_000
SHORTEST = 60  # words of an article
KEPT = 0.6  # of a text that is cut off
EDITED = 0.1  # of the words
LEAD_WORDS = 30
DATELINE = "ALMATY, 2 March, Example Wire —"
BOILERPLATE = "Read more on our site. Subscribe to our channel and follow us for the latest news of the region."

Variant = Callable[[Random, list[str], list[str]], list[str]]


def cut(random: Random, words: list[str], vocabulary: list[str]) -> list[str]:
    return words[:int(KEPT * len(words))]


def edit(random: Random, words: list[str], vocabulary: list[str]) -> list[str]:
    return [random.choice(vocabulary) if random.random() < EDITED else word for word in words]


def wrap(random: Random, words: list[str], vocabulary: list[str]) -> list[str]:
    return [*DATELINE.split(), *words, *BOILERPLATE.split()]


def lead(random: Random, words: list[str], vocabulary: list[str]) -> list[str]:
    return words[:LEAD_WORDS]


VARIANTS: tuple[tuple[str, Variant], ...] = (
    ("cut off at 60 %", cut), ("10 % of words edited", edit), ("dateline, boilerplate", wrap),
    ("lead of 30 words", lead))


def found_again(articles: Sequence[Item], vary: Variant) -> float:
    """The share of articles that their variant repeats."""
    random = Random(SEED)
    vocabulary = [word for item in articles for word in item.body[0].text.split()]
    return sum(repeats(document(item), document(_with_text(item, vary(random, item.body[0].text.split(), vocabulary))))
               for item in articles) / len(articles)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.near_duplicates", description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    items, labels = read_items(options.file, text_words=ALL_WORDS)
    articles = [item for item in items if item.body and len(item.body[0].text.split()) >= SHORTEST]
    print(f"{len(articles)} articles")
    for name, vary in VARIANTS:
        print(f"{name:22} recall {found_again(articles, vary):.3f}")
    documents = [(document(item), labels[item.id]) for item in articles]
    pairs = [(repeats(one, other), label == same)
             for (one, label), (other, same) in combinations(documents, 2)]
    print(f"{sum(not same for _, same in pairs):,} pairs of different events: "
          f"{sum(copy for copy, same in pairs if not same)} taken for copies; "
          f"{sum(same for _, same in pairs):,} pairs of one event: {sum(copy for copy, same in pairs if same)}")


def _with_text(item: Item, words: Sequence[str]) -> Item:
    return replace(item, summary="", body=(Block("p", " ".join(words)),))


if __name__ == "__main__":
    main()
