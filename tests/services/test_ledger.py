"""The ledger's writer: one commit for what waits, outcomes never lost, in order."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, event, text

from digest.model import Delivery, DeliveryState, Message
from digest.services import bounces, deliveries, envelopes, leaving
from digest.services.ledger import Ledger
from digest.services.outcomes import SENT, UNTRIED, Outcome
from digest.storage import claims
from digest.storage import deliveries as storage
from digest.storage.engine import read_only

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
EDITION = "edition:kazakhstan/2023-03-20"
MESSAGE = Message("News", "<p>x</p>", "x")


class StoppedClock:
    def now(self) -> datetime:
        return NOW


def queue(engine: Engine, count: int) -> None:
    with engine.begin() as conn:
        for number in range(count):
            deliveries.queue(conn, subject=EDITION, channel=envelopes.MAIL, target=f"r{number}@example.org",
                             message=MESSAGE, unsubscribe=leaving.TEST, due_at=NOW, now=NOW)


def states(engine: Engine) -> list[DeliveryState]:
    with read_only(engine) as conn:
        return [row.state for row in storage.deliveries_of(conn, EDITION)]


def with_ledger(engine: Engine, story: Callable[[Ledger], Awaitable[None]]) -> None:
    async def run() -> None:
        async with Ledger(engine, StoppedClock(), "me") as ledger:
            await story(ledger)

    asyncio.run(asyncio.wait_for(run(), 60))


async def claimed(ledger: Ledger, limit: int = 100) -> list[Delivery]:
    return await ledger.claim(limit, domain="x.net")


def test_what_waits_is_committed_together(engine: Engine) -> None:
    queue(engine, 50)
    commits = 0

    def count(_conn: Connection) -> None:
        nonlocal commits
        commits += 1

    async def story(ledger: Ledger) -> None:
        rows = await claimed(ledger)
        event.listen(engine, "commit", count)
        assert all(await asyncio.gather(*(ledger.mark_data(row.id) for row in rows)))
        for row in rows:
            ledger.record(row, SENT)

    with_ledger(engine, story)
    assert set(states(engine)) == {DeliveryState.SENT}
    assert 1 <= commits <= 6  # of 100 changes


def test_an_outcome_is_durable_before_what_is_asked_after_it(engine: Engine) -> None:
    queue(engine, 2)

    async def story(ledger: Ledger) -> None:
        first, second = await claimed(ledger)
        await ledger.mark_data(first.id)
        ledger.record(first, SENT)
        await ledger.mark_data(second.id)
        assert await asyncio.to_thread(states, engine) == [DeliveryState.SENT, DeliveryState.SENDING]

    with_ledger(engine, story)


def test_a_row_that_another_took_over_may_not_be_written(engine: Engine) -> None:
    queue(engine, 2)

    async def story(ledger: Ledger) -> None:
        rows = await claimed(ledger)
        with engine.begin() as conn:
            claims.recover(conn, NOW, ended=["me"])
            [taken] = claims.claim(conn, now=NOW, holder="other", until=NOW, limit=1, domain="x.net")
        assert await asyncio.gather(*(ledger.mark_data(row.id) for row in rows)) == [False, False]
        ledger.record(taken, SENT)

    with_ledger(engine, story)
    assert set(states(engine)) == {DeliveryState.SENDING, DeliveryState.DEFERRED}


def test_outcomes_outlast_a_database_that_fails_for_a_while(sqlite_engine: Engine) -> None:
    queue(sqlite_engine, 2)

    async def story(ledger: Ledger) -> None:
        first, second = await claimed(ledger)
        with sqlite_engine.begin() as conn:
            conn.execute(text("ALTER TABLE deliveries RENAME TO gone"))
        ledger.record(first, SENT)
        with pytest.raises(Exception, match="no such table"):
            await ledger.mark_data(second.id)
        with sqlite_engine.begin() as conn:
            conn.execute(text("ALTER TABLE gone RENAME TO deliveries"))
        assert await ledger.mark_data(second.id)

    with_ledger(sqlite_engine, story)
    assert states(sqlite_engine) == [DeliveryState.SENT, DeliveryState.SENDING]


def test_each_outcome_becomes_a_state(engine: Engine) -> None:
    queue(engine, 5)
    later = NOW + timedelta(minutes=5)

    async def story(ledger: Ledger) -> None:
        outcomes = (UNTRIED, Outcome(DeliveryState.QUEUED, "rate used up", later),
                    Outcome(DeliveryState.DEFERRED, "450", later), Outcome(DeliveryState.FAILED, "550", code=550),
                    Outcome(DeliveryState.UNCERTAIN, "no answer"))
        for row, outcome in zip(await claimed(ledger), outcomes, strict=True):
            ledger.record(row, outcome)

    with_ledger(engine, story)
    assert states(engine) == [DeliveryState.QUEUED, DeliveryState.QUEUED, DeliveryState.DEFERRED,
                              DeliveryState.FAILED, DeliveryState.UNCERTAIN]
    with read_only(engine) as conn:
        rows = storage.deliveries_of(conn, EDITION)
    assert [row.attempts for row in rows] == [0, 0, 1, 1, 1]
    with engine.begin() as conn:
        assert storage.count_due(conn, NOW) == 1
        assert storage.count_due(conn, later) == 3


def test_a_refusal_counts_for_its_reader_once(engine: Engine) -> None:
    queue(engine, 1)

    async def story(ledger: Ledger) -> None:
        [row] = await claimed(ledger)
        ledger.record(row, Outcome(DeliveryState.FAILED, "550 5.1.1 no such user", code=550, enhanced="5.1.1"))

    with_ledger(engine, story)
    with read_only(engine) as conn:
        assert bounces.score(conn, "r0@example.org", NOW) == 1.0


def test_a_refusal_that_cannot_be_noted_loses_no_outcome(sqlite_engine: Engine) -> None:
    queue(sqlite_engine, 2)
    with sqlite_engine.begin() as conn:
        conn.execute(text("DROP TABLE bounces"))

    async def story(ledger: Ledger) -> None:
        first, second = await claimed(ledger)
        ledger.record(first, Outcome(DeliveryState.FAILED, "550 5.1.1 no", code=550, enhanced="5.1.1"))
        ledger.record(second, SENT)

    with_ledger(sqlite_engine, story)
    assert states(sqlite_engine) == [DeliveryState.FAILED, DeliveryState.SENT]
