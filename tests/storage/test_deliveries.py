"""The ledger on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from digest.model import Delivery, DeliveryState, Message
from digest.storage import claims, deliveries

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
LEASE = timedelta(minutes=2)
MESSAGE = Message("Новости", "<p>привет</p>", "привет", {"From": "news@example.org"})


def queue(engine: Engine, *targets: str, subject: str = "edition:kz/2023-03-20", due_at: datetime = NOW) -> list[bool]:
    with engine.begin() as conn:
        key = deliveries.store_message(conn, MESSAGE)
        return [
            deliveries.insert(conn, subject=subject, channel="mail", target=target, message_id=key,
                              mail_id=f"{subject}|{target}".replace("@", "-at-"), unsubscribe="test", due_at=due_at,
                              now=NOW)
            for target in targets
        ]


def claim(engine: Engine, holder: str = "a", limit: int = 100, now: datetime = NOW) -> list[Delivery]:
    with engine.begin() as conn:
        return claims.claim(conn, now=now, holder=holder, until=now + LEASE, limit=limit, domain="digest.example")


def states(engine: Engine) -> list[tuple[DeliveryState, str | None]]:
    with engine.begin() as conn:
        return [(d.state, d.phase) for d in deliveries.deliveries_of(conn, "edition:kz/2023-03-20")]


def test_one_recipient_is_queued_once_for_one_subject(engine: Engine) -> None:
    assert queue(engine, "a@example.org", "b@example.org") == [True, True]
    assert queue(engine, "a@example.org", "c@example.org") == [False, True]
    assert queue(engine, "a@example.org", subject="edition:kz/2023-03-21") == [True]


def test_a_claim_carries_the_message_and_a_message_id_that_stays(engine: Engine) -> None:
    queue(engine, "a@example.org")
    [first] = claim(engine)
    assert first.message == MESSAGE
    assert first.message_id.endswith("@digest.example")
    assert (first.state, first.phase, first.attempts) == (DeliveryState.SENDING, "claimed", 1)
    with engine.begin() as conn:
        assert claims.mark_deferred(conn, first.id, "a", until=NOW, error="450 later")
        [second] = claims.claim(conn, now=NOW, holder="b", until=NOW + LEASE, limit=1, domain="other.example")
    assert second.message_id == first.message_id
    assert (second.attempts, second.last_error) == (2, "450 later")


def test_only_what_is_due_is_claimed_longest_due_first(engine: Engine) -> None:
    queue(engine, "later@example.org", due_at=NOW + timedelta(minutes=1))
    queue(engine, "second@example.org", due_at=NOW)
    queue(engine, "first@example.org", due_at=NOW - timedelta(hours=1))
    assert [d.target for d in claim(engine, limit=1)] == ["first@example.org"]
    assert [d.target for d in claim(engine)] == ["second@example.org"]
    assert claim(engine) == []


def test_claimers_at_one_time_never_hold_the_same_row(engine: Engine) -> None:
    queue(engine, *(f"r{n}@example.org" for n in range(40)))

    def work(holder: str) -> list[int]:
        held: list[int] = []
        while rows := claim(engine, holder, limit=3):
            held += [row.id for row in rows]
        return held

    with ThreadPoolExecutor(4) as pool:
        held = [row for rows in pool.map(work, "abcd") for row in rows]
    assert len(held) == len(set(held)) == 40


def test_an_ended_lease_is_retried_before_data_and_uncertain_after(engine: Engine) -> None:
    queue(engine, "claimed@example.org", "written@example.org")
    _, written = claim(engine)
    with engine.begin() as conn:
        assert claims.mark_data(conn, [written.id], "a")
    with engine.begin() as conn:
        assert claims.recover(conn, NOW + LEASE) == (0, 0)  # still held
        assert claims.recover(conn, NOW + LEASE * 2) == (1, 1)
        assert claims.recover(conn, NOW + LEASE * 2) == (0, 0)
    assert states(engine) == [(DeliveryState.DEFERRED, None), (DeliveryState.UNCERTAIN, "data")]
    assert [d.target for d in claim(engine, now=NOW + LEASE * 2)] == ["claimed@example.org"]
    with engine.begin() as conn:
        assert [d.target for d in deliveries.deliveries_in(conn, DeliveryState.UNCERTAIN)] == ["written@example.org"]


def test_a_holder_that_lost_its_lease_may_not_write_data(engine: Engine) -> None:
    queue(engine, "a@example.org")
    [row] = claim(engine, "slow")
    with engine.begin() as conn:
        claims.recover(conn, NOW + LEASE * 2)
    claim(engine, "quick", now=NOW + LEASE * 2)
    with engine.begin() as conn:
        assert claims.mark_data(conn, [row.id], "slow") == set()
        assert claims.mark_sent(conn, [row.id], "slow", NOW) == set()
        assert claims.mark_data(conn, [row.id], "quick")


def test_a_late_answer_settles_an_uncertain_row(engine: Engine) -> None:
    queue(engine, "a@example.org")
    [row] = claim(engine)
    with engine.begin() as conn:
        claims.mark_data(conn, [row.id], "a")
        claims.recover(conn, NOW + LEASE * 2)
        assert claims.mark_sent(conn, [row.id], "a", NOW + LEASE * 2)
    assert states(engine) == [(DeliveryState.SENT, None)]


@pytest.mark.parametrize("settle", ["sent", "failed", "uncertain"])
def test_a_settled_row_is_never_claimed_again(engine: Engine, settle: str) -> None:
    queue(engine, "a@example.org")
    [row] = claim(engine)
    with engine.begin() as conn:
        if settle == "sent":
            assert claims.mark_sent(conn, [row.id], "a", NOW)
        elif settle == "failed":
            assert claims.mark_failed(conn, row.id, "a", "550 no such user")
        else:
            assert claims.mark_uncertain(conn, row.id, "a", "connection lost")
        assert claims.recover(conn, NOW + timedelta(days=1)) == (0, 0)
        assert deliveries.count_due(conn, NOW + timedelta(days=1)) == 0
        assert deliveries.count_by_state(conn, row.subject) == {DeliveryState(settle): 1}
    assert claim(engine, now=NOW + timedelta(days=1)) == []


def test_the_next_attempt_is_that_of_the_first_waiting_row(engine: Engine) -> None:
    with engine.begin() as conn:
        assert deliveries.next_attempt_at(conn) is None
    queue(engine, "a@example.org", "b@example.org")
    [row] = claim(engine, limit=1)
    with engine.begin() as conn:
        claims.mark_deferred(conn, row.id, "a", until=NOW + timedelta(minutes=5), error="450")
        assert deliveries.next_attempt_at(conn) == NOW
        assert deliveries.count_due(conn, NOW) == 1
        assert deliveries.count_due(conn, NOW, "edition:other") == 0
