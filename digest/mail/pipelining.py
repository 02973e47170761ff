"""An SMTP session that writes MAIL, RCPT and DATA in one go (RFC 2920), for servers that offer PIPELINING.

Careful in this: each command has exactly one reply, read in order. A reply that nobody waits for, one that is no
reply, or a wait that ended makes the session useless for good, for a later reply could be taken for another's.
"""

import asyncio
import ssl
from base64 import b64encode
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from digest.errors import DeliveryError
from digest.mail.transaction import (
    START_MESSAGE,
    Commands,
    Reply,
    SessionRefused,
    Stage,
    check_log_in,
    commands,
    lost_before_message,
    offered,
    refusal,
    silence,
    written,
)
from digest.ports import Envelope
from digest.settings import SmtpServer

MAX_REPLY_BYTES = 65_536  # RFC 5321 §4.5.3.1.5 allows 512 a line


class Wire(asyncio.Protocol):
    """Bytes to replies. `broken` says why no further reply can be trusted; "" while they can."""

    def __init__(self) -> None:
        self.transport: Any = None  # asyncio.Transport, or that of TLS
        self.broken = ""
        self.early: Reply | None = None  # a reply that came before it was asked for
        self._buffer = b""
        self._lines: list[str] = []
        self._expected = 1  # the greeting
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(f"connection lost: {exc}" if exc else "connection closed by the server")

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._read(line.rstrip(b"\r").decode("utf-8", "replace"))
        if len(self._buffer) + sum(map(len, self._lines)) > MAX_REPLY_BYTES:
            self.end("endless reply")
        elif self._buffer and not self._expected:
            self.end("bytes that nobody asked for")
        self._wake()

    def write(self, data: bytes, replies: int = 1) -> None:
        """Writes; so many more replies are expected."""
        self._expected += replies
        if not self.broken:
            self.transport.write(data)

    async def replies(self, count: int, seconds: float) -> list[Reply]:
        """The next replies: fewer than `count` where the session ends before, as it does after so long a wait."""
        loop = asyncio.get_running_loop()
        late = loop.call_later(seconds, self._late, seconds)
        try:
            while len(self._replies) < count and not self.broken:
                self._waiter = loop.create_future()
                await self._waiter
        finally:
            late.cancel()
        return [self._replies.popleft() for _ in range(min(count, len(self._replies)))]

    async def ask(self, command: bytes, code: int, seconds: float) -> Reply:
        """The reply to a command (none: the greeting). Raises SessionRefused where it has another code, or none."""
        if command:
            self.write(command + b"\r\n")
        replies = await self.replies(1, seconds)
        if not replies:
            raise SessionRefused(self.broken)
        if replies[0].code != code:
            raise SessionRefused(f"{replies[0].code} {replies[0].text}", replies[0])
        return replies[0]

    def end(self, why: str) -> None:
        """Ends the connection at once; the first reason stays."""
        self.broken = self.broken or why
        if self.transport is not None:
            self.transport.abort()
        self._wake()

    def _late(self, seconds: float) -> None:
        self.end(f"no answer in {seconds:g} s")

    def _read(self, line: str) -> None:
        if not (line[:3].isascii() and line[:3].isdigit() and line[3:4] in ("", " ", "-")):
            self.end(f"no SMTP reply: {line[:80]!r}")
        if self.broken:
            return
        self._lines.append(line[4:])
        if line[3:4] == "-":
            return
        reply = Reply(int(line[:3]), "\n".join(self._lines))
        self._lines = []
        if self._expected:
            self._expected -= 1
            self._replies.append(reply)
        else:
            self.early = reply
            self.end(f"a reply that nobody asked for: {reply.code} {reply.text[:80]}")

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class PipeliningSession:
    """A session with one server, for one mail at a time. `usable` says whether another mail may go over it."""

    pipelines = True

    def __init__(self, name: str, wire: Wire, settings: SmtpServer, offers: dict[str, str]):
        self.offers, self._name, self._wire, self._settings = offers, name, wire, settings
        self._midway = False  # the server waits for what will not come
        self._reset = False  # the last mail left a transaction open

    @property
    def usable(self) -> bool:
        return not self._wire.broken and not self._midway

    async def send(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> None:
        """Hands one mail over, as `ports.Mailer` says.

        Steps:
        1. MAIL, RCPT and DATA in one write, behind RSET where one is due; their replies are read, all of them;
        2. `before_data`: until here no byte of the message has gone;
        3. message and final dot; the reply.
        """
        recipient, wire = envelope.recipient, self._wire
        said = commands(envelope, self.offers, self._name)
        self._midway = True
        await self._announce(recipient, said)
        await before_data()
        if wire.broken:
            raise lost_before_message(recipient, self._name, wire.broken)
        wire.write(written(envelope))
        replies = await wire.replies(1, self._settings.data_timeout_seconds)
        if not replies:
            raise silence(recipient, self._name, Stage.END, wire.broken)
        self._midway = not replies[0].goes_on
        if not replies[0].good:
            raise refusal(recipient, self._name, Stage.END, replies[0])

    async def close(self) -> None:
        """Takes leave of the server."""
        if self.usable:
            with suppress(SessionRefused):
                await self._wire.ask(b"QUIT", 221, min(5.0, self._settings.timeout_seconds))
        self.abort()

    def abort(self) -> None:
        self._wire.end("closed by us")

    async def _announce(self, recipient: str, said: Commands) -> None:
        """Step 1: returns where the server waits for the message, with everything before it granted."""
        due = 3 + self._reset
        self._wire.write(b"RSET\r\n" * self._reset + b"\r\n".join((said.mail, said.rcpt, b"DATA\r\n")), due)
        replies = (await self._wire.replies(due, self._settings.timeout_seconds))[due - 3:]
        if self._wire.early:
            raise refusal(recipient, self._name, Stage.SESSION, self._wire.early)
        refused = self._refused(recipient, replies)
        if refused is not None and len(replies) == 3 and not self._wire.broken:
            await self._leave(replies)
        if refused is not None or self._wire.broken:
            raise refused or silence(recipient, self._name, Stage.DATA, self._wire.broken)

    def _refused(self, recipient: str, replies: list[Reply]) -> DeliveryError | None:
        """What the first reply means that is none of those hoped for."""
        for stage, reply in zip((Stage.MAIL, Stage.RCPT, Stage.DATA), replies, strict=False):
            if not (reply.code == START_MESSAGE if stage is Stage.DATA else reply.good):
                return refusal(recipient, self._name, stage, reply)
        return None

    async def _leave(self, replies: list[Reply]) -> None:
        """Makes the session fit for the next mail after a refusal, where that can be done without any risk.

        A server that asks for the message though nobody shall have it gets a single dot (RFC 2920 §3.1).
        """
        mail, rcpt, data = replies
        if data.code == START_MESSAGE and not rcpt.good:
            self._wire.write(b".\r\n")
            await self._wire.replies(1, self._settings.timeout_seconds)
        elif data.good or not data.goes_on:
            return
        self._midway, self._reset = not (mail.goes_on and rcpt.goes_on), True


async def open_pipelining(name: str, settings: SmtpServer, context: ssl.SSLContext, me: str) -> PipeliningSession:
    """A session that has said EHLO as `me`, with TLS and logged in as the settings say.

    Raises SessionRefused or OSError. What was read before TLS is forgotten, and bytes behind the server's consent to it
    are refused: somebody on the way could have put them there (RFC 3207 §4.2).
    """
    wire, loop, seconds = Wire(), asyncio.get_running_loop(), settings.timeout_seconds
    try:
        async with asyncio.timeout(seconds):
            await loop.create_connection(lambda: wire, settings.host, settings.port,
                                         ssl=context if settings.tls == "tls" else None)
        await wire.ask(b"", 220, seconds)
        ehlo = await wire.ask(b"EHLO " + me.encode(), 250, seconds)
        if settings.tls == "starttls":
            await wire.ask(b"STARTTLS", 220, seconds)
            if wire.broken:
                raise SessionRefused(f"after STARTTLS: {wire.broken}")
            wire.transport = await loop.start_tls(wire.transport, wire, context, server_hostname=settings.host,
                                                  ssl_handshake_timeout=seconds)
            ehlo = await wire.ask(b"EHLO " + me.encode(), 250, seconds)
        offers = offered(ehlo.text)
        if settings.username:
            check_log_in(wire.transport.get_extra_info("peername")[0], encrypted=settings.tls != "none")
            await _log_in(wire, settings, offers.get("AUTH", "").upper().split())
    except BaseException:
        wire.end("closed by us")
        raise
    return PipeliningSession(name, wire, settings, offers)


async def _log_in(wire: Wire, settings: SmtpServer, methods: list[str]) -> None:
    """AUTH PLAIN (RFC 4616), else LOGIN."""
    name, password = settings.username.encode(), settings.password.get_secret_value().encode()
    seconds = settings.timeout_seconds
    if "PLAIN" in methods:
        await wire.ask(b"AUTH PLAIN " + b64encode(b"\0".join((b"", name, password))), 235, seconds)
        return
    await wire.ask(b"AUTH LOGIN", 334, seconds)
    await wire.ask(b64encode(name), 334, seconds)
    await wire.ask(b64encode(password), 235, seconds)
