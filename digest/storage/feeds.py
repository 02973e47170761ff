"""Poll state of feeds: what is due, who holds it, what came of it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, Connection, Text, bindparam, case, delete, func, insert, or_, select, update

from digest.storage.engine import UtcDateTime
from digest.storage.schema import feeds, poll_attempts

ATTEMPTS_KEPT = 20
CHUNK = 500


@dataclass(frozen=True, slots=True)
class PollState:
    """What the next poll of a feed must know. `first_polled_at` is None until a document with entries was read."""

    feed_id: str
    etag: str | None
    last_modified: str | None
    body_sha256: str | None
    first_polled_at: datetime | None
    last_success_at: datetime | None
    error_count: int
    last_outcome: str | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one poll. `next_poll_at` None keeps the time that the claim set.

    `document` holds the columns that only an answer of 200 changes (etag, last_modified, body_sha256,
    first_polled_at); {} leaves them as they are.
    """

    feed_id: str
    at: datetime
    outcome: str
    detail: str
    failed: bool
    entries: int = 0
    new: int = 0
    next_poll_at: datetime | None = None
    document: Mapping[str, Any] | None = None


def claim_due(
    conn: Connection,
    feed_ids: Sequence[str],
    *,
    now: datetime,
    interval: timedelta,
    lease: timedelta,
    everything: bool = False,
) -> list[PollState]:
    """Claims those of `feed_ids` that are due and that nobody holds; `everything` claims those not due too.

    The next poll moves to `now + interval` at once, so that a feed that crashes its poller is not polled in a loop.
    The claim lasts until `record` or until the lease ends.
    """
    claimed: list[PollState] = []
    for start in range(0, len(feed_ids), CHUNK):
        free = or_(feeds.c.lease_until.is_(None), feeds.c.lease_until <= now)
        due = or_(feeds.c.next_poll_at.is_(None), feeds.c.next_poll_at <= now)
        conditions = [feeds.c.id.in_(feed_ids[start : start + CHUNK]), free, *([] if everything else [due])]
        claim = (
            update(feeds)
            .where(*conditions)
            .values(lease_until=now + lease, next_poll_at=now + interval)
            .returning(feeds.c.id, feeds.c.etag, feeds.c.last_modified, feeds.c.body_sha256, feeds.c.first_polled_at,
                       feeds.c.last_success_at, feeds.c.error_count, feeds.c.last_outcome, feeds.c.last_error)
        )
        claimed += [PollState(*row) for row in conn.execute(claim)]
    order = {feed_id: number for number, feed_id in enumerate(feed_ids)}
    return sorted(claimed, key=lambda state: order[state.feed_id])


def record(conn: Connection, attempts: Sequence[Attempt]) -> None:
    """Writes what came of polls, releases their claims, and keeps the last 20 attempts of each feed."""
    if not attempts:
        return
    conn.execute(_RELEASE, [_release_values(attempt) for attempt in attempts])
    for attempt in attempts:
        if attempt.document:
            conn.execute(update(feeds).where(feeds.c.id == attempt.feed_id).values(**attempt.document))
    conn.execute(insert(poll_attempts), [
        {"feed_id": a.feed_id, "at": a.at, "outcome": a.outcome, "detail": a.detail, "entries": a.entries, "new": a.new}
        for a in attempts
    ])
    conn.execute(_FORGET, [{"of_feed": attempt.feed_id} for attempt in attempts])


def release(conn: Connection, feed_ids: Collection[str]) -> None:
    """Gives claims back unused; the feeds are due at once."""
    if not feed_ids:
        return
    conn.execute(update(feeds).where(feeds.c.id.in_(feed_ids)).values(lease_until=None, next_poll_at=None))


def next_poll_at(conn: Connection, feed_ids: Iterable[str]) -> datetime | None:
    """When the first of `feed_ids` is due; None where one was never polled or there are none."""
    times = list(conn.execute(select(feeds.c.next_poll_at).where(feeds.c.id.in_(list(feed_ids)))).scalars())
    return None if None in times else min(times, default=None)


def never_polled(conn: Connection, feed_ids: Iterable[str]) -> bool:
    """Whether none of `feed_ids` was ever polled, with whatever outcome."""
    polled = feeds.c.id.in_(list(feed_ids)) & feeds.c.last_polled_at.is_not(None)
    return conn.execute(select(feeds.c.id).where(polled).limit(1)).first() is None


def attempts_of(conn: Connection, feed_id: str) -> list[Attempt]:
    """The feed's last attempts, newest first; `failed` is not told, for the ledger keeps outcomes alone."""
    query = select(poll_attempts).where(poll_attempts.c.feed_id == feed_id).order_by(poll_attempts.c.id.desc())
    return [Attempt(feed_id, row.at, row.outcome, row.detail, False, row.entries, row.new)
            for row in conn.execute(query)]


_AT = bindparam("at", type_=UtcDateTime)
_FAILING = bindparam("failing", type_=Boolean)
_NEXT = bindparam("next_at", type_=UtcDateTime)
_RELEASE = (
    update(feeds)
    .where(feeds.c.id == bindparam("of_feed", type_=Text))
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
_OLDER = poll_attempts.alias("older")
_FORGET = delete(poll_attempts).where(
    poll_attempts.c.feed_id == bindparam("of_feed", type_=Text),
    poll_attempts.c.id <= (
        select(_OLDER.c.id).where(_OLDER.c.feed_id == bindparam("of_feed", type_=Text)).order_by(_OLDER.c.id.desc())
        .offset(ATTEMPTS_KEPT).limit(1).scalar_subquery()
    ),
)


def _release_values(attempt: Attempt) -> dict[str, Any]:
    return {
        "of_feed": attempt.feed_id, "at": attempt.at, "failing": attempt.failed, "outcome": attempt.outcome,
        "error": attempt.detail if attempt.failed else None, "next_at": attempt.next_poll_at,
    }
