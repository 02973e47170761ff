"""One turn of the work between polls and mail: poll → article text → cluster tick → alerts → search table.

Safe to run twice, late or in two processes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from sqlalchemy import Engine

from digest.documents import Configuration
from digest.model import Feed
from digest.parsing import ParserPool
from digest.ports import Clock, Fetcher
from digest.services import search
from digest.services.alerts import AlertEngine, Context
from digest.services.articles import PageReport, fetch_articles, waiting_for_pages
from digest.services.feeds import PollOutcome, poll
from digest.services.stories import StoryClusterer, TickReport
from digest.settings import Settings

MAILS_A_TURN = 20  # of alerts, while polls go on: what is stored next waits no longer than they take

log = structlog.get_logger(__name__)


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
        prompt: bool = False,
        everything: bool = False,
        on_outcome: Callable[[PollOutcome], None] | None = None,
        on_page: Callable[[], None] | None = None,
    ) -> CycleReport:
        """Polls those of `feeds` that are due (`everything`: all), assigns new items to stories, queues alerts.

        Steps:
        1. poll: each feed in a transaction of its own; with `prompt`, steps 3 and 4 are done meanwhile for items that
           wait for no page, as they come, so that no alert waits for a slow feed;
        2. pages: the text of new items whose feeds carry little, within a budget of seconds;
        3. tick: the holder of the clusterer lease assigns every unassigned item;
        4. fire: story events after the alerts' cursor become alerts and queued deliveries, with times in `zone`.
           Nothing is sent here;
        5. index: items that are new or have changed can be searched for by index.
        """
        context = Context(self.settings, configuration, zone, self.templates)
        ahead = _Ahead(self, context, feeds)

        def noticed(outcome: PollOutcome) -> None:
            if prompt and outcome.new:
                ahead.news.set()
            if on_outcome:
                on_outcome(outcome)

        async with ahead.running():
            outcomes = await poll(self.engine, self.fetcher, self.parser, self.clock, self.settings.polling, feeds,
                                  everything=everything, on_outcome=noticed)
        pages = await fetch_articles(self.engine, self.fetcher, self.parser, self.clock, self.settings.polling, feeds,
                                     on_page=on_page)
        await ahead.turn(everything=True)
        await asyncio.to_thread(search.index, self.engine)
        return CycleReport(tuple(outcomes), ahead.tick, ahead.alerts, pages)


class _Ahead:
    """Assigns items and fires alerts, again and again while polls go on; counts what it did."""

    def __init__(self, cycle: Cycle, context: Context, feeds: Sequence[Feed]):
        self._cycle, self._context, self._feeds = cycle, context, feeds
        self.news = asyncio.Event()
        self.tick, self.alerts = TickReport(), 0
        self._ended = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Takes a turn whenever there is news, while the context is open."""
        task = asyncio.create_task(self._loop())
        try:
            yield
        finally:
            self._ended = True
            self.news.set()
            await task

    async def turn(self, *, everything: bool) -> None:
        """Assigns what waits for no page (`everything`: all that has no story) and fires what that gives."""
        cycle, engine, now = self._cycle, self._cycle.engine, self._cycle.clock.now
        waiting: frozenset[str] = frozenset()
        if not everything:
            waiting = await asyncio.to_thread(waiting_for_pages, engine, cycle.settings.polling, self._feeds, now())
        done = await asyncio.to_thread(cycle.clusterer.tick, now(), cycle.holder, waiting)
        fired = await asyncio.to_thread(cycle.alerts.fire, self._context, now(), None if everything else MAILS_A_TURN)
        if fired.more:
            self.news.set()
        self.tick = TickReport(self.tick.assigned + done.assigned, self.tick.stories + done.stories,
                               self.tick.merged + done.merged)
        self.alerts += fired.alerts

    async def _loop(self) -> None:
        while True:
            await self.news.wait()
            self.news.clear()
            if self._ended:
                return
            try:
                await self.turn(everything=False)
            except Exception:  # the turn after the polls meets it again, and raises it
                log.exception("alerts ahead of the polls failed")
