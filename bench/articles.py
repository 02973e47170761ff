"""What pages of items add, and what they cost: `python -m bench.articles`.

The saved pages of tests/data/pages are dressed up to the size that news pages have (menus, cards, scripts) and served
on loopback by one outlet for each layout, whose feed gives a title and the first words alone. They are polled and
fetched by the product's own functions, once as `article_text = "off"` and once as "short". Recorded archives hold no
pages, so no replay can show the gain on real news; `python -m bench.articles FEEDS_DIR` says instead of how many
recorded items the page would be asked for. Words are counted between spaces.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from statistics import mean, median

from aiohttp import web
from sqlalchemy import select

from bench.ingest import Clock, documents, feeds_of, mirrored
from digest.errors import ParseError
from digest.fetch.http import HttpFetcher
from digest.model import ArticleText, Item
from digest.parsing import ParserPool
from digest.pipeline.article import TEXT, count_words, read_article
from digest.pipeline.reading import read_feed
from digest.services.articles import SHORT_WORDS, fetch_articles, in_words
from digest.services.feeds import poll
from digest.settings import PollingSettings
from digest.storage.engine import open_engine, read_only
from digest.storage.items import items_by_id
from digest.storage.migrate import migrate
from digest.storage.schema import items

PAGES = Path(__file__).parents[1] / "tests" / "data" / "pages"
FEED_WORDS = 20  # of a page's text that its feed gives
SETTINGS = PollingSettings(host_gap_seconds=0, article_seconds=240, article_pages=1000)


@dataclass(frozen=True, slots=True)
class Page:
    """A saved page: its title, the paragraphs of its text (() where it has none) and its HTML in an encoding."""

    name: str
    title: str
    paragraphs: tuple[str, ...]
    html: str
    charset: str

    def body(self, number: int) -> bytes:
        """The page of an item: like all of its outlet, but with a text of its own."""
        html = self.html
        for paragraph in self.paragraphs:
            html = html.replace(paragraph, f"{paragraph[:-1]} {number}{paragraph[-1:]}")
        return html.encode(self.charset, errors="replace")

    @property
    def host(self) -> str:
        return f"{self.name.replace('_', '-')}.example"

    def feed(self, count: int) -> bytes:
        """An RSS document of `count` items that all lead to the page."""
        now = datetime.now(UTC)
        words = " ".join(self.paragraphs).split()
        teaser = " ".join(words[:FEED_WORDS]) + ("…" if len(words) > FEED_WORDS else "")
        entries = "".join(
            f"<item><title>{self.title}</title><guid>{number}</guid><link>http://{self.host}/{number}</link>"
            f"<description>{teaser}</description><pubDate>{format_datetime(now - timedelta(minutes=number))}</pubDate>"
            "</item>" for number in range(count))
        return f'<rss version="2.0"><channel><title>{self.name}</title>{entries}</channel></rss>'.encode()


def pages(kilobytes: int) -> list[Page]:
    """The saved pages, each dressed up to about so many kilobytes."""
    found = []
    for path in sorted(PAGES.glob("*.html")):
        body = path.read_bytes()
        charset = "cp1251" if b"windows-1251" in body else "utf-8"
        html = body.decode(charset)
        lines = path.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
        title = html.partition("<title>")[2].partition("</title>")[0] if lines else "Who owns the pipelines"
        paragraphs = tuple(line for line in lines if not line.startswith("## "))
        found.append(Page(path.stem, title, paragraphs, dressed(html, kilobytes), charset))
    return found


def dressed(html: str, kilobytes: int) -> str:
    """The page with a menu before and links, comments and scripts after what it has, as news pages are heavy with."""
    rest = max(0, kilobytes * 1024 - len(html))
    link = '<li class="menu-item menu-item-type-taxonomy"><a href="/section/{0}/">Section {0}</a></li>'
    menu = "".join(link.format(number) for number in range(rest // 10 // len(link)))
    card = '<div class="card"><a href="/other/{0}"><img src="/{0}.jpg" alt=""><span>Other news {0}</span></a></div>'
    cards = "".join(card.format(number) for number in range(rest // 5 // len(card)))
    script = f"<script>var state = {{{','.join(f'k{n}:{n}' for n in range(rest // 3 * 2 // 13))}}};</script>"
    head, opening, body = html.partition("<body")
    inside, closing, end = body.partition(">")
    nav = f'<nav class="mega-menu"><ul>{menu}</ul></nav>'
    return f"{head}{opening}{inside}{closing}{nav}{end.replace('</body>', f'<aside>{cards}</aside>{script}</body>')}"


@asynccontextmanager
async def outlets(found: Sequence[Page], count: int) -> AsyncIterator[int]:
    """Serves feeds, pages and no robots.txt by host; gives the port."""
    by_host = {page.host: page for page in found}

    async def answer(request: web.Request) -> web.Response:
        page = by_host[request.host.partition(":")[0]]
        if request.path == "/feed":
            return web.Response(body=page.feed(count), content_type="application/rss+xml")
        if request.path == "/robots.txt":
            return web.Response(status=404)
        return web.Response(body=page.body(int(request.path[1:])), content_type="text/html")

    server = web.Application()
    server.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def polled(found: Sequence[Page], count: int, wanted: ArticleText) -> tuple[list[Item], Mapping[str, int], float]:
    """The items after one poll, what became of their pages, and the seconds that those took."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/articles.sqlite3")
        migrate(engine)
        feeds = [replace(feed, article_text=wanted) for feed in feeds_of([page.host for page in found])]
        mirrored(engine, feeds)

        async def run() -> tuple[Mapping[str, int], float]:
            parser = ParserPool(SETTINGS.parse_workers, SETTINGS.parse_timeout_seconds)
            async with outlets(found, count) as port:
                resolve = {"*.example": ("127.0.0.1", port)}
                async with HttpFetcher(SETTINGS, user_agent="bench", resolve=resolve) as fetcher:
                    await poll(engine, fetcher, parser, Clock(), SETTINGS, feeds)
                    started = time.perf_counter()
                    report = await fetch_articles(engine, fetcher, parser, Clock(), SETTINGS, feeds)
                    seconds = time.perf_counter() - started
                await parser.close()
            return report.outcomes, seconds

        outcomes, seconds = asyncio.run(run())
        with read_only(engine) as conn:
            stored = list(items_by_id(conn, conn.execute(select(items.c.id)).scalars()).values())
        engine.dispose()
    return stored, outcomes, seconds


def words_of(item: Item) -> int:
    """Words of an item's text, as stories and queries see it."""
    return max(len(item.summary.split()), count_words(item.text))


def cost(found: Sequence[Page], rounds: int) -> list[tuple[Page, str, float]]:
    """What each page is, and the CPU milliseconds that reading it takes at best."""
    timed = []
    for page in found:
        times = []
        for _ in range(rounds):
            started = time.process_time()
            article = read_article(page.body(0), "text/html", f"http://{page.host}/0", page.title, "und")
            times.append(1000 * (time.process_time() - started))
        timed.append((page, article.outcome, min(times)))
    return timed


def recorded(folder: Path) -> str:
    """Of how many items of recorded feed documents the page would be asked for."""
    words: list[int] = []
    now = datetime.now(UTC)
    bodies = documents(folder)
    for feed, body in zip(feeds_of(list(bodies)), bodies.values(), strict=True):
        try:
            words += [words_of(item) for item in read_feed(body, None, "", feed, now).items if item.url]
        except ParseError:
            continue
    short = sum(number < SHORT_WORDS for number in words)
    return (f"{len(words)} recorded items: median {median(words):.0f} words; {short} ({short / len(words):.0%}) have "
            f"fewer than {SHORT_WORDS}, and their pages would be asked for. No page was recorded.")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.articles", description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="recorded feed documents")
    parser.add_argument("--items", type=int, default=10, help="items of each feed")
    parser.add_argument("--kilobytes", type=int, default=150, help="size of a page")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    found = pages(options.kilobytes)
    for page, outcome, milliseconds in cost(found, options.rounds):
        print(f"{page.name:14} {len(page.body(0)) / 1024:5.0f} KB  {outcome:12} {milliseconds:6.1f} ms CPU")
    before, _, _ = polled(found, options.items, ArticleText.OFF)
    after, outcomes, seconds = polled(found, options.items, ArticleText.SHORT)
    for name, read in (("feeds alone", before), ("with pages", after)):
        counts = [words_of(item) for item in read]
        print(f"{name:12} {len(read)} items, words of an item: mean {mean(counts):.0f}, median {median(counts):.0f}")
    gained = [words_of(item) for item in after if item.article]
    print(f"pages: {in_words(outcomes)}; {sum(outcomes.values()) / seconds:.0f} pages/s with "
          f"{SETTINGS.parse_workers} parsers; an item whose page gave its text has {mean(gained):.0f} words (mean)")
    missed = [page.name for page in found if page.paragraphs and not any(
        item.article for item in after if item.feed.url == f"http://{page.host}/feed")]
    print(f"layouts whose text was not found: {', '.join(missed) or 'none'} (outcome {TEXT!r} for the others)")
    if options.folder:
        print(recorded(options.folder))


if __name__ == "__main__":
    main()
