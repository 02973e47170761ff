"""How documents that were read are stored: those that come at about one time in one transaction."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from digest.ports import Clock
from digest.services.attempts import Answer, Attempts, PollOutcome, outcome_of, with_news
from digest.services.sightings import known_again, seen_now
from digest.storage.feeds import record
from digest.storage.items import known_hashes, store_all

GATHER_SECONDS = 0.05  # so long a document waits at most for others to be stored with it


@dataclass(slots=True)
class _Waiting:
    """A document, and what came of storing it; None until that was tried."""

    answer: Answer
    outcome: PollOutcome | Exception | None = None


class Writer:
    """Stores the documents of one run. `are_more_coming` says whether it is worth waiting for others.

    Nor is it where as many wait as are fetched at a time: there is room for few more, and nothing would be read
    meanwhile. Belongs to one event loop; `stored` are the ids of the feeds whose outcome is written.
    """

    def __init__(self, engine: Engine, clock: Clock, attempts: Attempts, are_more_coming: Callable[[], bool]):
        self._engine, self._clock, self._attempts = engine, clock, attempts
        self._are_more_coming = are_more_coming
        self._writing = asyncio.Lock()
        self._waiting: list[_Waiting] = []
        self._enough = asyncio.Event()
        self.stored: set[str] = set()

    async def add(self, answer: Answer) -> PollOutcome:
        """Waits until a document is stored. What is read while another transaction runs is stored together after it.

        Raises what the database raises for this document alone.
        """
        own = _Waiting(answer)
        self._waiting.append(own)
        if self._is_enough():
            self._enough.set()
        async with self._writing:
            if own.outcome is None:
                await self._gather()
                batch, self._waiting = self._waiting, []
                await asyncio.to_thread(self._write, batch)
        if isinstance(own.outcome, PollOutcome):
            return own.outcome
        raise own.outcome or RuntimeError("not stored")

    async def _gather(self) -> None:
        """Waits a little for further documents, while any are being read."""
        self._enough.clear()
        if not self._is_enough():
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER_SECONDS):
                    await self._enough.wait()

    def _is_enough(self) -> bool:
        return len(self._waiting) >= self._attempts.settings.concurrency or not self._are_more_coming()

    def _write(self, batch: Sequence[_Waiting]) -> None:
        """Stores documents in one transaction; where that fails, each in its own, so that one harms no other."""
        outcomes: Sequence[PollOutcome | Exception]
        try:
            with self._engine.begin() as conn:
                outcomes = self._store(conn, [waiting.answer for waiting in batch])
        except Exception as error:
            if len(batch) > 1:
                for waiting in batch:
                    self._write([waiting])
                return
            outcomes = [error]
        for waiting, outcome in zip(batch, outcomes, strict=True):
            waiting.outcome = outcome
            if isinstance(outcome, PollOutcome):
                self.stored.add(waiting.answer.feed.id)

    def _store(self, conn: Connection, batch: Sequence[Answer]) -> list[PollOutcome]:
        """Writes items, outcomes and what the next polls must know."""
        now = self._clock.now()  # once nobody else writes: what is stored later was seen later
        known = known_hashes(conn, (item.id for answer in batch for item in answer.items))
        documents = [answer.items for answer in batch]
        is_first = [answer.state.first_polled_at is None for answer in batch]
        items = [seen_now(entries, known, is_first=first, now=now)
                 for entries, first in zip(known_again(conn, documents, is_first, known), is_first, strict=True)]
        stored = store_all(conn, [(answer.feed, found) for answer, found in zip(batch, items, strict=True)], now, known)
        outcomes, attempts = [], []
        for answer, found, done in zip(batch, items, stored, strict=True):
            outcome = with_news(outcome_of(answer.feed, found, now), found, done)
            outcomes.append(outcome)
            attempts.append(self._attempts.good(answer, outcome, found, frozenset(done.new), now))
        record(conn, attempts)
        return outcomes
