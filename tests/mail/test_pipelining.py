"""Both kinds of session against a server that answers as it is told: what is an outcome, and what ends a session."""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from digest.errors import DeliveryError
from digest.mail.pipelining import open_pipelining
from digest.mail.sessions import Session, open_plain
from digest.mail.transaction import SessionRefused
from digest.ports import Envelope
from digest.settings import SmtpServer
from tests.mail.certificates import certificate
from tests.mail.scripted import HANG_UP, OFFERS, SILENCE, Scripted, scripted

DATA = b"Subject: test\r\n\r\n.a line with a dot\r\n"
OPEN = {"pipelining": open_pipelining, "aiosmtplib": open_plain}
each_kind = pytest.mark.parametrize("kind", OPEN)
__all__ = ["certificate"]


def mail(number: int = 1) -> Envelope:
    return Envelope("news@digest.example.org", f"reader{number}@example.org", f"{number}@x", (DATA,))


async def open_session(kind: str, settings: SmtpServer, context: ssl.SSLContext | None = None) -> Session:
    return await OPEN[kind]("relay", settings, context or ssl.create_default_context(), "me.example.org")


async def nothing() -> None: ...


async def turns_of_the_loop() -> None:
    """Lets everything happen that is on its way."""
    for _ in range(100):
        await asyncio.sleep(0)


class Try:
    """One mail through a session: whether the ledger was told, and the error."""

    def __init__(self) -> None:
        self.told = 0
        self.error: DeliveryError | None = None

    async def through(self, session: Session, envelope: Envelope | None = None,
                      before_data: Callable[[], Awaitable[None]] = nothing) -> "Try":
        async def tell() -> None:
            self.told += 1
            await before_data()

        try:
            await session.send(envelope or mail(), tell)
        except DeliveryError as error:
            self.error = error
        return self


def one_try(kind: str, **answers: str | list[str]) -> tuple[Try, bool, Scripted]:
    """One mail to a server with these answers: what came of it, whether the session is usable after it."""
    async def run() -> tuple[Try, bool, Scripted]:
        async with scripted(**answers) as server:
            session = await open_session(kind, server.settings(timeout_seconds=0.5, data_timeout_seconds=0.5))
            tried = await Try().through(session)
            usable = session.usable
            session.abort()
            return tried, usable, server

    return asyncio.run(run())


@each_kind
def test_mails_follow_one_another_over_a_session(kind: str) -> None:
    async def run() -> Scripted:
        async with scripted() as server:
            session = await open_session(kind, server.settings())
            for number in (1, 2, 3):
                tried = await Try().through(session, mail(number))
                assert tried.error is None and tried.told == 1
            await session.close()
            return server

    server = asyncio.run(run())
    assert server.mails == [DATA.replace(b"\r\n.a", b"\r\n..a")] * 3
    assert len(server.sessions) == 1
    size = f"MAIL FROM:<news@digest.example.org> SIZE={len(DATA)}"
    assert server.sessions[0][:4] == ["EHLO me.example.org", size, "RCPT TO:<reader1@example.org>", "DATA"]
    assert server.sessions[0][-1] == "QUIT"


# told: the message may have gone; usable: the session goes on. Both kinds of session agree.
@each_kind
@pytest.mark.parametrize(("answers", "code", "permanent", "server", "told", "usable"), [
    ({"MAIL": "450 4.3.2 no", "RCPT": "503 no", "DATA": "503 no"}, 450, False, True, 0, True),
    ({"MAIL": "553 5.7.1 no", "RCPT": "503 no", "DATA": "503 no"}, 553, False, False, 0, True),
    ({"RCPT": "450 4.2.0 later"}, 450, False, False, 0, True),
    ({"RCPT": "550 5.1.1 gone", "DATA": "503 no"}, 550, True, False, 0, True),
    ({"RCPT": "421 4.7.0 bye"}, 421, False, True, 0, False),
    ({"DATA": "451 4.3.0 later"}, 451, False, False, 0, True),
    ({"DATA": "250 what?"}, None, False, False, 0, False),
    ({"DATA": HANG_UP}, None, False, False, 0, False),  # before the ledger was told: may be tried again
    ({"RCPT": SILENCE}, None, False, False, 0, False),
    ({"MAIL": "no reply at all"}, None, False, False, 0, False),
    ({"DOT": "452 4.3.1 full"}, 452, False, False, 1, True),
    ({"DOT": "554 5.6.0 no"}, 554, True, False, 1, True),
    ({"DOT": "421 4.3.2 bye"}, 421, False, True, 1, False),
    ({"DOT": HANG_UP}, None, False, False, 1, False),  # uncertain
    ({"DOT": SILENCE}, None, False, False, 1, False),  # uncertain
    ({"DOT": "354 what?"}, None, False, False, 1, False),  # uncertain
    ({"DOT": "mumble"}, None, False, False, 1, False),  # uncertain
])
def test_what_an_answer_means(kind: str, answers: dict[str, str | list[str]], code: int | None, permanent: bool,
                              server: bool, told: int, usable: bool) -> None:
    tried, fit, _ = one_try(kind, **answers)
    assert tried.error is not None
    assert (tried.error.code, tried.error.permanent, tried.error.server) == (code, permanent, server)
    assert (tried.told, fit) == (told, usable)


@each_kind
@pytest.mark.parametrize("answers", [
    {"RCPT": ["550 5.1.1 gone"]},  # DATA is granted though nobody shall have it: a single dot
    {"RCPT": ["550 5.1.1 gone"], "DATA": ["554 5.5.1 no recipients"]},
    {"MAIL": ["553 5.7.1 no"], "RCPT": ["503 no"], "DATA": ["503 no"]},
    {"DOT": ["554 5.6.0 no"]},
])
def test_after_a_refusal_the_next_mail_goes_over_the_same_session(
    kind: str, answers: dict[str, str | list[str]]
) -> None:
    async def run() -> Scripted:
        async with scripted(**answers) as server:
            session = await open_session(kind, server.settings())
            assert (await Try().through(session)).error is not None
            assert session.usable
            server.mails.clear()
            server.answers.clear()
            assert (await Try().through(session, mail(2))).error is None
            session.abort()
            return server

    server = asyncio.run(run())
    assert len(server.sessions) == 1 and len(server.mails) == 1
    assert "RCPT TO:<reader2@example.org>" in server.sessions[0]


@each_kind
@pytest.mark.parametrize("answers", [
    {"MAIL": "250 ok\r\n250 and once more"},
    {"RCPT": "250 ok\r\n550 no, wait"},
    {"DATA": "354 go on\r\n550 this violates SMTP"},  # smtp-sink -A 0
])
def test_a_reply_too_many_ends_the_session_before_anything_is_written(
    kind: str, answers: dict[str, str | list[str]]
) -> None:
    tried, usable, server = one_try(kind, **answers)
    assert tried.error is not None and not usable and tried.told == 0 and not tried.error.permanent
    assert server.mails == []


def test_a_reply_behind_the_last_one_ends_the_pipelining_session_and_not_the_mail() -> None:
    tried, usable, _ = one_try("pipelining", DOT="250 ok\r\n421 and bye")
    assert tried.error is None and not usable


@each_kind
def test_the_server_may_leave_while_the_ledger_is_told(kind: str) -> None:
    """Nothing of the message was written yet, and so nothing is uncertain."""
    async def run() -> Try:
        async with scripted() as server:
            session = await open_session(kind, server.settings())

            async def before_data() -> None:
                server.abort()
                await turns_of_the_loop()

            tried = await Try().through(session, before_data=before_data)
            assert not session.usable
            return tried

    tried = asyncio.run(run())
    assert tried.told == 1
    assert tried.error is not None and tried.error.code == 451 and not tried.error.permanent


@each_kind
def test_what_before_data_raises_passes_and_no_dot_is_sent(kind: str) -> None:
    async def run() -> Scripted:
        async with scripted() as server:
            session = await open_session(kind, server.settings())

            async def refuse() -> None:
                raise LookupError("lease lost")

            with pytest.raises(LookupError):
                await session.send(mail(), refuse)
            assert not session.usable
            session.abort()
            return server

    assert asyncio.run(run()).mails == []


@each_kind
def test_no_byte_of_the_message_goes_before_the_ledger_was_told(kind: str) -> None:
    async def run() -> None:
        async with scripted() as server:
            session = await open_session(kind, server.settings())
            order: list[str] = []
            server.on_message = lambda: order.append("message")

            async def before_data() -> None:
                await turns_of_the_loop()  # the server has every chance to read what is there
                order.append("told")

            assert (await Try().through(session, before_data=before_data)).error is None
            assert order == ["told", "message"]
            await session.close()

    asyncio.run(run())


def test_no_dot_is_sent_where_somebody_would_get_an_empty_mail() -> None:
    """A server that refuses the sender, then takes the recipient and asks for the message."""
    tried, usable, server = one_try("pipelining", MAIL="553 5.7.1 no")
    assert tried.error is not None and tried.error.code == 553
    assert not usable and server.mails == []


def test_pipelining_asks_for_everything_in_one_write() -> None:
    async def run() -> bytes:
        async with scripted() as server:
            server.read_whole_after = "EHLO"
            session = await open_session("pipelining", server.settings())
            assert (await Try().through(session)).error is not None
            return server.piece

    assert asyncio.run(run()).decode().splitlines() == [
        f"MAIL FROM:<news@digest.example.org> SIZE={len(DATA)}", "RCPT TO:<reader1@example.org>", "DATA"]


@asynccontextmanager
async def logged_in(kind: str, **answers: str | list[str]):  # type: ignore[no-untyped-def]
    async with scripted(**{"EHLO": f"{OFFERS}250 AUTH {'PLAIN'}", **answers}) as server:
        settings = server.settings(username="desk", password="right")
        yield server, await open_session(kind, settings)


@each_kind
def test_it_logs_in_with_plain(kind: str) -> None:
    async def run() -> list[str]:
        async with logged_in(kind) as (server, session):
            await session.close()
            return list(server.sessions[0])

    assert f"AUTH PLAIN {b64encode(bytes([0]) + b'desk' + bytes([0]) + b'right').decode()}" in asyncio.run(run())


def test_the_pipelining_session_logs_in_step_by_step_where_there_is_only_login() -> None:
    async def run() -> list[str]:
        name, password = (b64encode(word).decode() for word in (b"desk", b"right"))
        answers: dict[str, str | list[str]] = {
            "EHLO": f"{OFFERS}250 AUTH LOGIN", "AUTH": "334 VXNlcm5hbWU6", name.upper(): "334 UGFzc3dvcmQ6",
            password.upper(): "235 2.7.0 welcome"}
        async with logged_in("pipelining", **answers) as (server, session):
            await session.close()
            return list(server.sessions[0])

    assert asyncio.run(run())[1:4] == ["AUTH LOGIN", "ZGVzaw==", "cmlnaHQ="]


@each_kind
@pytest.mark.parametrize(("answers", "code"), [
    ({"greeting": "554 no service"}, 554), ({"greeting": "421 too many"}, 421), ({"greeting": HANG_UP}, None),
    ({"EHLO": "421 bye"}, 421), ({"AUTH": "535 5.7.8 wrong password"}, 535), ({"greeting": SILENCE}, None),
])
def test_a_session_that_is_refused_says_how(kind: str, answers: dict[str, str | list[str]], code: int | None) -> None:
    async def run() -> SessionRefused | OSError:
        async with scripted(**{"EHLO": f"{OFFERS}250 AUTH PLAIN", **answers}) as server:
            settings = server.settings(username="desk", password="secret!", timeout_seconds=0.3)
            with pytest.raises(OSError) as caught:
                await open_session(kind, settings)
            return caught.value

    error = asyncio.run(run())
    reply = error.reply if isinstance(error, SessionRefused) else None
    assert (reply.code if reply else None) == code
    assert "secret!" not in str(error)


@each_kind
def test_starttls_turns_to_tls_and_forgets_what_was_said_before(kind: str, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(cert, key)
    trusting = ssl.create_default_context(cafile=str(cert))

    async def run() -> tuple[Session, Scripted]:
        async with scripted(tls=server_side, EHLO=["250-here\r\n250-SIZE 5\r\n250 STARTTLS"]) as server:
            session = await open_session(kind, server.settings(tls="starttls"), trusting)
            assert (await Try().through(session)).error is None
            await session.close()
            return session, server

    session, server = asyncio.run(run())
    assert session.offers["SIZE"] == "100000" and "STARTTLS" not in session.offers
    assert [line.split(" ")[0] for line in server.sessions[0]] == ["EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "DATA",
                                                                  "QUIT"]


@each_kind
def test_bytes_behind_the_consent_to_tls_are_not_taken_for_the_servers(
    kind: str, certificate: tuple[Path, Path]
) -> None:
    """RFC 3207 §4.2: somebody on the way could have put them there."""
    cert, key = certificate
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(cert, key)

    async def run() -> dict[str, str]:
        injected = "220 go on\r\n250-here\r\n250 AUTH PLAIN"
        turns = server_side if kind == "aiosmtplib" else None  # the other never comes to it
        async with scripted(tls=turns, EHLO=["250-here\r\n250 STARTTLS"], STARTTLS=injected) as server:
            session = await open_session(kind, server.settings(tls="starttls"),
                                         ssl.create_default_context(cafile=str(cert)))
            session.abort()
            return session.offers

    if kind == "pipelining":
        with pytest.raises(SessionRefused, match="after STARTTLS"):
            asyncio.run(run())
    else:
        assert "AUTH" not in asyncio.run(run())  # aiosmtplib throws them away
