"""Feeds over HTTP, politely and with limits: conditional GET, one request a publisher, nothing unbounded."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver

from digest.errors import FetchError
from digest.fetch.answers import check_kind, first_values, refused
from digest.fetch.guard import REFUSAL, AddressGuard, AddressRefused
from digest.fetch.resolver import MappedResolver
from digest.fetch.turns import Turns
from digest.model import Access
from digest.pipeline.hosts import Host, host_of
from digest.ports import FetchRequest, FetchResponse
from digest.settings import PollingSettings

MAX_REDIRECTS = 5
MAX_CONNECTIONS = 64  # open at a time; how many are asked at a time is the caller's to limit
CONNECT_SECONDS = 10.0
MAX_RATIO = 200  # decoded bytes to received ones; documents come to about ten
RATIO_FROM = 256 * 1024  # decoded bytes from which the ratio is looked at
CHUNK = 64 * 1024
PERMANENT, REDIRECTS = frozenset({301, 308}), frozenset({301, 302, 303, 307, 308})
ACCEPT = ("application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, "
          "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.5")
HEADERS = {"Accept": ACCEPT, "Accept-Encoding": "br, gzip, deflate, zstd", "A-IM": "feed"}  # RFC 3229 for the last


class HttpFetcher:
    """Fetches over http and https; never raises but FetchError.

    `resolve` maps a host name, or "*.suffix" for all names under it, to a (loopback address, port): such names are
    served from there, whatever port their URL names, and pass the guard. `resolver` replaces the system's. Does not
    decide when to fetch and does not remember validators. Belongs to one event loop; sessions are opened when they are
    first needed.
    """

    def __init__(self, settings: PollingSettings, *, user_agent: str,
                 resolve: Mapping[str, tuple[str, int]] | None = None, resolver: AbstractResolver | None = None):
        self._settings = settings
        self._headers = {**HEADERS, "User-Agent": user_agent}
        self._resolve = dict(resolve or {})
        self._resolver = resolver
        self._opened: list[AbstractResolver] = []
        self._guard = AddressGuard(settings.allow, self._resolve.values())
        self._turns = Turns(settings.host_gap_seconds)
        self._sessions: dict[bool, aiohttp.ClientSession] = {}  # by whether they go through proxies

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes all connections; a later fetch opens new ones."""
        while self._sessions:
            await self._sessions.popitem()[1].close()
        while self._opened:
            await self._opened.pop().close()

    async def fetch(self, request: FetchRequest) -> FetchResponse:
        """The answer after at most five redirects, within the total time and the decoded size of the settings.

        The time runs while a server is asked, not while others of its publisher are. Raises FetchError: bad_url, dns,
        blocked_address, connect, tls, timeout, redirects, too_large, incomplete, bad_answer, not_a_feed,
        cloudflare_challenge, http_NNN.
        """
        url = request.url
        try:
            return await _Journey(self, request).end()
        except TimeoutError as error:
            raise FetchError(url, "timeout", f"took longer than {self._settings.timeout_seconds:g} s") from error
        except aiohttp.InvalidURL as error:
            raise FetchError(url, "bad_url", "is no address", permanent=True) from error
        except aiohttp.ClientConnectorDNSError as error:
            raise FetchError(url, "dns", f"the name {error.host} cannot be resolved") from error
        except (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch) as error:
            raise FetchError(url, "tls", f"no secure connection: {error}"[:300]) from error
        except (AddressRefused, aiohttp.ClientConnectorError) as error:
            raise _unconnected(url, error) from error
        except aiohttp.ServerDisconnectedError as error:
            raise FetchError(url, "connect", "the server closed the connection") from error
        except aiohttp.ClientPayloadError as error:
            raise FetchError(url, "incomplete", f"breaks off or is packed wrongly: {error}"[:300]) from error
        except (aiohttp.ClientError, OSError, ValueError, UnicodeError) as error:
            raise FetchError(url, "bad_answer", f"{type(error).__name__}: {error}"[:300]) from error

    @property
    def timeout_seconds(self) -> float:
        return self._settings.timeout_seconds

    @property
    def max_body_bytes(self) -> int:
        return self._settings.max_body_bytes

    @property
    def turns(self) -> Turns:
        return self._turns

    def get(self, url: str, headers: Mapping[str, str],
            proxy: str) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """One request, no redirect followed. Raises AddressRefused before a proxy is asked for one of our own."""
        if proxy:
            self._guard.check_name(urlsplit(url).hostname or "", urlsplit(url).port)
        return self._session(bool(proxy)).get(url, headers=headers, allow_redirects=False, proxy=proxy or None)

    def _session(self, is_proxied: bool) -> aiohttp.ClientSession:
        """A session; one that goes through proxies connects to nothing else, and these the operator has named."""
        if is_proxied not in self._sessions:
            resolver = self._resolver or MappedResolver(self._resolve)
            self._opened.append(resolver)
            connector = aiohttp.TCPConnector(
                limit=MAX_CONNECTIONS, resolver=resolver, ttl_dns_cache=60,
                socket_factory=None if is_proxied else self._guard.make_socket)
            self._sessions[is_proxied] = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                max_line_size=32768, max_field_size=32768)
        return self._sessions[is_proxied]


class _Journey:
    """One fetch along its redirects: each hop passes the guard and waits for its turn, none leads from https to http.

    A feed's own headers and log-in are for its own server; a redirect to another one leaves them behind.
    """

    def __init__(self, fetcher: HttpFetcher, request: FetchRequest):
        self._fetcher, self._request = fetcher, request
        self._seconds = fetcher.timeout_seconds
        self._turn = AsyncExitStack()
        self._host: Host | None = None

    async def end(self) -> FetchResponse:
        """Where the redirects lead."""
        async with self._turn:
            return await self._follow()

    async def _follow(self) -> FetchResponse:
        asked = url = self._request.url
        access, is_permanent = self._request.access, True
        for hop in range(MAX_REDIRECTS + 1):
            _check_url(asked, url)
            await self._wait_at(host_of(url))
            started = asyncio.get_running_loop().time()
            async with asyncio.timeout(self._seconds):
                answer = await self._ask(url, access, moved=is_permanent and hop > 0)
            if isinstance(answer, FetchResponse):
                return answer
            self._seconds -= asyncio.get_running_loop().time() - started
            status, target = answer
            if urlsplit(url).scheme == "https" and urlsplit(target).scheme == "http":
                raise FetchError(asked, "redirects", f"redirects from https to {target}"[:300], permanent=True)
            is_permanent = is_permanent and status in PERMANENT
            access = access if _same_server(url, target) else Access(proxy=access.proxy)
            url = target
        raise FetchError(asked, "redirects", f"redirects more than {MAX_REDIRECTS} times", permanent=True)

    async def _wait_at(self, host: Host) -> None:
        """Waits for the turn at `host`; a redirect inside one publisher goes on in the turn that it has."""
        if host != self._host:
            await self._turn.aclose()
            await self._turn.enter_async_context(self._fetcher.turns.at(host))
            self._host = host

    async def _ask(self, url: str, access: Access, *, moved: bool) -> FetchResponse | tuple[int, str]:
        """The answer, or the status and target of a redirect."""
        async with self._fetcher.get(url, self._headers(access), access.proxy) as response:
            if response.status in REDIRECTS:
                return response.status, urljoin(url, response.headers.get("Location", ""))
            headers = first_values(list(response.headers.items()))
            moved_to = str(response.url) if moved else None
            if response.status == 304 and not (self._request.etag or self._request.last_modified):
                raise FetchError(self._request.url, "bad_answer", "answered 304, though it was not asked for changes")
            if response.status == 304:
                return FetchResponse(304, str(response.url), b"", headers, moved_to)
            if response.status not in {200, 226}:  # 226: the newest part of a feed (RFC 3229), as A-IM asks
                raise refused(self._request.url, response.status, headers)
            check_kind(self._request.url, headers.get("content-type", ""))
            return FetchResponse(200, str(response.url), await self._read(response), headers, moved_to)

    def _headers(self, access: Access) -> dict[str, str]:
        """The feed's own headers, and the conditional ones byte for byte (RFC 9110 §13.1)."""
        headers = dict(access.headers)
        if access.username or access.password:
            headers["Authorization"] = aiohttp.encode_basic_auth(access.username, access.password)
        if self._request.etag:
            headers["If-None-Match"] = self._request.etag
        if self._request.last_modified:
            headers["If-Modified-Since"] = self._request.last_modified
        return headers

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """The decoded body; gives up as soon as it is too large or too well packed, whatever was promised."""
        limit = min(self._request.max_bytes or self._fetcher.max_body_bytes, self._fetcher.max_body_bytes)
        if (response.content_length or 0) > limit:
            response.close()
            raise FetchError(self._request.url, "too_large", f"is larger than {limit} bytes")
        body = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK):
            body += chunk
            is_bomb = len(body) > RATIO_FROM and len(body) > MAX_RATIO * response.content.total_raw_bytes
            if len(body) > limit or is_bomb:
                response.close()
                why = f"unpacks to over {MAX_RATIO} times its size" if is_bomb else f"is larger than {limit} bytes"
                raise FetchError(self._request.url, "too_large", why)
        return bytes(body)


def _same_server(url: str, target: str) -> bool:
    """Whether a log-in for one address may go to the other: the same host and port, or from http to https of it."""
    one, other = urlsplit(url), urlsplit(target)
    if one.hostname != other.hostname:
        return False
    return (one.scheme, one.port) == (other.scheme, other.port) or (
        (one.scheme, one.port or 80) == ("http", 80) and (other.scheme, other.port or 443) == ("https", 443))


def _check_url(asked: str, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise FetchError(asked, "bad_url", f"{url[:200]!r} is no http(s) address", permanent=True)
    if parts.username or parts.password:
        raise FetchError(asked, "bad_url", "has a name or password in its address", permanent=True)


def _unconnected(url: str, error: OSError) -> FetchError:
    """A connection that could not be made; says whether our own guard refused it."""
    inner = getattr(error, "os_error", error)
    # Of a name with several addresses, the connector joins the refusals into one message.
    if isinstance(inner, AddressRefused) or REFUSAL in str(inner):
        return FetchError(url, "blocked_address", f"{inner}; see polling.allow", permanent=True)
    return FetchError(url, "connect", f"no connection: {error.strerror or error}"[:300])
