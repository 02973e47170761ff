"""What one poll means for its feed: how it is called, when the feed is polled next, and what the poll must leave."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from digest.errors import FetchError, ParseError
from digest.model import Feed, Item
from digest.pipeline import schedule
from digest.pipeline.health import gone_reason, is_settled, seen_move
from digest.pipeline.hints import answer_hint
from digest.pipeline.identify import canonical_url
from digest.pipeline.schedule import Bounds, Rhythm, backoff, interval_of, usual_gap
from digest.ports import FetchRequest, FetchResponse
from digest.settings import PollingSettings
from digest.storage.feeds import Attempt, PollState
from digest.storage.items import Stored

STALLED_AFTER = timedelta(days=14)
SUSPENDED_INTERVAL = timedelta(days=7)
VALIDATORS_AGE = timedelta(days=8)  # some servers answer 304 for ever
UNREACHED = frozenset({"dns", "connect", "timeout"})
LASTING = frozenset({"stalled", "empty", "undated"})  # outcomes that an unchanged document keeps


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


@dataclass(frozen=True, slots=True)
class Answer:
    """A document that came and was read; of its bytes, `size` is left. `digest` is their hash.

    `started` is the time of the request on the performance counter.
    """

    feed: Feed
    state: PollState
    response: FetchResponse
    digest: str
    size: int
    started: float
    items: Sequence[Item]
    update_minutes: int | None


@dataclass(frozen=True, slots=True)
class Attempts:
    """Makes the attempts that polls leave. `feeds` are those that the documents of the instance name, by id."""

    settings: PollingSettings
    feeds: Mapping[str, Feed]

    @property
    def bounds(self) -> Bounds:
        return Bounds(timedelta(minutes=self.settings.interval_minutes),
                      timedelta(minutes=self.settings.shortest_interval_minutes))

    def address(self, state: PollState) -> str:
        """Where the feed is polled: its address in the documents, or where that has moved for good."""
        url = self.feeds[state.feed_id].url
        return state.moved_to if state.moved_to and state.moved_from == url else url

    def good(self, answer: Answer, outcome: PollOutcome, items: Sequence[Item], new: Collection[str],
             now: datetime) -> Attempt:
        """Of a document that was stored as `items`; `new` are the ids of those that were not known."""
        feed, state, response = answer.feed, answer.state, answer.response
        rhythm = _rhythm(answer, items, new)
        changes = {
            **_validators(response, now), **_of_rhythm(rhythm), "body_sha256": answer.digest,
            "first_polled_at": state.first_polled_at or (now if items else None),
            **self._recovered(feed, state, response, now)}
        return Attempt(feed.id, now, outcome.outcome, outcome.detail, False, outcome.entries, outcome.new,
                       self._next(feed, rhythm, now), changes, milliseconds=since(answer.started), bytes=answer.size)

    def unchanged(self, feed: Feed, state: PollState, word: str, response: FetchResponse,
                  now: datetime) -> tuple[PollOutcome, Attempt]:
        word = state.last_outcome if state.last_outcome in LASTING else word
        changes: dict[str, Any] = {} if response.status == 304 else _validators(response, now)
        if response.moved_to or state.move or state.moved_to or state.gone_since or state.suspended_at:
            changes |= self._recovered(feed, state, response, now)
        attempt = Attempt(feed.id, now, word, "", False, next_poll_at=self._next(feed, state.rhythm, now),
                          changes=changes, bytes=len(response.body))
        return PollOutcome(feed, word), attempt

    def failed(self, feed: Feed, state: PollState, error: FetchError | ParseError, now: datetime, *,
               failed: bool = True) -> tuple[PollOutcome, Attempt]:
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


def request(feed: Feed, url: str, state: PollState, now: datetime) -> FetchRequest:
    """The request for a feed; validators that are over eight days old stay behind, so that the document comes anew."""
    is_fresh = state.validators_at is None or now - state.validators_at < VALIDATORS_AGE
    etag, last_modified = (state.etag, state.last_modified) if is_fresh else (None, None)
    return FetchRequest(url, etag, last_modified, feed.access)


def _validators(response: FetchResponse, now: datetime) -> dict[str, Any]:
    return {"etag": response.headers.get("etag"), "last_modified": response.headers.get("last-modified"),
            "validators_at": now}


def _rhythm(answer: Answer, items: Sequence[Item], new: Collection[str]) -> Rhythm:
    """The feed's pace after one more document. What it brought last is the newest of its items, old or undated too."""
    state = answer.state
    hints = _minutes(answer.update_minutes), answer_hint(answer.response.headers)
    asked = [hint for hint in hints if hint]
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


def since(started: float) -> int:
    """Milliseconds since a time of the performance counter."""
    return round(1000 * (time.perf_counter() - started))


def with_news(outcome: PollOutcome, items: Sequence[Item], stored: Stored) -> PollOutcome:
    """The outcome with what of its items was new or changed."""
    new = frozenset(stored.new)
    return replace(outcome, new=len(new), changed=len(stored.changed),
                   undated=sum(item.published_at is None for item in items if item.id in new),
                   backlog=sum(item.backlog for item in items if item.id in new))


def outcome_of(feed: Feed, items: Sequence[Item], now: datetime) -> PollOutcome:
    """The outcome of a document that was read, before it is known what of it is new."""
    if not items:
        return PollOutcome(feed, "empty", "the feed has no entries")
    newest = max((item.published_at for item in items if item.published_at), default=None)
    if newest is None:
        return PollOutcome(feed, "undated", "no entry has a usable date", entries=len(items))
    if newest < now - STALLED_AFTER:
        return PollOutcome(feed, "stalled", f"newest entry is {(now - newest).days} days old", entries=len(items))
    return PollOutcome(feed, "ok", "", entries=len(items))
