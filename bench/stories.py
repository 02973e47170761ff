"""What a cluster tick costs on a large archive: `python -m bench.stories`.

Makes up an archive on SQLite whose newest items are live, then times in CPU milliseconds: a tick that finds nothing to
do, beside the anti-join over the archive that a tick without marks needs; the first tick of a process, which reads
the window; and the ticks after it, with new items each.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, text

from digest.documents import read_configuration
from digest.model import DateQuality, Feed, Item, Join, short_id
from digest.services.stories import StoryClusterer
from digest.storage.config import mirror
from digest.storage.engine import open_engine, read_only
from digest.storage.items import store_all
from digest.storage.migrate import migrate
from digest.storage.stories import record_joins

START = datetime(2026, 1, 1, tzinfo=UTC)
APART = timedelta(seconds=26)  # between two items: 10,000 of them in 72 hours
OUTLETS = 40
SEEDED = 7
WORDS = 20_000
TITLE_WORDS, SUMMARY_WORDS, EVENT_WORDS = 9, 30, 16
CHUNK = 1000
SOURCES = "".join(f'[[sources]]\nslug = "outlet-{n}"\nname = "Outlet {n}"\n[[sources.feeds]]\n'
                  f'url = "https://outlet-{n}.example/feed"\n' for n in range(OUTLETS))
ANTI_JOIN = ("SELECT items.id FROM items LEFT JOIN story_items ON story_items.item_id = items.id "
             "WHERE story_items.item_id IS NULL LIMIT 1")


@dataclass(frozen=True, slots=True)
class Figures:
    """CPU milliseconds; `tick` for one item of a running process."""

    idle: float
    anti_join: float
    plan: str
    restore: float
    tick: float
    live: int


def measure(engine: Engine, items: int, live: int, batch: int, ticks: int) -> Figures:
    """The figures for an archive of so many items of which so many are live; ticks bring `batch` items each."""
    _mirror(engine)
    stream = _stream()
    _fill(engine, [next(stream) for _ in range(items)], live)
    clusterer = StoryClusterer(engine)
    idle = _milliseconds(lambda: clusterer.tick(START, "bench"), 100)
    with read_only(engine) as conn:
        anti_join = _milliseconds(lambda: conn.execute(text(ANTI_JOIN)).all(), 5)
        plan = "; ".join(row.detail for row in conn.execute(text(
            "EXPLAIN QUERY PLAN SELECT item_id FROM items_without_story LIMIT 1")))
    costs = []
    for _ in range(ticks + 1):
        new = [next(stream) for _ in range(batch)]
        at = new[-1].first_seen_at
        _store(engine, [replace(item, first_seen_at=at) for item in new])
        costs.append(_milliseconds(partial(clusterer.tick, at, "bench"), 1))
    return Figures(idle, anti_join, plan, costs[0], sum(costs[1:]) / (ticks * batch), live)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.stories", description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--live", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=100, help="new items of a tick")
    parser.add_argument("--ticks", type=int, default=20)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'bench.sqlite3'}")
        migrate(engine)
        found = measure(engine, options.items, options.live, options.batch, options.ticks)
        engine.dispose()
    print(f"{options.items:,} items, {found.live:,} of them live; milliseconds of CPU")
    print(f"tick without new items     {found.idle:8.2f}   ({found.plan})")
    print(f"the anti-join it replaces  {found.anti_join:8.2f}")
    print(f"first tick of a process    {found.restore:8.0f}   (reads the window, {options.batch} new items)")
    print(f"each item of later ticks   {found.tick:8.3f}   ({1000 / found.tick:,.0f} items/s, stored and committed)")


def _fill(engine: Engine, items: Sequence[Item], live: int) -> None:
    """Stores items; each old one is a story of its own, live ones stand in the stories of their events."""
    old = len(items) - live
    founders: dict[str, str] = {}
    for start in range(0, len(items), CHUNK):
        chunk = items[start:start + CHUNK]
        _store(engine, chunk)
        joins = []
        for number, item in enumerate(chunk, start):
            story = item.id if number < old else founders.setdefault(item.title.split()[0], item.id)
            joins.append(Join(item.id, story, item.first_seen_at, 0.0, {}))
        with engine.begin() as conn:
            record_joins(conn, joins)


def _mirror(engine: Engine) -> None:
    with engine.begin() as conn:
        mirror(conn, read_configuration({"sources/bench.toml": SOURCES}), START)


def _store(engine: Engine, items: Sequence[Item]) -> None:
    by_feed: dict[str, list[Item]] = {}
    for item in items:
        by_feed.setdefault(item.feed.id, []).append(item)
    with engine.begin() as conn:
        store_all(conn, [(own[0].feed, own) for own in by_feed.values()], items[-1].first_seen_at)


def _stream() -> Iterator[Item]:
    """Made-up items: events told by one to six outlets, with words of the event among common ones."""
    chance = random.Random(SEEDED)
    feeds = read_configuration({"sources/bench.toml": SOURCES}).feeds
    number = 0
    while True:
        event = [f"w{chance.randrange(WORDS)}x" for _ in range(EVENT_WORDS)]
        for feed in chance.sample(feeds, chance.choice((1, 1, 1, 2, 3, 6))):
            yield _item(feed, number, event, chance)
            number += 1


def _item(feed: Feed, number: int, event: Sequence[str], chance: random.Random) -> Item:
    def told(length: int) -> str:
        own = chance.sample(event, length // 2)
        return " ".join([*own, *(f"c{int(chance.paretovariate(0.6)) % WORDS}z" for _ in range(length - len(own)))])

    title = f"{event[0]} {told(TITLE_WORDS)}"
    seen, url = START + number * APART, f"https://{feed.source.slug}.example/{number}"
    return Item(short_id(feed.id, str(number)), feed, str(number), url, url, title, told(SUMMARY_WORDS), (), None, None,
                "en", seen, 0, DateQuality.EXACT, seen)


def _milliseconds(work: Callable[[], object], times: int) -> float:
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) * 1000 / times


if __name__ == "__main__":
    main()
