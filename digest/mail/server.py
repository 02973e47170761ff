"""One SMTP server: its sessions, lent for one mail each, and whether it serves."""

import asyncio
import re
import socket
import ssl
from collections import deque

import structlog

from digest.errors import DeliveryError
from digest.mail.pipelining import open_pipelining
from digest.mail.sessions import Session, open_plain
from digest.mail.transaction import CLOSING, SessionRefused, Stage, refusal, silence
from digest.settings import SmtpServer

IDLE_SECONDS = 20.0  # after so long an unused session is closed; servers close it after some minutes
FEWER_SECONDS = 60.0  # so long a server that refused one more session is asked for no more
FALTERS = 3  # sessions in a row that a server ends before it counts as not serving
FIRST_PAUSE, LAST_PAUSE = 10.0, 300.0  # seconds in which a server that does not serve is left alone; doubled each time

LOG_IN_METHODS = frozenset({"PLAIN", "LOGIN"})  # those of our own session
_FULL_NAME = re.compile(r"(?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]*", re.I)

log = structlog.get_logger(__name__)


class Server:
    """Lends sessions, at most `connections` at a time, and keeps idle ones for a while.

    Learns from its first session whether the server pipelines. Does not choose between servers and knows no rates.
    Belongs to one event loop.
    """

    def __init__(self, name: str, settings: SmtpServer, pause_seconds: float = FIRST_PAUSE):
        self.name = f"{name} {settings.host}:{settings.port}" if name else f"{settings.host}:{settings.port}"
        self.settings = settings
        self.error = ""  # why it does not serve
        self.spent = False  # it does not because its rate is used up
        self._first_pause = pause_seconds
        self._failures = self._falters = 0  # in a row
        self._rests_until = 0.0  # in the loop's time
        self._slots = asyncio.Semaphore(settings.connections)
        self._busy = 0  # sessions lent or being opened
        self._idle: deque[tuple[Session, float]] = deque()  # since when, the longest unused first
        self._leaving: set[asyncio.Task[None]] = set()
        self._reaper: asyncio.TimerHandle | None = None
        self._prepared: tuple[ssl.SSLContext, str] | None = None
        self._pipelines: bool | None = None  # not known before the first session
        self._learning = asyncio.Lock()

    @property
    def serves(self) -> bool:
        """Whether it may be asked: it did not fail, or long enough ago."""
        return self.serves_at(asyncio.get_running_loop().time())

    def serves_at(self, time: float) -> bool:
        return time >= self._rests_until

    @property
    def free(self) -> int:
        """Sessions that may be lent without waiting."""
        return self.settings.connections - self._busy

    def rest(self, seconds: float, why: str, *, spent: bool = False) -> None:
        """Lets it alone for so long. `spent`: it serves, but its rate is used up."""
        self._rests_until, self.error, self.spent = asyncio.get_running_loop().time() + seconds, why, spent

    def faltered(self, why: str) -> None:
        """It ended a session that it had granted (421). That may be this mail's doing; several in a row are not."""
        self._falters += 1
        if self._falters >= FALTERS:
            self.failed(why)

    def failed(self, why: str) -> None:
        """It serves nobody: a pause, doubled with each failure in a row up to five minutes."""
        if self.serves:
            log.warning("mail server does not serve", server=self.name, error=why)
            self._failures += 1
            self.rest(min(self._first_pause * 2 ** (self._failures - 1), LAST_PAUSE), why)

    def worked(self) -> None:
        self._failures, self._falters, self._rests_until, self.error = 0, 0, 0.0, ""

    async def lend(self, recipient: str, *, fresh: bool = False) -> tuple[Session, bool]:
        """A session and whether it was used before; waits for one where all are lent. `fresh`: a new one.

        Raises DeliveryError with `server` where none can be opened.
        """
        while True:
            await self._slots.acquire()
            self._busy += 1
            try:
                used = None if fresh else self._unused()
                return used or await self._open(recipient), used is not None
            except DeliveryError as error:
                self._busy -= 1
                if error.code == CLOSING and self._busy:  # too many sessions for it, while others work
                    asyncio.get_running_loop().call_later(FEWER_SECONDS, self._slots.release)
                    continue
                self._slots.release()
                self.failed(str(error).removeprefix(f"{recipient}: "))
                raise
            except BaseException:
                self._busy -= 1
                self._slots.release()
                raise

    def give_back(self, session: Session) -> None:
        """Ends a loan. A session that is fit for another mail is kept."""
        self._busy -= 1
        self._slots.release()
        loop = asyncio.get_running_loop()
        learnt = self._pipelines and not session.pipelines  # the first session was for finding out
        if not session.usable or learnt:
            self._leave(session)
            return
        self._idle.append((session, loop.time()))
        if self._reaper is None:
            self._reaper = loop.call_later(IDLE_SECONDS, self._reap)

    async def close(self) -> None:
        """Takes leave of the server in all idle sessions."""
        if self._reaper is not None:
            self._reaper.cancel()
            self._reaper = None
        idle, self._idle = self._idle, deque()
        for session, _ in idle:
            self._leave(session)
        while self._leaving:
            await asyncio.gather(*self._leaving, return_exceptions=True)

    def _leave(self, session: Session) -> None:
        """Closes a session without waiting for it."""
        task = asyncio.get_running_loop().create_task(session.close())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _unused(self) -> Session | None:
        while self._idle:
            session, _ = self._idle.pop()
            if session.usable:
                return session
            session.abort()
        return None

    def _reap(self) -> None:
        loop = asyncio.get_running_loop()
        self._reaper = None
        while self._idle and self._idle[0][1] <= loop.time() - IDLE_SECONDS:
            self._leave(self._idle.popleft()[0])
        if self._idle:
            self._reaper = loop.call_at(self._idle[0][1] + IDLE_SECONDS, self._reap)

    async def _open(self, recipient: str) -> Session:
        try:
            if self._pipelines is not None:
                return await self._connect()
            async with self._learning:
                return await self._connect()
        except SessionRefused as error:
            if error.reply is not None:
                raise refusal(recipient, self.name, Stage.SESSION, error.reply) from error
            raise silence(recipient, self.name, Stage.SESSION, str(error)) from error
        except OSError as error:
            raise silence(recipient, self.name, Stage.SESSION, f"no session: {error}") from error

    async def _connect(self) -> Session:
        if self._prepared is None:
            self._prepared = await asyncio.to_thread(_prepare, self.settings)
        if self._pipelines:
            return await open_pipelining(self.name, self.settings, *self._prepared)
        session = await open_plain(self.name, self.settings, *self._prepared)
        methods = session.offers.get("AUTH", "").upper().split()
        self._pipelines = self.settings.pipelining and "PIPELINING" in session.offers and (
            not self.settings.username or not LOG_IN_METHODS.isdisjoint(methods))
        return session


def _prepare(settings: SmtpServer) -> tuple[ssl.SSLContext, str]:
    """What TLS trusts, and how we name ourselves: an address literal where there is no full name (RFC 5321 §4.1.3)."""
    name = socket.getfqdn()
    name = name if _FULL_NAME.fullmatch(name) else "[127.0.0.1]"
    if settings.tls == "none":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), name  # trusts nobody, and costs nothing to make
    context = ssl.create_default_context()
    if settings.tls_ca_file:
        context.load_verify_locations(settings.tls_ca_file)
    if not settings.tls_verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context, name
