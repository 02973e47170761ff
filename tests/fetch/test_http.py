import asyncio
import gzip
from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp import web

from digest.errors import FetchError
from digest.fetch.http import HttpFetcher
from digest.ports import FetchRequest, FetchResponse
from digest.settings import PollingSettings
from tests.fetch.servers import Handler, serving

HOST = "steppe.example"


def fetch(path: str, etag: str | None = None, settings: Mapping[str, Any] | None = None, **handlers: Handler,
          ) -> FetchResponse:
    """One fetch of http://steppe.example/PATH, served by `handlers` on loopback."""

    async def run() -> FetchResponse:
        async with serving(**handlers) as port:
            resolve = {HOST: ("127.0.0.1", port), "*.lake.example": ("127.0.0.1", port)}
            url = path if "://" in path else f"http://{HOST}/{path}"
            polling = PollingSettings(**{"timeout_seconds": 5, **(settings or {})})
            async with HttpFetcher(polling, user_agent="RegionDigest/test", resolve=resolve) as fetcher:
                return await fetcher.fetch(FetchRequest(url.format(port=port), etag, None))

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
