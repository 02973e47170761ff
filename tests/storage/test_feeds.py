from datetime import timedelta

from sqlalchemy import Engine

from digest.storage.feeds import ATTEMPTS_KEPT, Attempt, attempts_of, claim_due, never_polled, next_poll_at, record
from tests.storage.worlds import NOON, a_feed, add_feed

FEED, OTHER = a_feed(), a_feed("Lake Herald")
BOTH = [FEED.id, OTHER.id]
HALF_HOUR, LEASE = timedelta(minutes=30), timedelta(minutes=5)


def claim(conn, now=NOON, **options):  # type: ignore[no-untyped-def]
    return [s.feed_id for s in claim_due(conn, BOTH, now=now, interval=HALF_HOUR, lease=LEASE, **options)]


def attempt(feed_id: str, minutes: int = 0, **changes: object) -> Attempt:
    values = {"outcome": "ok", "detail": "", "failed": False, **changes}
    return Attempt(feed_id, NOON + timedelta(minutes=minutes), **values)  # type: ignore[arg-type]


def test_a_claimed_feed_is_claimed_by_nobody_else_until_its_lease_ends(engine: Engine) -> None:
    with engine.begin() as conn:
        for feed in (FEED, OTHER):
            add_feed(conn, feed)
        assert claim(conn) == BOTH
        assert claim(conn) == claim(conn, everything=True) == []
        assert claim(conn, NOON + LEASE, everything=True) == BOTH  # the holder died


def test_a_recorded_feed_is_due_after_its_interval(engine: Engine) -> None:
    with engine.begin() as conn:
        for feed in (FEED, OTHER):
            add_feed(conn, feed)
        assert never_polled(conn, BOTH)
        assert next_poll_at(conn, BOTH) is None
        claim(conn)
        later = NOON + timedelta(hours=2)
        record(conn, [attempt(FEED.id), attempt(OTHER.id, outcome="http_500", failed=True, next_poll_at=later)])
        assert not never_polled(conn, BOTH)
        assert next_poll_at(conn, BOTH) == NOON + HALF_HOUR
        assert claim(conn, NOON + timedelta(minutes=29)) == []
        assert claim(conn, NOON + HALF_HOUR) == [FEED.id]
        assert claim(conn, NOON + timedelta(hours=3)) == BOTH


def test_failures_are_counted_until_a_success(engine: Engine) -> None:
    with engine.begin() as conn:
        for feed in (FEED, OTHER):
            add_feed(conn, feed)
        for minutes, failed in ((0, True), (40, True), (80, False)):
            now = NOON + timedelta(minutes=minutes)
            state = claim_due(conn, [FEED.id], now=now, interval=HALF_HOUR, lease=LEASE)[0]
            record(conn, [attempt(FEED.id, minutes, outcome="timeout" if failed else "ok", failed=failed,
                                  detail="too slow" if failed else "",
                                  document={} if failed else {"etag": '"1"', "body_sha256": "aa"})])
        assert (state.error_count, state.last_outcome, state.last_error) == (2, "timeout", "too slow")
        state = claim_due(conn, [FEED.id], now=NOON + timedelta(hours=9), interval=HALF_HOUR, lease=LEASE)[0]
        assert (state.error_count, state.last_error, state.etag) == (0, None, '"1"')
        assert state.last_success_at == NOON + timedelta(minutes=80)


def test_only_the_last_attempts_are_kept(engine: Engine) -> None:
    with engine.begin() as conn:
        for feed in (FEED, OTHER):
            add_feed(conn, feed)
        for minutes in range(ATTEMPTS_KEPT + 3):
            record(conn, [attempt(FEED.id, minutes, new=minutes), attempt(OTHER.id, minutes)])
        kept = attempts_of(conn, FEED.id)
        assert [a.new for a in kept] == list(range(ATTEMPTS_KEPT + 2, 2, -1))
        assert len(attempts_of(conn, OTHER.id)) == ATTEMPTS_KEPT
