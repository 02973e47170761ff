"""One turn of the work between polls and mail: poll → article text → cluster tick → alerts.

Safe to run twice, late or in two processes.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from digest.documents import Configuration
from digest.model import Feed
from digest.parsing import ParserPool
from digest.ports import Clock, Fetcher
from digest.services.alerts import AlertEngine, Context
from digest.services.articles import PageReport, fetch_articles
from digest.services.feeds import PollOutcome, poll
from digest.services.stories import StoryClusterer, TickReport
from digest.settings import Settings


@dataclass(frozen=True, slots=True)
class CycleReport:
    """What one turn did. `alerts` counts alerts that were queued for mail."""

    outcomes: tuple[PollOutcome, ...]
    tick: TickReport
    alerts: int
    pages: PageReport


@dataclass(frozen=True, slots=True)
class Cycle:
    """What a turn needs. `holder` names this process in leases."""

    engine: Engine
    fetcher: Fetcher
    parser: ParserPool
    clusterer: StoryClusterer
    clock: Clock
    settings: Settings
    templates: Callable[[], Mapping[str, str]]
    holder: str
    alerts: AlertEngine

    async def run(
        self,
        feeds: Sequence[Feed],
        *,
        configuration: Configuration,
        zone: str = "UTC",
        everything: bool = False,
        on_outcome: Callable[[PollOutcome], None] | None = None,
        on_page: Callable[[], None] | None = None,
    ) -> CycleReport:
        """Polls those of `feeds` that are due (`everything`: all), assigns new items to stories, queues alerts.

        Steps:
        1. poll: each feed in a transaction of its own;
        2. pages: the text of new items whose feeds carry little, within a budget of seconds;
        3. tick: the holder of the clusterer lease assigns every unassigned item;
        4. fire: story events after the alerts' cursor become alerts and queued deliveries, with times in `zone`.
           Nothing is sent here.
        """
        outcomes = await poll(self.engine, self.fetcher, self.parser, self.clock, self.settings.polling, feeds,
                              everything=everything, on_outcome=on_outcome)
        pages = await fetch_articles(self.engine, self.fetcher, self.parser, self.clock, self.settings.polling, feeds,
                                     on_page=on_page)
        tick = await asyncio.to_thread(self.clusterer.tick, self.clock.now(), self.holder)
        context = Context(self.settings, configuration, zone, self.templates)
        fired = await asyncio.to_thread(self.alerts.fire, context, self.clock.now())
        return CycleReport(tuple(outcomes), tick, fired.alerts, pages)
