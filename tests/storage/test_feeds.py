from datetime import timedelta

from sqlalchemy import Engine

from digest.pipeline.health import Health, health_of
from digest.storage.feeds import (
    ATTEMPTS_KEPT,
    Attempt,
    attempts_of,
    claim_due,
    forgive,
    never_polled,
    next_poll_at,
    pause,
    record,
    release,
    resume,
    rows_of,
    unanswered,
)
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
                                  changes={} if failed else {"etag": '"1"', "body_sha256": "aa"})])
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


def test_the_longest_due_feed_comes_first_and_a_claim_given_back_keeps_its_time(engine: Engine) -> None:
    with engine.begin() as conn:
        for feed in (FEED, OTHER):
            add_feed(conn, feed)
        claim(conn)
        release(conn, {FEED.id: NOON + timedelta(minutes=2), OTHER.id: NOON + timedelta(minutes=1)})
        assert claim(conn, NOON + timedelta(minutes=1)) == [OTHER.id]
        release(conn, {OTHER.id: NOON + timedelta(minutes=1)})
        assert claim(conn, NOON + timedelta(minutes=5)) == [OTHER.id, FEED.id]


def test_what_stops_a_feed_keeps_it_from_being_claimed_even_with_everything(engine: Engine) -> None:
    with engine.begin() as conn:
        for feed in (FEED, OTHER):
            add_feed(conn, feed)
        pause(conn, FEED.id, NOON, "their server is being moved")
        assert health_of(rows_of(conn, BOTH)[FEED.id].condition, NOON) is Health.PAUSED
        assert claim(conn, everything=True) == [OTHER.id]
        record(conn, [attempt(OTHER.id, changes={"wait_until": NOON + timedelta(hours=1)})])
        assert claim(conn, NOON + timedelta(minutes=59), everything=True) == []
        assert claim(conn, NOON + timedelta(minutes=60), everything=True) == [OTHER.id]
        resume(conn, FEED.id)
        assert claim(conn) == [FEED.id]
        record(conn, [attempt(FEED.id, changes={"merged_into": OTHER.id, "note": "has become the other"})])
        assert claim(conn, NOON + timedelta(days=1), everything=True) == [OTHER.id]
        pause(conn, OTHER.id, NOON, "")  # then the one that has become it is polled again
        assert claim(conn, NOON + timedelta(days=2), everything=True) == [FEED.id]


def test_failures_since_the_last_answer_can_be_taken_back(engine: Engine) -> None:
    words = {"dns", "offline"}
    with engine.begin() as conn:
        for feed in (FEED, OTHER):
            add_feed(conn, feed)
        record(conn, [attempt(FEED.id, outcome="dns", failed=True), attempt(OTHER.id)])
        assert unanswered(conn, words) == []
        for minutes in (1, 2):
            record(conn, [attempt(FEED.id, minutes, outcome="dns", failed=True)])
        found, = unanswered(conn, words)
        assert (found.feed_id, found.url, found.failures) == (FEED.id, FEED.url, 2)
        forgive(conn, [found], words, "offline")
        assert [a.outcome for a in attempts_of(conn, FEED.id)] == ["offline", "offline", "dns"]
        assert rows_of(conn, [FEED.id])[FEED.id].condition.error_count == 1
