"""The ledger's writer: one thread that commits whatever waits in one transaction.

A commit waits for the disk, and each mail needs three: its claim, its mark before the end of the message, its outcome.
Committed one by one they are what limits sending; here all that came while the disk was busy go together.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine

from digest.model import Delivery, DeliveryState
from digest.ports import Clock
from digest.services import bounces
from digest.services.outcomes import Outcome
from digest.storage import claims
from digest.storage.deliveries import Shelf

LEASE = timedelta(minutes=1)  # renewed by `renew`; a lost lease aborts before the end of the message
LINGER_SECONDS = 0.005
RETRY_SECONDS = 0.5  # after a transaction that failed
LAST_TRIES = 20  # to commit outcomes before the writer ends without them

T = TypeVar("T")
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Group:
    """What waits for one commit. Outcomes are kept until they are committed; questions fail with their transaction."""

    marks: "dict[int, asyncio.Future[bool]]" = field(default_factory=dict)
    sent: list[int] = field(default_factory=list)
    outcomes: list[tuple[Delivery, Outcome]] = field(default_factory=list)
    questions: "list[tuple[Callable[[Connection], Any], asyncio.Future[Any]]]" = field(default_factory=list)
    timed: bool = False  # it will be due in a moment
    due: bool = False  # it waits no longer for more

    def __bool__(self) -> bool:
        return bool(self.marks or self.sent or self.outcomes or self.questions)


class Ledger:
    """Claims, marks and outcomes of one holder, from one event loop. Use it as an async context.

    Durable when awaited: on SQLite with synchronous=FULL, on PostgreSQL at commit. An outcome is committed no later
    than whatever is asked for after it; so a mail whose answer came is uncertain only as long as its session has
    nothing else in flight. `sessions` is how many mails may be in flight: a commit waits up to five milliseconds for
    three quarters of them, for what it costs hardly grows with what goes into it.
    """

    def __init__(self, engine: Engine, clock: Clock, holder: str, sessions: int = 1):
        self._engine, self._clock, self._holder = engine, clock, holder
        self._loop = asyncio.get_running_loop()
        self._shelf = Shelf()
        self._conn: Connection | None = None  # the thread's, kept from commit to commit
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._group = _Group()
        self._enough = max(sessions * 3 // 4, 1)  # marks
        self._closed = False
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)

    async def __aenter__(self) -> "Ledger":
        self._thread.start()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Commits what waits, then ends."""
        with self._lock:
            self._closed = True
            self._wake.notify()
        await self._ended

    async def claim(self, limit: int, *, domain: str, subject: str | None = None) -> list[Delivery]:
        """Up to `limit` due rows, now this holder's."""
        now = self._clock.now()
        return await self._ask(lambda conn: claims.claim(
            conn, now=now, holder=self._holder, until=now + LEASE, limit=limit, domain=domain, subject=subject,
            shelf=self._shelf))

    async def mark_data(self, delivery_id: int) -> bool:
        """Whether the row is still this holder's; it is now in phase "data"."""
        future: asyncio.Future[bool] = self._loop.create_future()
        with self._lock:
            self._group.marks[delivery_id] = future
            self._came()
        return await future

    def record(self, delivery: Delivery, outcome: Outcome) -> None:
        """Has an outcome committed soon; does not wait."""
        with self._lock:
            if outcome.state is DeliveryState.SENT:
                self._group.sent.append(delivery.id)
            else:
                self._group.outcomes.append((delivery, outcome))
            self._came()

    async def renew(self) -> None:
        """Holds on to what this holder has claimed."""
        until = self._clock.now() + LEASE
        await self._ask(lambda conn: claims.renew(conn, self._holder, until))

    async def recover(self, *, ended: Collection[str], alive: Collection[str]) -> tuple[int, int]:
        """Settles what others left: how many rows are retried, and how many uncertain."""
        now = self._clock.now()
        return await self._ask(lambda conn: claims.recover(conn, now, ended=ended, alive={*alive, self._holder}))

    async def _ask(self, work: Callable[[Connection], T]) -> T:
        future: asyncio.Future[T] = self._loop.create_future()
        with self._lock:
            self._group.questions.append((work, future))
            self._wake.notify()
        return await future

    def _work(self) -> None:
        """The thread: commits group after group until closed."""
        failures = 0
        try:
            while group := self._next():
                try:
                    answers = self._commit(group)
                    failures = 0
                except Exception as error:
                    failures += 1
                    self._disconnect()
                    answers = [(future, error) for future in (*group.marks.values(), *(f for _, f in group.questions))]
                    if not self._keep(group, failures, error):
                        break
                    time.sleep(RETRY_SECONDS)
                self._tell(_answer, answers)
        finally:
            self._disconnect()
            self._tell(self._end, None)

    def _disconnect(self) -> None:
        if self._conn is not None:
            with suppress(Exception):
                self._conn.close()
            self._conn = None

    def _next(self) -> _Group:
        """What waits, as soon as that is enough or has waited a moment. Empty when the writer is closed."""
        with self._lock:
            while not (self._is_enough() or self._group.due):
                self._wake.wait()
            group, self._group = self._group, _Group()
            return group

    def _is_enough(self) -> bool:
        """Whether a commit is worth its time: somebody asks, or most of those who mark wait."""
        return self._closed or bool(self._group.questions) or len(self._group.marks) >= self._enough

    def _came(self) -> None:
        """Wakes the thread where there is enough, else in a moment; the caller holds the lock.

        The event loop keeps the time: a thread that woke to wait again would take the interpreter twice for a commit.
        """
        if self._is_enough():
            self._wake.notify()
        elif not self._group.timed:
            self._group.timed = True
            self._loop.call_later(LINGER_SECONDS, self._hurry, self._group)

    def _hurry(self, group: _Group) -> None:
        with self._lock:
            if group is self._group:
                group.due = True
                self._wake.notify()

    def _commit(self, group: _Group) -> list[tuple[Any, Any]]:
        """Outcomes first: what a session did before is durable before its next message may be written."""
        conn = self._conn = self._conn or self._engine.connect()
        with conn.begin():
            if group.sent:
                claims.mark_sent(conn, group.sent, self._holder, self._clock.now())
            for delivery, outcome in group.outcomes:
                self._write(conn, delivery, outcome)
            answers: list[tuple[Any, Any]] = []
            if group.marks:
                held = claims.mark_data(conn, group.marks.keys(), self._holder)
                answers += [(future, key in held) for key, future in group.marks.items()]
            answers += [(future, work(conn)) for work, future in group.questions]
        return answers

    def _write(self, conn: Connection, delivery: Delivery, outcome: Outcome) -> None:
        if outcome.state is DeliveryState.QUEUED:
            claims.release(conn, [delivery.id], self._holder, until=outcome.until)
        elif outcome.state is DeliveryState.DEFERRED:
            assert outcome.until is not None
            claims.mark_deferred(conn, delivery.id, self._holder, until=outcome.until, error=outcome.error)
        elif outcome.state is DeliveryState.UNCERTAIN:
            claims.mark_uncertain(conn, delivery.id, self._holder, outcome.error)
        elif outcome.state is DeliveryState.FAILED:
            claims.mark_failed(conn, delivery.id, self._holder, outcome.error)
            if outcome.code is not None:
                self._note(conn, delivery, outcome)

    def _note(self, conn: Connection, delivery: Delivery, outcome: Outcome) -> None:
        """Lets the refusal count for its reader. What goes wrong there must not lose the outcomes beside it."""
        try:
            with conn.begin_nested():
                bounces.note_refusal(conn, target=delivery.target, subject=delivery.subject, code=outcome.code,
                                     enhanced=outcome.enhanced, text=outcome.error, now=self._clock.now())
        except Exception:
            log.exception("refusal not noted", delivery=delivery.id)

    def _keep(self, group: _Group, failures: int, error: Exception) -> bool:
        """Puts outcomes that could not be committed in front again; False where it is time to end without them."""
        with self._lock:
            self._group.due = True
            self._group.sent[:0] = group.sent
            self._group.outcomes[:0] = group.outcomes
            waiting = len(self._group.sent) + len(self._group.outcomes)
            giving_up = self._closed and failures >= LAST_TRIES
        log.error("ledger not written", error=str(error), outcomes=waiting, failures=failures)
        return not giving_up

    def _tell(self, call: Callable[[Any], None], argument: Any) -> None:
        """Calls in the event loop; where that has ended, nobody waits any more."""
        try:
            self._loop.call_soon_threadsafe(call, argument)
        except RuntimeError:
            log.warning("ledger's event loop ended before it")

    def _end(self, _nothing: None) -> None:
        if not self._ended.done():
            self._ended.set_result(None)


def _answer(answers: "list[tuple[asyncio.Future[Any], Any]]") -> None:
    """Resolves what was asked; who was cancelled meanwhile does not want to know."""
    for future, answer in answers:
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
