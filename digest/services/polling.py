"""One run of polls: what is done with a single feed, and how what came of it is written."""

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, Engine

from digest.errors import FetchError, ParseError
from digest.model import Feed
from digest.parsing import ParserPool
from digest.pipeline.hosts import host_of
from digest.ports import Clock, Fetcher
from digest.services.attempts import UNREACHED, Answer, Attempts, PollOutcome, request, since
from digest.services.storing import Writer
from digest.settings import PollingSettings
from digest.storage import feeds as storage
from digest.storage.feeds import Attempt, PollState

OUTAGE_HOSTS = 3  # so many publishers in a row that cannot be reached mean that we are offline, not they
OFFLINE_INTERVAL = timedelta(minutes=5)
POSTPONED = timedelta(minutes=10)  # feeds of a publisher that does not serve
OFFLINE = "offline"

log = structlog.get_logger(__name__)


@dataclass
class Run:
    """One call of `poll`: its parts, its outcomes so far, and those that wait to be written together."""

    engine: Engine
    fetcher: Fetcher
    parser: ParserPool
    clock: Clock
    settings: PollingSettings
    feeds: Mapping[str, Feed]
    outcomes: list[PollOutcome] = field(default_factory=list)
    reading: int = 0  # polls whose document is not read yet
    quiet: list[Attempt] = field(default_factory=list)
    postponed: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.attempts = Attempts(self.settings, self.feeds)
        self.writer = Writer(self.engine, self.clock, self.attempts, lambda: self.reading > 0)

    def claim(self, everything: bool) -> list[PollState]:
        """The feeds that this run polls; nobody else does while it lasts."""
        one = self.settings.timeout_seconds + self.settings.parse_timeout_seconds
        lease = timedelta(seconds=60 + self.settings.run_seconds + 2 * one)
        with self.engine.begin() as conn:
            return storage.claim_due(conn, list(self.feeds), now=self.clock.now(), interval=self.attempts.bounds.base,
                                     lease=lease, everything=everything)

    async def poll(self, state: PollState, leave: Callable[[], Awaitable[None]]) -> PollOutcome:
        """One feed's outcome; never raises but for cancellation.

        Calls `leave` once the document is read and waits to be stored, where one came.
        """
        feed, started, failed = self.feeds[state.feed_id], time.perf_counter(), self.attempts.failed
        try:
            outcome, attempt = await self._attempt(feed, state, leave)
        except FetchError as error:
            is_early = feed.url.startswith("archive://") and error.status == 404
            outcome, attempt = failed(feed, state, error, self.clock.now(), failed=not is_early)
        except ParseError as error:
            outcome, attempt = failed(feed, state, error, self.clock.now())
        except Exception as error:
            log.exception("poll failed", feed=feed.url)
            broken = ParseError(feed.url, "internal_error", f"{type(error).__name__}: {error}")
            outcome, attempt = failed(feed, state, broken, self.clock.now())
        if attempt is not None:
            self.quiet.append(replace(attempt, milliseconds=since(started)))
        self.outcomes.append(outcome)
        return outcome

    def postpone(self, states: Sequence[PollState], until: datetime | None) -> None:
        """Gives feeds back whose publisher does not serve, for later."""
        at = until or self.clock.now() + POSTPONED
        self.postponed.update((state.feed_id, at) for state in states)

    async def _attempt(self, feed: Feed, state: PollState,
                       leave: Callable[[], Awaitable[None]]) -> tuple[PollOutcome, Attempt | None]:
        """The outcome of a feed that answers, and the attempt that is still to be written."""
        self.reading += 1
        try:
            answer = await self._read(feed, state)
        finally:
            self.reading -= 1
        if not isinstance(answer, Answer):
            return answer
        await leave()
        return await self.writer.add(answer), None

    async def _read(self, feed: Feed, state: PollState) -> Answer | tuple[PollOutcome, Attempt]:
        """The document of a feed, or what its not having changed means."""
        started, url = time.perf_counter(), self.attempts.address(state)
        response = await self.fetcher.fetch(request(feed, url, state, self.clock.now()))
        if response.status == 304:
            return self.attempts.unchanged(feed, state, "not_modified", response, self.clock.now())
        digest = hashlib.sha256(response.body).hexdigest()
        if digest == state.body_sha256:
            return self.attempts.unchanged(feed, state, "unchanged", response, self.clock.now())
        base = response.url if response.url.startswith("http") else ""
        document = await self.parser.read(response.body, response.headers.get("content-type"), base, feed,
                                          self.clock.now())
        return Answer(feed, state, replace(response, body=b""), digest, len(response.body), started, document.items,
                      document.update_minutes)

    def finish(self, claimed: Sequence[PollState]) -> None:
        """Writes the outcomes that brought no items and gives back the claims that were not used."""
        done = self.writer.stored | {attempt.feed_id for attempt in self.quiet}
        unused = {state.feed_id: self.postponed.get(state.feed_id, state.due_at) for state in claimed
                  if state.feed_id not in done}
        if self.quiet or unused:
            with self.engine.begin() as conn:
                storage.record(conn, self._without_outage(conn))
                storage.release(conn, unused)

    def _without_outage(self, conn: Connection) -> Sequence[Attempt]:
        """The attempts to write; when no publisher could be reached since any answered, no feed is held to have failed.

        That may take several runs to see, as each polls few feeds: the failures of those before are taken back.
        """
        if self.writer.stored or not all(attempt.outcome in UNREACHED for attempt in self.quiet):
            return self.quiet
        words = UNREACHED | {OFFLINE}
        before = storage.unanswered(conn, words)
        urls = [feed.url for feed in before] + [self.feeds[attempt.feed_id].url for attempt in self.quiet]
        if len({host_of(url) for url in urls}) < OUTAGE_HOSTS:
            return self.quiet
        storage.forgive(conn, before, words, OFFLINE)
        self.outcomes = [replace(o, outcome=OFFLINE, failed=False) if o.is_unreached else o for o in self.outcomes]
        return [replace(attempt, outcome=OFFLINE, failed=False, next_poll_at=attempt.at + OFFLINE_INTERVAL)
                for attempt in self.quiet]
