"""Holds stories to pairs of headlines that a reader judged: `python -m bench.pairs STORIES.jsonl PAIRS.tsv`.

STORIES is what `digest replay` wrote; PAIRS has the columns set, label (same, related or diff), tfidf_score, and
outlet, title and link of both. Strict figures: only what a reader called the same may stand together, so a related
pair in one story is a mistake. Beside them stands the best point of the file's TF-IDF column, its threshold chosen with
the labels known. HARD has the columns label, a_title_en, b_title_en and why: its headlines are clustered behind the
titles of STORIES, each as another outlet's item, and each pair is listed.
"""

import argparse
import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.agreement import Quality
from bench.cluster import cluster
from digest.model import DateQuality, Feed, Item, Source, short_id

Row = dict[str, str]
SET = "en-2020-04-23_24"
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One judged pair; `together` is None where an item of it was never seen."""

    row: Row
    together: bool | None

    @property
    def wrong(self) -> bool:
        return self.together is not None and self.together != (self.row["label"] == "same")


def verdicts(stories: Path, rows: Iterable[Row]) -> list[Verdict]:
    """What became of each pair, its items found by link, or by outlet and title."""
    placed: dict[tuple[str, ...], str] = {}
    for line in stories.read_text(encoding="utf-8").splitlines():
        story = json.loads(line)
        for item in story["items"]:
            placed[item["url"],] = placed[item["source"], item["title"]] = story["id"]
    found = []
    for row in rows:
        one, other = (placed.get((row[f"{side}_link"],)) or placed.get((row[f"{side}_outlet"], row[f"{side}_title"]))
                      for side in "ab")
        found.append(Verdict(row, one == other if one and other else None))
    return found


def strict(found: Iterable[Verdict]) -> Quality:
    """Precision and recall of pairs in one story, where only `same` is right."""
    return _quality([(verdict.together is True, verdict.row["label"] == "same") for verdict in found])


def best_threshold(rows: Sequence[Row]) -> tuple[float, Quality]:
    """The threshold of the TF-IDF column with the best F1, and its figures."""
    scored = [(float(row["tfidf_score"]), row["label"] == "same") for row in rows]
    points = [(limit, _quality([(score >= limit, same) for score, same in scored]))
              for limit in sorted({score for score, _ in scored})]
    return max(points, key=lambda point: point[1].f1)


def hard_pairs(stories: Path, rows: Sequence[Row]) -> list[bool]:
    """Whether the headlines of each pair came into one story."""
    background = [item["title"] for line in stories.read_text(encoding="utf-8").splitlines()
                  for item in json.loads(line)["items"]]
    titles = list(dict.fromkeys(row[side] for row in rows for side in ("a_title_en", "b_title_en")))
    items = [_headline(title, f"outlet-{number % 100}", START) for number, title in enumerate(background)]
    items += [_headline(title, f"agency-{number}", START + timedelta(hours=1)) for number, title in enumerate(titles)]
    groups = cluster({item.id: item for item in items}.values())
    story = {item.title: groups[item.id] for item in items[len(background):]}
    return [story[row["a_title_en"]] == story[row["b_title_en"]] for row in rows]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.pairs", description=__doc__.splitlines()[0])
    parser.add_argument("stories", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--set", default=SET, help="the pairs of one archive [%(default)s]")
    parser.add_argument("--hard", type=Path, help="headlines that are hard to tell apart, listed one by one")
    parser.add_argument("--list", action="store_true", help="prints each pair that is wrong")
    options = parser.parse_args(arguments)
    rows = [row for row in _read(options.pairs) if row["set"] == options.set]
    found = verdicts(options.stories, rows)
    limit, column = best_threshold(rows)
    print(f"{len(found)} pairs, unseen {sum(verdict.together is None for verdict in found)}")
    print(f"stories, strict         {strict(found)}")
    print(f"TF-IDF column ≥ {limit:.3f}   {column}")
    for verdict in found:
        if options.list and verdict.wrong:
            print(f"  {verdict.row['label']:8} {verdict.row['a_title'][:70]} | {verdict.row['b_title'][:70]}")
    if options.hard:
        _print_hard(options.stories, _read(options.hard))


def _print_hard(stories: Path, rows: Sequence[Row]) -> None:
    together = hard_pairs(stories, rows)
    right = [same == (row["label"] == "same") for row, same in zip(rows, together, strict=True)]
    print(f"\nhard pairs: {sum(right)} of {len(rows)} as labelled")
    for row, same, fine in zip(rows, together, right, strict=True):
        print(f"  {'right' if fine else 'WRONG'}  {'one story' if same else 'apart':9}  {row['a_title_en'][:60]} | "
              f"{row['b_title_en'][:60]}" + ("" if fine else f"  ({row['label']}: {row['why']})"))


def _quality(pairs: Sequence[tuple[bool, bool]]) -> Quality:
    """Of pairs of (put together, belongs together)."""
    both = sum(made and true for made, true in pairs)
    made, true = sum(made for made, _ in pairs), sum(true for _, true in pairs)
    return Quality(both / made if made else 1.0, both / true if true else 1.0)


def _headline(title: str, source: str, at: datetime) -> Item:
    feed = Feed(short_id(source), f"https://{source}.example/feed", Source(source, source, source))
    return Item(short_id(source, title), feed, title, "", "", title, "", (), None, None, "en", at, 0,
                DateQuality.EXACT, at)


def _read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


if __name__ == "__main__":
    main()
