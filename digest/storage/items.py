"""Items and their revisions. An item's text is as last seen; what had been seen by a time is in item_revisions."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    union,
    update,
)

from digest.model import REPEATED, Block, BodyPolicy, DateQuality, Feed, Item, Source, short_id
from digest.pipeline.identify import canonical_url
from digest.pipeline.reissue import Earlier, address_of, instant_of
from digest.storage.engine import UtcDateTime
from digest.storage.schema import (
    agencies,
    feeds,
    item_articles,
    item_revisions,
    items,
    items_without_story,
    sources,
    story_items,
)
from digest.storage.search import note
from digest.storage.upsert import insert_quietly, upsert_from

MAX_REVISIONS = 25  # an outlet that rewrites an item at every poll is followed so far, then left alone
CHUNK = 500  # ids in one statement
REVISED = ("url", "title", "summary", "body", "content_hash")

# Stated once: to state a condition on hundreds of ids costs more than to answer it.
_OF_IDS = items.c.id.in_(bindparam("ids", expanding=True))
_HASHES = select(items.c.id, items.c.content_hash).where(_OF_IDS)
_NOW = bindparam("now", type_=UtcDateTime)
_AS_STORED = select(items.c.id, _NOW, items.c.first_seen_at < _NOW, *(items.c[name] for name in REVISED)).where(_OF_IDS)
_as_json = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Stored:
    """What `store` did: ids of items that were new, and of known items whose text changed."""

    new: tuple[str, ...]
    changed: tuple[str, ...]


def store(conn: Connection, feed: Feed, entries: Sequence[Item], now: datetime,
          known: Mapping[str, str] | None = None) -> Stored:
    """Inserts new items of `feed` and updates the text of changed ones; idempotent. Nobody else stores for the feed.

    `known` is what `known_hashes` gives for them in this transaction, where it has been asked already.

    Each first sight and each change is a row of item_revisions at `now`. An update never touches the
    dates, place or agency of the first sight, so that a reading as of an earlier time stays as it was.
    """
    return store_all(conn, [(feed, entries)], now, known)[0]


def store_all(conn: Connection, documents: Sequence[tuple[Feed, Sequence[Item]]], now: datetime,
              known: Mapping[str, str] | None = None) -> list[Stored]:
    """`store` for the items of several feeds, in as few statements as for one."""
    owners = {item.id: feed for feed, entries in documents for item in entries}
    found = {item.id: item for _, entries in documents for item in entries}
    known = known_hashes(conn, found) if known is None else known
    bodies = {id_: _body_text(item.body) for id_, item in found.items()}
    hashes = {id_: content_hash(item, bodies[id_]) for id_, item in found.items()}
    new = [id_ for id_ in found if id_ not in known]
    changed = _still_followed(conn, [id_ for id_ in found if id_ in known and known[id_] != hashes[id_]])
    rows = {id_: _to_row(owners[id_], found[id_], bodies[id_], hashes[id_]) for id_ in (*new, *changed)}
    insert_quietly(conn, items, [rows[id_] for id_ in new])
    insert_quietly(conn, items_without_story, [{"item_id": id_} for id_ in new])
    _write_changes(conn, [rows[id_] for id_ in changed])
    _note_revisions(conn, rows, now)
    note(conn, rows)
    return [Stored(_of(entries, frozenset(new)), _of(entries, frozenset(changed))) for _, entries in documents]


def _of(entries: Sequence[Item], ids: frozenset[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.id for item in entries if item.id in ids))


def known_hashes(conn: Connection, ids: Iterable[str]) -> dict[str, str]:
    """The content hash of those of `ids` that are stored."""
    return {id_: content_hash for chunk in _chunks(ids) for id_, content_hash in conn.execute(_HASHES, {"ids": chunk})}


def earlier_items(conn: Connection, entries: Sequence[Item]) -> dict[str, list[Earlier]]:
    """By feed id, what is stored under an address or an instant of `entries`, oldest first. One query, by index."""
    addresses = sorted({address for item in entries if (address := address_of(item))})
    instants = sorted({instant for item in entries if (instant := instant_of(item))})
    columns = [items.c.feed_id, *(items.c[field.name] for field in fields(Earlier))]
    # The feed stays out of the condition: SQLite would read all that it ever brought.
    query = union(select(*columns).where(items.c.canonical_url.in_(addresses)),
                  select(*columns).where(items.c.published_at.in_(instants)))
    found: dict[str, list[Earlier]] = {}
    for feed_id, *values in conn.execute(query):
        found.setdefault(feed_id, []).append(Earlier(*values))
    return {feed_id: sorted(known, key=lambda one: (one.first_seen_at, one.id)) for feed_id, known in found.items()}


def items_by_id(conn: Connection, ids: Iterable[str], *, at: datetime | None = None) -> dict[str, Item]:
    """Items by id, in no particular order; unknown ids are left out.

    With `at`, items first seen later are left out, texts are as revised by then and pages as fetched by then.
    """
    found: dict[str, Item] = {}
    for chunk in _chunks(ids):
        query = _select(at).where(items.c.id.in_(chunk))
        if at is not None:
            query = query.where(items.c.first_seen_at <= at)
        found |= {row.id: _from_row(row) for row in conn.execute(query)}
        if at is not None:
            _revise(conn, found, chunk, at)
    return found


def items_as_joined(conn: Connection, ids: Iterable[str]) -> dict[str, Item]:
    """Items by id, in no particular order, each with the text that it had when it got its story, or has now."""
    found = items_by_id(conn, ids)
    for chunk in _chunks(found):
        _revise(conn, found, chunk, None)
    return found


def has_unassigned(conn: Connection) -> bool:
    """Whether an item may wait for a story: asks for a mark alone, and reads no item."""
    return conn.execute(select(items_without_story.c.item_id).limit(1)).first() is not None


def unassigned_items(conn: Connection, besides: Collection[str] = ()) -> list[Item]:
    """Items that belong to no story yet, backlog too, in the fixed order (first_seen_at, feed id, key).

    Those of `besides` are left out, and not read.
    """
    waiting = select(items_without_story.c.item_id).where(
        ~exists().where(story_items.c.item_id == items_without_story.c.item_id))
    ids = (id_ for id_ in conn.execute(waiting).scalars() if id_ not in besides)
    found = items_by_id(conn, ids).values()
    # Databases collate text differently; the order is ours.
    return sorted(found, key=lambda item: (item.first_seen_at, item.feed.id, item.key))


def forget_waiting(conn: Connection, ids: Iterable[str]) -> None:
    """Says that these items have a story."""
    for chunk in _chunks(ids):
        conn.execute(delete(items_without_story).where(items_without_story.c.item_id.in_(chunk)))


def find_items(conn: Connection, url: str) -> list[Item]:
    """Items whose address is `url`, or equal to it but for scheme, www, tracking and fragment; oldest first."""
    canonical = canonical_url(url)
    match = items.c.url == url
    if canonical:
        match = or_(match, items.c.canonical_url == canonical)
    return [_from_row(row) for row in conn.execute(_select().where(match).order_by(items.c.first_seen_at, items.c.id))]


def count_items(conn: Connection) -> int:
    """How many items are stored."""
    return int(conn.execute(select(func.count()).select_from(items)).scalar_one())


def content_hash(item: Item, body: str) -> str:
    """Sixteen hex digits over what a reader could see change: address, title, summary and `body`, as it is stored."""
    return short_id(item.url, item.title, item.summary, body)


def _select(at: datetime | None = None) -> Select[Any]:
    source = [column.label(f"source_{column.name}") for column in (sources.c.slug, sources.c.name, sources.c.family,
                                                                   sources.c.tier)]
    feed = [column.label(f"feed_{column.name}") for column in (feeds.c.url, feeds.c.region, feeds.c.language,
                                                               feeds.c.body)]
    page = [column.label(f"page_{column.name}") for column in (item_articles.c.blocks, item_articles.c.place)]
    joined = items.join(feeds, feeds.c.id == items.c.feed_id).join(sources, sources.c.slug == feeds.c.source).outerjoin(
        item_articles, _fetched(at)).outerjoin(agencies, agencies.c.name == items.c.agency)
    return select(*items.c, *feed, *source, *page, agencies.c.family.label("agency_family")).select_from(joined)


def _fetched(at: datetime | None) -> ColumnElement[bool]:
    """Joins the pages that were fetched by `at` (None: at all) to their items."""
    own = item_articles.c.item_id == items.c.id
    return own if at is None else and_(own, item_articles.c.at <= at)


def _from_row(row: Row[Any]) -> Item:
    family = row.agency_family or row.source_family  # a copy of an agency's counts for the agency
    source = Source(row.source_slug, row.source_name, family, row.source_tier)
    feed = Feed(row.feed_id, row.feed_url, source, row.feed_region, row.feed_language, BodyPolicy(row.feed_body))
    return Item(
        id=row.id, feed=feed, key=row.key, url=row.url, canonical_url=row.canonical_url, title=row.title,
        summary=row.summary, body=_body(row.body), agency=row.agency, place=row.place or row.page_place,
        language=row.language,
        published_at=row.published_at, published_offset_minutes=row.published_offset_minutes,
        date_quality=DateQuality(row.date_quality), first_seen_at=row.first_seen_at, backlog=row.backlog,
        image_url=row.image_url, tags=() if row.tags == "[]" else tuple(json.loads(row.tags)), link=row.link,
        article=tuple(block for block in _body(row.page_blocks or "[]") if block.kind != REPEATED),
    )


def _to_row(feed: Feed, item: Item, body: str, content_hash: str) -> dict[str, Any]:
    return {
        "id": item.id, "feed_id": feed.id, "key": item.key, "url": item.url, "canonical_url": item.canonical_url,
        "title": item.title, "summary": item.summary, "body": body, "agency": item.agency,
        "place": item.place, "language": item.language, "published_at": item.published_at,
        "published_offset_minutes": item.published_offset_minutes, "date_quality": item.date_quality.value,
        "first_seen_at": item.first_seen_at, "backlog": item.backlog, "image_url": item.image_url,
        "tags": _as_json(item.tags) if item.tags else "[]", "link": item.link,
        "content_hash": content_hash,
    }


def _body_text(body: tuple[Block, ...]) -> str:
    return _as_json([[block.kind, block.text] for block in body]) if body else "[]"


def _body(text: str) -> tuple[Block, ...]:
    return () if text == "[]" else tuple(Block(kind, words) for kind, words in json.loads(text))


def _note_revisions(conn: Connection, ids: Iterable[str], now: datetime) -> None:
    """Copies the texts of items, as they are stored, to their revisions of `now`."""
    for chunk in _chunks(ids):
        upsert_from(conn, item_revisions, ("item_id", "seen_at", "later", *REVISED), _AS_STORED,
                    {"now": now, "ids": chunk})


def _still_followed(conn: Connection, ids: Sequence[str]) -> list[str]:
    """Those of `ids` that have not used up their revisions."""
    counts: dict[str, int] = {}
    for chunk in _chunks(ids):
        query = select(item_revisions.c.item_id, func.count()).where(item_revisions.c.item_id.in_(chunk))
        counts |= {id_: number for id_, number in conn.execute(query.group_by(item_revisions.c.item_id))}
    return [id_ for id_ in ids if counts.get(id_, 0) < MAX_REVISIONS]


def _write_changes(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    names = (*REVISED, "canonical_url")
    statement = update(items).where(items.c.id == bindparam("row_id")).values({n: bindparam(f"new_{n}") for n in names})
    conn.execute(statement, [{"row_id": row["id"], **{f"new_{n}": row[n] for n in names}} for row in rows])


def _revise(conn: Connection, found: dict[str, Item], ids: Sequence[str], at: datetime | None) -> None:
    """Puts the last text seen by `at` (None: by the time at which it joined its story) into those revised later."""
    seen = select(item_revisions)
    if at is None:
        seen = seen.join(story_items, story_items.c.item_id == item_revisions.c.item_id)
    limit = story_items.c.joined_at if at is None else literal(at, UtcDateTime)
    later = seen.with_only_columns(item_revisions.c.item_id).where(
        item_revisions.c.item_id.in_(ids), item_revisions.c.seen_at > limit)
    moved = {row.item_id for row in conn.execute(later)} & found.keys()
    if not moved:
        return
    earlier = seen.where(item_revisions.c.item_id.in_(moved), item_revisions.c.seen_at <= limit).order_by(
        item_revisions.c.seen_at)
    for row in conn.execute(earlier):
        found[row.item_id] = replace(found[row.item_id], url=row.url, canonical_url=canonical_url(row.url),
                                     title=row.title, summary=row.summary, body=_body(row.body))


def _chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), CHUNK):
        yield wanted[start : start + CHUNK]
