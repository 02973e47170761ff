"""Sessions with an SMTP server by aiosmtplib, one command at a time: every way of TLS and of logging in."""

import ssl
from collections.abc import Awaitable, Callable
from typing import Protocol

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from digest.mail.transaction import (
    START_MESSAGE,
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


class Session(Protocol):
    """A session with one server, for one mail at a time. Does not open itself again."""

    pipelines: bool  # whether several commands go in one write
    offers: dict[str, str]  # EHLO keywords in capitals, with their parameters

    @property
    def usable(self) -> bool:
        """Whether another mail may go over it."""
        ...

    async def send(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> None:
        """Hands one mail over, as `ports.Mailer` says. What `before_data` raises passes through."""
        ...

    async def close(self) -> None:
        """Takes leave of the server."""
        ...

    def abort(self) -> None:
        """Ends the connection at once."""
        ...


class PlainSession:
    """A session that awaits each reply before its next command."""

    pipelines = False

    def __init__(self, name: str, smtp: SMTP, settings: SmtpServer):
        self._name, self._smtp, self._settings = name, smtp, settings
        self.offers = offered(smtp.last_ehlo_response.message) if smtp.last_ehlo_response else {}
        self._midway = False  # the server waits for what will not come
        self._reset = False  # the last mail left a transaction open

    @property
    def usable(self) -> bool:
        return self._smtp.is_connected and not self._midway and not self._early

    async def send(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> None:
        recipient = envelope.recipient
        said = commands(envelope, self.offers, self._name)
        self._midway = True
        if self._reset:
            await self._say(recipient, b"RSET", Stage.MAIL)
        await self._say(recipient, said.mail, Stage.MAIL)
        await self._say(recipient, said.rcpt, Stage.RCPT)
        await self._say(recipient, b"DATA", Stage.DATA)
        await before_data()
        reply = await self._message(recipient, written(envelope))
        self._midway, self._reset = not reply.goes_on, False
        if not reply.good:
            raise refusal(recipient, self._name, Stage.END, reply)

    async def close(self) -> None:
        try:
            if self.usable:
                await self._smtp.quit(timeout=min(5.0, self._settings.timeout_seconds))
        except (SMTPException, OSError):
            pass
        self.abort()

    def abort(self) -> None:
        self._smtp.close()

    @property
    def _early(self) -> bool:
        """Whether bytes are here that nobody asked for: aiosmtplib would read them as the next reply."""
        return self._smtp.protocol is not None and bool(self._smtp.protocol._buffer)

    async def _say(self, recipient: str, command: bytes, stage: Stage) -> None:
        """One command; returns where it was granted."""
        try:
            reply = Reply(*await self._smtp.execute_command(command))
        except SMTPResponseException as error:
            reply = Reply(error.code, error.message)
        except (SMTPException, OSError) as error:
            raise silence(recipient, self._name, stage, str(error)) from error
        if self._early:
            raise silence(recipient, self._name, stage, "a reply that nobody asked for")
        if not (reply.code == START_MESSAGE if stage is Stage.DATA else reply.good):
            self._midway, self._reset = reply.good or not reply.goes_on, True
            raise refusal(recipient, self._name, stage, reply)

    async def _message(self, recipient: str, data: bytes) -> Reply:
        """The reply to the message. aiosmtplib's own `data` says DATA and message without a pause between."""
        protocol = self._smtp.protocol
        if protocol is None or not protocol.is_connected or self._early:
            raise lost_before_message(recipient, self._name, "the session ended")
        try:
            protocol.write(data)
            return Reply(*await protocol.read_response(timeout=self._settings.data_timeout_seconds))
        except SMTPResponseException as error:  # it was no SMTP reply
            raise silence(recipient, self._name, Stage.END, error.message) from error
        except (SMTPException, OSError) as error:
            raise silence(recipient, self._name, Stage.END, str(error)) from error


async def open_plain(name: str, settings: SmtpServer, context: ssl.SSLContext, me: str) -> PlainSession:
    """A session that has said EHLO (or HELO) as `me`, with TLS and logged in as the settings say.

    Raises SessionRefused or OSError.
    """
    smtp = SMTP(hostname=settings.host, port=settings.port, timeout=settings.timeout_seconds, local_hostname=me,
                use_tls=settings.tls == "tls", start_tls=settings.tls == "starttls", tls_context=context)
    try:
        await smtp.connect()
        if smtp.is_ehlo_or_helo_needed:
            await _greet(smtp)
        if settings.username:
            peer = smtp.get_transport_info("peername")[0]
            check_log_in(peer, encrypted=smtp.get_transport_info("sslcontext") is not None)
            await smtp.login(settings.username, settings.password.get_secret_value())
    except SMTPResponseException as error:
        smtp.close()
        raise SessionRefused(f"{error.code} {error.message}", Reply(error.code, error.message)) from error
    except (SMTPException, ValueError) as error:
        smtp.close()
        raise SessionRefused(str(error)) from error
    except BaseException:
        smtp.close()
        raise
    return PlainSession(name, smtp, settings)


async def _greet(smtp: SMTP) -> None:
    """EHLO; HELO where the server does not know it (RFC 5321 §3.2)."""
    try:
        await smtp.ehlo()
    except SMTPResponseException:
        if not smtp.is_connected:
            raise
        await smtp.helo()
