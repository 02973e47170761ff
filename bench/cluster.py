"""Clusters labelled items and prints how well: `python -m bench.cluster FILE.jsonl`.

Each line of FILE is a JSON object with id, title, source and, where known, published, cluster (the label), url,
summary, text, lang. PAIRS holds lines of first_id, second_id and same or diff under a heading. Items come in order of
publication, undated ones last, with their time unknown; labels are only compared with, never consulted.

With --peers the figures of other methods follow, over the same words in the same run; with --scale a stream of N items
over 30 days, made from the file's words, is clustered and timed for every 10,000 items.
"""

import argparse
import json
import resource
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from bench.agreement import Quality, adjusted_rand, b_cubed, judged, pairwise
from bench.cluster_peers import Groups, peers
from bench.cluster_stream import stream
from digest.documents import read_configuration
from digest.model import Block, DateQuality, Feed, Item, Source, short_id
from digest.pipeline.cluster import Clusterer
from digest.pipeline.cluster_document import batches, document
from digest.services.config import packaged_gazetteer
from digest.text.names import Names

DAYS = 30
STEP = 10_000


def read_items(path: Path, *, text_words: int = 0) -> tuple[list[Item], dict[str, str]]:
    """The items of a labelled file and the label of each; `text_words` > 0 takes so many words of the full text."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    last = max((row["published"] for row in rows if row.get("published")), default="1970-01-01T00:00:00")
    labels = {row["id"]: str(row["cluster"]) for row in rows if "cluster" in row}
    return [_item(row, last, text_words) for row in rows], labels


def cluster(items: Iterable[Item], clusterer: Clusterer | None = None) -> Groups:
    """The story of each item, merges followed."""
    clusterer = clusterer or Clusterer(shipped_names())
    stories: Groups = {}
    aliases: dict[str, str] = {}
    for batch in batches(items):
        assignment = clusterer.assign(batch, batch[0].first_seen_at)
        stories.update((join.item_id, join.story_id) for join in assignment.joins)
        aliases.update((merge.alias, merge.story_id) for merge in assignment.merges)
    return {item: _follow(story, aliases) for item, story in stories.items()}


@cache
def shipped_names() -> Names:
    """The names of the gazetteer that the product ships, as an instance has them by default."""
    return read_configuration({}, packaged_gazetteer()).names


def read_pairs(path: Path) -> list[tuple[str, str, bool]]:
    """The judged pairs of a file: two ids and whether both tell one event."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return [(one, other, label == "same") for one, other, label in rows]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--text-words", type=int, default=0, help="words of the full text to use besides the summary")
    parser.add_argument("--pairs", type=Path, help="judged pairs, for a file whose items have no labels")
    parser.add_argument("--assignments", type=Path, metavar="OUT", help="writes each item's id and story as JSON lines")
    parser.add_argument("--peers", action="store_true", help="prints other methods' figures too")
    parser.add_argument("--scale", type=int, metavar="N", help="times N made-up items over 30 days")
    options = parser.parse_args(arguments)
    items, labels = read_items(options.file, text_words=options.text_words)
    if options.scale:
        _scale(items, options.scale)
        return
    pairs = read_pairs(options.pairs) if options.pairs else []
    clusterer = Clusterer(shipped_names())
    start = time.process_time()
    stories = cluster(items, clusterer)
    seconds = time.process_time() - start
    for name, figure in _figures(stories, labels, pairs):
        print(f"{name:9} {figure}")
    print(f"{len(items)} items, {len(set(stories.values()))} stories ({len(set(labels.values()))} labelled), "
          f"{len(items) / seconds:,.0f} items/s of CPU time, {_memory():,.0f} MB at most")
    if options.assignments:
        lines = [json.dumps({"id": item.id, "story": stories[item.id]}) for item in items]
        options.assignments.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if options.peers:
        _peers(items, stories, seconds, labels, pairs)


def _figures(
    stories: Groups, labels: Mapping[str, str], pairs: Sequence[tuple[str, str, bool]]
) -> list[tuple[str, Quality | str]]:
    figures: list[tuple[str, Quality | str]] = []
    if labels:
        figures += [("B-cubed", b_cubed(stories, labels)), ("pairwise", pairwise(stories, labels)),
                    ("ARI", f"{adjusted_rand(stories, labels):.3f}")]
    if pairs:
        figures.append(("pairs", judged(stories, pairs)))
    return figures


def _peers(
    items: Sequence[Item], ours: Groups, seconds: float, labels: Mapping[str, str],
    pairs: Sequence[tuple[str, str, bool]],
) -> None:
    """The table of methods: each with its best threshold for this set, by the first figure."""
    print(f"\n{'method':32} {'items/s':>8}  {'best at':10} figures")
    _row("this clusterer", len(items) / seconds, "defaults", _figures(ours, labels, pairs))
    documents = [document(item) for batch in batches(items) for item in batch]
    for peer in peers():
        if peer.missing:
            print(f"{peer.name:32} absent: {peer.missing} of requirements-bench.lock is not installed")
            continue
        start = time.process_time()
        tried = list(peer.group(documents))
        spent = (time.process_time() - start) / len(tried)  # what settings have in common is shared out among them
        setting, figures = max(((setting, _figures(groups, labels, pairs)) for setting, groups in tried),
                               key=lambda one: _first_f1(one[1]))
        _row(peer.name, len(items) / spent, setting, figures)


def _first_f1(figures: Sequence[tuple[str, Quality | str]]) -> float:
    return next((figure.f1 for _, figure in figures if isinstance(figure, Quality)), 0.0)


def _row(name: str, speed: float, setting: str, figures: Sequence[tuple[str, Quality | str]]) -> None:
    shown = "; ".join(f"{label} {figure}" for label, figure in figures)
    print(f"{name:32} {speed:8,.0f}  {setting:10} {shown}")


def _scale(recorded: Sequence[Item], count: int) -> None:
    """Clusters the made-up stream, and prints items per second of CPU time as it grows."""
    items = stream(recorded, count, DAYS)
    clusterer = Clusterer(shipped_names())
    done, since, start = 0, 0, time.process_time()
    first = start
    for batch in batches(items):
        clusterer.assign(batch, batch[0].first_seen_at)
        done += len(batch)
        if done - since >= STEP or done == len(items):
            now = time.process_time()
            print(f"{done:8,} items  {(done - since) / (now - start):7,.0f} items/s  {clusterer.live_items:7,} live",
                  flush=True)
            since, start = done, now
    print(f"{len(items):8,} items  {len(items) / (time.process_time() - first):7,.0f} items/s in all, "
          f"{_memory():,.0f} MB at most")


def _memory() -> float:
    """The peak of resident memory, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _item(row: Mapping[str, Any], last: str, text_words: int) -> Item:
    host = row.get("source") or "unknown"
    feed = Feed(short_id(host), f"https://{host}/feed", Source(host, host, host))
    published = datetime.fromisoformat(row.get("published") or last)
    published = published if published.tzinfo else published.replace(tzinfo=UTC)
    text = " ".join((row.get("text") or "").split()[:text_words])
    body = (Block("p", text),) if text else ()
    return Item(row["id"], feed, row["id"], row.get("url", ""), row.get("url", ""), row["title"],
                row.get("summary") or "", body, None, None, row.get("lang", "en"),
                published if row.get("published") else None, 0 if row.get("published") else None,
                DateQuality.EXACT if row.get("published") else DateQuality.NONE, published)


def _follow(story: str, aliases: Mapping[str, str]) -> str:
    while story in aliases:
        story = aliases[story]
    return story


if __name__ == "__main__":
    main()
