"""Poll state of feeds: what is due, who holds it, what came of it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    Text,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from digest.pipeline.health import Condition, Move
from digest.pipeline.schedule import Rhythm
from digest.storage.engine import UtcDateTime
from digest.storage.schema import feeds, poll_attempts

ATTEMPTS_KEPT = 20
CHUNK = 500


@dataclass(frozen=True, slots=True)
class PollState:
    """What the next poll of a feed must know. `first_polled_at` is None until a document with entries was read.

    `moved_to` is polled in place of the address `moved_from` of the documents. `due_at` is when the poll was due; None
    where it never was polled.
    """

    feed_id: str
    etag: str | None
    last_modified: str | None
    body_sha256: str | None
    first_polled_at: datetime | None
    last_success_at: datetime | None
    error_count: int
    last_outcome: str | None
    last_error: str | None
    due_at: datetime | None = None
    validators_at: datetime | None = None
    rhythm: Rhythm = field(default_factory=Rhythm)
    move: Move | None = None
    moved_from: str | None = None
    moved_to: str | None = None
    gone_since: datetime | None = None
    suspended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one poll. `next_poll_at` None keeps the time that the claim set.

    `changes` holds the further columns of the feed that the poll changes; the others stay as they are.
    `milliseconds` is its wall time, `bytes` the length of the document, 0 where none came.
    """

    feed_id: str
    at: datetime
    outcome: str
    detail: str
    failed: bool
    entries: int = 0
    new: int = 0
    next_poll_at: datetime | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    milliseconds: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A feed as the operator looks at it: its condition, and what its columns say besides."""

    feed_id: str
    condition: Condition
    last_outcome: str | None
    last_error: str | None
    next_poll_at: datetime | None
    wait_until: datetime | None
    moved_from: str | None
    moved_to: str | None
    note: str | None


def claim_due(
    conn: Connection,
    feed_ids: Sequence[str],
    *,
    now: datetime,
    interval: timedelta,
    lease: timedelta,
    everything: bool = False,
) -> list[PollState]:
    """Claims those of `feed_ids` that are due and that nobody holds, longest due first; `everything`: not due ones too.

    Never claimed are feeds that are paused, that became another feed, or whose server asked to wait. The next poll
    moves to `now + interval` at once, so that a feed that crashes its poller is not polled in a loop. The claim lasts
    until `record` or until the lease ends.
    """
    claimed: list[PollState] = []
    for start in range(0, len(feed_ids), CHUNK):
        free = _free(feed_ids[start : start + CHUNK], now, everything)
        due_at = {feed_id: at for feed_id, at in conn.execute(select(feeds.c.id, feeds.c.next_poll_at).where(free))}
        if due_at:
            claim = update(feeds).where(free).values(lease_until=now + lease, next_poll_at=now + interval)
            claimed += [_state(row, due_at.get(row.id)) for row in conn.execute(claim.returning(feeds))]
    order = {feed_id: number for number, feed_id in enumerate(feed_ids)}
    never = [state for state in claimed if state.due_at is None]
    known = [(state.due_at, order[state.feed_id], state) for state in claimed if state.due_at]
    return [*sorted(never, key=lambda state: order[state.feed_id]), *(state for _, _, state in sorted(
        known, key=lambda entry: entry[:2]))]


def _free(feed_ids: Sequence[str], now: datetime, everything: bool) -> ColumnElement[bool]:
    other = feeds.alias("other")
    return and_(
        feeds.c.id.in_(feed_ids), or_(feeds.c.lease_until.is_(None), feeds.c.lease_until <= now),
        feeds.c.paused_at.is_(None), or_(feeds.c.wait_until.is_(None), feeds.c.wait_until <= now),
        ~exists().where(other.c.id == feeds.c.merged_into, other.c.retired_at.is_(None), other.c.paused_at.is_(None)),
        *([] if everything else [or_(feeds.c.next_poll_at.is_(None), feeds.c.next_poll_at <= now)]))


def _state(row: Any, due_at: datetime | None) -> PollState:
    rhythm = Rhythm(_seconds(row.gap_seconds), _seconds(row.hint_seconds), row.newest_at)
    move = Move(row.move_target, row.move_since, row.move_count) if row.move_target else None
    return PollState(row.id, row.etag, row.last_modified, row.body_sha256, row.first_polled_at, row.last_success_at,
                     row.error_count, row.last_outcome, row.last_error, due_at, row.validators_at, rhythm, move,
                     row.moved_from, row.moved_to, row.gone_since, row.suspended_at)


def _seconds(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)


def record(conn: Connection, attempts: Sequence[Attempt]) -> None:
    """Writes what came of polls, releases their claims, and keeps the last 20 attempts of each feed."""
    for names, group in groupby(sorted(attempts, key=_changed), key=_changed):
        statement = _RELEASE.values({name: bindparam(f"set_{name}", type_=feeds.c[name].type) for name in names})
        conn.execute(statement, [_release_values(attempt) for attempt in group])
    if attempts:
        conn.execute(insert(poll_attempts), [
            {"feed_id": a.feed_id, "at": a.at, "outcome": a.outcome, "detail": a.detail, "entries": a.entries,
             "new": a.new, "failed": a.failed, "milliseconds": a.milliseconds, "bytes": a.bytes} for a in attempts])
        conn.execute(_FORGET, [{"of_feed": attempt.feed_id} for attempt in attempts])


def release(conn: Connection, due: Mapping[str, datetime | None]) -> None:
    """Gives claims back unused; each feed is due at the time named, None: at once."""
    if due:
        conn.execute(_GIVE_BACK, [{"of_feed": feed_id, "next_at": at} for feed_id, at in due.items()])


def next_poll_at(conn: Connection, feed_ids: Iterable[str]) -> datetime | None:
    """When the first of `feed_ids` is due; None where one was never polled or there are none."""
    times = list(conn.execute(select(feeds.c.next_poll_at).where(feeds.c.id.in_(list(feed_ids)))).scalars())
    return None if None in times else min(times, default=None)


def never_polled(conn: Connection, feed_ids: Iterable[str]) -> bool:
    """Whether none of `feed_ids` was ever polled, with whatever outcome."""
    polled = feeds.c.id.in_(list(feed_ids)) & feeds.c.last_polled_at.is_not(None)
    return conn.execute(select(feeds.c.id).where(polled).limit(1)).first() is None


def attempts_of(conn: Connection, feed_id: str) -> list[Attempt]:
    """The feed's last attempts, newest first."""
    query = select(poll_attempts).where(poll_attempts.c.feed_id == feed_id).order_by(poll_attempts.c.id.desc())
    return [Attempt(feed_id, row.at, row.outcome, row.detail, row.failed, row.entries, row.new,
                    milliseconds=row.milliseconds, bytes=row.bytes) for row in conn.execute(query)]


def rows_of(conn: Connection, feed_ids: Collection[str]) -> dict[str, FeedRow]:
    """How each of `feed_ids` stands; those that the database does not know are left out."""
    found: dict[str, FeedRow] = {}
    for chunk in _chunks(feed_ids):
        for row in conn.execute(select(feeds).where(feeds.c.id.in_(chunk))):
            condition = Condition(row.last_polled_at, row.last_success_at, row.error_count, row.newest_at,
                                  _seconds(row.gap_seconds), row.suspended_at, row.paused_at, row.merged_into)
            found[row.id] = FeedRow(row.id, condition, row.last_outcome, row.last_error, row.next_poll_at,
                                    row.wait_until, row.moved_from, row.moved_to, row.note)
    return found


def pause(conn: Connection, feed_id: str, now: datetime, note: str) -> None:
    """Lets a feed not be polled until `resume`; one that is paused keeps its time and gets the note."""
    conn.execute(update(feeds).where(feeds.c.id == feed_id).values(
        paused_at=func.coalesce(feeds.c.paused_at, bindparam("paused", now, type_=UtcDateTime)), note=note or None))


def resume(conn: Connection, feed_id: str) -> None:
    """Makes a feed due at once and forgets what stopped it: pause, suspension, merge and failures."""
    conn.execute(update(feeds).where(feeds.c.id == feed_id).values(
        paused_at=None, suspended_at=None, gone_since=None, merged_into=None, wait_until=None, note=None, error_count=0,
        next_poll_at=None, move_target=None, move_since=None, move_count=0))


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A feed that was polled in vain since any feed was answered last; `failures`: polls that count against it."""

    feed_id: str
    url: str
    failures: int


def unanswered(conn: Connection, outcomes: Collection[str]) -> list[Unanswered]:
    """The feeds polled since the last attempt whose outcome is none of `outcomes` (those of an unreachable host)."""
    answered = select(func.coalesce(func.max(poll_attempts.c.id), 0)).where(
        poll_attempts.c.outcome.not_in(outcomes)).scalar_subquery()
    failures = func.sum(case((poll_attempts.c.failed, 1), else_=0))
    query = (select(feeds.c.id, feeds.c.url, failures).join(poll_attempts, poll_attempts.c.feed_id == feeds.c.id)
             .where(poll_attempts.c.id > answered).group_by(feeds.c.id, feeds.c.url).order_by(feeds.c.id))
    return [Unanswered(feed_id, url, int(count)) for feed_id, url, count in conn.execute(query)]


def forgive(conn: Connection, feeds_in_vain: Sequence[Unanswered], outcomes: Collection[str], word: str) -> None:
    """Takes back the failures that were our own: they are called `word` and count no more."""
    guilty = [feed for feed in feeds_in_vain if feed.failures]
    if not guilty:
        return
    conn.execute(_FORGIVE, [{"of_feed": feed.feed_id, "failures": feed.failures} for feed in guilty])
    answered = select(func.coalesce(func.max(poll_attempts.c.id), 0)).where(poll_attempts.c.outcome.not_in(outcomes))
    last = conn.execute(answered).scalar_one()
    conn.execute(update(poll_attempts).where(poll_attempts.c.id > last).values(outcome=word, failed=False))


def _chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), CHUNK):
        yield wanted[start : start + CHUNK]


_AT = bindparam("at", type_=UtcDateTime)
_FAILING = bindparam("failing", type_=Boolean)
_NEXT = bindparam("next_at", type_=UtcDateTime)
_OF_FEED = bindparam("of_feed", type_=Text)
_RELEASE = (
    update(feeds)
    .where(feeds.c.id == _OF_FEED)
    .values(
        lease_until=None,
        last_polled_at=_AT,
        last_success_at=case((_FAILING, feeds.c.last_success_at), else_=_AT),
        next_poll_at=func.coalesce(_NEXT, feeds.c.next_poll_at),
        error_count=case((_FAILING, feeds.c.error_count + 1), else_=0),
        last_outcome=bindparam("outcome", type_=Text),
        last_error=bindparam("error", type_=Text),
    )
)
_GIVE_BACK = update(feeds).where(feeds.c.id == _OF_FEED).values(lease_until=None, next_poll_at=_NEXT)
_FAILURES = bindparam("failures", type_=Integer)
_FORGIVE = update(feeds).where(feeds.c.id == _OF_FEED).values(
    error_count=case((feeds.c.error_count > _FAILURES, feeds.c.error_count - _FAILURES), else_=0))
_OLDER = poll_attempts.alias("older")
_FORGET = delete(poll_attempts).where(
    poll_attempts.c.feed_id == _OF_FEED,
    poll_attempts.c.id <= (
        select(_OLDER.c.id).where(_OLDER.c.feed_id == _OF_FEED).order_by(_OLDER.c.id.desc())
        .offset(ATTEMPTS_KEPT).limit(1).scalar_subquery()
    ),
)


def _changed(attempt: Attempt) -> tuple[str, ...]:
    """The further columns that an attempt changes, in a fixed order: attempts that agree are one statement."""
    return tuple(sorted(attempt.changes))


def _release_values(attempt: Attempt) -> dict[str, Any]:
    return {
        "of_feed": attempt.feed_id, "at": attempt.at, "failing": attempt.failed, "outcome": attempt.outcome,
        "error": attempt.detail if attempt.failed else None, "next_at": attempt.next_poll_at,
        **{f"set_{name}": value for name, value in attempt.changes.items()},
    }
