"""Sessions with one SMTP server, reused from mail to mail (aiosmtplib)."""

from collections.abc import Awaitable, Callable

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from digest.errors import DeliveryError
from digest.ports import Envelope
from digest.settings import SmtpSettings

MAX_IDLE_SESSIONS = 4
CLOSING = 421  # the reply of a server that ends the session


class SmtpMailer:
    """Hands mail to the server of `settings`; belongs to one event loop.

    Keeps up to four idle sessions. TLS certificates are verified. Does not retry and does not limit how many
    mails are sent at a time: the ledger does.
    """

    capacity = MAX_IDLE_SESSIONS

    def __init__(self, settings: SmtpSettings):
        self._settings = settings
        self._idle: list[SMTP] = []

    async def send(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> None:
        """Hands one mail over; returns when the server has accepted it.

        Raises DeliveryError: permanent where the server refused this recipient or this mail for good (5xx to RCPT
        or DATA); with `server` where it serves nobody. What `before_data` raises passes through.
        """
        session = await self._session(envelope.recipient)
        try:
            await self._transact(session, envelope, before_data)
        except DeliveryError as error:
            self._keep(session) if error.code not in {None, CLOSING} else session.close()
            raise
        except BaseException:
            session.close()
            raise
        self._keep(session)

    async def close(self) -> None:
        """Takes leave of the server in all idle sessions."""
        while self._idle:
            session = self._idle.pop()
            try:
                await session.quit(timeout=5)
            except (SMTPException, OSError):
                session.close()

    async def _session(self, recipient: str) -> SMTP:
        """An idle session that still answers, else a new one."""
        while self._idle:
            session = self._idle.pop()
            try:
                await session.rset()
                return session
            except (SMTPException, OSError):
                session.close()
        try:
            return await self._connect()
        except SMTPResponseException as error:
            message = f"{self._name} refused the session: {error.code} {error.message}"
            raise DeliveryError(recipient, message, code=error.code, server=True) from error
        except (SMTPException, OSError, ValueError) as error:
            raise DeliveryError(recipient, f"no session with {self._name}: {error}", server=True) from error

    async def _connect(self) -> SMTP:
        settings = self._settings
        session = SMTP(
            hostname=settings.host, port=settings.port, timeout=settings.timeout_seconds,
            use_tls=settings.tls == "tls", start_tls=settings.tls == "starttls",
            username=settings.username or None, password=settings.password.get_secret_value() or None)
        await session.connect()
        try:
            if session.is_ehlo_or_helo_needed:
                await session.ehlo()
        except BaseException:
            session.close()
            raise
        return session

    async def _transact(self, session: SMTP, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> None:
        """MAIL, RCPT, the mark in the ledger, DATA: from the last on, silence means uncertain."""
        stage = "MAIL"
        try:
            options = [f"size={len(envelope.data)}"] if session.supports_extension("size") else []
            await session.mail(envelope.sender, options=options)
            stage = "RCPT"
            await session.rcpt(envelope.recipient)
            stage = "DATA"
            await before_data()
            await session.data(envelope.data)
        except SMTPResponseException as error:
            code = error.code if 400 <= error.code < 600 else None
            permanent = code is not None and code >= 500 and stage != "MAIL"
            message = f"{error.code} {error.message} (after {stage})"
            raise DeliveryError(envelope.recipient, message, code=code, permanent=permanent) from error
        except (SMTPException, OSError) as error:
            raise DeliveryError(envelope.recipient, f"{error} (after {stage})") from error

    def _keep(self, session: SMTP) -> None:
        if len(self._idle) < MAX_IDLE_SESSIONS and session.is_connected:
            self._idle.append(session)
        else:
            session.close()

    @property
    def _name(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"
