"""Feeds over HTTP, politely and with limits: conditional GET, few connections a host, nothing unbounded."""

import asyncio
import re
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from digest.errors import FetchError
from digest.fetch.guard import REFUSAL, AddressGuard, AddressRefused
from digest.ports import FetchRequest, FetchResponse
from digest.settings import PollingSettings

MAX_REDIRECTS = 5
MAX_CONNECTIONS = 32
CONNECTIONS_PER_HOST = 2
CONNECT_SECONDS = 10.0
REDIRECTS = frozenset({301, 302, 303, 307, 308})
ACCEPT = ("application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, "
          "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.5")
LASTING = frozenset({400, 401, 402, 404, 405, 406, 410, 451})  # answers that trying again soon does not change


class HttpFetcher:
    """Fetches over http and https; never raises but FetchError.

    `resolve` maps a host name, or "*.suffix" for all names under it, to a (loopback address, port): such names are
    served from there, whatever port their URL names, and pass the guard. Does not decide when to fetch and does not
    remember validators. Belongs to one event loop; the session is opened by the first fetch.
    """

    def __init__(self, settings: PollingSettings, *, user_agent: str,
                 resolve: Mapping[str, tuple[str, int]] | None = None):
        self._settings = settings
        self._headers = {"User-Agent": user_agent, "Accept": ACCEPT, "Accept-Encoding": "br, gzip, deflate"}
        self._resolve = dict(resolve or {})
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes all connections; a later fetch opens new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def fetch(self, request: FetchRequest) -> FetchResponse:
        """The answer after at most five redirects, within the total time and the decoded size of the settings.

        Raises FetchError: bad_url, dns, blocked_address, connect, tls, timeout, redirects, too_large, bad_answer,
        cloudflare_challenge, http_NNN.
        """
        url = request.url
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                return await self._follow(request)
        except TimeoutError as error:
            raise FetchError(url, "timeout", f"took longer than {self._settings.timeout_seconds:g} s") from error
        except aiohttp.InvalidURL as error:
            raise FetchError(url, "bad_url", "is no address", permanent=True) from error
        except aiohttp.ClientConnectorDNSError as error:
            raise FetchError(url, "dns", f"the name {error.host} cannot be resolved") from error
        except (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch) as error:
            raise FetchError(url, "tls", f"no secure connection: {error}") from error
        except (AddressRefused, aiohttp.ClientConnectorError) as error:
            raise _unconnected(url, error) from error
        except aiohttp.ServerDisconnectedError as error:
            raise FetchError(url, "connect", "the server closed the connection") from error
        except (aiohttp.ClientError, OSError, ValueError, UnicodeError) as error:
            raise FetchError(url, "bad_answer", f"{type(error).__name__}: {error}"[:300]) from error

    async def _follow(self, request: FetchRequest) -> FetchResponse:
        """Redirects by hand: each hop passes the guard, and none leads from https to http."""
        url = request.url
        for _ in range(MAX_REDIRECTS + 1):
            _check_url(request.url, url)
            async with self._opened().get(url, headers=_conditions(request), allow_redirects=False) as response:
                if response.status not in REDIRECTS:
                    return await self._answer(request.url, response)
                target = urljoin(url, response.headers.get("Location", ""))
            if urlsplit(url).scheme == "https" and urlsplit(target).scheme == "http":
                raise FetchError(request.url, "redirects", f"redirects from https to {target}", permanent=True)
            url = target
        raise FetchError(request.url, "redirects", f"redirects more than {MAX_REDIRECTS} times", permanent=True)

    async def _answer(self, url: str, response: aiohttp.ClientResponse) -> FetchResponse:
        headers = {name.lower(): value for name, value in response.headers.items()}
        if response.status == 304:
            return FetchResponse(304, str(response.url), b"", headers)
        if response.status != 200:
            raise _refused(url, response.status, headers)
        return FetchResponse(200, str(response.url), await self._read(url, response), headers)

    async def _read(self, url: str, response: aiohttp.ClientResponse) -> bytes:
        """The decoded body; gives up as soon as it is too large, whatever Content-Length promised."""
        limit = self._settings.max_body_bytes
        body = bytearray()
        async for chunk in response.content.iter_chunked(64 * 1024):
            body += chunk
            if len(body) > limit:
                response.close()
                raise FetchError(url, "too_large", f"is larger than {limit} bytes")
        return bytes(body)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            guard = AddressGuard(self._settings.allow, self._resolve.values())
            connector = aiohttp.TCPConnector(
                limit=MAX_CONNECTIONS, limit_per_host=CONNECTIONS_PER_HOST, socket_factory=guard.make_socket,
                resolver=_MappedResolver(self._resolve), ttl_dns_cache=60)
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                max_line_size=32768, max_field_size=32768)
        return self._session


class _MappedResolver(AbstractResolver):
    """The system's resolver, but for names that are mapped to a loopback address and port."""

    def __init__(self, mapped: Mapping[str, tuple[str, int]]):
        self._mapped = mapped
        self._system = ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET,
                      ) -> list[ResolveResult]:
        target = self._target(host.lower())
        if target is None:
            return await self._system.resolve(host, port, family)
        address, mapped_port = target
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [ResolveResult(hostname=host, host=address, port=mapped_port, family=kind, proto=socket.IPPROTO_TCP,
                              flags=socket.AI_NUMERICHOST)]

    async def close(self) -> None:
        await self._system.close()

    def _target(self, host: str) -> tuple[str, int] | None:
        if host in self._mapped:
            return self._mapped[host]
        return next((target for name, target in self._mapped.items()
                     if name.startswith("*.") and host.endswith(name[1:])), None)


def _conditions(request: FetchRequest) -> dict[str, str]:
    """The conditional headers; validators go back byte for byte (RFC 9110 §13.1)."""
    headers = {}
    if request.etag:
        headers["If-None-Match"] = request.etag
    if request.last_modified:
        headers["If-Modified-Since"] = request.last_modified
    return headers


def _check_url(asked: str, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise FetchError(asked, "bad_url", f"{url!r} is no http(s) address", permanent=True)
    if parts.username or parts.password:
        raise FetchError(asked, "bad_url", "has a name or password in its address", permanent=True)


def _unconnected(url: str, error: OSError) -> FetchError:
    """A connection that could not be made; says whether our own guard refused it."""
    inner = getattr(error, "os_error", error)
    # Of a name with several addresses, the connector joins the refusals into one message.
    if isinstance(inner, AddressRefused) or REFUSAL in str(inner):
        return FetchError(url, "blocked_address", f"{inner}; see polling.allow", permanent=True)
    return FetchError(url, "connect", f"no connection: {error.strerror or error}"[:300])


def _refused(url: str, status: int, headers: Mapping[str, str]) -> FetchError:
    if headers.get("cf-mitigated") == "challenge":
        return FetchError(url, "cloudflare_challenge", "is guarded by a Cloudflare challenge", status=status)
    return FetchError(url, f"http_{status}", f"answered {status}", permanent=status in LASTING, status=status,
                      retry_after_seconds=_retry_after(headers) if status in {429, 503} else None)


def _retry_after(headers: Mapping[str, str]) -> int | None:
    """Seconds of Retry-After; a date in it counts from the answer's own Date."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", value):
        return int(value)
    until, sent = _http_date(value), _http_date(headers.get("date", ""))
    return max(0, int((until - sent).total_seconds())) if until and sent else None


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
