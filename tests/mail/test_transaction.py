"""What SMTP answers mean, and how a mail is announced: tables."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import DeliveryError
from digest.mail.transaction import Commands, Reply, SessionRefused, Stage, check_log_in, commands, offered, refusal
from digest.mail.transaction import written as on_the_wire
from digest.ports import Envelope

MAIL = Envelope("news@digest.example.org", "reader@example.org", "id@x", (b"Subject: a\r\n\r\nb\r\n",))
ALL = {"SIZE": "1000", "8BITMIME": "", "SMTPUTF8": ""}


@pytest.mark.parametrize(("stage", "code", "text", "permanent", "server", "enhanced"), [
    (Stage.SESSION, 554, "no service here", False, True, None),  # about us, and may pass
    (Stage.SESSION, 421, "4.3.2 too busy", False, True, "4.3.2"),
    (Stage.SESSION, 535, "5.7.8 wrong password", False, True, "5.7.8"),
    (Stage.MAIL, 530, "5.7.0 log in first", False, True, "5.7.0"),
    (Stage.MAIL, 452, "4.3.1 disk full", False, True, "4.3.1"),  # RFC 3463: X.3 is the mail system
    (Stage.MAIL, 553, "5.7.1 sender not allowed", False, False, "5.7.1"),
    (Stage.RCPT, 450, "4.2.0 greylisted", False, False, "4.2.0"),
    (Stage.RCPT, 451, "4.3.0 try later", False, False, "4.3.0"),  # at RCPT it may be the recipient's system
    (Stage.RCPT, 550, "5.1.1 no such user", True, False, "5.1.1"),
    (Stage.RCPT, 550, "no such user", True, False, None),
    (Stage.RCPT, 550, "4.1.1 another class", True, False, None),
    (Stage.RCPT, 421, "4.7.0 closing", False, True, "4.7.0"),
    (Stage.DATA, 554, "5.5.1 no valid recipients", True, False, "5.5.1"),
    (Stage.END, 452, "4.3.1 disk full", False, False, "4.3.1"),
    (Stage.END, 550, "5.7.1\nspam", True, False, "5.7.1"),
    (Stage.END, 421, "4.3.2 shutting down", False, True, "4.3.2"),
])
def test_a_refusal_says_whom_it_is_about(
    stage: Stage, code: int, text: str, permanent: bool, server: bool, enhanced: str | None
) -> None:
    error = refusal("reader@example.org", "relay", stage, Reply(code, text))
    assert (error.code, error.permanent, error.server, error.enhanced) == (code, permanent, server, enhanced)
    assert str(code) in str(error) and "relay" in str(error) and "\n" not in str(error)


@pytest.mark.parametrize("code", [100, 354, 334, 600, 999])
def test_what_is_neither_yes_nor_no_is_no_answer(code: int) -> None:
    error = refusal("reader@example.org", "relay", Stage.END, Reply(code, "what?"))
    assert error.code is None and not error.permanent
    assert not Reply(code, "").goes_on


@pytest.mark.parametrize(("envelope", "offers", "parameters"), [
    (MAIL, {}, ""),
    (MAIL, ALL, " SIZE=17"),
    (replace(MAIL, pieces=("Subject: a\r\n\r\nё\r\n".encode(),)), ALL, " SIZE=18 BODY=8BITMIME"),
    (replace(MAIL, pieces=("Subject: ё\r\n\r\nb\r\n".encode(),)), ALL, " SIZE=18 BODY=8BITMIME SMTPUTF8"),
    (replace(MAIL, recipient="читатель@example.org"), ALL, " SIZE=17 SMTPUTF8"),
])
def test_a_mail_asks_for_what_it_needs(envelope: Envelope, offers: dict[str, str], parameters: str) -> None:
    assert commands(envelope, offers, "relay") == Commands(
        f"MAIL FROM:<news@digest.example.org>{parameters}".encode(), f"RCPT TO:<{envelope.recipient}>".encode())


@pytest.mark.parametrize(("envelope", "enhanced"), [
    (replace(MAIL, recipient="a@example.org>\r\nRCPT TO:<b@example.org"), "5.1.3"),
    (replace(MAIL, sender="a\0@example.org"), "5.1.3"),
    (replace(MAIL, pieces=(b"Subject: a\r\n\r\nb\n.\nMAIL FROM:<x@y>\r\n",)), "5.6.0"),  # bare LF: a mail within a mail
    (replace(MAIL, pieces=(b"Subject: a\r\n\r\nb\r.\r\n",)), "5.6.0"),
    (replace(MAIL, pieces=(b"Subject: a\r\n\r\nb\n\r\n",)), "5.6.0"),
    (replace(MAIL, pieces=(b"x" * 1001,)), "5.3.4"),
    (replace(MAIL, pieces=("ё\r\n".encode(),)), "5.6.3"),
    (replace(MAIL, recipient="читатель@example.org"), "5.6.7"),
])
def test_a_mail_that_cannot_be_said_is_refused_here(envelope: Envelope, enhanced: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        commands(envelope, {"SIZE": "1000"}, "relay")
    assert (caught.value.enhanced, caught.value.permanent, caught.value.server) == (enhanced, True, False)


@given(st.lists(st.sampled_from([b"a", b".", b"..", b"\r\n", b"\r\n."])).map(b"".join))
def test_dots_survive_the_way(data: bytes) -> None:
    wire = on_the_wire(replace(MAIL, pieces=(data,)))
    assert (b"\r\n" + wire).find(b"\r\n.\r\n") == len(wire) - 3  # no end before the end
    lines = wire.removesuffix(b".\r\n").split(b"\r\n")
    assert b"\r\n".join(line.removeprefix(b".") for line in lines) == (
        data if data.endswith(b"\r\n") else data + b"\r\n")


def test_offers_are_read_from_an_ehlo_answer() -> None:
    answer = "mail.example.org greets\nPIPELINING\nsize 100\nAUTH PLAIN LOGIN\n\nAUTH=PLAIN CRAM-MD5"
    assert offered(answer) == {"PIPELINING": "", "SIZE": "100", "AUTH": "PLAIN LOGIN PLAIN CRAM-MD5"}
    assert offered("PIPELINING is my name") == {}


@pytest.mark.parametrize(("peer", "encrypted", "allowed"), [
    ("127.0.0.1", False, True), ("::1", False, True), ("192.0.2.1", True, True), ("fe80::1%eth0", True, True),
    ("192.0.2.1", False, False), ("10.0.0.1", False, False), ("fe80::1%eth0", False, False),
])
def test_a_password_goes_over_tls_or_stays_here(peer: str, encrypted: bool, allowed: bool) -> None:
    if allowed:
        check_log_in(peer, encrypted=encrypted)
    else:
        with pytest.raises(SessionRefused, match="without TLS"):
            check_log_in(peer, encrypted=encrypted)
