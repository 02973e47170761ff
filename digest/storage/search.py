"""The search table: the words of every item, an index over them, and what waits to be indexed.

Whoever stores or changes an item's text notes it in the same transaction (`note`); `services.search` indexes what was
noted. What is noted and not yet indexed is judged by itself, so a search never misses it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from digest.storage.schema import items, search_items, search_languages, search_pending, search_stamp
from digest.storage.search_index import Indexed, index_of
from digest.storage.upsert import insert_quietly, upsert

CHUNK = 500  # ids in one statement


@dataclass(frozen=True, slots=True)
class SearchEntry:
    """What is kept of an item. `words` are `query.stored.stored_words`, `at` is when it was published, else seen."""

    item_id: str
    feed_id: str
    language: str
    at: datetime
    backlog: bool
    words: str


def note(conn: Connection, ids: Iterable[str]) -> None:
    """Notes that these items are new or have changed; nothing else is done now."""
    insert_quietly(conn, search_pending, [{"item_id": id_} for id_ in ids])


def is_stale(conn: Connection, stamp: str) -> bool:
    """Whether the index was made with other words than those of `stamp`."""
    return bool(conn.execute(select(search_stamp.c.stamp)).scalar_one() != stamp)


def hold(conn: Connection) -> None:
    """Waits until nobody else writes to the index, to the end of the transaction."""
    conn.execute(select(search_stamp.c.stamp).with_for_update())


def start_anew(conn: Connection, stamp: str) -> None:
    """Empties the index and notes every item of the archive."""
    index_of(conn).clear(conn)
    for table in (search_items, search_pending, search_languages):
        conn.execute(delete(table))
    everything = select(items.c.id).order_by(items.c.first_seen_at, items.c.id)
    conn.execute(insert(search_pending).from_select(["item_id"], everything))
    conn.execute(update(search_stamp).values(stamp=stamp))


def count_pending(conn: Connection) -> int:
    """How many notes wait; an item may have several."""
    return int(conn.execute(select(func.count()).select_from(search_pending)).scalar_one())


def pending(conn: Connection, limit: int) -> tuple[list[str], list[int]]:
    """The newest notes: ids of items, each once, and the numbers of the notes."""
    newest = select(search_pending).order_by(search_pending.c.number.desc()).limit(limit)
    rows = conn.execute(newest).all()
    return list(dict.fromkeys(row.item_id for row in rows)), [row.number for row in rows]


def are_pending(conn: Connection, numbers: Sequence[int]) -> bool:
    """Whether all these notes wait still."""
    found = 0
    for start in range(0, len(numbers), CHUNK):
        waiting = select(func.count()).where(search_pending.c.number.in_(numbers[start:start + CHUNK]))
        found += conn.execute(waiting).scalar_one()
    return found == len(numbers)


def settle(conn: Connection, numbers: Sequence[int]) -> None:
    """Strikes notes out."""
    for start in range(0, len(numbers), CHUNK):
        chunk = numbers[start:start + CHUNK]
        conn.execute(delete(search_pending).where(search_pending.c.number.in_(chunk)))


def write(conn: Connection, entries: Sequence[SearchEntry]) -> None:
    """Indexes items, each in place of what was indexed of it before. Nobody else writes: see `hold`."""
    forget(conn, [entry.item_id for entry in entries])
    if not entries:
        return
    index = index_of(conn)
    first = int(conn.execute(select(func.max(search_items.c.number))).scalar_one() or 0) + 1
    rows = [index.row(number, entry) for number, entry in enumerate(entries, first)]
    conn.execute(insert(search_items), [_row(entry, row) for entry, row in zip(entries, rows, strict=True)])
    index.add(conn, rows)
    _know_languages(conn, entries, rows)


def forget(conn: Connection, ids: Iterable[str]) -> None:
    """Takes items out of the index; to be called before they are deleted. Ids that are not in it are ignored."""
    index = index_of(conn)
    for chunk in _chunks(ids):
        known = search_items.c.item_id.in_(chunk)
        kept = conn.execute(select(search_items).where(known)).all()
        if kept:
            index.remove(conn, [index.row(one.number, one) for one in kept])
            conn.execute(delete(search_items).where(known))


def languages(conn: Connection) -> dict[str, int]:
    """The languages of the index, with the most forms that one of their words has there."""
    return {row.language: row.most_forms for row in conn.execute(select(search_languages))}


def _row(entry: SearchEntry, row: Indexed) -> dict[str, Any]:
    return {"number": row.number, "item_id": entry.item_id, "feed_id": entry.feed_id, "language": entry.language,
            "at": entry.at, "day": entry.at.astimezone(UTC).date(), "backlog": entry.backlog, "whole": row.whole,
            "words": entry.words}


def _know_languages(conn: Connection, entries: Sequence[SearchEntry], rows: Sequence[Indexed]) -> None:
    known, found = languages(conn), dict[str, int]()
    for entry, row in zip(entries, rows, strict=True):
        if row.most_forms > max(known.get(entry.language, 0), found.get(entry.language, 0)):
            found[entry.language] = row.most_forms
    upsert(conn, search_languages, [{"language": name, "most_forms": most} for name, most in found.items()])


def _chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), CHUNK):
        yield wanted[start:start + CHUNK]
