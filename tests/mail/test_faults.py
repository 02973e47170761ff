"""Postfix's smtp-sink misbehaving on purpose, session by session: what each fault means for the mail, never "sent".

One table for both kinds of session. What is uncertain has no code though the ledger was told.
"""

import asyncio

import pytest

from bench.sink import SmtpSink, program
from digest.errors import DeliveryError
from digest.mail.pool import SmtpMailer
from digest.ports import Envelope
from digest.settings import SmtpSettings

MAIL = Envelope("news@digest.example.org", "reader@example.org", "id@x", (b"Subject: a\r\n\r\n", b"line\r\n" * 5000))


@pytest.fixture(autouse=True)
def _installed() -> None:
    try:
        program("smtp-sink")
    except FileNotFoundError as error:
        pytest.skip(str(error))


def send_two(port: int, pipelining: bool) -> list[tuple[DeliveryError | None, bool]]:
    """Two mails, the second over the session that the first one taught: their errors, and whether the ledger knew."""
    async def run() -> list[tuple[DeliveryError | None, bool]]:
        mailer = SmtpMailer(SmtpSettings(host="127.0.0.1", port=port, tls="none", timeout_seconds=5,
                                         data_timeout_seconds=0.3, pipelining=pipelining), pause_seconds=0.0)
        outcomes: list[tuple[DeliveryError | None, bool]] = []
        for _ in range(2):
            told: list[bool] = []

            async def before_data(told: list[bool] = told) -> None:
                told.append(True)

            try:
                await mailer.send(MAIL, before_data)
                outcomes.append((None, bool(told)))
            except DeliveryError as error:
                outcomes.append((error, bool(told)))
        await mailer.close()
        return outcomes

    return asyncio.run(run())


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "aiosmtplib"])
@pytest.mark.parametrize(("options", "code", "permanent", "server", "told"), [
    (("-r", "rcpt"), 450, False, False, False),
    (("-r", "mail"), 450, False, True, False),  # 4.3.0 to MAIL: the mail system
    (("-r", "data"), 450, False, False, False),
    (("-r", "."), 450, False, False, True),  # definite, though the message had gone
    (("-b", "454 4.7.0 try later", "-r", "rcpt"), 454, False, False, False),
    (("-f", "mail"), 500, False, True, False),
    (("-f", "rcpt"), 500, True, False, False),
    (("-f", "data"), 500, True, False, False),
    (("-f", "."), 500, True, False, True),
    (("-q", "connect"), None, False, True, False),
    (("-q", "ehlo"), None, False, True, False),
    (("-q", "mail"), None, False, False, False),
    (("-q", "rcpt"), None, False, False, False),
    (("-q", "data"), None, False, False, False),  # disconnected after DATA, before the message: not uncertain
    (("-q", "."), None, False, False, True),  # uncertain
    (("-Q", "connect"), 421, False, True, False),
    (("-Q", "ehlo"), 421, False, True, False),
    (("-Q", "mail"), 421, False, True, False),
    (("-Q", "rcpt"), 421, False, True, False),
    (("-Q", "data"), 421, False, True, False),
    (("-Q", "."), 421, False, True, True),
    (("-W", ".:2"), None, False, False, True),  # a slow final dot, longer than our patience: uncertain
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_a_fault_is_what_it_should_be(pipelining: bool, options: tuple[str, ...], code: int | None, permanent: bool,
                                      server: bool, told: bool) -> None:
    with SmtpSink(*options) as sink:
        for error, known in send_two(sink.port, pipelining):
            assert error is not None
            assert (error.code, error.permanent, error.server, known) == (code, permanent, server, told)


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "aiosmtplib"])
def test_a_server_that_breaks_off_behind_data_has_nothing(pipelining: bool) -> None:
    """-A answers 354, then 550 and no more. When that comes is chance, and so is what we know; it is never "sent"."""
    with SmtpSink("-A", "0") as sink:
        for error, told in send_two(sink.port, pipelining):
            assert error is not None
            assert error.code in (550, 451, None) and (told or not error.permanent)


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "aiosmtplib"])
def test_without_a_fault_both_are_sent(pipelining: bool) -> None:
    with SmtpSink() as sink:
        assert send_two(sink.port, pipelining) == [(None, True), (None, True)]
