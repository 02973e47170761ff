"""An SMTP session that writes MAIL, RCPT and DATA in one go (RFC 2920), for servers that offer PIPELINING."""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import suppress

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
from digest.mail.wire import Wire
from digest.ports import Envelope
from digest.settings import SmtpServer


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
