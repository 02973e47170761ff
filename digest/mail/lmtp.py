"""Takes mail from the operator's mail server by LMTP (RFC 2033): on loopback or a socket, for what comes back to us."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

MAX_MAIL_BYTES = 10 * 1024 * 1024
MAX_RECIPIENTS = 50  # of one mail; a report has one
IDLE_SECONDS = 60.0

# Asked for each recipient: the reply to RCPT ("250 …" accepts).
Accepts = Callable[[str], str]
# Given the envelope sender, one recipient and the mail: the reply. Awaited one after another.
Takes = Callable[[str, str, bytes], Awaitable[str]]

log = structlog.get_logger(__name__)


class LmtpListener:
    """Listens on "HOST:PORT" or "unix:PATH" while open; belongs to one event loop.

    A mail is answered for each recipient once `takes` is done with it: 250 only after that. Does not decide anything.
    """

    def __init__(self, where: str, accepts: Accepts, takes: Takes):
        self._where, self._handler = where, _Handler(accepts, takes)
        self._server: asyncio.Server | None = None
        self._path: Path | None = None

    @property
    def port(self) -> int:
        """The TCP port that is listened on."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def open(self) -> None:
        """Begins to listen. Raises OSError where that cannot be done."""
        loop = asyncio.get_running_loop()
        kind, _, rest = self._where.rpartition(":")
        if kind == "unix":
            self._path = Path(rest)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            await asyncio.to_thread(_remove_stale, self._path)
            self._server = await loop.create_unix_server(self._session, rest)
            os.chmod(rest, 0o660)
        else:
            self._server = await loop.create_server(self._session, kind.strip("[]"), int(rest))
        log.info("listening for bounces", lmtp=self._where)

    async def close(self) -> None:
        """Takes no new session and ends those that are open; idempotent."""
        if self._server is None:
            return
        self._server.close()
        self._handler.end()
        self._server = None
        if self._path is not None:
            with suppress(FileNotFoundError):
                self._path.unlink()

    def _session(self) -> LMTP:
        return LMTP(self._handler, data_size_limit=MAX_MAIL_BYTES, enable_SMTPUTF8=True, hostname="localhost",
                    ident="Region Digest", timeout=IDLE_SECONDS, loop=asyncio.get_running_loop())


class _Handler:
    """The answers of all sessions of one listener, in the words of aiosmtpd."""

    def __init__(self, accepts: Accepts, takes: Takes):
        self._accepts, self._takes = accepts, takes
        self._open: set[SMTP] = set()

    def end(self) -> None:
        """Closes all sessions."""
        for session in self._open:
            if session.transport is not None:  # it has not ended by itself
                session.transport.close()

    async def handle_EHLO(self, server: SMTP, session: Session, envelope: Envelope, hostname: str,
                          responses: list[str]) -> list[str]:
        self._open = {one for one in self._open if one.transport is not None} | {server}
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str,
                          options: list[str]) -> str:
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        reply = self._accepts(address)
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """One reply for each recipient, in their order (RFC 2033 §4.2)."""
        sender, content = (envelope.mail_from or "").strip("<>"), envelope.original_content or b""
        return "\r\n".join([await self._taken(sender, recipient, content)
                            for recipient in envelope.rcpt_tos])

    async def _taken(self, sender: str, recipient: str, content: bytes) -> str:
        try:
            return await self._takes(sender, recipient, content)
        except Exception:  # the mail server keeps the mail and tries again
            log.exception("a mail could not be taken in", recipient=recipient)
            return "451 4.3.0 cannot be taken in now"


def _remove_stale(path: Path) -> None:
    """Removes a socket that nobody listens on any more. Raises OSError where somebody does."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(f"another process listens on {path}")
