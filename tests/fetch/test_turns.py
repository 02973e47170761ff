import asyncio
import time

import pytest

from digest.fetch.turns import Turns
from digest.pipeline.hosts import Host, host_of


@pytest.mark.parametrize(("url", "host"), [
    ("https://feeds.bbc.co.uk/news", Host("bbc.co.uk")), ("https://tengrinews.kz/rss", Host("tengrinews.kz")),
    ("https://a.gov.kz/rss", Host("a.gov.kz")), ("https://ru.sputnik.kz:8443/x", Host("sputnik.kz")),
    ("http://localhost:1200/feed", Host("localhost", is_ours=True)), ("http://10.0.0.7/feed", Host("10.0.0.7", True)),
    ("http://[::1]/feed", Host("::1", True)), ("http://rsshub/x", Host("rsshub", True)),
    ("http://93.184.216.34/x", Host("93.184.216.34")), ("http://[/", Host("http://[/")),
    ("archive://steppe", Host("steppe", True)),
])
def test_hosts_of_one_registrable_domain_are_one_publisher(url: str, host: Host) -> None:
    assert host_of(url) == host


def times(host: Host, gap_seconds: float) -> list[float]:
    """When each of three turns at the host began and ended, in their order."""

    async def run() -> list[float]:
        turns, moments = Turns(gap_seconds), []

        async def one() -> None:
            async with turns.at(host):
                moments.append(time.monotonic())
                await asyncio.sleep(0.01)
                moments.append(time.monotonic())

        await asyncio.gather(one(), one(), one())
        return moments

    return asyncio.run(run())


def test_a_publisher_is_asked_one_thing_at_a_time_with_a_pause_between() -> None:
    moments = times(Host("post.example"), 0.1)
    assert moments == sorted(moments)
    assert all(begun - ended >= 0.09 for ended, begun in zip(moments[1::2], moments[2::2], strict=False))


def test_a_host_of_ours_gets_no_pause() -> None:
    moments = times(Host("rsshub", is_ours=True), 60.0)
    assert moments == sorted(moments) and moments[-1] - moments[0] < 5
