"""Polling: fetches the feeds that are due, reads them, stores their items, and says what came of each."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from sqlalchemy import Engine

from digest.model import Feed
from digest.parsing import ParserPool
from digest.pipeline.hosts import Host, host_of
from digest.ports import Clock, Fetcher
from digest.services.attempts import PollOutcome
from digest.services.polling import Run
from digest.settings import PollingSettings
from digest.storage.feeds import PollState

ROOM = 3  # documents in memory, for each that may be fetched at a time
HOST_STRIKES = 2  # so many feeds of one publisher that cannot be reached, or are asked to wait, speak for the others

__all__ = ["PollOutcome", "poll"]


async def poll(
    engine: Engine,
    fetcher: Fetcher,
    parser: ParserPool,
    clock: Clock,
    settings: PollingSettings,
    feeds: Sequence[Feed],
    *,
    everything: bool = False,
    on_outcome: Callable[[PollOutcome], None] | None = None,
) -> list[PollOutcome]:
    """Polls those of `feeds` that are due (`everything`: all that may be polled); outcomes in their order.

    Steps, for each feed on its own, so that no feed stops another:
    1. claim: a conditional UPDATE moves the next poll forward and takes a lease;
    2. fetch, with the validators of the last good answer; 304 or an equal hash ends here;
    3. parse, in a worker that can be killed;
    4. normalise; items that come back under a new id are known again; at the feed's first poll, undated and old items
       are marked as backlog;
    5. store items and outcome in one transaction. Outcomes without items are written together at the end.

    The feeds of one publisher follow each other with a pause, longest due first. After `settings.run_seconds` no
    further feed is begun; what is left is due at once.
    """
    run = Run(engine, fetcher, parser, clock, settings, {feed.id: feed for feed in feeds})
    states = await asyncio.to_thread(run.claim, everything)
    try:
        visits = _Visits(run, settings, on_outcome)
        await asyncio.gather(*(visits.visit(host, group) for host, group in _by_host(run, states).items()))
    finally:
        await asyncio.to_thread(run.finish, states)
    order = {feed.id: number for number, feed in enumerate(feeds)}
    return sorted(run.outcomes, key=lambda outcome: order[outcome.feed.id])


def _by_host(run: Run, states: Sequence[PollState]) -> dict[Host, list[PollState]]:
    """The claimed feeds by publisher, in the order that they came in."""
    groups: dict[Host, list[PollState]] = {}
    for state in states:
        groups.setdefault(host_of(run.attempts.address(state)), []).append(state)
    return groups


class _Visits:
    """The visits of one run, a task for each publisher, not more at a time than the settings say.

    A document that waits to be stored takes no place; it takes room, of which there is for twice as many again. A
    publisher's pause takes no place from others, so that one with many feeds does not hold them up.
    """

    def __init__(self, run: Run, settings: PollingSettings, on_outcome: Callable[[PollOutcome], None] | None):
        self._run, self._settings, self._on_outcome = run, settings, on_outcome
        self._places = asyncio.Semaphore(settings.concurrency)
        self._room = asyncio.Semaphore(ROOM * settings.concurrency)
        self._ends_at = asyncio.get_running_loop().time() + settings.run_seconds

    async def visit(self, host: Host, states: Sequence[PollState]) -> None:
        """Polls a publisher's feeds one after the other; stops when its server does not serve, or time is up."""
        unreached = told_to_wait = 0
        for number, state in enumerate(states):
            if number and not host.is_ours:
                await asyncio.sleep(self._settings.host_gap_seconds)
            async with self._room, AsyncExitStack() as place:
                await place.enter_async_context(self._places)
                if asyncio.get_running_loop().time() >= self._ends_at:
                    return
                outcome = await self._run.poll(state, place.aclose)
            if self._on_outcome:
                self._on_outcome(outcome)
            unreached = unreached + 1 if outcome.is_unreached else 0
            told_to_wait += outcome.wait_until is not None
            if unreached >= HOST_STRIKES or (told_to_wait >= HOST_STRIKES and not host.is_ours):
                self._run.postpone(states[number + 1 :], outcome.wait_until)
                return
