"""A process that polls feeds once: `hostile_process.py JOB.json`; prints what came of each, times and peak memory.

The job names the database, the feeds by name, and the loopback places of their hosts.
"""

import asyncio
import json
import resource
import sys
import time
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
    started = time.monotonic()
    async with HttpFetcher(SETTINGS, user_agent="RegionDigest/test", resolve=resolve) as fetcher:
        outcomes = await poll(engine, fetcher, parser, Clock(), SETTINGS, configuration.feeds)
    seconds = time.monotonic() - started
    await parser.close()
    with engine.begin() as conn:
        times = {o.feed.source.slug: attempts_of(conn, o.feed.id)[0].milliseconds for o in outcomes}
    return {"outcomes": {o.feed.source.slug: [o.outcome, o.detail] for o in outcomes}, "milliseconds": times,
            "seconds": seconds, "own_kb": _peak_kb(),
            "worker_kb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}


def _peak_kb() -> int:
    """The most memory that this process had; getrusage would count what its parent had when it was made."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(json.loads(Path(sys.argv[1]).read_text())))))
