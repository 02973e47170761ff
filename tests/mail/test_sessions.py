"""SMTP sessions against a real server on loopback that can be told to misbehave."""

import asyncio
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from digest.errors import DeliveryError
from digest.mail.pool import SmtpMailer
from digest.ports import Envelope
from digest.settings import SmtpSettings
from tests.smtp_sink import Sink

DATA = b"Subject: test\r\n\r\n.a line with a dot\r\n"


def send(port: int, *recipients: str, **options: Any) -> list[DeliveryError | str]:
    """Sends one mail to each recipient through one mailer: the error, or whether the ledger was told."""
    settings = SmtpSettings(**{"host": "127.0.0.1", "port": port, "tls": "none", "timeout_seconds": 5, **options})

    async def run() -> list[DeliveryError | str]:
        mailer = SmtpMailer(settings)
        outcomes: list[DeliveryError | str] = []
        for recipient in recipients:
            told: list[str] = []

            async def before_data(told: list[str] = told) -> None:
                told.append("told")

            try:
                await mailer.send(Envelope("news@digest.example.org", recipient, "id@x", (DATA,)), before_data)
                outcomes.append("sent" if told else "not told")
            except DeliveryError as error:
                error.add_note("told" if told else "not told")
                outcomes.append(error)
        await mailer.close()
        return outcomes

    return asyncio.run(run())


def failure(outcomes: list[DeliveryError | str]) -> DeliveryError:
    [error] = outcomes
    assert isinstance(error, DeliveryError)
    return error


def test_mails_go_over_one_session(sink: Sink) -> None:
    assert send(sink.port, "a@example.org", "b@example.org", "c@example.org") == ["sent"] * 3
    assert sink.recipients == ["a@example.org", "b@example.org", "c@example.org"]
    assert sink.contents[0] == DATA
    assert sink.sessions == 1


def test_450_may_pass_and_550_does_not(sink: Sink) -> None:
    sink.rcpt = {"later@example.org": "450 4.2.0 greylisted", "gone@example.org": "550 5.1.1 no such user"}
    later, gone, fine = send(sink.port, "later@example.org", "gone@example.org", "fine@example.org")
    assert isinstance(later, DeliveryError) and (later.code, later.permanent, later.server) == (450, False, False)
    assert isinstance(gone, DeliveryError) and (gone.code, gone.permanent, gone.server) == (550, True, False)
    assert later.__notes__ == gone.__notes__ == ["not told"]
    assert fine == "sent"
    assert sink.sessions == 1


@pytest.mark.parametrize(("reply", "permanent"), [("451 4.3.0 try later", False), ("554 5.6.0 no", True)])
def test_an_answer_to_data_is_an_outcome(sink: Sink, reply: str, permanent: bool) -> None:
    sink.data = reply
    error = failure(send(sink.port, "a@example.org"))
    assert (error.code, error.permanent) == (int(reply[:3]), permanent)


def test_a_refused_sender_is_our_problem_not_the_readers(sink: Sink) -> None:
    sink.mail = "553 5.7.1 sender not allowed"
    error = failure(send(sink.port, "a@example.org"))
    assert (error.code, error.permanent) == (553, False)


def test_silence_after_data_is_uncertain(sink: Sink) -> None:
    sink.drop_after_data = True
    error = failure(send(sink.port, "a@example.org"))
    assert error.code is None and not error.permanent and not error.server
    assert error.__notes__ == ["told"]


def test_a_slow_answer_to_data_is_uncertain(sink: Sink) -> None:
    sink.data_delay_seconds = 1.0
    error = failure(send(sink.port, "a@example.org", data_timeout_seconds=0.3))
    assert error.code is None and error.__notes__ == ["told"]


def test_a_session_that_the_server_closed_is_opened_again(sink: Sink) -> None:
    sink.rcpt = {"bye@example.org": "421 4.7.0 closing"}
    bye, fine = send(sink.port, "bye@example.org", "fine@example.org")
    assert isinstance(bye, DeliveryError) and bye.code == 421 and not bye.permanent
    assert fine == "sent"
    assert sink.sessions == 2


def test_a_dead_server_serves_nobody() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = failure(send(taken.getsockname()[1], "a@example.org"))
    assert error.server and error.code is None and not error.permanent
    assert error.__notes__ == ["not told"]


def test_starttls_is_not_given_up_where_the_server_has_none(sink: Sink) -> None:
    error = failure(send(sink.port, "a@example.org", tls="starttls"))
    assert error.server and not error.permanent
    assert sink.recipients == []


def test_what_before_data_raises_passes_and_nothing_is_written(sink: Sink) -> None:
    async def run() -> None:
        mailer = SmtpMailer(SmtpSettings(host="127.0.0.1", port=sink.port, tls="none", timeout_seconds=5))

        async def refuse() -> None:
            raise LookupError("lease lost")

        with pytest.raises(LookupError):
            await mailer.send(Envelope("news@digest.example.org", "a@example.org", "id@x", (DATA,)), refuse)
        await mailer.close()

    asyncio.run(run())
    assert sink.recipients == []


@contextmanager
def running(**options: Any) -> Iterator[Sink]:
    server = Sink(**options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that nobody trusts, and a server's context with it."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl command to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return folder / "cert.pem", context


@pytest.mark.parametrize(("tls", "option"), [("starttls", "tls_context"), ("tls", "ssl_context")])
def test_a_certificate_must_be_trusted(
    certificate: tuple[Path, ssl.SSLContext], tls: str, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, context = certificate
    with running(**{option: context}) as server:
        error = failure(send(server.port, "a@example.org", tls=tls))
        assert error.server and not error.permanent and "certificate verify failed" in str(error)
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        assert send(server.port, "a@example.org", tls=tls) == ["sent"]
        assert server.recipients == ["a@example.org"]


def _check_login(server: Any, session: Any, envelope: Any, mechanism: str, login: Any) -> AuthResult:
    return AuthResult(success=login == LoginPassword(b"desk", b"right"), handled=False)


def test_a_wrong_password_is_the_servers_refusal_not_the_readers() -> None:
    with running(authenticator=_check_login, auth_require_tls=False) as server:
        login = {"username": "desk", "password": "wrong"}
        error = failure(send(server.port, "a@example.org", **login))
        assert (error.code, error.server, error.permanent) == (535, True, False)
        assert "wrong" not in str(error)
        assert send(server.port, "a@example.org", **{**login, "password": "right"}) == ["sent"]
