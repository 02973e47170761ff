"""Pages of new items are fetched within a budget, politely and once; their text counts from then on."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from sqlalchemy import Engine

from digest.fetch.http import HttpFetcher
from digest.model import ArticleText, BodyPolicy, Feed, Item
from digest.parsing import ParserPool
from digest.pipeline.cluster_document import document
from digest.pipeline.compose import shown_body
from digest.pipeline.excerpt import Length, excerpt
from digest.query import match, parse_query, prepare
from digest.services.articles import PageReport, fetch_articles
from digest.services.stories import StoryClusterer
from digest.settings import PollingSettings
from digest.storage import articles as storage
from digest.storage.engine import read_only
from digest.storage.items import items_by_id, store
from tests.storage.worlds import NOON, a_feed, add_feed, an_item

SENTENCE = "The {} will carry water to the fields of three districts before the first frost, the akimat there said."
SETTINGS = PollingSettings(host_gap_seconds=0, article_seconds=20)


def page(title: str, *paragraphs: str) -> str:
    nav = '<nav><a href="/">Front page</a><a href="/sport">Sport</a></nav>'
    text = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return (f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{nav}<article><h1>{title}</h1>{text}"
            "</article><footer>© 2026 Steppe Post</footer></body></html>")


@dataclass
class Clock:
    at: datetime = NOON

    def now(self) -> datetime:
        return self.at


class Outlet:
    """A site whose pages a test writes down; remembers what it was asked for, and how many at a time."""

    def __init__(self, pages: Mapping[str, str | int], robots: str | int = 404, delay_seconds: float = 0.0):
        self._pages, self._robots, self._delay_seconds = pages, robots, delay_seconds
        self.asked: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.most_at_once = self._now = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        self.headers.append(request.headers)
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            await asyncio.sleep(self._delay_seconds)
            found = self._robots if request.path == "/robots.txt" else self._pages.get(request.path, 404)
        finally:
            self._now -= 1
        if isinstance(found, int):
            return web.Response(status=found)
        if found.startswith("->"):
            raise web.HTTPFound(found[2:])
        kind = "text/plain" if request.path == "/robots.txt" else "text/html"
        return web.Response(text=found, content_type=kind)


def fetched(engine: Engine, feeds: list[Feed], outlet: Outlet, settings: PollingSettings = SETTINGS,
            clock: Clock | None = None, on_page: Callable[[], None] | None = None) -> PageReport:
    async def run() -> PageReport:
        server = web.Application()
        server.router.add_get("/{path:.*}", outlet.answer)
        runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        parser = ParserPool(1, 20.0)
        resolve = {"*.example": ("127.0.0.1", runner.addresses[0][1])}
        try:
            async with HttpFetcher(settings, user_agent="RegionDigest/1 (+https://example.org)",
                                   resolve=resolve) as fetcher:
                return await fetch_articles(engine, fetcher, parser, clock or Clock(), settings, feeds, on_page=on_page)
        finally:
            await parser.close()
            await runner.cleanup()

    return asyncio.run(run())


def add(engine: Engine, feed: Feed, *items: Item) -> None:
    with engine.begin() as conn:
        add_feed(conn, feed)
        store(conn, feed, items, NOON)


def read(engine: Engine, item: Item, at: datetime | None = None) -> Item:
    with read_only(engine) as conn:
        return items_by_id(conn, [item.id], at=at)[item.id]


def a_feed_of_pages(text: ArticleText = ArticleText.SHORT) -> Feed:
    return replace(a_feed(), url="http://post.example/feed", article_text=text)


def an_item_at(feed: Feed, path: str, title: str, **changes: object) -> Item:
    return replace(an_item(feed, path), url=f"http://post.example{path}", title=title, summary="", body=(), place=None,
                   **changes)  # type: ignore[arg-type]


CANAL = ("Canal of Shardara is lined", SENTENCE.format("lined canal"), SENTENCE.format("second one") + " It cost less.")


def test_the_text_of_a_page_counts_from_when_it_was_fetched(engine: Engine) -> None:
    feed = a_feed_of_pages()
    item = an_item_at(feed, "/canal", CANAL[0])
    add(engine, feed, item)
    beats: list[int] = []
    outlet = Outlet({"/canal": page(*CANAL)})
    report = fetched(engine, [feed], outlet, clock=Clock(NOON + timedelta(minutes=1)), on_page=lambda: beats.append(1))
    assert (report.outcomes, len(beats)) == ({"text": 1}, 1)
    assert [block.text for block in read(engine, item).text] == list(CANAL[1:])
    assert read(engine, item, at=NOON).text == ()
    assert read(engine, item, at=NOON + timedelta(minutes=1)).article == read(engine, item).article
    assert fetched(engine, [feed], Outlet({})) == PageReport()  # claimed once for all time


def test_a_dateline_of_the_page_gives_the_place(engine: Engine) -> None:
    feed = a_feed_of_pages()
    item = an_item_at(feed, "/canal", CANAL[0])
    add(engine, feed, item)
    fetched(engine, [feed], Outlet({"/canal": page(CANAL[0], f"TURKISTAN – {CANAL[1]}", CANAL[2])}))
    assert (read(engine, item).place, read(engine, item).text[0].text) == ("Turkistan", CANAL[1])


@pytest.mark.parametrize(("changes", "text", "wanted"), [
    ({}, ArticleText.SHORT, True),
    ({"summary": "word " * 59}, ArticleText.SHORT, True),
    ({"summary": "word " * 60}, ArticleText.SHORT, False),
    ({"summary": "word " * 60}, ArticleText.ALWAYS, True),
    ({}, ArticleText.OFF, False),
    ({"backlog": True}, ArticleText.ALWAYS, False),
    ({"first_seen_at": NOON - timedelta(hours=2)}, ArticleText.ALWAYS, False),
    ({"url": ""}, ArticleText.ALWAYS, False),
])
def test_which_items_want_their_page(engine: Engine, changes: dict[str, object], text: ArticleText,
                                     wanted: bool) -> None:
    feed = a_feed_of_pages(text)
    add(engine, feed, replace(an_item_at(feed, "/canal", CANAL[0]), **changes))  # type: ignore[arg-type]
    outlet = Outlet({"/canal": page(*CANAL)})
    assert fetched(engine, [feed], outlet).outcomes == ({"text": 1} if wanted else {})
    assert ("/canal" in outlet.asked) is wanted


@pytest.mark.parametrize(("policy", "shown", "body"), [
    (BodyPolicy.HEADLINE, "", ()), (BodyPolicy.EXCERPT, CANAL[1], ()), (BodyPolicy.FULL, CANAL[1], CANAL[1:])])
def test_all_of_a_page_is_searched_and_no_more_shown_than_the_feed_allows(
        engine: Engine, policy: BodyPolicy, shown: str, body: tuple[str, ...]) -> None:
    feed = replace(a_feed_of_pages(), body=policy)
    item = an_item_at(feed, "/canal", CANAL[0])
    add(engine, feed, item)
    fetched(engine, [feed], Outlet({"/canal": page(*CANAL)}))
    known = read(engine, item)
    assert excerpt(known, Length(sentences=1, words=40)) == shown
    assert match(parse_query('"cost less"'), prepare(known)) and not match(parse_query('"cost less"'), prepare(item))
    assert len(document(known).terms) > len(document(item).terms)
    assert tuple(block.text for block in known.text) == CANAL[1:] and tuple(
        block.text for block in shown_body(known)) == body


def test_items_of_recorded_archives_have_no_pages(engine: Engine) -> None:
    feed = replace(a_feed(), url="archive://post", article_text=ArticleText.ALWAYS)
    add(engine, feed, an_item_at(feed, "/canal", CANAL[0]))
    outlet = Outlet({"/canal": page(*CANAL)})
    assert (fetched(engine, [feed], outlet), outlet.asked) == (PageReport(), [])


def test_an_item_that_has_a_story_is_let_be(engine: Engine) -> None:
    feed = a_feed_of_pages()
    item = an_item_at(feed, "/canal", CANAL[0])
    add(engine, feed, item)
    StoryClusterer(engine).tick(NOON, "one")
    assert fetched(engine, [feed], Outlet({"/canal": page(*CANAL)})) == PageReport()


def test_a_text_that_comes_after_its_story_is_left_out(engine: Engine) -> None:
    feed = a_feed_of_pages()
    item = an_item_at(feed, "/canal", CANAL[0])
    add(engine, feed, item)
    outlet = Outlet({"/canal": page(*CANAL)})
    fetched(engine, [feed], outlet, on_page=lambda: StoryClusterer(engine).tick(NOON, "another process") and None)
    with read_only(engine) as conn:
        assert storage.outcomes(conn, NOON) == {feed.id: {"late": 1}}
    assert read(engine, item).text == ()


def test_robots_txt_is_obeyed_and_remembered_for_a_day(engine: Engine) -> None:
    feed = a_feed_of_pages()
    add(engine, feed, an_item_at(feed, "/canal", CANAL[0]), an_item_at(feed, "/closed/1", "Closed"),
        an_item_at(feed, "/moved", "Moved"))
    rules = "User-agent: *\nDisallow: /closed"
    pages = {"/canal": page(*CANAL), "/closed/1": page(*CANAL), "/moved": "->/closed/1"}
    outlet = Outlet(pages, rules)
    assert fetched(engine, [feed], outlet).outcomes == {"text": 1, "robots": 2}
    assert outlet.asked.count("/robots.txt") == 1 and outlet.headers[-1]["User-Agent"].startswith("RegionDigest")
    for hours, asked in ((23, 0), (24, 1)):
        with engine.begin() as conn:
            later = NOON + timedelta(hours=hours)
            store(conn, feed, [an_item_at(feed, f"/later-{hours}", "Later", first_seen_at=later)], later)
        again = Outlet(pages, rules)
        fetched(engine, [feed], again, clock=Clock(later))
        assert again.asked.count("/robots.txt") == asked


@pytest.mark.parametrize(("robots", "outcome"), [(404, "text"), (403, "text"), (500, "robots_unread"),
                                                 (429, "robots_unread")])
def test_a_server_that_does_not_tell_its_rules_is_not_asked(engine: Engine, robots: int, outcome: str) -> None:
    feed = a_feed_of_pages()
    add(engine, feed, an_item_at(feed, "/canal", CANAL[0]))
    assert fetched(engine, [feed], Outlet({"/canal": page(*CANAL)}, robots)).outcomes == {outcome: 1}


def test_pages_without_the_text_are_outcomes_by_name(engine: Engine) -> None:
    feed = a_feed_of_pages()
    saved = Path(__file__).parents[1] / "data" / "pages"
    shapes = {f"/{name}": (saved / f"{name}.html").read_text(encoding="utf-8")
              for name in ("paywall", "consent", "script", "short")}
    add(engine, feed, *(an_item_at(feed, path, "Who owns the pipelines") for path in (*shapes, "/gone", "/large")))
    report = fetched(engine, [feed], Outlet({**shapes, "/large": "<html>" + " " * 3_000_000}))
    assert report.outcomes == dict.fromkeys(
        ("paywall", "consent", "script_page", "too_short", "http_404", "too_large"), 1)
    with read_only(engine) as conn:
        assert storage.outcomes(conn, NOON) == {feed.id: dict(report.outcomes)}
        assert storage.outcomes(conn, NOON + timedelta(seconds=1)) == {}


def test_a_publisher_sees_one_request_at_a_time_and_the_budget_of_pages(engine: Engine) -> None:
    feed = a_feed_of_pages()
    items = [an_item_at(feed, f"/canal-{number}", CANAL[0]) for number in range(6)]
    add(engine, feed, *items)
    outlet = Outlet({f"/canal-{number}": page(*CANAL) for number in range(6)})
    settings = SETTINGS.model_copy(update={"article_pages": 4})
    assert fetched(engine, [feed], outlet, settings).outcomes == {"text": 4, "over_budget": 2}
    assert (outlet.most_at_once, len(outlet.asked)) == (1, 5)


def test_what_is_not_fetched_in_time_is_not_waited_for(engine: Engine) -> None:
    feed = a_feed_of_pages()
    item = an_item_at(feed, "/canal", CANAL[0])
    add(engine, feed, item)
    slow = Outlet({"/canal": page(*CANAL)}, delay_seconds=30)
    assert fetched(engine, [feed], slow, SETTINGS.model_copy(update={"article_seconds": 0.2})).outcomes == {
        "over_budget": 1}
    assert StoryClusterer(engine).tick(NOON, "one").assigned == 1
    assert fetched(engine, [feed], Outlet({"/canal": page(*CANAL)})) == PageReport()


def test_a_server_that_refuses_twice_is_left_alone(engine: Engine) -> None:
    feed = a_feed_of_pages()
    add(engine, feed, *(an_item_at(feed, f"/{number}", "Dam") for number in range(5)))
    outlet = Outlet({f"/{number}": 403 for number in range(5)})
    assert fetched(engine, [feed], outlet).outcomes == {"http_403": 5}
    assert len(outlet.asked) == 3  # robots.txt and two pages
    with engine.begin() as conn:
        later = NOON + timedelta(minutes=1)
        store(conn, feed, [an_item_at(feed, "/late", "Canal", first_seen_at=later)], later)
        newest = storage.newest_pages(conn, feed.id, 2)
    assert [(page.title, page.outcome, page.words) for page in newest] == [("Canal", None, 0), ("Dam", "http_403", 0)]


def test_paragraphs_that_a_feed_s_pages_repeat_are_no_text(engine: Engine) -> None:
    feed = a_feed_of_pages()
    items = [an_item_at(feed, f"/canal-{number}", CANAL[0]) for number in range(16)]
    add(engine, feed, *items)
    appeal = "Did you see something? Write to the bot of our newsroom, and we will look into it."
    outlet = Outlet({f"/canal-{number}": page(CANAL[0], SENTENCE.format(f"canal number {number}"),
                                              SENTENCE.format(f"dam of {number}"), appeal) for number in range(16)})
    fetched(engine, [feed], outlet)
    assert sum(appeal in [block.text for block in read(engine, item).text] for item in items) == 2
    with engine.begin() as conn:
        last = an_item_at(feed, "/canal-last", CANAL[0], first_seen_at=NOON + timedelta(hours=1))
        store(conn, feed, [last], NOON + timedelta(hours=1))
    fetched(engine, [feed], Outlet({"/canal-last": page(*CANAL, appeal)}), clock=Clock(NOON + timedelta(hours=1)))
    assert [block.text for block in read(engine, last).text] == list(CANAL[1:])
