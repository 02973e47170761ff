"""One run of polls: what is done with a single feed, and how what came of it is written."""

import asyncio
import hashlib
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Engine

from digest.errors import FetchError, ParseError
from digest.model import Feed, Item
from digest.parsing import ParserPool
from digest.pipeline import schedule
from digest.pipeline.health import gone_reason, is_settled, seen_move
from digest.pipeline.hints import answer_hint
from digest.pipeline.hosts import host_of
from digest.pipeline.identify import canonical_url
from digest.pipeline.reading import ReadFeed
from digest.pipeline.schedule import Bounds, Rhythm, backoff, interval_of, usual_gap
from digest.ports import Clock, Fetcher, FetchRequest, FetchResponse
from digest.services.sightings import known_again, seen_now
from digest.settings import PollingSettings
from digest.storage import feeds as storage
from digest.storage.feeds import Attempt, PollState
from digest.storage.items import Stored, known_hashes, store_all

STALLED_AFTER = timedelta(days=14)
SUSPENDED_INTERVAL = timedelta(days=7)
VALIDATORS_AGE = timedelta(days=8)  # some servers answer 304 for ever
OUTAGE_HOSTS = 3  # so many publishers in a row that cannot be reached mean that we are offline, not they
OFFLINE_INTERVAL = timedelta(minutes=5)
POSTPONED = timedelta(minutes=10)  # feeds of a publisher that does not serve
GATHER_SECONDS = 0.02  # so long a document waits for others to be stored with it
UNREACHED = frozenset({"dns", "connect", "timeout"})
OFFLINE = "offline"
LASTING = frozenset({"stalled", "empty", "undated"})  # outcomes that an unchanged document keeps

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PollOutcome:
    """What came of one poll.

    `outcome` is ok, unchanged, not_modified, empty (no entries), stalled (newest entry over 14 days old), undated (no
    entry has a usable date), offline (no publisher can be reached: the fault is ours), or the kind of a FetchError or
    ParseError; `detail` says it in a sentence. `failed` outcomes lengthen the feed's interval. `wait_until` is when its
    server asked to come back.
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
    wait_until: datetime | None = None

    @property
    def is_unreached(self) -> bool:
        return self.outcome in UNREACHED


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
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: list["_Answer"] = field(default_factory=list)
    quiet: list[Attempt] = field(default_factory=list)
    stored: set[str] = field(default_factory=set)  # ids of feeds whose outcome is written
    postponed: dict[str, datetime] = field(default_factory=dict)

    @property
    def bounds(self) -> Bounds:
        return Bounds(timedelta(minutes=self.settings.interval_minutes),
                      timedelta(minutes=self.settings.shortest_interval_minutes))

    def claim(self, everything: bool) -> list[PollState]:
        """The feeds that this run polls; nobody else does while it lasts."""
        one = self.settings.timeout_seconds + self.settings.parse_timeout_seconds
        lease = timedelta(seconds=60 + self.settings.run_seconds + 2 * one)
        with self.engine.begin() as conn:
            return storage.claim_due(conn, list(self.feeds), now=self.clock.now(), interval=self.bounds.base,
                                     lease=lease, everything=everything)

    def address(self, state: PollState) -> str:
        """Where the feed is polled: its address in the documents, or where that has moved for good."""
        url = self.feeds[state.feed_id].url
        return state.moved_to if state.moved_to and state.moved_from == url else url

    async def poll(self, state: PollState) -> PollOutcome:
        """One feed's outcome; never raises but for cancellation."""
        feed, started = self.feeds[state.feed_id], time.perf_counter()
        try:
            outcome, attempt = await self._attempt(feed, state)
        except FetchError as error:
            is_early = feed.url.startswith("archive://") and error.status == 404
            outcome, attempt = self._failed(feed, state, error, failed=not is_early)
        except ParseError as error:
            outcome, attempt = self._failed(feed, state, error)
        except Exception as error:
            log.exception("poll failed", feed=feed.url)
            broken = ParseError(feed.url, "internal_error", f"{type(error).__name__}: {error}")
            outcome, attempt = self._failed(feed, state, broken)
        if attempt is not None:
            self.quiet.append(replace(attempt, milliseconds=_since(started)))
        self.outcomes.append(outcome)
        return outcome

    def postpone(self, states: Sequence[PollState], until: datetime | None) -> None:
        """Gives feeds back whose publisher does not serve, for later."""
        at = until or self.clock.now() + POSTPONED
        self.postponed.update((state.feed_id, at) for state in states)

    async def _attempt(self, feed: Feed, state: PollState) -> tuple[PollOutcome, Attempt | None]:
        """The outcome of a feed that answers, and the attempt that is still to be written."""
        started = time.perf_counter()
        response = await self.fetcher.fetch(_request(feed, self.address(state), state, self.clock.now()))
        if response.status == 304:
            return self._unchanged(feed, state, "not_modified", response)
        digest = hashlib.sha256(response.body).hexdigest()
        if digest == state.body_sha256:
            return self._unchanged(feed, state, "unchanged", response)
        base = response.url if response.url.startswith("http") else ""
        document = await self.parser.read(response.body, response.headers.get("content-type"), base, feed,
                                          self.clock.now())
        return await self._stored(_Answer(feed, state, response, digest, started, document)), None

    async def _stored(self, answer: "_Answer") -> PollOutcome:
        """Waits until a document is stored. What is read while another transaction runs is stored together after it."""
        self.waiting.append(answer)
        async with self.writing:
            if answer.outcome is None:
                await asyncio.sleep(GATHER_SECONDS)
                batch, self.waiting = self.waiting, []
                await asyncio.to_thread(self._store_all, batch)
        if isinstance(answer.outcome, PollOutcome):
            return answer.outcome
        raise answer.outcome or RuntimeError("not stored")

    def _store_all(self, batch: Sequence["_Answer"]) -> None:
        """Stores documents in one transaction; where that fails, each in its own, so that one harms no other."""
        outcomes: Sequence[PollOutcome | Exception]
        try:
            with self.engine.begin() as conn:
                outcomes = self._store(conn, batch)
        except Exception as error:
            if len(batch) > 1:
                for answer in batch:
                    self._store_all([answer])
                return
            outcomes = [error]
        for answer, outcome in zip(batch, outcomes, strict=True):
            answer.outcome = outcome
            if isinstance(outcome, PollOutcome):
                self.stored.add(answer.feed.id)

    def _store(self, conn: Connection, batch: Sequence["_Answer"]) -> list[PollOutcome]:
        """Writes items, outcomes and what the next polls must know."""
        now = self.clock.now()  # once nobody else writes: what is stored later was seen later
        known = known_hashes(conn, (item.id for answer in batch for item in answer.document.items))
        documents = [answer.document.items for answer in batch]
        is_first = [answer.state.first_polled_at is None for answer in batch]
        items = [seen_now(entries, known, is_first=first, now=now)
                 for entries, first in zip(known_again(conn, documents, is_first, known), is_first, strict=True)]
        stored = store_all(conn, [(answer.feed, found) for answer, found in zip(batch, items, strict=True)], now, known)
        outcomes, attempts = [], []
        for answer, found, done in zip(batch, items, stored, strict=True):
            outcome = _with_news(_outcome(answer.feed, found, now), found, done)
            outcomes.append(outcome)
            attempts.append(self._good_attempt(answer, outcome, found, frozenset(done.new), now))
        storage.record(conn, attempts)
        return outcomes

    def _good_attempt(self, answer: "_Answer", outcome: PollOutcome, items: Sequence[Item], new: Collection[str],
                      now: datetime) -> Attempt:
        feed, state, response = answer.feed, answer.state, answer.response
        rhythm = _rhythm(state, response, answer.document, items, new)
        changes = {
            **_validators(response, now), **_of_rhythm(rhythm), "body_sha256": answer.digest,
            "first_polled_at": state.first_polled_at or (now if items else None),
            **self._recovered(feed, state, response, now)}
        return Attempt(feed.id, now, outcome.outcome, outcome.detail, False, outcome.entries, outcome.new,
                       self._next(feed, rhythm, now), changes, _since(answer.started), len(response.body))

    def _unchanged(self, feed: Feed, state: PollState, word: str,
                   response: FetchResponse) -> tuple[PollOutcome, Attempt]:
        now = self.clock.now()
        word = state.last_outcome if state.last_outcome in LASTING else word
        changes: dict[str, Any] = {} if response.status == 304 else _validators(response, now)
        if response.moved_to or state.move or state.moved_to or state.gone_since or state.suspended_at:
            changes |= self._recovered(feed, state, response, now)
        attempt = Attempt(feed.id, now, word, "", False, next_poll_at=self._next(feed, state.rhythm, now),
                          changes=changes, bytes=len(response.body))
        return PollOutcome(feed, word), attempt

    def _failed(self, feed: Feed, state: PollState, error: FetchError | ParseError, *,
                failed: bool = True) -> tuple[PollOutcome, Attempt]:
        now = self.clock.now()
        detail = str(error).removeprefix(f"{feed.url}: ").removeprefix(f"{self.address(state)}: ")[:300]
        status = error.status if isinstance(error, FetchError) else None
        asked = error.retry_after_seconds if isinstance(error, FetchError) else None
        wait = backoff(state.error_count + 1 if failed else 0, _own_interval(feed) or self.bounds.base)
        changes: dict[str, Any] = {}
        until = now + min(schedule.LONGEST, timedelta(seconds=asked)) if asked else None
        if until:
            changes["wait_until"] = until
        if failed and status in {404, 410}:
            changes["gone_since"] = state.gone_since or now
            if reason := gone_reason(status, changes["gone_since"], now):
                changes |= {"suspended_at": state.suspended_at or now, "note": reason}
                wait = SUSPENDED_INTERVAL
        due = self._jittered(feed, now, wait)
        attempt = Attempt(feed.id, now, error.kind, detail, failed, next_poll_at=max(due, until) if until else due,
                          changes=changes)
        return PollOutcome(feed, error.kind, detail, failed, wait_until=until), attempt

    def _next(self, feed: Feed, rhythm: Rhythm, now: datetime) -> datetime:
        return self._jittered(feed, now, interval_of(rhythm, self.bounds, now, _own_interval(feed))
                              if feed.url.startswith("http") else self.bounds.base)

    def _jittered(self, feed: Feed, now: datetime, wait: timedelta) -> datetime:
        """A recorded archive is polled at the times of its clock, which has no crowds to avoid."""
        return schedule.next_poll(feed.id, now, wait) if feed.url.startswith("http") else now + wait

    def _recovered(self, feed: Feed, state: PollState, response: FetchResponse, now: datetime) -> dict[str, Any]:
        """What a good answer changes besides: the feed is not gone, and may have moved for good."""
        changes: dict[str, Any] = {"gone_since": None, "suspended_at": None}
        if state.suspended_at:
            changes["note"] = None
        move = seen_move(state.move, response.moved_to, now)
        changes |= {"move_target": move.target if move else None, "move_since": move.since if move else None,
                    "move_count": move.count if move else 0}
        settled = move.target if move and is_settled(move, now) else None
        target = settled or (state.moved_to if state.moved_from == feed.url else None)
        if target and (other := self._known_as(target, feed)):
            return {**changes, "merged_into": other.id, "note": f"has become {other.url}, which is polled in its place"}
        if settled:
            note = f"moved for good to {settled}, which is polled since {now:%Y-%m-%d}"
            changes |= {"moved_from": feed.url, "moved_to": settled, "note": note}
        return changes

    def _known_as(self, url: str, feed: Feed) -> Feed | None:
        """Another of the feeds whose address is `url`."""
        wanted = canonical_url(url)
        return next((f for f in self.feeds.values() if f.id != feed.id and canonical_url(f.url) == wanted), None)

    def finish(self, claimed: Sequence[PollState]) -> None:
        """Writes the outcomes that brought no items and gives back the claims that were not used."""
        done = self.stored | {attempt.feed_id for attempt in self.quiet}
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
        if self.stored or not all(attempt.outcome in UNREACHED for attempt in self.quiet):
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


@dataclass(slots=True)
class _Answer:
    """A document that came, and how; `started` is the time of the request on the performance counter.

    `outcome` is what came of storing it, None until that was tried.
    """

    feed: Feed
    state: PollState
    response: FetchResponse
    digest: str
    started: float
    document: ReadFeed
    outcome: PollOutcome | Exception | None = None


def _request(feed: Feed, url: str, state: PollState, now: datetime) -> FetchRequest:
    """The request for a feed; validators that are over eight days old stay behind, so that the document comes anew."""
    is_fresh = state.validators_at is None or now - state.validators_at < VALIDATORS_AGE
    etag, last_modified = (state.etag, state.last_modified) if is_fresh else (None, None)
    return FetchRequest(url, etag, last_modified, feed.access)


def _validators(response: FetchResponse, now: datetime) -> dict[str, Any]:
    return {"etag": response.headers.get("etag"), "last_modified": response.headers.get("last-modified"),
            "validators_at": now}


def _rhythm(state: PollState, response: FetchResponse, document: ReadFeed, items: Sequence[Item],
            new: Collection[str]) -> Rhythm:
    """The feed's pace after one more document. What it brought last is the newest of its items, old or undated too."""
    asked = [hint for hint in (_minutes(document.update_minutes), answer_hint(response.headers)) if hint]
    brought = [item.sorted_at for item in items if item.id in new]
    if state.rhythm.newest_at:
        brought.append(state.rhythm.newest_at)
    return Rhythm(usual_gap(item.published_at for item in items) or state.rhythm.gap, max(asked, default=None),
                  max(brought, default=None))


def _of_rhythm(rhythm: Rhythm) -> dict[str, Any]:
    return {"gap_seconds": _whole_seconds(rhythm.gap), "hint_seconds": _whole_seconds(rhythm.hint),
            "newest_at": rhythm.newest_at}


def _whole_seconds(value: timedelta | None) -> int | None:
    return None if value is None else min(int(value.total_seconds()), 2**31 - 1)


def _minutes(value: int | None) -> timedelta | None:
    return timedelta(minutes=value) if value else None


def _own_interval(feed: Feed) -> timedelta | None:
    return _minutes(feed.interval_minutes)


def _since(started: float) -> int:
    """Milliseconds since a time of the performance counter."""
    return round(1000 * (time.perf_counter() - started))


def _with_news(outcome: PollOutcome, items: Sequence[Item], stored: Stored) -> PollOutcome:
    """The outcome with what of its items was new or changed."""
    new = frozenset(stored.new)
    return replace(outcome, new=len(new), changed=len(stored.changed),
                   undated=sum(item.published_at is None for item in items if item.id in new),
                   backlog=sum(item.backlog for item in items if item.id in new))


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
