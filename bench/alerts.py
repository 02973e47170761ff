"""How soon an alert is queued after its item was stored: `python -m bench.alerts`.

Polls 100 made-up feeds of as many publishers, served on loopback with delays such as the internet has, into a database
with 10,000 active rules of 1,000 people, as `digest serve` does. A second connection looks every 10 ms at what has
become visible: items, alerts with their targets, and mails in the ledger. Printed are seconds from an item to the last
of its alerts and of its mails, what the rules cost in memory and to make ready, and the floor of the same run: a poll
of the same feeds without any rule.
"""

import argparse
import asyncio
import random
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from statistics import quantiles

from sqlalchemy import Engine, text

from bench.ingest import Clock, apart, feeds_of, mirrored
from bench.outlets import Outlet, serving
from digest.alert_rules import AlertSpec
from digest.documents import Configuration, Gazetteer
from digest.fetch.http import HttpFetcher
from digest.parsing import ParserPool
from digest.resources import template_texts
from digest.services import alert_rules
from digest.services.alerts import AlertEngine, Context
from digest.services.cycle import Cycle
from digest.services.stories import StoryClusterer
from digest.settings import PollingSettings, Settings
from digest.storage.engine import open_engine, read_only
from digest.storage.migrate import migrate

ITEMS, WORDS_OF_AN_ITEM = 5, 80  # of a feed; so many words need no page
VOCABULARY, COMMON, PEOPLE = 20_000, 300, 1_000
SYLLABLES = "ba ce di fo gu ha ke li mo nu pa re si to vu za".split()
LOOK_SECONDS = 0.01
SHAPES = ("{0} AND {1}", '"{0} {1}"', "{0} NEAR/5 {1}", "SENT({0} AND {1})", "({0} OR {2}) AND {1}", "{0} AND NOT {1}",
          "title:{0} AND {1}", "{0}")


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from items to what came of them, and what else was seen."""

    alerts: list[float]
    mails: list[float]
    items: int
    ready_seconds: float
    poll_seconds: float


def word(number: int) -> str:
    """A made-up word that no stemmer knows."""
    letters = ""
    for _ in range(3):
        number, rest = divmod(number, len(SYLLABLES))
        letters += SYLLABLES[rest]
    return letters + "q" + SYLLABLES[number % len(SYLLABLES)]


def queries(rules: int, seed: int = 8) -> list[str]:
    """Rules of words that are none of the most common ones: of 10,000, an item matches about five."""
    chance = random.Random(seed)
    return [SHAPES[number % len(SHAPES)].format(*(word(chance.randrange(COMMON, VOCABULARY)) for _ in range(3)))
            for number in range(rules)]


def _rank(chance: random.Random) -> int:
    """The rank of a word: the first ones are most of any text, as in language."""
    return min(VOCABULARY - 1, int(VOCABULARY ** chance.random()))


def document(feed: int, now: datetime) -> bytes:
    chance = random.Random(feed)
    items = "".join(
        f"<item><title>{_sentence(chance, 8)}</title><guid>{feed}-{number}</guid>"
        f"<link>https://post-{feed}.example/{number}</link>"
        f"<description>{' '.join(_sentence(chance, 16) for _ in range(WORDS_OF_AN_ITEM // 16))}</description>"
        f"<pubDate>{format_datetime(now - timedelta(minutes=7 * number))}</pubDate></item>" for number in range(ITEMS))
    return f'<rss version="2.0"><channel><title>Post {feed}</title>{items}</channel></rss>'.encode()


def _sentence(chance: random.Random, words: int) -> str:
    return " ".join(word(_rank(chance)) for _ in range(words)).capitalize() + "."


class Watch(threading.Thread):
    """Looks at the database again and again and notes when rows were first seen."""

    def __init__(self, engine: Engine):
        super().__init__(daemon=True)
        self._engine, self.ended = engine, threading.Event()
        self.items: dict[str, float] = {}
        self.alerts: dict[int, tuple[str, float]] = {}
        self.mails: dict[int, float] = {}

    def run(self) -> None:
        while not self.ended.is_set():
            self.look()
            self.ended.wait(LOOK_SECONDS)
        self.look()

    def look(self) -> None:
        with read_only(self._engine) as conn:
            now = time.perf_counter()
            for (item_id,) in conn.execute(text("SELECT id FROM items")):
                self.items.setdefault(item_id, now)
            for alert_id, item_id, bundle_id in conn.execute(text(
                    "SELECT a.id, a.item_id, b.bundle_id FROM alerts a JOIN bundle_alerts b ON b.alert_id = a.id")):
                self.alerts.setdefault(alert_id, (item_id, now))
                if bundle_id is not None:
                    self.mails.setdefault(alert_id, now)


def measure(port: int, hosts: Sequence[str], rules: int, settings: PollingSettings) -> Latency:
    """Polls all feeds once while the rules are active."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/alerts.sqlite3")
        migrate(engine)
        feeds = tuple(replace(feed, language="en") for feed in feeds_of(hosts))
        mirrored(engine, feeds)
        store_rules(engine, rules)
        configuration = Configuration({}, {}, feeds, Gazetteer({}))
        live, context = AlertEngine(engine), Context(Settings(polling=settings), configuration)
        started = time.perf_counter()
        live.fire(context, Clock().now())
        ready = time.perf_counter() - started
        watch = Watch(engine)
        watch.start()
        started = time.perf_counter()
        asyncio.run(_cycle(engine, port, hosts, live, context))
        polled = time.perf_counter() - started
        watch.ended.set()
        watch.join()
        engine.dispose()
    alerts = [at - watch.items[item_id] for item_id, at in watch.alerts.values()]
    mails = [at - watch.items[watch.alerts[alert_id][0]] for alert_id, at in watch.mails.items()]
    return Latency(alerts, mails, len(watch.items), ready, polled)


def store_rules(engine: Engine, rules: int) -> None:
    """Active rules of a thousand people, in one transaction."""
    now = Clock().now() - timedelta(days=1)
    with engine.begin() as conn:
        for number, query in enumerate(queries(rules)):
            alert_rules.add(conn, f"rule {number}", AlertSpec(query=query), f"reader{number % PEOPLE}@example.org", now)


async def _cycle(engine: Engine, port: int, hosts: Sequence[str], live: AlertEngine, context: Context) -> None:
    settings, resolve = context.settings.polling, {host: ("127.0.0.1", port) for host in hosts}
    parser = ParserPool(settings.parse_workers, settings.parse_timeout_seconds)
    async with HttpFetcher(settings, user_agent="bench", resolve=resolve) as fetcher:
        try:
            cycle = Cycle(engine, fetcher, parser, StoryClusterer(engine), Clock(), context.settings, template_texts,
                          "bench", live)
            await cycle.run(context.configuration.feeds, configuration=context.configuration, prompt=True)
        finally:
            await parser.close()


def row(name: str, seconds: Sequence[float]) -> str:
    """Middle, 95th percentile and worst."""
    if len(seconds) < 2:
        return f"{name}: {len(seconds)}"
    marks = quantiles(seconds, n=20)
    return f"{name}: {len(seconds):6}   median {marks[9]:.2f} s   95 % {marks[18]:.2f} s   worst {max(seconds):.2f} s"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.alerts", description=__doc__.splitlines()[0])
    parser.add_argument("--rules", type=int, default=10_000)
    parser.add_argument("--feeds", type=int, default=100)
    parser.add_argument("--delay", type=float, default=0.3, help="seconds before each answer, up to this")
    options = parser.parse_args(arguments)
    settings = PollingSettings(host_gap_seconds=0)
    now = datetime.now(UTC)
    chance = random.Random(1)
    outlets: Mapping[str, Outlet] = {
        f"post-{number}.example": Outlet(document(number, now), delay_seconds=options.delay * chance.random())
        for number in range(options.feeds)}
    with serving(outlets) as street:
        found: Latency = apart(measure, street.port, street.hosts, options.rules, settings)
        bare: Latency = apart(measure, street.port, street.hosts, 0, settings)
    print(f"{options.rules} rules, {options.feeds} feeds, {found.items} items; rules made ready in "
          f"{found.ready_seconds:.1f} s")
    print(row("item stored to alert queued for its targets", found.alerts))
    print(row("item stored to mail in the ledger          ", found.mails))
    print(f"the poll took {found.poll_seconds:.1f} s, without rules {bare.poll_seconds:.1f} s")


if __name__ == "__main__":
    main()
