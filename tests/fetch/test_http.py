import asyncio
import gzip
import socket
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from digest.errors import FetchError
from digest.fetch.http import HttpFetcher
from digest.model import Access
from digest.ports import FetchRequest, FetchResponse
from digest.settings import PollingSettings
from tests.fetch.servers import Handler, serving

HOST = "steppe.example"
PLAIN = Access()
SECRET = Access(headers=(("X-Key", "1"),), username="reader", password="säcret")


def fetch(path: str, etag: str | None = None, settings: Mapping[str, Any] | None = None, access: Access = PLAIN,
          **handlers: Handler) -> FetchResponse:
    """One fetch of http://steppe.example/PATH, served by `handlers` on loopback."""

    async def run() -> FetchResponse:
        async with serving(**handlers) as port:
            resolve = {HOST: ("127.0.0.1", port), "*.lake.example": ("127.0.0.1", port)}
            url = path if "://" in path else f"http://{HOST}/{path}"
            polling = PollingSettings(**{"timeout_seconds": 5, "host_gap_seconds": 0, **(settings or {})})
            async with HttpFetcher(polling, user_agent="RegionDigest/test", resolve=resolve) as fetcher:
                return await fetcher.fetch(FetchRequest(url.format(port=port), etag, None, replace(
                    access, proxy=access.proxy.format(port=port))))

    return asyncio.run(run())


def failure(path: str, **options: Any) -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetch(path, **options)
    return caught.value


async def hello(request: web.Request) -> web.Response:
    return web.Response(text="hello", headers={"ETag": '"1"', "X-Agent": request.headers["User-Agent"]})


def test_an_answer_has_body_and_lower_case_headers() -> None:
    response = fetch("hello", hello=hello)
    assert (response.status, response.body, response.url) == (200, b"hello", f"http://{HOST}/hello")
    assert (response.headers["etag"], response.headers["x-agent"]) == ('"1"', "RegionDigest/test")


def test_a_name_under_a_mapped_suffix_is_served_too() -> None:
    assert fetch("http://news.lake.example/hello", hello=hello).body == b"hello"


def test_validators_go_back_byte_for_byte() -> None:
    async def conditional(request: web.Request) -> web.Response:
        assert request.headers["If-None-Match"] == 'W/"a b"'
        return web.Response(status=304)

    response = fetch("c", etag='W/"a b"', c=conditional)
    assert (response.status, response.body) == (304, b"")


def test_redirects_are_followed_and_cookies_forgotten() -> None:
    async def away(request: web.Request) -> web.Response:
        return web.Response(status=301, headers={"Location": "there", "Set-Cookie": "id=1"})

    async def there(request: web.Request) -> web.Response:
        assert "Cookie" not in request.headers
        return web.Response(text="arrived")

    response = fetch("away", away=away, there=there)
    assert (response.body, response.url) == (b"arrived", f"http://{HOST}/there")


def test_a_circle_of_redirects_ends() -> None:
    async def circle(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/circle"})

    assert failure("circle", circle=circle).kind == "redirects"


@pytest.mark.parametrize("target", ["http://127.0.0.1:22/", "http://169.254.169.254/latest", "http://[::1]/",
                                    "http://2130706433/"])
def test_a_redirect_into_our_network_is_refused(target: str) -> None:
    async def inward(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": target})

    assert failure("inward", inward=inward).kind in {"blocked_address", "bad_url"}


def test_loopback_itself_is_refused() -> None:
    error = failure("http://127.0.0.1/feed")
    assert (error.kind, error.permanent) == ("blocked_address", True)
    assert "polling.allow" in str(error)


def test_an_allowed_network_is_fetched() -> None:
    url = "http://127.0.0.1:{port}/hello"
    assert fetch(url, settings={"allow": ("127.0.0.0/8",)}, hello=hello).body == b"hello"


@pytest.mark.parametrize(("status", "permanent"), [(404, True), (410, True), (403, False), (500, False), (503, False)])
def test_a_refusal_is_named(status: int, permanent: bool) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Retry-After": "120"})

    error = failure("refuse", refuse=refuse)
    assert (error.kind, error.status, error.permanent) == (f"http_{status}", status, permanent)
    assert error.retry_after_seconds == (120 if status == 503 else None)


def test_retry_after_may_be_a_date() -> None:
    async def busy(request: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Date": "Tue, 17 Feb 2026 12:00:00 GMT",
                                                 "Retry-After": "Tue, 17 Feb 2026 13:00:00 GMT"})

    assert failure("busy", busy=busy).retry_after_seconds == 3600


def test_a_challenge_is_named() -> None:
    async def challenge(request: web.Request) -> web.Response:
        return web.Response(status=403, headers={"cf-mitigated": "challenge"}, text="<html>")

    assert failure("challenge", challenge=challenge).kind == "cloudflare_challenge"


def test_a_compressed_bomb_is_stopped_at_the_limit() -> None:
    packed = gzip.compress(b"\0" * 20_000_000)

    async def bomb(request: web.Request) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    assert failure("bomb", bomb=bomb, settings={"max_body_bytes": 1_000_000}).kind == "too_large"


def test_a_body_that_drips_is_cut_off() -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b"x")
            await asyncio.sleep(0.1)
        return response

    assert failure("drip", drip=drip, settings={"timeout_seconds": 0.5}).kind == "timeout"


@pytest.mark.parametrize(("url", "kind"), [
    ("ftp://steppe.example/feed", "bad_url"), ("http://user:pw@steppe.example/feed", "bad_url"),
    ("http:///feed", "bad_url"), ("http://nowhere.invalid/feed", "dns"), ("http://steppe.example:99999/", "bad_url"),
])
def test_an_address_that_cannot_be_fetched_is_named(url: str, kind: str) -> None:
    assert failure(url).kind == kind


def test_a_closed_port_is_named() -> None:
    assert failure("http://127.0.0.1:1/", settings={"allow": ("127.0.0.0/8",)}).kind == "connect"


def redirect(target: str, status: int = 302) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": target})

    return answer


async def asked(request: web.Request) -> web.Response:
    """Answers with what the feed's own headers were."""
    return web.Response(text=f"{request.headers.get('X-Key')} {request.headers.get('Authorization')}")


def test_a_feed_has_headers_and_a_log_in_of_its_own() -> None:
    assert fetch("asked", access=SECRET, asked=asked).body == b"1 Basic cmVhZGVyOnPDpGNyZXQ="


@pytest.mark.parametrize(("target", "goes_along"), [
    ("/asked", True), (f"http://{HOST}/asked", True), ("http://news.lake.example/asked", False),
    (f"http://{HOST}:8080/asked", False),
])
def test_a_log_in_stays_with_its_own_server(target: str, goes_along: bool) -> None:
    response = fetch("away", access=SECRET, away=redirect(target), asked=asked)
    assert (response.body != b"None None") == goes_along


@pytest.mark.parametrize(("first", "second", "moved"), [(301, 308, True), (301, 302, False), (307, 301, False)])
def test_only_a_chain_of_permanent_redirects_is_a_move(first: int, second: int, moved: bool) -> None:
    response = fetch("a", a=redirect("/b", first), b=redirect("/hello", second), hello=hello)
    assert response.moved_to == (f"http://{HOST}/hello" if moved else None)


def test_what_was_not_asked_for_is_no_304() -> None:
    async def unchanged(request: web.Request) -> web.Response:
        return web.Response(status=304)

    assert failure("u", u=unchanged).kind == "bad_answer"


class Rebinding(AbstractResolver):
    """Names that lead to an outlet the first time, and into our own network after that."""

    def __init__(self, port: int):
        self.addresses = [("127.0.0.1", port), ("127.0.0.2", port)]

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET,
                      ) -> list[ResolveResult]:
        address, mapped = self.addresses.pop(0)
        return [ResolveResult(hostname=host, host=address, port=mapped, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        return None


def test_a_name_that_leads_elsewhere_the_second_time_is_refused() -> None:
    async def run() -> None:
        async with serving(hello=hello) as port:
            resolve = {"outlet.example": ("127.0.0.1", port)}  # the first address stands for a public one
            polling = PollingSettings(timeout_seconds=5, host_gap_seconds=0)
            async with HttpFetcher(polling, user_agent="t", resolve=resolve, resolver=Rebinding(port)) as fetcher:
                request = FetchRequest("http://rebind.example/hello")
                assert (await fetcher.fetch(request)).body == b"hello"
                await fetcher.close()
                with pytest.raises(FetchError) as caught:
                    await fetcher.fetch(request)
                assert caught.value.kind == "blocked_address"

    asyncio.run(run())


def through_proxy(url: str) -> list[str]:
    """What a proxy of the operator's, on loopback, was asked for."""
    seen: list[str] = []

    async def run() -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append((await reader.readline()).decode().split()[1])
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        proxy = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, HttpFetcher(PollingSettings(timeout_seconds=5), user_agent="t") as fetcher:
            response = await fetcher.fetch(FetchRequest(url, access=Access(proxy=proxy)))
            assert response.body == b"hi"

    asyncio.run(run())
    return seen


def test_a_feed_may_go_through_a_proxy() -> None:
    assert through_proxy("http://far.example/feed") == ["http://far.example/feed"]


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://localhost/", "http://far.example:22/", "http://[::1]/"])
def test_a_proxy_is_not_asked_for_our_own_network(url: str) -> None:
    with pytest.raises(FetchError) as caught:
        through_proxy(url)
    assert caught.value.kind == "blocked_address"


def test_two_requests_to_one_publisher_do_not_overlap() -> None:
    most = now = 0

    async def slow(request: web.Request) -> web.Response:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        return web.Response(text="slow")

    async def run() -> None:
        async with serving(slow=slow) as port:
            resolve = {"*.lake.example": ("127.0.0.1", port)}
            polling = PollingSettings(timeout_seconds=5, host_gap_seconds=0)
            async with HttpFetcher(polling, user_agent="t", resolve=resolve) as fetcher:
                urls = [f"http://part{number}.lake.example/slow" for number in range(6)]
                await asyncio.gather(*(fetcher.fetch(FetchRequest(url)) for url in urls))

    asyncio.run(run())
    assert most == 1
