"""A run over what is due: what goes first, what is given back, and what is not sent at all."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.errors import DeliveryError
from digest.model import Delivery, DeliveryState, Message
from digest.ports import Envelope, Mailer
from digest.services import bounces, deliveries, envelopes, leaving
from digest.services.deliveries import SendReport
from digest.services.holders import Holders
from digest.settings import Settings, SiteSettings
from digest.storage import claims
from digest.storage import deliveries as storage
from digest.storage.engine import read_only
from digest.tokens import Signer

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
EDITION = "edition:kazakhstan/2023-03-20"
MESSAGE = Message("News", "<p>%%unsubscribe%%</p>", "%%unsubscribe%%")


class StoppedClock:
    def __init__(self, now: datetime = NOW):
        self._now = now

    def now(self) -> datetime:
        return self._now


class Taker:
    """A mail server that takes all; `refuse` answers for some, and `wait` holds mails before they are written."""

    def __init__(self, capacity: int = 3, refuse: dict[str, DeliveryError] | None = None):
        self.capacity = capacity
        self.refuse = refuse or {}
        self.taken: list[str] = []
        self.waiting = asyncio.Semaphore(0)  # released by each mail that waits
        self.gate: asyncio.Event | None = None

    async def send(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> None:
        if self.gate is not None:
            self.waiting.release()
            await self.gate.wait()
        if error := self.refuse.get(envelope.recipient):
            raise error
        await before_data()
        self.taken.append(envelope.recipient)

    async def close(self) -> None:
        return None


def queue(engine: Engine, *targets: str, subject: str = EDITION) -> None:
    with engine.begin() as conn:
        for target in targets:
            deliveries.queue(conn, subject=subject, channel=envelopes.MAIL, target=target, message=MESSAGE,
                             unsubscribe=leaving.TEST, due_at=NOW, now=NOW)


async def sending(engine: Engine, mailer: Mailer, *, now: datetime = NOW, holder: str = "a",
                  holders: Holders | None = None, on_beat: Callable[[SendReport], None] | None = None) -> SendReport:
    settings = Settings(site=SiteSettings(url="https://digest.example.org"))
    return await deliveries.send_due(engine, mailer, StoppedClock(now), settings=settings, signer=Signer(b"k" * 32),
                                     holder=holder, holders=holders, on_beat=on_beat)


def rows(engine: Engine, subject: str = EDITION) -> list[Delivery]:
    with read_only(engine) as conn:
        return storage.deliveries_of(conn, subject)


def test_what_a_reader_waits_for_goes_before_editions(engine: Engine) -> None:
    queue(engine, *(f"r{number}@example.org" for number in range(20)))
    queue(engine, "new@example.org", subject="notice:confirm:7")
    mailer = Taker(capacity=1)
    assert asyncio.run(sending(engine, mailer)).sent == 21
    assert mailer.taken[0] == "new@example.org"


def test_a_stop_gives_back_what_is_not_written(engine: Engine) -> None:
    queue(engine, *(f"r{number}@example.org" for number in range(50)))
    mailer = Taker()

    async def story() -> None:
        mailer.gate = asyncio.Event()
        task = asyncio.create_task(sending(engine, mailer))
        for _ in range(mailer.capacity):
            await mailer.waiting.acquire()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(story(), 30))
    assert mailer.taken == []
    assert {(row.state, row.phase, row.attempts) for row in rows(engine)} == {(DeliveryState.QUEUED, None, 0)}


def test_while_no_server_serves_nothing_is_tried(sqlite_engine: Engine) -> None:
    queue(sqlite_engine, "a@example.org", "b@example.org")
    assert asyncio.run(sending(sqlite_engine, Taker(capacity=0))) == SendReport(remaining=2)
    assert {row.attempts for row in rows(sqlite_engine)} == {0}


def test_a_mail_whose_turn_comes_later_was_not_tried(sqlite_engine: Engine) -> None:
    queue(sqlite_engine, "a@example.org")
    turn = NOW + timedelta(hours=1)
    mailer = Taker(refuse={"a@example.org": DeliveryError("a@example.org", "the rate is used up", retry_at=turn)})
    assert asyncio.run(sending(sqlite_engine, mailer)).deferred == 0
    [row] = rows(sqlite_engine)
    assert (row.state, row.attempts) == (DeliveryState.QUEUED, 0)
    mailer.refuse = {}
    assert asyncio.run(sending(sqlite_engine, mailer, now=turn - timedelta(seconds=1))) == SendReport()
    assert asyncio.run(sending(sqlite_engine, mailer, now=turn)).sent == 1


def test_a_suppressed_address_gets_nothing(sqlite_engine: Engine) -> None:
    queue(sqlite_engine, "a@example.org", "gone@example.org")
    with sqlite_engine.begin() as conn:
        bounces.suppress(conn, "gone@example.org", "asked by post", NOW)
    mailer = Taker()
    report = asyncio.run(sending(sqlite_engine, mailer))
    assert (report.sent, report.failed, mailer.taken) == (1, 1, ["a@example.org"])
    assert report.error == "the address is suppressed (operator: asked by post)"


def test_a_dead_server_ends_the_run_and_the_rest_waits(sqlite_engine: Engine) -> None:
    targets = [f"r{number}@example.org" for number in range(60)]
    queue(sqlite_engine, *targets)
    mailer = Taker(refuse={target: DeliveryError(target, "no session", server=True) for target in targets})
    report = asyncio.run(sending(sqlite_engine, mailer))
    states = [row.state for row in rows(sqlite_engine)]
    assert report.deferred == states.count(DeliveryState.DEFERRED) < 10
    assert states.count(DeliveryState.QUEUED) == 60 - report.deferred == report.remaining
    assert {row.attempts for row in rows(sqlite_engine)} == {0, 1}


def test_what_a_process_on_this_machine_left_is_sent_at_once(engine: Engine, tmp_path: Path) -> None:
    """Its lease has a minute to go, but its lock is free."""
    queue(engine, "claimed@example.org", "written@example.org")
    folder = tmp_path / "holders"
    folder.mkdir()
    holders = Holders(folder)
    with engine.begin() as conn:
        _, written = claims.claim(conn, now=NOW, holder="dead/1", until=NOW + timedelta(minutes=1), limit=2,
                                  domain="x.net")
        claims.mark_data(conn, [written.id], "dead/1")
    mailer = Taker()
    assert asyncio.run(sending(engine, mailer, holders=holders)) == SendReport(remaining=2)  # nothing is known of it
    (folder / "dead_1.lock").touch()
    report = asyncio.run(sending(engine, mailer, holders=holders))
    assert (report.sent, report.uncertain, mailer.taken) == (1, 1, ["claimed@example.org"])
    assert list(folder.iterdir()) == []


def test_a_process_that_is_alive_keeps_its_rows_beyond_the_lease(engine: Engine, tmp_path: Path) -> None:
    queue(engine, "a@example.org")
    holders = Holders(tmp_path)
    with holders.held("busy/1"):
        with engine.begin() as conn:
            claims.claim(conn, now=NOW, holder="busy/1", until=NOW + timedelta(minutes=1), limit=1, domain="x.net")
        later = NOW + timedelta(hours=1)
        assert asyncio.run(sending(engine, Taker(), now=later, holders=holders)) == SendReport(remaining=1)
    assert [row.state for row in rows(engine)] == [DeliveryState.SENDING]


def test_a_run_shows_that_it_lives_and_what_it_did(sqlite_engine: Engine) -> None:
    queue(sqlite_engine, "a@example.org")
    beats: list[SendReport] = []
    asyncio.run(sending(sqlite_engine, Taker(), on_beat=beats.append))
    assert beats and beats[0].done <= 1


def test_a_bug_in_the_run_is_raised_and_loses_no_row(sqlite_engine: Engine) -> None:
    queue(sqlite_engine, *(f"r{number}@example.org" for number in range(10)))

    def broken(_delivery: Delivery) -> None:
        raise RuntimeError("bug")

    async def story() -> None:
        settings = Settings(site=SiteSettings(url="https://digest.example.org"))
        await deliveries.send_due(sqlite_engine, Taker(capacity=1), StoppedClock(), settings=settings,
                                  signer=Signer(b"k" * 32), holder="a", on_sent=broken)

    with pytest.raises(RuntimeError, match="bug"):
        asyncio.run(asyncio.wait_for(story(), 30))
    states = [row.state for row in rows(sqlite_engine)]
    assert states.count(DeliveryState.SENT) == 1 and set(states) == {DeliveryState.SENT, DeliveryState.QUEUED}
