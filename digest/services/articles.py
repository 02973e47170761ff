"""Article text: fetches the pages of new items whose feeds carry little, before stories are made of them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from sqlalchemy import Engine

from digest.errors import FetchError, ParseError
from digest.model import Access, ArticleText, Feed
from digest.parsing import ParserPool
from digest.pipeline.article import NOT_HTML, marked
from digest.pipeline.hosts import Host, host_of
from digest.pipeline.robots import Rules, rules_for
from digest.ports import Clock, Fetcher, FetchRequest, FetchResponse
from digest.settings import PollingSettings
from digest.storage import articles as storage
from digest.storage.articles import Fetched, Robots, Wanted
from digest.storage.engine import read_only

NEW = timedelta(hours=1)  # since its first sight; an item that waited longer waits for nothing more
SHORT_WORDS = 60  # a feed that gives an item fewer carries little
MAX_BYTES = 2 * 1024 * 1024  # of a page
ROBOTS_BYTES = 512 * 1024  # a crawler must read as much at least (RFC 9309 §2.5)
ROBOTS_AGE, UNREAD_AGE = timedelta(days=1), timedelta(hours=1)  # how long what was read, or was not to be read, holds
HOST_STRIKES = 2  # pages of one publisher that fail alike, after which the others are left alone
STRIKES = frozenset({"dns", "connect", "timeout", "tls", "blocked_address", "cloudflare_challenge", "http_403",
                     "http_429", "http_503"})
ACCEPT = (("Accept", "text/html, application/xhtml+xml;q=0.9"),)
OVER_BUDGET, ROBOTS, ROBOTS_UNREAD = "over_budget", "robots", "robots_unread"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PageReport:
    """What one run did: how many pages came to each outcome."""

    outcomes: Mapping[str, int] = field(default_factory=dict)


def in_words(outcomes: Mapping[str, int]) -> str:
    """"12 text, 3 paywall": counts of outcomes, most first."""
    return ", ".join(f"{number} {word}" for word, number in sorted(outcomes.items(), key=lambda o: (-o[1], o[0])))


def outcomes_since(engine: Engine, feeds: Sequence[Feed], since: datetime) -> dict[str, int]:
    """How many pages of the feeds' items came to each outcome since then."""
    with read_only(engine) as conn:
        found = storage.outcomes(conn, since)
    total: Counter[str] = Counter()
    for feed in feeds:
        total.update(found.get(feed.id, {}))
    return dict(total)


async def fetch_articles(
    engine: Engine,
    fetcher: Fetcher,
    parser: ParserPool,
    clock: Clock,
    settings: PollingSettings,
    feeds: Sequence[Feed],
    *,
    on_page: Callable[[], None] | None = None,
) -> PageReport:
    """Fetches the pages of new items of `feeds`, within the budget of the settings, and stores their text.

    Steps:
    1. claim: new items without story and page, of feeds that want it, and that carry less than sixty words or always;
       backlog and recorded archives have none. Each item is claimed once, so that no other process asks for it too;
    2. fetch, as robots.txt allows, one page at a time from each publisher;
    3. read the text in the parser's workers;
    4. store text or outcome. What the budget did not reach goes on with the feed's text, and is not tried again.

    Never takes longer than `settings.article_seconds` and what it takes to store; never raises for a page.
    """
    polled = {feed.id: feed for feed in feeds
              if feed.article_text is not ArticleText.OFF and feed.url.startswith("http")}
    if not polled or not settings.article_pages or not settings.article_seconds:
        return PageReport()
    claimed = await asyncio.to_thread(_claim, engine, polled, clock.now())
    if not claimed:
        return PageReport()
    run = _Run(engine, fetcher, parser, clock, settings, polled, on_page)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(settings.article_seconds):
                await run.visit_all(claimed[:settings.article_pages])
    finally:
        await asyncio.to_thread(run.store, claimed)
    return PageReport(Counter(run.outcomes[one.item_id].outcome for one in claimed))


def waiting_for_pages(
    engine: Engine, settings: PollingSettings, feeds: Sequence[Feed], now: datetime
) -> frozenset[str]:
    """The ids of items without story whose pages `fetch_articles` would fetch now."""
    if not settings.article_pages or not settings.article_seconds:
        return frozenset()
    polled = {feed.id: feed for feed in feeds
              if feed.article_text is not ArticleText.OFF and feed.url.startswith("http")}
    with read_only(engine) as conn:
        return frozenset(one.item_id for one in storage.candidates(conn, now - NEW)
                         if one.feed_id in polled and _is_wanted(one, polled[one.feed_id]))


def _claim(engine: Engine, feeds: Mapping[str, Feed], now: datetime) -> list[Wanted]:
    """The items whose pages this run fetches; publishers take turns, so that none takes the budget of the others."""
    with read_only(engine) as conn:
        found = [one for one in storage.candidates(conn, now - NEW)
                 if one.feed_id in feeds and _is_wanted(one, feeds[one.feed_id])]
    if not found:
        return []
    with engine.begin() as conn:
        own = storage.claim(conn, found, now)
    turns: Counter[Host] = Counter()
    order: list[tuple[int, Wanted]] = []
    for one in (one for one in found if one.item_id in own):
        host = host_of(one.url)
        order.append((turns[host], one))
        turns[host] += 1
    return [one for _, one in sorted(order, key=lambda entry: entry[0])]


def _is_wanted(one: Wanted, feed: Feed) -> bool:
    is_page = one.url.startswith(("http://", "https://"))
    return is_page and (feed.article_text is ArticleText.ALWAYS or one.words < SHORT_WORDS)


class _Run:
    """The visits of one run. `outcomes` holds, by item id, what has come so far."""

    def __init__(self, engine: Engine, fetcher: Fetcher, parser: ParserPool, clock: Clock, settings: PollingSettings,
                 feeds: Mapping[str, Feed], on_page: Callable[[], None] | None):
        self._engine, self._fetcher, self._parser, self._clock = engine, fetcher, parser, clock
        self._settings, self._feeds, self._on_page = settings, feeds, on_page
        self._places = asyncio.Semaphore(settings.concurrency)
        self._rules: dict[str, Rules | None] = {}
        self._read: dict[str, Robots] = {}
        self.outcomes: dict[str, Fetched] = {}

    async def visit_all(self, claimed: Sequence[Wanted]) -> None:
        groups: dict[Host, list[Wanted]] = {}
        for one in claimed:
            groups.setdefault(host_of(one.url), []).append(one)
        await asyncio.gather(*(self._visit(host, group) for host, group in groups.items()))

    async def _visit(self, host: Host, group: Sequence[Wanted]) -> None:
        """Fetches a publisher's pages one after the other; stops when its server does not serve."""
        strikes = 0
        for number, one in enumerate(group):
            if number and not host.is_ours:
                await asyncio.sleep(max(self._settings.host_gap_seconds, self._delay(group[number - 1])))
            async with self._places:
                found = await self._page(one)
            self.outcomes[one.item_id] = found
            if self._on_page:
                self._on_page()
            strikes = strikes + 1 if found.outcome in STRIKES else 0
            if strikes >= HOST_STRIKES:
                self.outcomes |= {rest.item_id: Fetched(rest, found.outcome) for rest in group[number + 1:]}
                return

    async def _page(self, one: Wanted) -> Fetched:
        """What comes of one page; never raises but for cancellation."""
        try:
            if (refusal := await self._refusal(one.url)) is not None:
                return Fetched(one, refusal)
            response = await self._fetcher.fetch(self._request(one.url, one.feed_id, MAX_BYTES))
            if response.url != one.url and (refusal := await self._refusal(response.url)) is not None:
                return Fetched(one, refusal)
            return await self._text(one, response)
        except FetchError as error:
            return Fetched(one, NOT_HTML if error.kind == "not_a_feed" else error.kind)
        except ParseError as error:
            return Fetched(one, error.kind)
        except Exception:
            log.exception("page failed", url=one.url)
            return Fetched(one, "internal_error")

    async def _text(self, one: Wanted, response: FetchResponse) -> Fetched:
        article = await self._parser.article(response.body, response.headers.get("content-type"), response.url,
                                             one.title, one.language)
        return Fetched(one, article.outcome, article.blocks, article.place)

    async def _refusal(self, url: str) -> str | None:
        """Why robots.txt keeps us from an address; None where it does not."""
        origin = _origin(url)
        if origin not in self._rules:
            self._rules[origin] = await self._known_rules(origin)
        rules = self._rules[origin]
        if rules is None:
            return ROBOTS_UNREAD
        return None if rules.allow(url) else ROBOTS

    async def _known_rules(self, origin: str) -> Rules | None:
        """The rules of a server: those of the last day, else read now; None where they cannot be read."""
        known, now = await asyncio.to_thread(self._stored_robots, origin), self._clock.now()
        if known is None or now - known.fetched_at >= (UNREAD_AGE if known.rules is None else ROBOTS_AGE):
            known = self._read[origin] = Robots(now, await self._robots_text(origin))
        return None if known.rules is None else rules_for(known.rules, self._settings.user_agent)

    def _stored_robots(self, origin: str) -> Robots | None:
        with read_only(self._engine) as conn:
            return storage.robots_of(conn, origin)

    async def _robots_text(self, origin: str) -> str | None:
        """What robots.txt says; "" where a server has none, None where it does not tell (RFC 9309 §2.3.1)."""
        try:
            response = await self._fetcher.fetch(FetchRequest(f"{origin}/robots.txt", max_bytes=ROBOTS_BYTES))
        except FetchError as error:
            has_none = error.kind == "not_a_feed" or (error.status is not None and 400 <= error.status < 500)
            return "" if has_none and error.status != 429 else None
        return response.body.decode("utf-8", errors="replace").replace("\x00", "")

    def _request(self, url: str, feed_id: str, max_bytes: int) -> FetchRequest:
        """A page is asked for by the proxy of its feed, without the feed's own headers and log-in."""
        return FetchRequest(url, access=Access(ACCEPT, proxy=self._feeds[feed_id].access.proxy), max_bytes=max_bytes)

    def _delay(self, one: Wanted) -> float:
        """Seconds that the server of a page asks for between two requests."""
        rules = self._rules.get(_origin(one.url))
        return rules.delay if rules else 0.0

    def store(self, claimed: Sequence[Wanted]) -> None:
        """Writes what came of all that was claimed. Paragraphs that a feed's pages repeat are marked as such."""
        self.outcomes |= {one.item_id: Fetched(one, OVER_BUDGET) for one in claimed
                          if one.item_id not in self.outcomes}
        with self._engine.begin() as conn:
            earlier: dict[str, list[frozenset[str]]] = {}
            pages: list[Fetched] = []
            for one in claimed:
                found = self.outcomes[one.item_id]
                if found.blocks:
                    if one.feed_id not in earlier:
                        earlier[one.feed_id] = storage.earlier_texts(conn, one.feed_id)
                    texts = frozenset(block.text for block in found.blocks)
                    found = replace(found, blocks=marked(found.blocks, earlier[one.feed_id]))
                    earlier[one.feed_id].append(texts)
                pages.append(found)
            storage.record(conn, pages, self._clock.now())
            storage.keep_robots(conn, self._read)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
