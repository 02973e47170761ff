"""Polls many feeds of many publishers in one process: `python -m bench.poll`.

The feeds are made up, twenty items each, and served on loopback after a delay such as the internet has; politeness is
that of the settings: one request at a time to each publisher and a pause between two. Prints wall and CPU time, peak
memory of the process and of its largest parser, and the most requests that any publisher saw at one time.
"""

import argparse
import asyncio
import resource
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from bench.ingest import Clock, apart, feeds_of, mirrored
from bench.outlets import Outlet, Street, serving
from digest.fetch.http import HttpFetcher
from digest.parsing import ParserPool
from digest.services.feeds import poll
from digest.settings import PollingSettings
from digest.storage.engine import open_engine
from digest.storage.migrate import migrate

ITEMS = 20
WORDS = ("dam bridge river council vote rail harvest school clinic budget road festival mine border water wheat tram "
         "court museum airport quake snow power bank film chess").split()


@dataclass(frozen=True, slots=True)
class Pass:
    """What one poll of all feeds cost. Seconds; CPU of the process alone; `outcomes` counts them by name."""

    wall: float
    cpu: float
    peak_mb: float
    worker_mb: float
    outcomes: Mapping[str, int]

    def row(self, name: str, feeds: int) -> str:
        outcomes = ", ".join(f"{number} {word}" for word, number in sorted(self.outcomes.items()))
        return (f"{name:14} {self.wall:7.1f} s wall {self.cpu:7.2f} s CPU {1000 * self.cpu / feeds:6.2f} ms a feed "
                f"{self.peak_mb:6.0f} MB {self.worker_mb:6.0f} MB a parser   {outcomes}")


def street(feeds: int, publishers: int, delay_seconds: float) -> dict[str, Outlet]:
    """The outlets of `feeds` hosts that belong to `publishers` registrable domains."""
    now = datetime.now(UTC)
    return {f"part-{number // publishers}.publisher-{number % publishers}.example":
            Outlet(_document(number, now), delay_seconds=delay_seconds) for number in range(feeds)}


def _document(feed: int, now: datetime) -> bytes:
    items = "".join(
        f"<item><title>{_sentence(feed * ITEMS + number, 7)}</title><guid>{feed}-{number}</guid>"
        f"<link>https://post-{feed}.example/{number}</link><description>{_sentence(feed + number, 30)}</description>"
        f"<pubDate>{format_datetime(now - timedelta(minutes=40 * number))}</pubDate></item>" for number in range(ITEMS))
    return f'<rss version="2.0"><channel><title>Post {feed}</title>{items}</channel></rss>'.encode()


def _sentence(seed: int, words: int) -> str:
    return " ".join(WORDS[(seed * 31 + word * (seed % 7 + 3)) % len(WORDS)] for word in range(words)).capitalize()


def polled(port: int, hosts: Sequence[str], settings: PollingSettings) -> list[Pass]:
    """Polls all feeds into an empty database, then once more unchanged."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/poll.sqlite3")
        migrate(engine)
        feeds = feeds_of(hosts)
        mirrored(engine, feeds)
        resolve = {host: ("127.0.0.1", port) for host in hosts}

        async def run() -> dict[str, int]:
            parser = ParserPool(settings.parse_workers, settings.parse_timeout_seconds)
            async with HttpFetcher(settings, user_agent="bench", resolve=resolve) as fetcher:
                try:
                    found = await poll(engine, fetcher, parser, Clock(), settings, feeds, everything=True)
                finally:
                    await parser.close()
            words = [outcome.outcome for outcome in found]
            return {word: words.count(word) for word in set(words)}

        passes = []
        for _ in range(2):
            started, before = time.perf_counter(), time.process_time()
            outcomes = asyncio.run(run())
            worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            wall, cpu = time.perf_counter() - started, time.process_time() - before
            passes.append(Pass(wall, cpu, _peak_mb(), worker, outcomes))
        engine.dispose()
    return passes


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.poll", description=__doc__.splitlines()[0])
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--publishers", type=int, default=300)
    parser.add_argument("--delay", type=float, default=0.1, help="seconds before each answer")
    parser.add_argument("--gap", type=float, default=PollingSettings().host_gap_seconds, help="seconds between two")
    options = parser.parse_args(arguments)
    settings = PollingSettings(host_gap_seconds=options.gap)
    print(f"{options.feeds} feeds of {options.publishers} publishers, {options.delay:g} s to an answer, "
          f"{options.gap:g} s between two to one publisher, {settings.concurrency} at a time")
    with serving(street(options.feeds, options.publishers, options.delay)) as outlets:
        for name, one in zip(("all new", "all unchanged"), apart(polled, outlets.port, outlets.hosts, settings),
                             strict=True):
            print(one.row(name, options.feeds))
        print(_seen(outlets))


def _seen(outlets: Street) -> str:
    seen = outlets.seen()
    return (f"{seen.requests} requests, {seen.unchanged} answered 304; "
            f"most at one time to one publisher: {max(seen.most_at_once.values())}")


if __name__ == "__main__":
    main()
