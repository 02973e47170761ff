"""Polling: fetches the feeds that are due, reads them, stores their items, and says what came of each."""

import asyncio
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Engine

from digest.errors import FetchError, ParseError
from digest.model import Feed, Item
from digest.parsing import ParserPool
from digest.pipeline.normalise import normalise_document
from digest.pipeline.parse import ParsedFeed
from digest.ports import Clock, Fetcher, FetchRequest, FetchResponse
from digest.settings import PollingSettings
from digest.storage import feeds as storage
from digest.storage.feeds import Attempt, PollState
from digest.storage.items import known_hashes, store

BACKLOG_AGE = timedelta(hours=24)  # at a feed's first poll, what is older was never news to us
RENAMED_AGE = timedelta(hours=48)
RENAMED_ITEMS = 10
STALLED_AFTER = timedelta(days=14)
PLAIN_RETRIES = 3  # failures in a row before the interval grows
LONGEST_BACKOFF = timedelta(hours=24)
OUTAGE_FEEDS = 3  # so many feeds that all fail to connect mean that we are offline, not they
LASTING = frozenset({"stalled", "empty", "undated"})  # outcomes that an unchanged document keeps

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PollOutcome:
    """What came of one poll.

    `outcome` is ok, unchanged, not_modified, empty (no entries), stalled (newest entry over 14 days old), undated (no
    entry has a usable date), or the kind of a FetchError or ParseError; `detail` says it in a sentence. `failed`
    outcomes lengthen the feed's interval.
    """

    feed: Feed
    outcome: str
    detail: str = ""
    failed: bool = False
    entries: int = 0
    new: int = 0
    changed: int = 0
    undated: int = 0
    backlog: int = 0


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
    """Polls those of `feeds` that are due (`everything`: all that nobody else holds); outcomes in their order.

    Steps, for each feed on its own, so that no feed stops another:
    1. claim: a conditional UPDATE moves the next poll forward and takes a lease;
    2. fetch, with the validators of the last good answer; 304 or an equal hash ends here;
    3. parse, in a worker that can be killed;
    4. normalise; at the feed's first poll, undated and old items are marked as backlog;
    5. store items and outcome in one transaction. Outcomes without items are written together at the end.
    """
    by_id = {feed.id: feed for feed in feeds}
    run = _Run(engine, fetcher, parser, clock, settings)
    states = await asyncio.to_thread(run.claim, list(by_id), everything)
    gate = asyncio.Semaphore(settings.concurrency)

    async def one(state: PollState) -> PollOutcome:
        async with gate:
            outcome = await run.poll(by_id[state.feed_id], state)
        if on_outcome:
            on_outcome(outcome)
        return outcome

    try:
        return list(await asyncio.gather(*(one(state) for state in states)))
    finally:
        await asyncio.to_thread(run.finish, states)


def backoff(error_count: int, interval: timedelta) -> timedelta:
    """How long to wait after so many failures in a row: three times the interval, then doubled up to a day."""
    doublings = min(10, max(0, error_count - PLAIN_RETRIES))
    return min(LONGEST_BACKOFF, interval * (1 << doublings))


@dataclass
class _Run:
    """One call of `poll`: its parts, and the outcomes that wait to be written together."""

    engine: Engine
    fetcher: Fetcher
    parser: ParserPool
    clock: Clock
    settings: PollingSettings
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    quiet: list[Attempt] = field(default_factory=list)
    stored: set[str] = field(default_factory=set)  # ids of feeds whose outcome is written

    @property
    def interval(self) -> timedelta:
        return timedelta(minutes=self.settings.interval_minutes)

    def claim(self, feed_ids: Sequence[str], everything: bool) -> list[PollState]:
        rounds = 1 + len(feed_ids) / self.settings.concurrency
        seconds = self.settings.timeout_seconds + self.settings.parse_timeout_seconds
        lease = timedelta(seconds=60 + rounds * seconds)
        with self.engine.begin() as conn:
            return storage.claim_due(conn, feed_ids, now=self.clock.now(), interval=self.interval, lease=lease,
                                     everything=everything)

    async def poll(self, feed: Feed, state: PollState) -> PollOutcome:
        """One feed's outcome; never raises but for cancellation."""
        try:
            response = await self.fetcher.fetch(FetchRequest(feed.url, state.etag, state.last_modified))
            if response.status == 304:
                return self._unchanged(feed, state, "not_modified")
            digest = hashlib.sha256(response.body).hexdigest()
            if digest == state.body_sha256:
                return self._unchanged(feed, state, "unchanged")
            base = response.url if response.url.startswith("http") else ""
            document = await self.parser.parse(response.body, response.headers.get("content-type"), base)
            async with self.writing:
                return await asyncio.to_thread(self._store, feed, state, document, _validators(response, digest))
        except FetchError as error:
            failed = not (feed.url.startswith("archive://") and error.status == 404)
            return self._failed(feed, state, error.kind, str(error), failed, error.retry_after_seconds)
        except ParseError as error:
            return self._failed(feed, state, error.kind, str(error))
        except Exception as error:
            log.exception("poll failed", feed=feed.url)
            return self._failed(feed, state, "internal_error", f"{type(error).__name__}: {error}")

    def _store(self, feed: Feed, state: PollState, document: ParsedFeed, columns: Mapping[str, Any]) -> PollOutcome:
        now = self.clock.now()
        items = normalise_document(document, feed, now=now)
        outcome = _outcome(feed, items, now)
        is_first = state.first_polled_at is None
        if is_first and items:
            columns = {**columns, "first_polled_at": now}
        with self.engine.begin() as conn:
            known = known_hashes(conn, (item.id for item in items))
            items = mark_backlog(items, known, is_first=is_first, now=now)
            stored = store(conn, feed, items, now)
            new = set(stored.new)
            outcome = replace(
                outcome, new=len(new), changed=len(stored.changed),
                undated=sum(item.published_at is None for item in items if item.id in new),
                backlog=sum(item.backlog for item in items if item.id in new))
            attempt = Attempt(feed.id, now, outcome.outcome, outcome.detail, False, outcome.entries, outcome.new,
                              document=columns)
            storage.record(conn, [attempt])
        self.stored.add(feed.id)
        return outcome

    def _unchanged(self, feed: Feed, state: PollState, word: str) -> PollOutcome:
        word = state.last_outcome if state.last_outcome in LASTING else word
        self.quiet.append(Attempt(feed.id, self.clock.now(), word, "", False))
        return PollOutcome(feed, word)

    def _failed(self, feed: Feed, state: PollState, kind: str, message: str, failed: bool = True,
                retry_after_seconds: int | None = None) -> PollOutcome:
        now = self.clock.now()
        wait = backoff(state.error_count + 1 if failed else 0, self.interval)
        wait = max(wait, min(LONGEST_BACKOFF, timedelta(seconds=retry_after_seconds or 0)))
        detail = message.removeprefix(f"{feed.url}: ")[:300]
        self.quiet.append(Attempt(feed.id, now, kind, detail, failed, next_poll_at=now + wait))
        return PollOutcome(feed, kind, detail, failed)

    def finish(self, claimed: Sequence[PollState]) -> None:
        """Writes the outcomes that brought no items and gives back the claims that a shutdown left unused.

        When no feed could be reached, none is held to have failed.
        """
        offline = len(self.quiet) >= OUTAGE_FEEDS and all(a.outcome in {"dns", "connect"} for a in self.quiet)
        attempts = [replace(a, failed=False, next_poll_at=a.at + self.interval) for a in self.quiet] if offline \
            else self.quiet
        unused = {state.feed_id for state in claimed} - self.stored - {attempt.feed_id for attempt in attempts}
        if attempts or unused:
            with self.engine.begin() as conn:
                storage.record(conn, attempts)
                storage.release(conn, unused)


def _validators(response: FetchResponse, digest: str) -> dict[str, Any]:
    return {"etag": response.headers.get("etag"), "last_modified": response.headers.get("last-modified"),
            "body_sha256": digest}


def mark_backlog(items: Sequence[Item], known: Collection[str], *, is_first: bool, now: datetime) -> list[Item]:
    """The items, with those marked that are stored as seen and never news.

    At a feed's first poll that is what is undated or over a day old. Later, when ten or more items at once are not
    `known` (ids) and half of them are over two days old, the feed has changed its guids: those are old acquaintances.
    """
    if is_first:
        return [replace(i, backlog=i.published_at is None or i.published_at < now - BACKLOG_AGE) for i in items]
    unknown = [item for item in items if item.id not in known]
    old = {i.id for i in unknown if i.published_at and i.published_at < now - RENAMED_AGE}
    if len(unknown) < RENAMED_ITEMS or 2 * len(old) < len(unknown):
        return list(items)
    return [replace(item, backlog=item.id in old) for item in items]


def _outcome(feed: Feed, items: Sequence[Item], now: datetime) -> PollOutcome:
    """The outcome of a document that was read, before it is known what of it is new."""
    if not items:
        return PollOutcome(feed, "empty", "the feed has no entries")
    newest = max((item.published_at for item in items if item.published_at), default=None)
    if newest is None:
        return PollOutcome(feed, "undated", "no entry has a usable date", entries=len(items))
    if newest < now - STALLED_AFTER:
        return PollOutcome(feed, "stalled", f"newest entry is {(now - newest).days} days old", entries=len(items))
    return PollOutcome(feed, "ok", "", entries=len(items))
