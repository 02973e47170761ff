"""The listener, over real LMTP on loopback and a socket."""

import asyncio
import smtplib
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digest.mail.lmtp import LmtpListener

MAIL = b"From: a@x.example\r\nSubject: s\r\n\r\n..dot\r\nbody\r\n"
Taken = list[tuple[str, str, bytes]]


def served(where: str, client: Callable[[LmtpListener], Any]) -> tuple[Any, Taken]:
    """What the client returned, and what was taken."""
    taken: Taken = []

    async def takes(sender: str, recipient: str, raw: bytes) -> str:
        if recipient == "broken@b.example":
            raise RuntimeError("the database is away")
        taken.append((sender, recipient, raw))
        return "550 5.6.0 no report" if recipient == "letter@b.example" else "250 2.0.0 taken in"

    def accepts(recipient: str) -> str:
        return "550 5.1.1 no such return path" if recipient.startswith("forged") else "250 2.1.5 ok"

    async def run() -> Any:
        listener = LmtpListener(where, accepts, takes)
        await listener.open()
        try:
            return await asyncio.to_thread(client, listener)
        finally:
            await listener.close()

    return asyncio.run(run()), taken


def talk(port: int, *commands: str) -> list[str]:
    """A session in which each command waits for its replies; a mail of three recipients is answered three times."""
    replies = []
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        lines = connection.makefile("rb")

        def reply() -> None:
            while (line := lines.readline().decode()) and line[3:4] == "-":
                pass
            replies.append(line.strip())

        reply()
        for command in commands:
            connection.sendall(command.encode() + b"\r\n")
            for _ in range(3 if command.endswith("\r\n.") else 1):
                reply()
    return replies


def test_a_mail_is_taken_for_each_recipient_and_answered_for_each() -> None:
    replies, taken = served("127.0.0.1:0", lambda listener: talk(
        listener.port, "LHLO mx.example", "MAIL FROM:<>", "RCPT TO:<one@b.example>", "RCPT TO:<forged@b.example>",
        "RCPT TO:<letter@b.example>", "RCPT TO:<broken@b.example>", "DATA", MAIL.decode() + ".", "QUIT"))
    assert [reply[:9] for reply in replies[3:]] == [
        "250 2.1.5", "550 5.1.1", "250 2.1.5", "250 2.1.5", "354 End d", "250 2.0.0", "550 5.6.0", "451 4.3.0",
        "221 Bye"]
    assert taken == [("", name, MAIL.replace(b"\r\n..", b"\r\n.")) for name in ("one@b.example", "letter@b.example")]


def test_smtp_is_not_spoken() -> None:
    replies, _ = served("127.0.0.1:0", lambda listener: talk(listener.port, "EHLO mx.example", "HELO mx.example"))
    assert [reply[:3] for reply in replies] == ["220", "500", "500"]


def test_it_listens_on_a_socket_that_only_its_group_may_use(tmp_path: Path) -> None:
    path = tmp_path / "run" / "lmtp"

    def client(_listener: LmtpListener) -> Any:
        with smtplib.LMTP(str(path)) as session:
            refused = session.sendmail("", ["one@b.example"], MAIL)
        return path.stat().st_mode & 0o777, refused

    assert served(f"unix:{path}", client)[0] == (0o660, {})
    assert not path.exists()


def test_a_socket_that_a_dead_process_left_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "lmtp"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert path.is_socket()
    assert served(f"unix:{path}", lambda _: path.is_socket())[0]


def test_a_socket_of_a_living_process_is_not(tmp_path: Path) -> None:
    path = tmp_path / "lmtp"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        with pytest.raises(OSError, match="another process"):
            served(f"unix:{path}", lambda _: None)
    assert path.exists()


def test_a_mail_over_the_limit_is_refused() -> None:
    replies, taken = served("127.0.0.1:0", lambda listener: talk(
        listener.port, "LHLO mx.example", "MAIL FROM:<> SIZE=99999999"))
    assert replies[-1].startswith("552") and taken == []
