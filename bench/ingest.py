"""Polls recorded feeds to storage beside reader and beside bare fetching: `python -m bench.ingest`.

Every document of FOLDER is served on loopback under a host of its own, to all three in the same run:
- bare: aiohttp fetches the bytes, and nothing is done with them;
- ours: `digest poll`'s own function, from claim to commit, with no pause between hosts;
- reader (PyPI): `update_feeds_iter`, with as many workers as we poll at a time.
Each reads into an empty database, then once more unchanged: answers of 304, and equal documents without validators.
CPU counts the process and its parsers, which run already as they do in a service; the outlets run in a process of their
own. Best of several rounds, by wall time. Stages are then run alone, to see where the time goes.
"""

import argparse
import asyncio
import multiprocessing
import os
import socket
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import Engine

from bench.outlets import Outlet, Street, serving
from digest.documents import Configuration, Gazetteer, read_configuration
from digest.errors import ParseError
from digest.fetch.http import HttpFetcher
from digest.model import Feed
from digest.parsing import ParserPool
from digest.pipeline.normalise import normalise_document
from digest.pipeline.parse import parse_feed
from digest.services.feeds import poll
from digest.settings import PollingSettings
from digest.storage import config as config_storage
from digest.storage.engine import open_engine
from digest.storage.migrate import migrate

FOLDERS = (Path(os.environ.get("DIGEST_SHARED", "../shared")) / "data" / "feeds",)
CONCURRENCY = 16
FIRST = b"""<rss><channel><item><title>La presa del norte abre sus compuertas tras las lluvias</title></item></channel>
</rss>"""  # its language is told by the model alone
LOADING_SECONDS = 60.0  # for the model, on a machine that is busy
WARM = 2  # feeds that both poll beforehand, so that neither pays for what a service that runs has done long ago


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall and CPU seconds of one pass over all feeds, and how many brought items."""

    wall: float
    cpu: float
    read: int

    def row(self, name: str, feeds: int) -> str:
        return (f"{name:28} {self.wall:7.2f} s  {self.cpu:6.2f} s CPU  {feeds / self.wall:7,.0f} feeds/s  "
                f"{1000 * self.cpu / feeds:6.2f} ms CPU a feed  {self.read} read")


def documents(folder: Path) -> dict[str, bytes]:
    """The documents of a folder by made-up host, each of a registrable domain of its own."""
    files = sorted(path for path in folder.iterdir() if path.suffix in {".xml", ".json"})
    return {f"outlet-{number}.example": path.read_bytes() for number, path in enumerate(files)}


def feeds_of(hosts: Sequence[str]) -> tuple[Feed, ...]:
    """A source with one feed for each host."""
    text = "".join(f'[[sources]]\nslug = "{host.removesuffix(".example").replace(".", "-")}"\nname = "{host}"\n'
                   f'[[sources.feeds]]\nurl = "http://{host}/feed"\n' for host in hosts)
    return read_configuration({"sources/bench.toml": text}).feeds


def mirrored(engine: Engine, feeds: Sequence[Feed]) -> None:
    """Makes the feeds known to the database."""
    sources = {feed.source.slug: feed.source for feed in feeds}
    with engine.begin() as conn:
        config_storage.mirror(conn, Configuration({}, sources, tuple(feeds), Gazetteer({})), Clock().now())


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def measured(work: Callable[[], int]) -> Cost:
    """What a piece of work costs in this process and those of its children that live on."""
    before, started = cpu_seconds(), time.perf_counter()
    read = work()
    return Cost(time.perf_counter() - started, cpu_seconds() - before, read)


def cpu_seconds() -> float:
    """CPU time of this process and its living children since they began."""
    ticks = os.sysconf("SC_CLK_TCK")
    children = [Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
                for child in multiprocessing.active_children()]
    return time.process_time() + sum(int(stat[11]) + int(stat[12]) for stat in children) / ticks


async def warmed(settings: PollingSettings, feed: Feed) -> ParserPool:
    """Parsers that have started and loaded what they need, as they have in a service that runs."""
    pool = ParserPool(settings.parse_workers, LOADING_SECONDS)
    now = Clock().now()
    await asyncio.gather(*(pool.read(FIRST, None, feed.url, feed, now) for _ in range(settings.parse_workers)))
    return pool


def apart(work: Callable[..., Any], *arguments: Any) -> Any:
    """The result of `work` in a fresh process, so that nobody pays or profits for another's imports and caches."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_send, args=(theirs, work, arguments))
    process.start()
    theirs.close()
    result = ours.recv()
    process.join()
    return result


def _send(pipe: Any, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    pipe.send(work(*arguments))


def bare(street: Mapping[str, Any]) -> list[Cost]:
    """Fetching alone, once."""

    async def run() -> int:
        gate = asyncio.Semaphore(CONCURRENCY)
        async with aiohttp.ClientSession() as session:

            async def one(host: str) -> int:
                async with gate, session.get(f"http://127.0.0.1:{street['port']}/", headers={"Host": host}) as answer:
                    return len(await answer.read()) > 0

            return sum(await asyncio.gather(*(one(host) for host in street["hosts"])))

    return [measured(lambda: asyncio.run(run()))]


def ours(street: Mapping[str, Any], passes: int) -> list[Cost]:
    """Polls into an empty database but for the warm-up, then again so many times less one."""
    hosts = street["hosts"]
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/ours.sqlite3")
        migrate(engine)
        feeds = feeds_of(hosts)
        mirrored(engine, feeds)
        settings = PollingSettings(host_gap_seconds=0, concurrency=CONCURRENCY)
        resolve = {host: ("127.0.0.1", street["port"]) for host in hosts}

        async def run() -> list[Cost]:
            pool, costs = await warmed(settings, feeds[0]), []
            async with HttpFetcher(settings, user_agent="bench", resolve=resolve) as fetcher:
                await poll(engine, fetcher, pool, Clock(), settings, feeds[:WARM])
                for _ in range(passes):
                    before, started = cpu_seconds(), time.perf_counter()
                    found = await poll(engine, fetcher, pool, Clock(), settings, feeds, everything=True)
                    read = sum(outcome.entries > 0 for outcome in found)
                    costs.append(Cost(time.perf_counter() - started, cpu_seconds() - before, read))
            await pool.close()
            return costs

        costs = asyncio.run(run())
        engine.dispose()
        return costs


def peer(street: Mapping[str, Any], passes: int) -> list[Cost]:
    """reader into an empty database, then again so many times less one. Its names are resolved as ours are."""
    from reader import make_reader

    _resolve_here(street["port"])
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        reader = make_reader(f"{folder}/reader.sqlite")
        for host in street["hosts"]:
            reader.add_feed(f"http://{host}/feed")

        for feed in list(reader.get_feeds())[:WARM]:
            reader.update_feed(feed)
        costs = [measured(lambda: sum(
            not isinstance(result.value, Exception)
            for result in reader.update_feeds_iter(workers=CONCURRENCY, scheduled=False))) for _ in range(passes)]
        reader.close()
        return costs


def _resolve_here(port: int) -> None:
    """Lets every name of this process lead to the outlets."""
    socket.getaddrinfo = lambda *_, **__: [  # type: ignore[assignment]
        (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.ingest", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDERS[0], help="of .xml and .json documents")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int, help="take so many documents alone")
    options = parser.parse_args(arguments)
    bodies = dict(list(documents(options.folder).items())[: options.limit])
    print(f"{len(bodies)} feeds, {sum(map(len, bodies.values())) / 1e6:.1f} MB; best of {options.rounds} rounds")
    best = _best(bodies, options.rounds)
    for name, cost in best.items():
        print(cost.row(name, len(bodies)))
    for line in stages(bodies, best["ours"]):
        print(line)
    if "reader" not in best:
        print("reader is not installed (requirements-bench.lock)")
        return
    print(f"ours is {best['reader'].wall / best['ours'].wall:.1f}x as fast as reader (CPU: "
          f"{best['reader'].cpu / best['ours'].cpu:.1f}x) and takes "
          f"{best['ours'].wall / best['bare fetching'].wall:.1f}x the time of bare fetching")


def stages(bodies: Mapping[str, bytes], whole: Cost) -> Iterator[str]:
    """CPU of parsing and of normalising alone, and what is left of the whole for fetching, storing and moving data."""
    feeds = {feed.url: feed for feed in feeds_of(list(bodies))}
    now, parsed = Clock().now(), []
    normalise_document(parse_feed(FIRST, None, ""), next(iter(feeds.values())), now=now)
    began = time.process_time()
    for host, body in bodies.items():
        with suppress(ParseError):
            parsed.append((parse_feed(body, "application/xml", f"http://{host}/feed"), feeds[f"http://{host}/feed"]))
    middle = time.process_time()
    for document, feed in parsed:
        normalise_document(document, feed, now=now)
    ended = time.process_time()
    parse, normalise = middle - began, ended - middle
    yield (f"of its CPU: parse {parse:.2f} s ({parse / whole.cpu:.0%}), normalise {normalise:.2f} s "
           f"({normalise / whole.cpu:.0%}), fetch, store and the rest {whole.cpu - parse - normalise:.2f} s")


def _best(bodies: Mapping[str, bytes], rounds: int) -> dict[str, Cost]:
    found: dict[str, list[Cost]] = {}
    with serving({host: Outlet(body) for host, body in bodies.items()}) as tagged:
        with serving({host: Outlet(body, validators=False) for host, body in bodies.items()}) as plain:
            for _ in range(rounds):
                for name, cost in _round(_plain(tagged), _plain(plain)):
                    found.setdefault(name, []).append(cost)
    return {name: min(costs, key=lambda cost: cost.wall) for name, costs in found.items()}


def _plain(street: Street) -> dict[str, Any]:
    return {"port": street.port, "hosts": street.hosts}


def _round(tagged: Mapping[str, Any], plain: Mapping[str, Any]) -> Iterator[tuple[str, Cost]]:
    yield "bare fetching", apart(bare, tagged)[0]
    first, again = apart(ours, tagged, 2)
    yield "ours", first
    yield "ours, answers of 304", again
    yield "ours, equal documents", apart(ours, plain, 2)[1]
    if find_spec("reader"):
        first, again = apart(peer, tagged, 2)
        yield "reader", first
        yield "reader, answers of 304", again


if __name__ == "__main__":
    main()
