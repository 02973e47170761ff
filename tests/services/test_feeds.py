import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from digest.errors import FetchError
from digest.model import Feed
from digest.parsing import ParserPool
from digest.ports import FetchRequest, FetchResponse
from digest.services.feeds import PollOutcome, backoff, poll
from digest.settings import PollingSettings
from digest.storage.feeds import attempts_of
from digest.storage.items import count_items, unassigned_items
from tests.storage.worlds import NOON, a_feed, add_feed

SETTINGS = PollingSettings(interval_minutes=30, parse_workers=1, parse_timeout_seconds=20)
HOUR = timedelta(hours=1)
STEPPE, LAKE = a_feed(), a_feed("Lake Herald")


class World:
    """A clock that is set by hand and the answers of the outlets: a document, or a FetchError to raise."""

    def __init__(self, engine: Engine):
        self.engine, self.at = engine, NOON
        self.answers: dict[str, bytes | FetchError] = {}
        self.requests: list[FetchRequest] = []

    def now(self) -> datetime:
        return self.at

    async def fetch(self, request: FetchRequest) -> FetchResponse:
        self.requests.append(request)
        answer = self.answers[request.url]
        if isinstance(answer, FetchError):
            raise answer
        if request.etag == f'"{len(answer)}"':
            return FetchResponse(304, request.url, b"")
        return FetchResponse(200, request.url, answer, {"etag": f'"{len(answer)}"', "content-type": "text/xml"})

    async def close(self) -> None:
        return None

    def poll(self, *feeds: Feed, everything: bool = False) -> list[PollOutcome]:
        async def run() -> list[PollOutcome]:
            parser = ParserPool(SETTINGS.parse_workers, SETTINGS.parse_timeout_seconds)
            try:
                return await poll(self.engine, self, parser, self, SETTINGS, feeds, everything=everything)
            finally:
                await parser.close()

        return asyncio.run(run())


@pytest.fixture
def world(sqlite_engine: Engine) -> Iterator[World]:
    with sqlite_engine.begin() as conn:
        for feed in (STEPPE, LAKE):
            add_feed(conn, feed)
    yield World(sqlite_engine)


def rss(entries: Sequence[tuple[str, datetime | None]]) -> bytes:
    def item(title: str, at: datetime | None) -> str:
        date = f"<pubDate>{at:%d %b %Y %H:%M:%S} +0000</pubDate>" if at else ""
        return f"<item><title>{title}</title><guid>{title[:6]}</guid><link>https://s.example/{title[:6]}</link>{date}</item>"

    items = "".join(item(title, at) for title, at in entries)
    return f'<rss version="2.0"><channel><title>Post</title>{items}</channel></rss>'.encode()


def words(outcomes: Sequence[PollOutcome]) -> list[str]:
    return [outcome.outcome for outcome in outcomes]


def test_a_first_poll_stores_old_and_undated_items_as_backlog(world: World) -> None:
    world.answers[STEPPE.url] = rss([("fresh", NOON - HOUR), ("old", NOON - 25 * HOUR), ("undated", None)])
    outcome, = world.poll(STEPPE)
    assert (outcome.outcome, outcome.entries, outcome.new, outcome.undated, outcome.backlog) == ("ok", 3, 3, 1, 2)
    with world.engine.begin() as conn:
        assert {item.title: item.backlog for item in unassigned_items(conn)} == {
            "fresh": False, "old": True, "undated": True}
    world.at += HOUR
    world.answers[STEPPE.url] = rss([("late", NOON - 30 * HOUR), ("fresh", NOON - HOUR)])
    assert world.poll(STEPPE)[0].backlog == 0  # of a known feed, what is late is news that was late


def test_a_feed_that_changes_all_its_guids_brings_no_old_news(world: World) -> None:
    world.answers[STEPPE.url] = rss([("first", NOON)])
    world.poll(STEPPE)
    world.at += HOUR
    world.answers[STEPPE.url] = rss([(f"old-{n:02}", NOON - 72 * HOUR) for n in range(9)] + [("fresh", NOON + HOUR)])
    assert (outcome := world.poll(STEPPE)[0]).new == 10 and outcome.backlog == 9
    with world.engine.begin() as conn:
        assert {item.title for item in unassigned_items(conn) if not item.backlog} == {"first", "fresh"}


def test_a_feed_is_polled_when_due_and_its_changes_are_seen(world: World) -> None:
    world.answers[STEPPE.url] = rss([("Story1 as it was", NOON)])
    assert words(world.poll(STEPPE)) == ["ok"]
    assert world.poll(STEPPE) == []
    assert words(world.poll(STEPPE, everything=True)) == ["not_modified"]
    world.at += HOUR
    world.answers[STEPPE.url] = rss([("Story1 as it is now", NOON)])
    outcome, = world.poll(STEPPE)
    assert (outcome.new, outcome.changed) == (0, 1)


def test_an_equal_document_is_not_parsed_again(world: World) -> None:
    world.answers[STEPPE.url] = rss([("a", NOON)])
    world.poll(STEPPE)

    async def without_validators(request: FetchRequest) -> FetchResponse:
        return FetchResponse(200, request.url, rss([("a", NOON)]))

    world.fetch = without_validators  # type: ignore[method-assign]
    assert words(world.poll(STEPPE, everything=True)) == ["unchanged"]


def test_one_bad_feed_stops_no_other(world: World) -> None:
    world.answers[STEPPE.url] = b"<html><body>Error</body></html>"
    world.answers[LAKE.url] = rss([("a", NOON)])
    assert words(world.poll(STEPPE, LAKE)) == ["html_not_feed", "ok"]
    world.answers[STEPPE.url] = b""
    del world.answers[LAKE.url]  # the fetcher breaks with a KeyError
    assert words(world.poll(STEPPE, LAKE, everything=True)) == ["empty", "internal_error"]
    with world.engine.begin() as conn:
        assert [attempt.outcome for attempt in attempts_of(conn, STEPPE.id)] == ["empty", "html_not_feed"]
        assert count_items(conn) == 1


@pytest.mark.parametrize(("entries", "outcome"), [
    ([], "empty"), ([("a", NOON - 20 * 24 * HOUR)], "stalled"), ([("a", NOON - 13 * 24 * HOUR)], "ok"),
    ([("a", None)], "undated"),
])
def test_a_feed_that_says_nothing_new_is_named_and_stays_so(world: World, entries: list[tuple[str, datetime | None]],
                                                            outcome: str) -> None:
    world.answers[STEPPE.url] = rss(entries)
    assert words(world.poll(STEPPE)) == [outcome]
    assert words(world.poll(STEPPE, everything=True)) == ["not_modified" if outcome == "ok" else outcome]


def test_failures_lengthen_the_interval_and_never_end_it() -> None:
    half_hour = timedelta(minutes=30)
    assert [backoff(n, half_hour) // half_hour for n in range(7)] == [1, 1, 1, 1, 2, 4, 8]
    assert backoff(1000, half_hour) == 24 * HOUR


def test_a_failing_feed_waits_as_long_as_the_server_asks(world: World) -> None:
    world.answers[STEPPE.url] = FetchError(STEPPE.url, "http_503", "answered 503", retry_after_seconds=7200)
    outcome, = world.poll(STEPPE)
    assert (outcome.outcome, outcome.detail, outcome.failed) == ("http_503", "answered 503", True)
    world.at += timedelta(minutes=119)
    assert world.poll(STEPPE) == []
    world.at += timedelta(minutes=1)
    assert words(world.poll(STEPPE)) == ["http_503"]


def test_an_outlet_that_is_not_yet_in_the_archive_does_not_fail(world: World) -> None:
    feed = a_feed("Archive", url="archive://steppe")
    with world.engine.begin() as conn:
        add_feed(conn, feed)
    world.answers[feed.url] = FetchError(feed.url, "http_404", "not yet in the archive", status=404)
    for _ in range(6):
        outcome, = world.poll(feed)
        assert (outcome.outcome, outcome.failed) == ("http_404", False)
        world.at += timedelta(minutes=30)


def test_a_poll_that_is_cut_short_gives_its_claims_back(world: World) -> None:
    async def hanging(request: FetchRequest) -> FetchResponse:
        await asyncio.sleep(60)
        raise AssertionError("not reached")

    async def run() -> None:
        parser = ParserPool(1, 5)
        async with asyncio.timeout(0.2):
            await poll(world.engine, hanging_world, parser, world, SETTINGS, [STEPPE])

    hanging_world = World(world.engine)
    hanging_world.fetch = hanging  # type: ignore[method-assign]
    with pytest.raises(TimeoutError):
        asyncio.run(run())
    world.answers[STEPPE.url] = rss([("a", NOON)])
    assert words(world.poll(STEPPE)) == ["ok"]


def test_when_no_feed_can_be_reached_none_is_blamed(world: World) -> None:
    feeds = [STEPPE, LAKE, a_feed("Hill News")]
    with world.engine.begin() as conn:
        add_feed(conn, feeds[2])
    for feed in feeds:
        world.answers[feed.url] = FetchError(feed.url, "dns", "the name cannot be resolved")
    for _ in range(8):
        assert len(world.poll(*feeds)) == 3
        world.at += timedelta(minutes=30)
