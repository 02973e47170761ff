"""One turn of the work between polls and mail: poll → cluster tick → alerts. Safe to run twice, late or in two processes."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from digest.model import Feed
from digest.parsing import ParserPool
from digest.ports import Clock, Fetcher
from digest.services import alerts
from digest.services.feeds import PollOutcome, poll
from digest.services.stories import StoryClusterer, TickReport
from digest.settings import Settings


@dataclass(frozen=True, slots=True)
class CycleReport:
    """What one cycle did. `alerts` counts alerts that were queued for mail."""

    outcomes: tuple[PollOutcome, ...]
    tick: TickReport
    alerts: int


async def run_cycle(
    engine: Engine,
    fetcher: Fetcher,
    parser: ParserPool,
    clusterer: StoryClusterer,
    clock: Clock,
    settings: Settings,
    feeds: Sequence[Feed],
    *,
    holder: str,
    everything: bool = False,
    on_outcome: Callable[[PollOutcome], None] | None = None,
) -> CycleReport:
    """Polls those of `feeds` that are due (`everything`: all), assigns new items to stories, queues alerts.

    Steps:
    1. poll: each feed in a transaction of its own;
    2. tick: the holder of the clusterer lease assigns every unassigned item;
    3. fire: story events after the alerts' cursor become alerts and queued deliveries. Nothing is sent here.
    """
    outcomes = await poll(engine, fetcher, parser, clock, settings.polling, feeds,
                          everything=everything, on_outcome=on_outcome)
    tick = await asyncio.to_thread(clusterer.tick, clock.now(), holder)
    fired = await asyncio.to_thread(alerts.fire, engine, settings=settings, now=clock.now())
    return CycleReport(tuple(outcomes), tick, fired.alerts)
