import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from digest.errors import FetchError
from digest.model import Feed
from digest.parsing import ParserPool
from digest.pipeline.health import Health, health_of
from digest.ports import FetchRequest, FetchResponse
from digest.services.feeds import PollOutcome, poll
from digest.settings import PollingSettings
from digest.storage.feeds import attempts_of, rows_of
from digest.storage.items import count_items, unassigned_items
from tests.storage.worlds import NOON, a_feed, add_feed

SETTINGS = PollingSettings(interval_minutes=30, host_gap_seconds=0, parse_workers=1, parse_timeout_seconds=20)
HOUR = timedelta(hours=1)
STEPPE, LAKE = a_feed(), a_feed("Lake Herald")


class World:
    """A clock that is set by hand and the answers of the outlets: a document, or a FetchError to raise."""

    def __init__(self, engine: Engine):
        self.engine, self.at = engine, NOON
        self.answers: dict[str, bytes | FetchError] = {}
        self.requests: list[FetchRequest] = []
        self.moved_to: str | None = None  # where every other address redirects to for good
        self.settings = SETTINGS

    def now(self) -> datetime:
        return self.at

    async def fetch(self, request: FetchRequest) -> FetchResponse:
        self.requests.append(request)
        answer = self.answers[request.url]
        if isinstance(answer, FetchError):
            raise answer
        moved_to = self.moved_to if self.moved_to != request.url else None
        if request.etag == f'"{len(answer)}"':
            return FetchResponse(304, request.url, b"", {}, moved_to)
        headers = {"etag": f'"{len(answer)}"', "content-type": "text/xml"}
        return FetchResponse(200, request.url, answer, headers, moved_to)

    async def close(self) -> None:
        return None

    def poll(self, *feeds: Feed, everything: bool = False) -> list[PollOutcome]:
        async def run() -> list[PollOutcome]:
            parser = ParserPool(SETTINGS.parse_workers, SETTINGS.parse_timeout_seconds)
            try:
                return await poll(self.engine, self, parser, self, self.settings, feeds, everything=everything)
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


def add(world: World, *feeds: Feed) -> None:
    with world.engine.begin() as conn:
        for feed in feeds:
            add_feed(conn, feed)


def health(world: World, feed: Feed = STEPPE) -> Health:
    with world.engine.begin() as conn:
        return health_of(rows_of(conn, [feed.id])[feed.id].condition, world.at)


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


def test_an_item_under_a_new_guid_is_the_old_one_in_its_new_words(world: World) -> None:
    world.answers[STEPPE.url] = rss([("aaaaaa dam opens", NOON), ("bbbbbb stays", NOON)])
    world.poll(STEPPE)
    world.at += HOUR
    renamed = rss([("aaaaaa dam opens early", NOON + HOUR), ("bbbbbb stays", NOON)])
    world.answers[STEPPE.url] = renamed.replace(b"<guid>aaaaaa</guid>", b"<guid>a-2</guid>")
    outcome, = world.poll(STEPPE)
    assert (outcome.new, outcome.changed) == (0, 1)
    with world.engine.begin() as conn:
        assert sorted(item.title for item in unassigned_items(conn)) == ["aaaaaa dam opens early", "bbbbbb stays"]
    world.at += HOUR
    world.answers[STEPPE.url] += b" "
    outcome, = world.poll(STEPPE)
    assert (outcome.new, outcome.changed) == (0, 0)


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


UNREACHED = FetchError("", "dns", "the name cannot be resolved")


def errors(world: World, *feeds: Feed) -> list[int]:
    with world.engine.begin() as conn:
        return [rows_of(conn, [feed.id])[feed.id].condition.error_count for feed in feeds]


def test_when_no_publisher_can_be_reached_none_is_blamed(world: World) -> None:
    feeds = [STEPPE, LAKE, a_feed("Hill News")]
    add(world, feeds[2])
    for feed in feeds:
        world.answers[feed.url] = UNREACHED
    for _ in range(8):
        assert words(world.poll(*feeds)) == ["offline"] * 3
        world.at += timedelta(minutes=30)
    assert errors(world, *feeds) == [0, 0, 0]


def test_an_outage_is_seen_over_several_runs_and_forgiven(world: World) -> None:
    feeds = [STEPPE, LAKE, a_feed("Hill News")]
    add(world, feeds[2])
    for feed in feeds:
        world.answers[feed.url] = UNREACHED
    assert words(world.poll(STEPPE)) + words(world.poll(LAKE)) == ["dns", "dns"]
    assert errors(world, *feeds) == [1, 1, 0]
    assert words(world.poll(feeds[2])) == ["offline"]
    assert errors(world, *feeds) == [0, 0, 0]


def test_one_that_answers_proves_that_the_others_fail(world: World) -> None:
    feeds = [STEPPE, LAKE, *(a_feed(f"Hill {n}") for n in range(3))]
    add(world, *feeds[2:])
    for feed in feeds:
        world.answers[feed.url] = UNREACHED
    world.answers[LAKE.url] = FetchError(LAKE.url, "http_500", "answered 500", status=500)
    assert words(world.poll(*feeds)) == ["dns", "http_500", "dns", "dns", "dns"]
    assert errors(world, *feeds) == [1] * 5


def test_a_permanent_redirect_is_believed_after_three_polls_and_a_day(world: World) -> None:
    world.answers[STEPPE.url], world.moved_to = rss([("a", NOON)]), "https://new.example/feed"
    for hours in (0, 2, 4, 30):
        world.at = NOON + hours * HOUR
        world.poll(STEPPE, everything=True)
        assert world.requests[-1].url == STEPPE.url
    world.answers[world.moved_to] = world.answers[STEPPE.url]
    world.poll(STEPPE, everything=True)
    assert world.requests[-1].url == "https://new.example/feed"
    with world.engine.begin() as conn:
        assert "moved for good to https://new.example/feed" in (rows_of(conn, [STEPPE.id])[STEPPE.id].note or "")


def test_a_feed_that_moved_to_another_of_ours_becomes_it(world: World) -> None:
    world.answers[STEPPE.url] = world.answers[LAKE.url] = rss([("a", NOON)])
    world.moved_to = LAKE.url
    for day in range(3):
        world.at = NOON + 24 * day * HOUR
        assert len(world.poll(STEPPE, LAKE, everything=True)) == 2
    assert [outcome.feed for outcome in world.poll(STEPPE, LAKE, everything=True)] == [LAKE]


def test_a_feed_that_is_gone_is_suspended_and_comes_back_by_itself(world: World) -> None:
    gone = FetchError(STEPPE.url, "http_410", "answered 410", permanent=True, status=410)
    world.answers[STEPPE.url] = gone
    world.poll(STEPPE)
    assert health(world) is Health.SUSPENDED
    world.at += 6 * 24 * HOUR
    assert world.poll(STEPPE) == []
    world.at += 2 * 24 * HOUR
    world.answers[STEPPE.url] = rss([("a", world.at)])
    assert words(world.poll(STEPPE)) == ["ok"]
    assert health(world) is Health.HEALTHY


def test_a_feed_is_suspended_after_two_weeks_of_404(world: World) -> None:
    world.answers[STEPPE.url] = FetchError(STEPPE.url, "http_404", "answered 404", permanent=True, status=404)
    for _ in range(15):
        assert health(world) in (Health.NEW, Health.HEALTHY, Health.FAILING, Health.STALE)
        world.poll(STEPPE, everything=True)
        world.at += 24 * HOUR
    assert health(world) is Health.SUSPENDED


def test_old_validators_stay_behind(world: World) -> None:
    world.answers[STEPPE.url] = rss([("a", NOON)])
    asked = []
    for day in (0, 7, 9):
        world.at = NOON + day * 24 * HOUR
        world.poll(STEPPE, everything=True)
        asked.append(world.requests[-1].etag is not None)
    assert asked == [False, True, False]


def test_a_busy_feed_is_polled_more_often_than_a_quiet_one(world: World) -> None:
    world.answers[STEPPE.url] = rss([(f"s{n}", NOON - n * timedelta(minutes=10)) for n in range(9)])
    world.answers[LAKE.url] = rss([(f"l{n}", NOON - 10 * 24 * HOUR - n * 24 * HOUR) for n in range(9)])
    world.poll(STEPPE, LAKE)
    world.at += timedelta(minutes=11)
    assert [outcome.feed for outcome in world.poll(STEPPE, LAKE)] == [STEPPE]
    world.at += timedelta(minutes=90)
    assert [outcome.feed for outcome in world.poll(STEPPE, LAKE)] == [STEPPE]
    world.at += timedelta(minutes=40)
    assert LAKE in [outcome.feed for outcome in world.poll(STEPPE, LAKE)]


def feeds_of_one_publisher(world: World, number: int) -> list[Feed]:
    feeds = [a_feed(f"Part {n}", url=f"https://part{n}.hill.example/feed") for n in range(number)]
    add(world, *feeds)
    return feeds


def test_a_publisher_that_does_not_serve_is_not_asked_for_the_rest(world: World) -> None:
    feeds = feeds_of_one_publisher(world, 5)
    for feed in feeds:
        world.answers[feed.url] = FetchError(feed.url, "timeout", "took longer than 30 s")
    assert words(world.poll(*feeds)) == ["timeout", "timeout"]
    world.at += timedelta(minutes=10)
    assert [outcome.feed for outcome in world.poll(*feeds)] == feeds[2:4]


def test_a_publisher_that_asks_two_feeds_to_wait_means_all(world: World) -> None:
    feeds = feeds_of_one_publisher(world, 4)
    for feed in feeds:
        world.answers[feed.url] = FetchError(feed.url, "http_429", "answered 429", status=429, retry_after_seconds=3600)
    assert words(world.poll(*feeds)) == ["http_429", "http_429"]
    world.at += timedelta(minutes=59)
    assert world.poll(*feeds) == []
    assert [o.feed for o in world.poll(*feeds, everything=True)] == feeds[2:]  # the others never said so themselves


def test_a_run_begins_nothing_after_its_time(world: World) -> None:
    world.settings = SETTINGS.model_copy(update={"run_seconds": 1e-9})
    assert world.poll(STEPPE, LAKE) == []
    world.settings = SETTINGS
    world.answers[STEPPE.url] = world.answers[LAKE.url] = rss([("a", NOON)])
    assert words(world.poll(STEPPE, LAKE)) == ["ok", "ok"]


def test_a_document_that_cannot_be_stored_harms_no_other(world: World) -> None:
    feeds = [STEPPE, LAKE, *(a_feed(f"Hill {n}") for n in range(4))]
    add(world, *feeds[2:])
    for feed in feeds:
        world.answers[feed.url] = rss([("poison" if feed is LAKE else "fine", NOON)])
    with world.engine.begin() as conn:
        conn.execute(text("CREATE TRIGGER no_poison BEFORE INSERT ON items WHEN NEW.title = 'poison' "
                          "BEGIN SELECT RAISE(ABORT, 'cannot be stored'); END"))
    assert words(world.poll(*feeds)) == ["ok", "internal_error", "ok", "ok", "ok", "ok"]
    with world.engine.begin() as conn:
        assert count_items(conn) == 5
