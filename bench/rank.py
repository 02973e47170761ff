"""How well the order of an edition foresees the day after it: python -m bench.rank ARCHIVE_DIR [--newsletter FILE]

Replays a recorded archive. At the cut-off of each edition its candidates are put in order by the product's score and
by three plain rules; what is right is told by the 24 hours after the cut-off: a story's gain is the number of source
families that carry it then. Printed is NDCG@12 of each order (Järvelin and Kekäläinen 2002, gain / log2(rank + 1),
1 for the best order possible), for each edition and as their mean:

- ours       the score of `digest.pipeline.rank`;
- edition    the stories in the order of the edition itself, after caps and variety;
- newest     what was told last goes first;
- sources    what most source families have told goes first, of equals the newest;
- hn         Hacker News: (sources − 1)^0.8 / (hours since first told + 2)^1.8, of equals the newest.

An edition without a recorded day after it, or none of whose stories went on, is left out.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from math import log2
from pathlib import Path

from digest.app import ArchiveApp, open_archive
from digest.pipeline.pool import EditionInputs, fill, told_at
from digest.pipeline.rank import Ranked, rank
from digest.services import editions
from digest.services.replay import ReplayedEdition, replay
from digest.storage import stories as story_storage
from digest.storage.engine import read_only

DEPTH = 12
AFTER = timedelta(hours=24)
HOUR = timedelta(hours=1)
Order = Sequence[str]  # story ids, best first


@dataclass(frozen=True, slots=True)
class Judged:
    """One edition: NDCG@12 by the name of the order, and how many candidates there were."""

    date: str
    candidates: int
    scores: Mapping[str, float]


def ndcg(order: Order, gains: Mapping[str, int], depth: int = DEPTH) -> float:
    """Normalised discounted cumulative gain of the first `depth`, 0 to 1; 0 where nothing has a gain."""
    best = _dcg(sorted(gains.values(), reverse=True)[:depth])
    return _dcg([gains.get(story_id, 0) for story_id in order[:depth]]) / best if best else 0.0


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def orders(ranked: Sequence[Ranked], cutoff: datetime) -> dict[str, Order]:
    """The candidates in the order of each rule; equals go by story id in the end."""
    def by(key: Callable[[Ranked], tuple[float, ...]]) -> Order:
        return [one.id for one in sorted(ranked, key=lambda r: (*(-value for value in key(r)), r.id))]

    def newest(one: Ranked) -> float:
        return max(told_at(item) for item in one.candidate.own_items).timestamp()

    def sources(one: Ranked) -> int:
        return len(one.candidate.families)

    def hacker_news(one: Ranked) -> float:
        first = min(told_at(item) for item in one.candidate.story.items)
        return float((sources(one) - 1) ** 0.8 / (max(0.0, (cutoff - first) / HOUR) + 2) ** 1.8)

    return {
        "ours": [one.id for one in ranked],
        "newest": by(lambda r: (newest(r),)),
        "sources": by(lambda r: (sources(r), newest(r))),
        "hn": by(lambda r: (hacker_news(r), newest(r))),
    }


def judge(app: ArchiveApp, edition: ReplayedEdition) -> Judged | None:
    """The orders of one edition; None where no day after it was recorded or none of its stories went on."""
    (newsletter,) = app.configuration.newsletters.values()
    with read_only(app.engine) as conn:
        stored = editions.stored_edition(conn, newsletter.slug, edition.date)
        if stored is None or stored.cutoff_at + AFTER > app.archive.last:
            return None
        cutoff = stored.cutoff_at
        inputs: EditionInputs = editions.inputs_of(
            conn, app.configuration, newsletter, app.settings.site, now=cutoff, date=edition.date)
        ranked = rank(fill(inputs), inputs)
        gains: dict[str, int] = {}
        for one in ranked:
            later = story_storage.story_by_id(conn, one.id, at=cutoff + AFTER)
            gains[one.id] = len({item.feed.source.family for item in later.items if item.first_seen_at > cutoff})
    if not any(gains.values()):
        return None
    told = orders(ranked, cutoff)
    view = edition.view
    shown = [story.id for section in view.sections for story in section.stories]
    told["edition"] = [*([view.lead.id] if view.lead else []), *shown]
    return Judged(edition.date.isoformat(), len(ranked), {name: ndcg(order, gains) for name, order in told.items()})


def run(archive: Path, newsletter_file: Path | None) -> list[Judged]:
    """Replays the archive and judges its editions."""
    with tempfile.TemporaryDirectory() as out, open_archive(None, archive, newsletter_file) as app:
        end = datetime.combine(app.archive.last.date(), time.max, tzinfo=UTC)

        async def work() -> tuple[ReplayedEdition, ...]:
            async with app.cycle() as cycle:
                report = await replay(cycle, app.clock, app.configuration, Path(out), start=app.archive.first, end=end)
                return report.editions

        return [judged for edition in asyncio.run(work()) if (judged := judge(app, edition))]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.rank", description=__doc__.splitlines()[0])
    parser.add_argument("archives", nargs="+", type=Path, metavar="ARCHIVE_DIR")
    parser.add_argument("--newsletter", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    names = ("ours", "edition", "newest", "sources", "hn")
    for archive in options.archives:
        judged = run(archive, options.newsletter)
        print(f"{archive.name}: NDCG@{DEPTH}\n{'':12}{'stories':>8}" + "".join(f"{name:>9}" for name in names))
        for one in judged:
            print(f"{one.date:12}{one.candidates:8}" + "".join(f"{one.scores[name]:9.3f}" for name in names))
        means = [sum(one.scores[name] for one in judged) / max(1, len(judged)) for name in names]
        print(f"{'mean':12}{'':8}" + "".join(f"{mean:9.3f}" for mean in means))


if __name__ == "__main__":
    main()
