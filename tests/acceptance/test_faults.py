"""Postfix's smtp-sink misbehaving: each mail is deferred, failed or uncertain as defined; none is sent or dropped.

Counted from the server's dumps: what was deferred arrives once it works again, and nothing arrives twice.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from bench.sink import SmtpSink, free_port, program
from digest.mail.pool import SmtpMailer
from digest.model import DeliveryState, Message
from digest.services import bounces, deliveries, envelopes, leaving
from digest.services.deliveries import SendReport
from digest.settings import Settings, SmtpSettings
from digest.storage import deliveries as ledger
from digest.storage import ledger_rows
from digest.storage.engine import read_only
from digest.tokens import Signer

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
EDITION = "edition:steppe/2023-03-20"
READERS = [f"reader{number}@readers.example" for number in range(3)]
QUIET_SECONDS = 0.1
DEFERRED, FAILED, UNCERTAIN = DeliveryState.DEFERRED, DeliveryState.FAILED, DeliveryState.UNCERTAIN


class StoppedClock:
    def __init__(self, now: datetime):
        self._now = now

    def now(self) -> datetime:
        return self._now


@pytest.fixture
def port(sqlite_engine: Engine) -> Iterator[int]:
    """A port for a server, and mail queued for READERS."""
    try:
        program("smtp-sink")
    except FileNotFoundError as error:
        pytest.skip(str(error))
    html = "<p>Bridge over the Irtysh reopens.</p>\n" * 2000
    message = Message("Steppe News", f"{html} %%unsubscribe%% %%reason%%", "%%reason%% %%unsubscribe%%")
    with sqlite_engine.begin() as conn:
        for target in READERS:
            deliveries.queue(conn, subject=EDITION, channel=envelopes.MAIL, target=target, message=message,
                             unsubscribe=leaving.TEST, due_at=NOW, now=NOW)
    yield free_port()


def send(engine: Engine, port: int, *, after: timedelta = timedelta(), **smtp: float) -> SendReport:
    settings = Settings(smtp=SmtpSettings.model_validate({
        "host": "127.0.0.1", "port": port, "tls": "none", "timeout_seconds": 5, "data_timeout_seconds": 5, **smtp}))

    async def run() -> SendReport:
        mailer = SmtpMailer(settings.smtp)
        try:
            return await deliveries.send_due(engine, mailer, StoppedClock(NOW + after), settings=settings,
                                             signer=Signer(b"k" * 32), holder="test")
        finally:
            await mailer.close()

    return asyncio.run(run())


def states(engine: Engine) -> list[DeliveryState]:
    with read_only(engine) as conn:
        return [row.state for row in ledger.deliveries_of(conn, EDITION)]


def arrive_later(engine: Engine, port: int) -> Counter[str]:
    """What stands in all dumps when the server has worked again for a while."""
    with SmtpSink(dumps=True, port=port) as sink:
        for hours in (1, 2):
            send(engine, port, after=timedelta(hours=hours))
        sink.settled(QUIET_SECONDS)
        return sink.recipients()


@pytest.mark.parametrize("pipelined", [True, False], ids=["pipelined", "plain"])
@pytest.mark.parametrize(("options", "state"), [
    (("-r", "rcpt"), DEFERRED),
    (("-r", "rcpt", "-b", "450 4.2.1 greylisted, come again"), DEFERRED),
    (("-r", "mail", "-b", "454 4.7.0 not now"), DEFERRED),
    (("-r", "data"), DEFERRED),
    (("-r", "."), DEFERRED),
    (("-r", "connect"), DEFERRED),
    (("-Q", "connect"), DEFERRED),
    (("-Q", "mail"), DEFERRED),
    (("-Q", "rcpt"), DEFERRED),
    (("-Q", "data"), DEFERRED),
    (("-Q", "."), DEFERRED),
    (("-q", "connect"), DEFERRED),
    (("-q", "rcpt"), DEFERRED),
    (("-q", "data"), DEFERRED),
    (("-q", "."), UNCERTAIN),
    (("-f", "rcpt"), FAILED),
    (("-f", "."), FAILED),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value))
def test_a_fault_leaves_each_mail_as_it_is_defined(
    sqlite_engine: Engine, port: int, options: tuple[str, ...], state: DeliveryState, pipelined: bool
) -> None:
    with SmtpSink(*options, *(() if pipelined else ("-p",)), dumps=True, port=port) as sink:
        report = send(sqlite_engine, port)
        assert report.sent == 0
        assert "." in options or sink.settled(QUIET_SECONDS) == 0  # what is refused at its end is dumped all the same
    tried = [found for found in states(sqlite_engine) if found is not DeliveryState.QUEUED]
    assert tried and set(tried) == {state}  # a dead server is not asked for each mail
    taken = arrive_later(sqlite_engine, port)
    if state is DEFERRED:
        assert taken == Counter(READERS)
        assert set(states(sqlite_engine)) == {DeliveryState.SENT}
    else:
        assert set(taken.values()) <= {1} and len(taken) == states(sqlite_engine).count(DeliveryState.SENT)
        assert len(tried) == states(sqlite_engine).count(state)


def test_while_the_server_is_down_mail_waits(sqlite_engine: Engine, port: int) -> None:
    report = send(sqlite_engine, port)
    assert (report.sent, report.failed, report.uncertain) == (0, 0, 0)
    assert set(states(sqlite_engine)) <= {DeliveryState.QUEUED, DEFERRED}
    assert arrive_later(sqlite_engine, port) == Counter(READERS)


def test_a_session_cut_in_the_middle_of_the_message_loses_nothing(sqlite_engine: Engine, port: int) -> None:
    """550 before the final dot: whether it is read or lost with the connection, the server has not got the mail."""
    with SmtpSink("-A", "0", dumps=True, port=port) as sink:
        report = send(sqlite_engine, port)
        assert (report.sent, sink.settled(QUIET_SECONDS)) == (0, 0)
    tried = states(sqlite_engine)
    assert set(tried) <= {DEFERRED, FAILED, UNCERTAIN}
    taken = arrive_later(sqlite_engine, port)
    assert sum(taken.values()) == tried.count(DEFERRED) == states(sqlite_engine).count(DeliveryState.SENT)


def test_an_answer_that_comes_late_is_waited_for(sqlite_engine: Engine, port: int) -> None:
    with SmtpSink("-W", ".:1", dumps=True, port=port) as sink:
        assert send(sqlite_engine, port).sent == len(READERS)
        assert sink.recipients() == Counter(READERS)


def test_an_answer_that_comes_too_late_leaves_mail_uncertain_and_unrepeated(
    sqlite_engine: Engine, port: int
) -> None:
    with SmtpSink("-W", ".:2", dumps=True, port=port):
        assert send(sqlite_engine, port, data_timeout_seconds=1).uncertain == len(READERS)
    with read_only(sqlite_engine) as conn:
        listed = ledger_rows.rows(conn, states=(UNCERTAIN,))
    assert sorted(row.target for row in listed) == READERS
    assert not arrive_later(sqlite_engine, port)


@pytest.mark.parametrize(("reply", "counts"), [
    ("550 5.1.1 no such user", True), ("550 5.7.1 your address is listed", False), ("554 5.7.26 not signed", False),
])
def test_only_a_refusal_that_names_the_mailbox_counts_against_its_reader(
    sqlite_engine: Engine, port: int, reply: str, counts: bool
) -> None:
    with SmtpSink("-f", "rcpt", "-B", reply, port=port):
        assert send(sqlite_engine, port).failed == len(READERS)
    assert set(states(sqlite_engine)) == {FAILED}
    with read_only(sqlite_engine) as conn:
        scores = {bounces.score(conn, target, NOW) for target in READERS}
        assert [bounces.suppressed(conn, target) for target in READERS] == [None] * 3
    assert scores == ({1.0} if counts else {0.0})
