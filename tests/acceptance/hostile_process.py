"""A process that polls feeds once: `hostile_process.py JOB.json`; prints what came of each, times and peak memory.

The job names the database, the feeds by name, and the loopback places of their hosts.
"""

import asyncio
import json
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from digest.documents import read_configuration
from digest.fetch.http import HttpFetcher
from digest.parsing import ParserPool
from digest.services.feeds import poll
from digest.settings import PollingSettings
from digest.storage import config as config_storage
from digest.storage.engine import open_engine
from digest.storage.feeds import attempts_of
from digest.storage.migrate import migrate

WATCHED_EVERY = 0.05  # seconds
SETTINGS = PollingSettings(timeout_seconds=4, parse_timeout_seconds=3, host_gap_seconds=0)


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


async def run(job: dict[str, Any]) -> dict[str, Any]:
    engine = open_engine(job["database"])
    migrate(engine)
    text = "".join(f'[[sources]]\nslug = "{name}"\nname = "{name}"\n[[sources.feeds]]\nurl = "{url}"\n'
                   for name, url in job["feeds"].items())
    configuration = read_configuration({"sources/hostile.toml": text})
    with engine.begin() as conn:
        config_storage.mirror(conn, configuration, Clock().now())
    resolve = {host: (address, port) for host, (address, port) in job["resolve"].items()}
    parser = ParserPool(SETTINGS.parse_workers, SETTINGS.parse_timeout_seconds)
    started, memory = time.monotonic(), Memory()
    memory.start()
    async with HttpFetcher(SETTINGS, user_agent="RegionDigest/test", resolve=resolve) as fetcher:
        outcomes = await poll(engine, fetcher, parser, Clock(), SETTINGS, configuration.feeds)
    seconds = time.monotonic() - started
    memory.ended.set()
    memory.join()
    await parser.close()
    with engine.begin() as conn:
        times = {o.feed.source.slug: attempts_of(conn, o.feed.id)[0].milliseconds for o in outcomes}
    return {"outcomes": {o.feed.source.slug: [o.outcome, o.detail] for o in outcomes}, "milliseconds": times,
            "seconds": seconds, "own_kb": memory.own_kb, "worker_kb": memory.worker_kb}


class Memory(threading.Thread):
    """Watches how much memory this process takes, and the largest of those below it; what is shared counts in part."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ended = threading.Event()
        self.own_kb = self.worker_kb = 0

    def run(self) -> None:
        while not self.ended.wait(WATCHED_EVERY):
            own, *others = (_memory_kb(process) for process in _family(Path("/proc/self")))
            self.own_kb, self.worker_kb = max(self.own_kb, own), max(self.worker_kb, *others, 0)


def _family(process: Path) -> list[Path]:
    """A process and all that it began, and they."""
    found = [process]
    with suppress(OSError):  # it has ended
        for task in (process / "task").iterdir():
            for child in (task / "children").read_text().split():
                found += _family(Path("/proc") / child)
    return found


def _memory_kb(process: Path) -> int:
    """The memory of a process, with its part of what it shares; 0 where it has ended."""
    with suppress(OSError, ValueError):
        return int((process / "smaps_rollup").read_text().partition("\nPss:")[2].split()[0])
    return 0


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(json.loads(Path(sys.argv[1]).read_text())))))
