"""Signed webhooks, as Standard Webhooks has them (standard-webhooks/spec, version 1): one POST a bundle.

    webhook-id         the bundle's name, the same with every try: receivers drop what they have
    webhook-timestamp  seconds since 1970 of this try
    webhook-signature  "v1," + base64 of HMAC-SHA-256 over "ID.TIMESTAMP.BODY" with the bytes of the secret
"""

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from urllib.parse import urlsplit

import aiohttp

from digest.alert_rules import WEBHOOK as KIND
from digest.errors import ChannelRefused, DeliveryError
from digest.fetch.guard import AddressGuard, AddressRefused
from digest.ports import Clock, Parcel

PREFIX = "whsec_"
SECONDS = 10.0  # a whole try
LONGEST = 2000  # characters of an address
MOST_PATIENCE = timedelta(days=1)  # of what a Retry-After asks for
GONE = frozenset({408, 409, 425, 429})  # answers of the 400s that another try may change


def check(url: str) -> str:
    """The address of a webhook as it is stored. Raises ChannelRefused.

    Whether it may be asked at all is seen with each try.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or len(url) > LONGEST:
        raise ChannelRefused(KIND, "is no http or https address")
    if parts.username or parts.password:
        raise ChannelRefused(KIND, "names a log-in: its signature says who asks")
    return url.strip()


def secret_in_words(secret: bytes) -> str:
    """A secret as its owner is shown it and `signature` takes it."""
    return PREFIX + base64.b64encode(secret).decode()


def signature(secret: str, id_: str, timestamp: int, body: bytes) -> str:
    """The value of webhook-signature. Raises ValueError where the secret is none of ours."""
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    signed = f"{id_}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


class Webhooks:
    """POSTs bundles to addresses that the guard lets through; follows no redirect. Belongs to one event loop.

    `secret_of` gives the secret of an address.
    """

    def __init__(self, allow: Iterable[str], clock: Clock, secret_of: Callable[[str], str], user_agent: str):
        self._guard, self._clock, self._secret_of = AddressGuard(allow), clock, secret_of
        self._headers = {"User-Agent": user_agent, "Content-Type": "application/json"}
        self._opened: aiohttp.ClientSession | None = None

    async def send(self, parcel: Parcel, before_data: Callable[[], Awaitable[None]]) -> None:
        """Hands one bundle over, as `ports.Notifier` says; 2xx is taken in."""
        broken: list[BaseException] = []

        async def connected() -> None:
            try:
                await before_data()
            except BaseException as error:
                broken.append(error)
                raise

        try:
            status, patience = await self._post(parcel, connected)
        except (AddressRefused, aiohttp.ClientConnectorError, aiohttp.InvalidURL) as error:
            raise DeliveryError(parcel.shown, _unreached(error), code=503) from error
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            if broken:
                raise broken[0] from None
            raise DeliveryError(parcel.shown, f"no answer: {type(error).__name__} {error}".rstrip()) from error
        if status // 100 != 2:
            permanent = status // 100 in (3, 4) and status not in GONE
            raise DeliveryError(parcel.shown, f"answered {status}", code=status, permanent=permanent,
                                retry_at=None if permanent else patience)

    async def close(self) -> None:
        if self._opened:
            await self._opened.close()
            self._opened = None

    async def _post(self, parcel: Parcel, connected: Callable[[], Awaitable[None]]) -> tuple[int, datetime | None]:
        now = self._clock.now()
        timestamp, body = int(now.timestamp()), parcel.text.encode()
        signed = signature(self._secret_of(parcel.target), parcel.id, timestamp, body)
        headers = {"webhook-id": parcel.id, "webhook-timestamp": str(timestamp), "webhook-signature": signed}
        async with self._session().post(parcel.target, data=body, headers=headers, allow_redirects=False,
                                        trace_request_ctx=connected) as answer:
            return answer.status, _retry_after(answer.headers.get("Retry-After", ""), now)

    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            trace = aiohttp.TraceConfig()
            trace.on_connection_create_end.append(_connected)
            self._opened = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True, socket_factory=self._guard.make_socket),
                cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, headers=self._headers, trace_configs=[trace],
                timeout=aiohttp.ClientTimeout(total=SECONDS))
        return self._opened


async def _connected(session: aiohttp.ClientSession, context: SimpleNamespace,
                     told: aiohttp.TraceConnectionCreateEndParams) -> None:
    """A connection stands, and nothing has been written on it."""
    await context.trace_request_ctx()


def _unreached(error: Exception) -> str:
    refused = error if isinstance(error, AddressRefused) else error.__cause__
    return str(refused if isinstance(refused, AddressRefused) else error)[:300]


def _retry_after(value: str, now: datetime) -> datetime | None:
    """When a server asks to be tried again (RFC 9110 §10.2.3), at most a day ahead; None where it does not say."""
    try:
        at = now + timedelta(seconds=int(value)) if value.isdecimal() else parsedate_to_datetime(value)
        return min(at, now + MOST_PATIENCE) if at > now else None
    except (ValueError, TypeError, OverflowError):
        return None
