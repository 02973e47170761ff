"""The mailer: several SMTP servers by priority, with rates and limits for recipients' domains.

Decides which server gets a mail and when; what a server answers is read by its sessions.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from weakref import WeakValueDictionary

from digest.errors import DeliveryError
from digest.mail.server import FIRST_PAUSE, Server
from digest.mail.transaction import CLOSING
from digest.ports import Envelope, RateStore
from digest.settings import Limits, SmtpSettings

PATIENCE_SECONDS = 5.0  # so long a mail waits here for its turn; a later turn is told to the ledger
ANY_DOMAIN = "*"


class SmtpMailer:
    """Hands mail to the servers of `settings`; belongs to one event loop.

    Servers of the lowest priority number come first, of equal ones the one with more free sessions. The next is asked
    where one does not serve or has used up its rate. A server that does not serve rests for `pause_seconds`, doubled
    with each failure in a row up to five minutes. Does not retry: the ledger does. Without `rates` nothing is counted,
    and settings with rates are refused (ValueError).
    """

    def __init__(self, settings: SmtpSettings, rates: RateStore | None = None, *, pause_seconds: float = FIRST_PAUSE):
        self._servers = {f"server:{name}": Server(name, server, pause_seconds)
                         for name, server in settings.by_name.items()}
        self._domains = {name.lower(): limits for name, limits in settings.domains.items()}
        self._sending: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()  # by domain
        self._rates = rates
        if rates is None and any(_rated(limits) for limits in (*settings.by_name.values(), *self._domains.values())):
            raise ValueError("rates are set, and nothing remembers them")

    @property
    def capacity(self) -> int:
        """Sessions of the first servers that serve; 0 while none does."""
        now = asyncio.get_running_loop().time()
        serving = [server.settings for server in self._servers.values() if server.serves_at(now)]
        if len(serving) == 1:
            return serving[0].connections
        first = min((settings.priority for settings in serving), default=0)
        return sum(settings.connections for settings in serving if settings.priority == first)

    async def send(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> None:
        """Hands one mail over, as `ports.Mailer` says; returns when a server has accepted it."""
        tell = _Tell(before_data)
        failed: DeliveryError | None = None
        async with self._domain(envelope.recipient):
            for scope, server in self._in_order():
                try:
                    await self._through(scope, server, envelope, tell)
                    server.worked()
                    return
                except DeliveryError as error:
                    if tell.told or not error.server:
                        raise
                    failed = failed or error
        raise failed or await self._nobody(envelope.recipient)

    async def close(self) -> None:
        """Takes leave of the servers."""
        await asyncio.gather(*(server.close() for server in self._servers.values()))

    def _in_order(self) -> Iterator[tuple[str, Server]]:
        """The servers that serve, best first; each is looked at when its turn comes."""
        servers = list(self._servers.items())
        if len(servers) > 1:
            servers.sort(key=lambda item: (item[1].settings.priority, -item[1].free))
        for scope, server in servers:
            if server.serves:
                yield scope, server

    async def _nobody(self, recipient: str) -> DeliveryError:
        """No server may be asked: why, and when the mail's turn comes where one has but used up its rate."""
        why = "; ".join(f"{server.name}: {server.error}" for server in self._servers.values())
        spent = next(((scope, server) for scope, server in self._servers.items() if server.spent), None)
        turn = None
        if spent is not None and self._rates is not None:
            turn = await asyncio.to_thread(self._rates.turn, spent[0], spent[1].settings)
        return DeliveryError(recipient, f"no mail server serves now ({why})", server=True, retry_at=turn)

    def _domain(self, recipient: str) -> AbstractAsyncContextManager[None]:
        """Waits where the recipient's domain has as many mails in flight as it takes."""
        if not self._domains:
            return nullcontext()
        domain, limits = self._limits_of(recipient)
        if not limits.connections:
            return nullcontext()
        semaphore = self._sending.get(domain) or asyncio.Semaphore(limits.connections)
        self._sending[domain] = semaphore
        return semaphore

    def _limits_of(self, recipient: str) -> tuple[str, Limits]:
        domain = recipient.rpartition("@")[2].lower()
        return domain, self._domains.get(domain) or self._domains.get(ANY_DOMAIN) or Limits()

    async def _through(self, scope: str, server: Server, envelope: Envelope, tell: "_Tell") -> None:
        """One server's try. A session that was used before and ended meanwhile is replaced by a new one, once."""
        fresh = False
        while True:
            session, used = await server.lend(envelope.recipient, fresh=fresh)
            try:
                if not fresh:
                    await self._turn(scope, server, envelope.recipient)
                await session.send(envelope, tell)
                return
            except DeliveryError as error:
                fresh = used and not tell.told and not session.usable and error.code in (None, CLOSING)
                if not fresh:
                    if error.server and error.retry_at is None:
                        server.faltered(str(error).removeprefix(f"{envelope.recipient}: "))
                    raise
            finally:
                server.give_back(session)

    async def _turn(self, scope: str, server: Server, recipient: str) -> None:
        """Waits until the rates of the server and of the recipient's domain let the mail go, and counts it.

        Raises DeliveryError with `retry_at` where that takes longer than a few seconds.
        """
        if self._rates is None:
            return
        domain, limits = self._limits_of(recipient)
        scopes = {name: rates for name, rates in ((scope, server.settings), (f"domain:{domain}", limits))
                  if _rated(rates)}
        if not scopes:
            return
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while (wait := await asyncio.to_thread(self._rates.take, scopes)) is not None:
            if asyncio.get_running_loop().time() + wait.seconds > deadline:
                why = f"the rate of {wait.scope.partition(':')[2]} is used up"
                if wait.scope == scope:
                    server.rest(wait.seconds, why, spent=True)
                turn = await asyncio.to_thread(self._rates.turn, wait.scope, scopes[wait.scope])
                raise DeliveryError(recipient, why, server=wait.scope == scope, retry_at=turn)
            await asyncio.sleep(wait.seconds)


class _Tell:
    """`before_data`, and whether it was awaited."""

    def __init__(self, before_data: Callable[[], Awaitable[None]]):
        self._before_data = before_data
        self.told = False

    async def __call__(self) -> None:
        self.told = True
        await self._before_data()


def _rated(limits: Limits) -> bool:
    return bool(limits.per_second or limits.per_minute or limits.per_hour)
