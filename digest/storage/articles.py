"""Pages of items: which are to be fetched, what came of each, and what robots.txt of their servers says."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, func, select, update

from digest.model import Block
from digest.storage.schema import feeds, item_articles, items, robots, story_items
from digest.storage.search import note
from digest.storage.upsert import insert_ignore, upsert

CHUNK = 500
FETCHING, LATE = "fetching", "late"
EARLIER_PAGES = 10  # of a feed, among which repeated paragraphs are looked for


@dataclass(frozen=True, slots=True)
class Wanted:
    """An item whose page may be fetched. `words` is how many the feed gave."""

    item_id: str
    feed_id: str
    url: str
    title: str
    language: str
    words: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of an item's page: `outcome` is "text", or names why there is none."""

    wanted: Wanted
    outcome: str
    blocks: tuple[Block, ...] = ()
    place: str | None = None


@dataclass(frozen=True, slots=True)
class PageOf:
    """What came of the page of an item: `outcome` None where it was not asked for, `words` of its text."""

    title: str
    first_seen_at: datetime
    outcome: str | None
    words: int


@dataclass(frozen=True, slots=True)
class Robots:
    """What a server's robots.txt says; `rules` None: it could not be read, and nothing may be fetched."""

    fetched_at: datetime
    rules: str | None


def candidates(conn: Connection, since: datetime) -> list[Wanted]:
    """Items first seen since then that have an address, no story and no page yet, newest first; no backlog."""
    columns = (items.c.id, items.c.feed_id, items.c.url, items.c.title, items.c.language, items.c.summary, items.c.body)
    query = select(*columns).where(
        items.c.first_seen_at >= since, items.c.backlog.is_(False), items.c.url != "",
        ~exists().where(story_items.c.item_id == items.c.id), ~exists().where(item_articles.c.item_id == items.c.id),
    ).order_by(items.c.first_seen_at.desc(), items.c.id)
    return [Wanted(row.id, row.feed_id, row.url, row.title, row.language, _words(row.summary, row.body))
            for row in conn.execute(query)]


def claim(conn: Connection, wanted: Sequence[Wanted], now: datetime) -> frozenset[str]:
    """The ids of those that nobody else fetches, now or before; each is claimed once for all time."""
    rows = [{"item_id": one.item_id, "feed_id": one.feed_id, "at": now, "outcome": FETCHING} for one in wanted]
    return frozenset(row.item_id for row in insert_ignore(conn, item_articles, rows))


def record(conn: Connection, fetched: Sequence[Fetched], now: datetime) -> None:
    """Writes what came of claimed pages; the text of an item that has a story by now is left out, as "late"."""
    ids = [one.wanted.item_id for one in fetched]
    assigned: set[str] = set()
    for start in range(0, len(ids), CHUNK):
        chunk = story_items.c.item_id.in_(ids[start:start + CHUNK])
        assigned.update(conn.execute(select(story_items.c.item_id).where(chunk)).scalars())
    for one in fetched:
        is_late = one.wanted.item_id in assigned and bool(one.blocks)
        values = {"at": now, "outcome": LATE if is_late else one.outcome, "place": None if is_late else one.place,
                  "blocks": "[]" if is_late else _text(one.blocks)}
        conn.execute(update(item_articles).where(item_articles.c.item_id == one.wanted.item_id).values(values))
    note(conn, [one.wanted.item_id for one in fetched if one.blocks and one.wanted.item_id not in assigned])


def earlier_texts(conn: Connection, feed_id: str) -> list[frozenset[str]]:
    """What stands in each of the feed's newest pages that had a text, its repeated paragraphs too."""
    query = (select(item_articles.c.blocks)
             .where(item_articles.c.feed_id == feed_id, item_articles.c.blocks != "[]")
             .order_by(item_articles.c.at.desc(), item_articles.c.item_id).limit(EARLIER_PAGES))
    return [frozenset(text for _, text in json.loads(blocks)) for blocks in conn.execute(query).scalars()]


def newest_pages(conn: Connection, feed_id: str, limit: int) -> list[PageOf]:
    """The pages of the feed's items that were seen last, those without one too; newest first."""
    query = (select(items.c.title, items.c.first_seen_at, item_articles.c.outcome, item_articles.c.blocks)
             .outerjoin(item_articles, item_articles.c.item_id == items.c.id).where(items.c.feed_id == feed_id)
             .order_by(items.c.first_seen_at.desc(), items.c.published_at.desc(), items.c.id).limit(limit))
    return [PageOf(row.title, row.first_seen_at, row.outcome, _words("", row.blocks or "[]"))
            for row in conn.execute(query)]


def outcomes(conn: Connection, since: datetime) -> dict[str, dict[str, int]]:
    """By feed id, how many pages came to each outcome since then, most first."""
    counts = func.count()
    query = (select(item_articles.c.feed_id, item_articles.c.outcome, counts)
             .join(feeds, feeds.c.id == item_articles.c.feed_id).where(item_articles.c.at >= since)
             .group_by(item_articles.c.feed_id, item_articles.c.outcome)
             .order_by(counts.desc(), item_articles.c.outcome))
    found: dict[str, dict[str, int]] = {}
    for feed_id, outcome, number in conn.execute(query):
        found.setdefault(feed_id, {})[outcome] = number
    return found


def robots_of(conn: Connection, origin: str) -> Robots | None:
    """What was last read of a server's robots.txt; None where it never was asked for."""
    row = conn.execute(select(robots).where(robots.c.origin == origin)).one_or_none()
    return Robots(row.fetched_at, row.rules) if row else None


def keep_robots(conn: Connection, read: Mapping[str, Robots]) -> None:
    """Remembers what servers' robots.txt say."""
    rows = [{"origin": origin, "fetched_at": one.fetched_at, "rules": one.rules} for origin, one in read.items()]
    if rows:
        upsert(conn, robots, rows)


def _words(summary: str, body: str) -> int:
    """Words of an item's own text: of its summary or of its blocks, whichever are more."""
    blocks = " ".join(text for kind, text in json.loads(body) if kind == "p")
    return max(len(summary.split()), len(blocks.split()))


def _text(blocks: Sequence[Block]) -> str:
    return json.dumps([[block.kind, block.text] for block in blocks], ensure_ascii=False)
