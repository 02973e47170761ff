"""Clusters labelled items and prints how well: `python -m bench.cluster FILE.jsonl`.

Each line of FILE is a JSON object with id, title, source and, where known, published, cluster (the label), url,
summary, text, lang. PAIRS holds lines of first_id, second_id and same or diff under a heading. Items come in order of
publication, undated ones last. B-cubed figures follow Bagga and Baldwin (1998); pairwise figures are over all pairs
of items.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from digest.model import Block, DateQuality, Feed, Item, Source, short_id
from digest.pipeline.cluster import Clusterer
from digest.pipeline.cluster_document import batches


@dataclass(frozen=True, slots=True)
class Quality:
    """Precision and recall, both between 0 and 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def read_items(path: Path, *, text_words: int = 0) -> tuple[list[Item], dict[str, str]]:
    """The items of a labelled file and the label of each; `text_words` > 0 takes so many words of the full text."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    last = max((row["published"] for row in rows if row.get("published")), default="1970-01-01T00:00:00")
    labels = {row["id"]: str(row["cluster"]) for row in rows if "cluster" in row}
    return [_item(row, last, text_words) for row in rows], labels


def cluster(items: Iterable[Item]) -> dict[str, str]:
    """The story of each item, merges followed."""
    clusterer = Clusterer()
    stories: dict[str, str] = {}
    aliases: dict[str, str] = {}
    for batch in batches(items):
        assignment = clusterer.assign(batch, batch[0].first_seen_at)
        stories.update((join.item_id, join.story_id) for join in assignment.joins)
        aliases.update((merge.alias, merge.story_id) for merge in assignment.merges)
    return {item: _follow(story, aliases) for item, story in stories.items()}


def b_cubed(stories: Mapping[str, str], labels: Mapping[str, str]) -> Quality:
    """B-cubed precision and recall of `stories` against `labels`."""
    both = Counter((stories[item], labels[item]) for item in stories)
    per_story, per_label = Counter(stories.values()), Counter(labels[item] for item in stories)
    precision = sum(n * n / per_story[story] for (story, _), n in both.items())
    recall = sum(n * n / per_label[label] for (_, label), n in both.items())
    return Quality(precision / len(stories), recall / len(stories))


def pairwise(stories: Mapping[str, str], labels: Mapping[str, str]) -> Quality:
    """Precision and recall over pairs of items in one story."""
    together = _pairs(Counter((stories[item], labels[item]) for item in stories).values())
    made, true = _pairs(Counter(stories.values()).values()), _pairs(Counter(labels[i] for i in stories).values())
    return Quality(together / made if made else 1.0, together / true if true else 1.0)


def judged(stories: Mapping[str, str], pairs: Iterable[tuple[str, str, bool]]) -> Quality:
    """Precision and recall over pairs of which is known whether they tell one event."""
    found = Counter((stories[one] == stories[other], same) for one, other, same in pairs)
    together, true = found[True, True] + found[True, False], found[True, True] + found[False, True]
    return Quality(found[True, True] / together if together else 1.0, found[True, True] / true if true else 1.0)


def read_pairs(path: Path) -> list[tuple[str, str, bool]]:
    """The judged pairs of a file: two ids and whether both tell one event."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return [(one, other, label == "same") for one, other, label in rows]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--text-words", type=int, default=0, help="words of the full text to use besides the summary")
    parser.add_argument("--pairs", type=Path, help="judged pairs, for a file whose items have no labels")
    options = parser.parse_args(arguments)
    items, labels = read_items(options.file, text_words=options.text_words)
    start = time.perf_counter()
    stories = cluster(items)
    seconds = time.perf_counter() - start
    figures = [("B-cubed", b_cubed(stories, labels)), ("pairwise", pairwise(stories, labels))] if labels else []
    if options.pairs:
        figures.append(("pairs", judged(stories, read_pairs(options.pairs))))
    for name, quality in figures:
        print(f"{name:9} P {quality.precision:.3f}  R {quality.recall:.3f}  F1 {quality.f1:.3f}")
    print(f"{len(items)} items, {len(set(stories.values()))} stories ({len(set(labels.values()))} labelled), "
          f"{len(items) / seconds:,.0f} items/s")


def _item(row: Mapping[str, Any], last: str, text_words: int) -> Item:
    host = row.get("source") or "unknown"
    feed = Feed(short_id(host), f"https://{host}/feed", Source(host, host, host))
    published = datetime.fromisoformat(row.get("published") or last)
    published = published if published.tzinfo else published.replace(tzinfo=UTC)
    text = " ".join(row.get("text", "").split()[:text_words])
    body = (Block("p", text),) if text else ()
    return Item(row["id"], feed, row["id"], row.get("url", ""), row.get("url", ""), row["title"],
                row.get("summary") or "", body, None, None, row.get("lang", "en"),
                published if row.get("published") else None, 0 if row.get("published") else None,
                DateQuality.EXACT if row.get("published") else DateQuality.NONE, published)


def _pairs(sizes: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes)


def _follow(story: str, aliases: Mapping[str, str]) -> str:
    while story in aliases:
        story = aliases[story]
    return story


if __name__ == "__main__":
    main()
