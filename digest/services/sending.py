"""One run over what is due: claims rows some seconds ahead, hands mails over side by side, has outcomes written.

Claims, marks and outcomes go through `services.ledger`, which alone writes. Only this module calls the mailer.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeVar

import structlog
from sqlalchemy import Engine

from digest.errors import DeliveryError
from digest.model import Delivery, DeliveryState
from digest.notify.channels import Channels
from digest.ports import Clock, Envelope, Mailer, Notifier, Parcel
from digest.services.envelopes import Envelopes, host
from digest.services.holders import Holders
from digest.services.ledger import Ledger
from digest.services.outcomes import SENT, UNTRIED, Outcome, judge
from digest.services.writing import Job, Writer
from digest.settings import Settings
from digest.storage import claims
from digest.storage import deliveries as storage
from digest.storage.engine import read_only

AHEAD = 400  # rows claimed at a time, at most: those that share a page of an index are changed at once
AHEAD_APART = 100  # where most of them have messages of their own, which are all in memory
WAITING = 50  # mails written that wait for a session
GROUP = 50  # mails written at a time: each change of threads costs all of them
WRITTEN_AHEAD = 2  # groups that wait for their turn, besides one that is handed on and one that comes
AHEAD_SECONDS = 1.0  # so much work is claimed ahead, that a reader who leaves gets nothing more
FRESH = timedelta(seconds=10)  # after that it is asked again whether a claimed mail is still wanted
BEAT_SECONDS = 2.0  # how often a run holds on to its rows, and looks for what others left
DEAD_SERVER = 5  # so many failures of the server in a row end a run; the rest waits

T = TypeVar("T")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SendReport:
    """What one run did. `remaining` counts rows still due or held by another process; `error` is the last one."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    uncertain: int = 0
    remaining: int = 0
    error: str | None = None

    @property
    def done(self) -> int:
        """How many rows it settled for now."""
        return self.sent + self.deferred + self.failed + self.uncertain


@dataclass(frozen=True, slots=True)
class Work:
    """What a run works with. `holders` knows who else is alive; `subject`, `limit`: all where None."""

    engine: Engine
    mailer: Mailer
    clock: Clock
    settings: Settings
    envelopes: Envelopes
    holders: Holders
    limit: int | None = None
    subject: str | None = None
    on_sent: Callable[[Delivery], None] | None = None
    on_beat: Callable[[SendReport], None] | None = None
    notifier: Notifier = field(default_factory=lambda: Channels({}))  # for what is no mail


async def run(work: Work, process: str) -> SendReport:
    """Sends what is due until nothing is, or the server is dead. `process` names this process.

    Cancelled, it gives back what was not yet written, finishes what was, and then raises CancelledError; a second
    cancellation does not wait.
    """
    if not await asyncio.to_thread(_anything, work):
        return SendReport()
    holder = f"{process}/{secrets.token_hex(4)}"
    with work.holders.held(holder):
        async with Ledger(work.engine, work.clock, holder, work.mailer.capacity) as ledger:
            report = await _Run(work, ledger).all()
    return replace(report, remaining=await asyncio.to_thread(_remaining, work))


class _Run:
    """A pool of workers over the due rows. Does not decide when to run."""

    def __init__(self, work: Work, ledger: Ledger):
        self.work, self.ledger = work, ledger
        self.left = work.limit
        self.stopping = False
        self.dead = 0  # failures of the server in a row
        self.counts: Counter[DeliveryState] = Counter()
        self.error: str | None = None
        self.broken: Exception | None = None  # ends the run, and is raised when all rows are given back
        self.threads = ThreadPoolExecutor(1, "writing")  # its signatures let the others run
        self.writer = Writer(work.engine, work.clock, work.envelopes)
        self.groups: asyncio.Queue[asyncio.Task[list[Job]] | None] = asyncio.Queue(WRITTEN_AHEAD)
        self.jobs: asyncio.Queue[Job | None] = asyncio.Queue(WAITING)
        self.unwritten: set[asyncio.Task[None]] = set()  # workers that may be cancelled without a doubt left
        self.workers: list[asyncio.Task[None]] = []

    async def all(self) -> SendReport:
        """Settles what ended processes left, then works until nothing is due."""
        await self._recover()
        beat = asyncio.create_task(self._beat(), name="beat")
        pool = asyncio.create_task(self._pool(), name="pool")
        try:
            await asyncio.shield(pool)
        except asyncio.CancelledError:
            self._stop()
            await pool
            raise
        finally:
            beat.cancel()
            with suppress(asyncio.CancelledError):
                await beat
        return self.report()

    async def _pool(self) -> None:
        """Workers and what feeds them; raises what ended them."""
        capacity = max(self.work.mailer.capacity, 0)
        self.workers = [asyncio.create_task(self._worker(), name=f"mail {n}") for n in range(capacity)]
        feeding = asyncio.create_task(self._feed(), name="claims")
        handing = asyncio.create_task(self._hand_on(), name="mails")
        results = await asyncio.gather(feeding, handing, *self.workers, return_exceptions=True)
        self.threads.shutdown(wait=False)
        for result in (self.broken, *results):
            if isinstance(result, Exception):
                raise result

    def _stop(self) -> None:
        """Nothing more is begun; what has not been written is given back at once."""
        self.stopping = True
        for task in tuple(self.unwritten):
            task.cancel()

    def _break(self, error: Exception) -> None:
        """Ends the run, which raises the first error when all rows are given back."""
        self.broken = self.broken or error
        self._stop()

    @property
    def ending(self) -> bool:
        return self.stopping or self.dead >= DEAD_SERVER or self.work.mailer.capacity < 1

    async def _feed(self) -> None:
        """Claims rows, about a second's work at a time, until none is due; the next while these are written."""
        loop, size = asyncio.get_running_loop(), max(len(self.workers), 1)
        try:
            while not self.ending and self.left != 0:
                wanted = size if self.left is None else min(size, self.left)
                rows = await self.ledger.claim(wanted, domain=host(self.work.settings), subject=self.work.subject)
                if not rows:
                    return
                self.left = None if self.left is None else self.left - len(rows)
                began = loop.time()
                jobs = await self._apart(self.writer.looked_up, rows, rows)
                for group in (jobs[start:start + GROUP] for start in range(0, len(jobs), GROUP)):
                    await self.groups.put(asyncio.create_task(self._written(group), name="writing"))
                messages = len({id(row.message) for row in rows})
                size = _next_size(size, loop.time() - began, AHEAD if messages <= len(rows) // 2 else AHEAD_APART)
        finally:
            await self.groups.put(None)

    async def _written(self, jobs: list[Job]) -> list[Job]:
        return await self._apart(self.writer.written, jobs, [job.delivery for job in jobs])

    async def _apart(self, work: Callable[[Sequence[T]], list[Job]], on: Sequence[T], rows: Sequence[Delivery]
                     ) -> list[Job]:
        """Work on some rows in a thread; where it breaks the run ends, and they are given back."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self.threads, work, on)
        except Exception as error:
            self._break(error)
            for row in rows:
                self.ledger.record(row, UNTRIED)
            return []

    async def _hand_on(self) -> None:
        """Gives the workers what is written, in the order in which it was claimed."""
        while group := await self.groups.get():
            for job in await group:
                await self.jobs.put(job)
        for _ in self.workers:
            await self.jobs.put(None)

    async def _worker(self) -> None:
        """Takes one mail after the other; after a stop gives back what is left."""
        task = asyncio.current_task()
        assert task is not None
        while job := await self.jobs.get():
            if self.ending:
                self.ledger.record(job.delivery, UNTRIED)
                continue
            self.unwritten.add(task)
            try:
                outcome = await self._attempt(job, task)
                self.unwritten.discard(task)
                self._settle(job.delivery, outcome)
            except Exception as error:
                self._break(error)
            finally:
                self.unwritten.discard(task)

    async def _attempt(self, job: Job, task: "asyncio.Task[None]") -> Outcome:
        """Hands one mail over; every failure becomes an outcome."""
        delivery, written = job.delivery, False

        async def before_data() -> None:
            nonlocal written
            if not await self.ledger.mark_data(delivery.id):
                raise _LeaseLost
            self.unwritten.discard(task)
            written = True

        try:
            if self.work.clock.now() - job.at > FRESH:
                job = await asyncio.to_thread(self.writer.anew, delivery)
            if job.refused:
                return Outcome(DeliveryState.FAILED, job.refused)
            await self._hand_over(job.envelope(), before_data)
        except _LeaseLost:
            return Outcome(DeliveryState.SENDING)
        except asyncio.CancelledError:
            if written or not self.stopping:
                raise
            return UNTRIED
        except DeliveryError as error:
            self.dead = self.dead + 1 if error.server else 0
            return judge(delivery, error, written=written, now=self.work.clock.now())
        except Exception as error:
            log.exception("mail attempt broke", delivery=delivery.id, phase="data" if written else "claimed")
            broken = DeliveryError(delivery.target, f"{type(error).__name__}: {error}")
            return judge(delivery, broken, written=written, now=self.work.clock.now())
        self.dead = 0
        return SENT

    async def _hand_over(self, written: Envelope | Parcel, before_data: Callable[[], Awaitable[None]]) -> None:
        if isinstance(written, Envelope):
            await self.work.mailer.send(written, before_data)
        else:
            await self.work.notifier.send(written, before_data)

    def _settle(self, delivery: Delivery, outcome: Outcome) -> None:
        """Has the outcome written; the worker goes on meanwhile."""
        if outcome.state is DeliveryState.SENDING:
            return
        self.ledger.record(delivery, outcome)
        self.counts[outcome.state] += 1
        self.error = outcome.error or self.error
        if outcome.state is DeliveryState.SENT and self.work.on_sent:
            self.work.on_sent(replace(delivery, state=DeliveryState.SENT, phase=None))

    async def _beat(self) -> None:
        """Keeps the run's rows its own, settles what others leave meanwhile, and shows that it lives."""
        while True:
            if self.work.on_beat:
                self.work.on_beat(self.report())
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await self.ledger.renew()
                await self._recover()
            except Exception as error:
                log.error("claims not renewed", error=str(error))

    async def _recover(self) -> None:
        """Settles the rows of those who ended, here and elsewhere."""
        others = await asyncio.to_thread(self._others)
        ended, alive = self.work.holders.judged(others)
        retried, uncertain = await self.ledger.recover(ended=ended, alive=alive) if others else (0, 0)
        self.work.holders.forget(ended)
        self.counts[DeliveryState.UNCERTAIN] += uncertain
        if retried or uncertain:
            log.warning("mail of an ended process", retried=retried, uncertain=uncertain)

    def _others(self) -> set[str]:
        with read_only(self.work.engine) as conn:
            return claims.holders(conn)

    def report(self) -> SendReport:
        return SendReport(
            self.counts[DeliveryState.SENT], self.counts[DeliveryState.DEFERRED], self.counts[DeliveryState.FAILED],
            self.counts[DeliveryState.UNCERTAIN], error=self.error)


class _LeaseLost(Exception):
    """Another process took the row over: nothing may be written."""


def _anything(work: Work) -> bool:
    """Whether a row is due, or being sent by somebody who may have ended."""
    with read_only(work.engine) as conn:
        return storage.is_open(conn, work.clock.now())


def _remaining(work: Work) -> int:
    with read_only(work.engine) as conn:
        return storage.count_due(conn, work.clock.now(), work.subject)


def _next_size(size: int, seconds: float, most: int) -> int:
    """How many rows to claim next, `most` at most, where handing out the last `size` took so long."""
    if seconds < AHEAD_SECONDS / 2:
        size *= 2
    elif seconds > AHEAD_SECONDS:
        size //= 2
    return min(max(size, 1), most)
