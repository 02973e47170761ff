"""What a search finds: matches counted by day, the newest of them, and candidates that are to be judged.

An item is looked for between two instants, by when it was published, else first seen (or by when it was first seen,
where a window says so). One that has changed since it was indexed is left out here and stands among the unindexed.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, exists, func, select

from digest.model import Source
from digest.query.prefilter import Everything, Node
from digest.storage.schema import feeds, items, search_items, search_pending, sources
from digest.storage.schema.search import NOT_WHOLE
from digest.storage.search_index import index_of

CANDIDATE = ("item_id", "at", "day", "language", "words")  # columns of a candidate


@dataclass(frozen=True, slots=True)
class Window:
    """Items after `since` up to `until`. `waiting`: some are not indexed as they are now; `by_sight`: the instants are
    those of first sight, whatever their date.
    """

    since: datetime
    until: datetime
    waiting: bool = False
    by_sight: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that may match; `words` as in `storage.search.SearchEntry`."""

    item_id: str
    at: datetime
    day: date
    language: str
    words: str


def some_matches(conn: Connection, node: Node, window: Window, limit: int) -> list[tuple[datetime, str, date]]:
    """At most so many of the items that the index finds, in no order: time, id and day of each."""
    query = _indexed(conn, node, window, search_items.c.at, search_items.c.item_id, search_items.c.day)
    return [(at, item_id, day) for at, item_id, day in conn.execute(query.limit(limit))]


def matches_by_day(conn: Connection, node: Node, window: Window) -> dict[date, int]:
    """How many items the index finds, by day in UTC, oldest first."""
    query = _indexed(conn, node, window, search_items.c.day, func.count()).group_by(search_items.c.day)
    return {day: number for day, number in conn.execute(query.order_by(search_items.c.day))}


def newest_matches(conn: Connection, node: Node, window: Window, limit: int) -> list[tuple[datetime, str, date]]:
    """The newest items that the index finds, newest first: time, id and day of each."""
    query = _indexed(conn, node, window, search_items.c.at, search_items.c.item_id, search_items.c.day)
    order = (search_items.c.at.desc(), search_items.c.item_id)
    return [(at, item_id, day) for at, item_id, day in conn.execute(query.order_by(*order).limit(limit))]


def candidates(conn: Connection, node: Node, window: Window, limit: int) -> list[Candidate]:
    """Items that the index finds or cannot tell of, the newest of them where there are more; in no order."""
    columns = [search_items.c[name] for name in CANDIDATE]
    indexed = _indexed(conn, node, window, *columns)
    found = conn.execute(indexed.limit(limit)).all()
    if len(found) == limit:  # too many: which are the newest?
        found = conn.execute(indexed.order_by(search_items.c.at.desc(), search_items.c.item_id).limit(limit)).all()
    others = [] if isinstance(node, Everything) else untold(conn, window)
    return [*(Candidate(*row) for row in found), *others]


def latest_candidates(conn: Connection, node: Node, window: Window, limit: int) -> list[Candidate]:
    """At most so many of the items that the index finds, the last indexed first: reads no more of the index than it
    must.
    """
    found, number = _found(conn, node)  # by the number of the index, which SQLite then reads backwards
    columns = [search_items.c[name] for name in CANDIDATE]
    query = _within(select(*columns).select_from(found), window).order_by(number.desc())
    return [Candidate(*row) for row in conn.execute(query.limit(limit))]


def untold(conn: Connection, window: Window) -> list[Candidate]:
    """Items whose texts are too long for the index."""
    return [Candidate(*row) for row in conn.execute(_untold(window, *(search_items.c[name] for name in CANDIDATE)))]


def unindexed(conn: Connection, window: Window, *, everything: bool) -> list[str]:
    """Ids of items that are not indexed as they are now, newest first; `everything`: of all items."""
    at = func.coalesce(items.c.published_at, items.c.first_seen_at)
    asked = items.c.first_seen_at if window.by_sight else at
    query = select(items.c.id).where(asked > window.since, asked <= window.until).order_by(at.desc(), items.c.id)
    if not everything:
        query = query.where(items.c.id.in_(select(search_pending.c.item_id)))
    return list(conn.execute(query).scalars())


def feed_sources(conn: Connection) -> dict[str, Source]:
    """By feed id, the source of each feed that ever was."""
    columns = (sources.c.slug, sources.c.name, sources.c.family, sources.c.tier)
    query = select(feeds.c.id, *columns).join(sources, sources.c.slug == feeds.c.source)
    return {feed_id: Source(*source) for feed_id, *source in conn.execute(query)}


def _indexed(conn: Connection, node: Node, window: Window, *columns: Any) -> Select[Any]:
    found, _ = _found(conn, node)
    return _within(select(*columns).select_from(found), window)


def _found(conn: Connection, node: Node) -> tuple[FromClause, ColumnElement[int]]:
    """The items that the index finds, and their numbers."""
    if isinstance(node, Everything):
        return search_items, search_items.c.number
    numbers = index_of(conn).matching(node).subquery()
    return numbers.join(search_items, search_items.c.number == numbers.c.number), numbers.c.number


def _untold(window: Window, *columns: Any) -> Select[Any]:
    """By the index of these few alone: by time SQLite would read the whole window."""
    numbers = select(search_items.c.number).where(NOT_WHOLE)
    return _within(select(*columns).where(search_items.c.number.in_(numbers)), window)


def _within(query: Select[Any], window: Window) -> Select[Any]:
    at = search_items.c.at
    if window.by_sight:
        query, at = query.join(items, items.c.id == search_items.c.item_id), items.c.first_seen_at
    query = query.where(at > window.since, at <= window.until)
    if not window.waiting:
        return query
    return query.where(~exists().where(search_pending.c.item_id == search_items.c.item_id))
