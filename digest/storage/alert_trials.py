"""What trials of alert rules read: items that a query found, their stories, and all that happened to these."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from digest.model import StoryEvent, StoryEventKind
from digest.storage.schema import (
    item_revisions,
    past_aliases,
    search_items,
    story_aliases,
    story_events,
    story_items,
    story_moves,
)
from digest.storage.schema.news import LATER


@dataclass(frozen=True, slots=True)
class Filed:
    """That an item is in a story from `since` on; `until` None: it still is. Stories as they were called then."""

    item_id: str
    story_id: str
    since: datetime
    until: datetime | None
    reprint: bool


@dataclass(frozen=True, slots=True)
class Alias:
    """That a story was part of another from `since` on; `until` None: it still is."""

    alias: str
    story_id: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Annals:
    """All that happened to some stories up to now."""

    filed: tuple[Filed, ...]
    aliases: tuple[Alias, ...]
    events: tuple[StoryEvent, ...]


def count_items(conn: Connection, since: datetime, until: datetime) -> int:
    """How many indexed items are dated (else first seen) after `since` up to `until`, backlog too."""
    query = select(func.count()).where(search_items.c.at > since, search_items.c.at <= until)
    return int(conn.execute(query).scalar_one())


def rewritten(conn: Connection, since: datetime) -> dict[str, datetime]:
    """By id, when items whose text has changed since they were first seen got the last of it, where after `since`."""
    query = select(item_revisions.c.item_id, item_revisions.c.seen_at).where(LATER, item_revisions.c.seen_at > since)
    return {item_id: at for item_id, at in conn.execute(query.order_by(item_revisions.c.seen_at))}


def annals(conn: Connection, item_ids: Iterable[str], since: datetime, until: datetime, *, whole: bool) -> Annals:
    """What happened to the stories that these items ever were in, and to those merged with them, up to `until`.

    Its events are those after `since`, in order of the log. `whole` tells of all items of the stories, else of these
    items alone.
    """
    own = _joins(conn, story_items.c.item_id, item_ids)
    names = {row.story_id for row in own} | set(conn.execute(
        select(story_moves.c.story_id).where(_among(conn, story_moves.c.item_id, item_ids))).scalars())
    aliases = _aliases(conn, names, until)
    names |= {name for one in aliases for name in (one.alias, one.story_id)}
    events = select(story_events).where(_among(conn, story_events.c.story_id, names), story_events.c.at > since,
                                        story_events.c.at <= until).order_by(story_events.c.number)
    return Annals(
        tuple(_filed(conn, [*own, *(_others(conn, names) if whole else ())])), tuple(aliases),
        tuple(StoryEvent(number, StoryEventKind(kind), story_id, item_id, at)
              for number, kind, story_id, item_id, at in conn.execute(events)))


def _joins(conn: Connection, column: Any, ids: Iterable[str]) -> Sequence[Any]:
    query = select(story_items.c.item_id, story_items.c.story_id, story_items.c.joined_at, story_items.c.reprint_of)
    return conn.execute(query.where(_among(conn, column, ids))).all()


def _others(conn: Connection, names: Iterable[str]) -> list[Any]:
    """The joins of all items that are or were in these stories."""
    moved = conn.execute(select(story_moves.c.item_id).where(_among(conn, story_moves.c.story_id, names))).scalars()
    return [*_joins(conn, story_items.c.story_id, names), *_joins(conn, story_items.c.item_id, list(moved))]


def _filed(conn: Connection, joins: Iterable[Any]) -> Iterable[Filed]:
    """Where items were filed: before each move of an editor's, and now."""
    rows = {row.item_id: row for row in joins}
    since = {item_id: row.joined_at for item_id, row in rows.items()}
    moves = select(story_moves).where(_among(conn, story_moves.c.item_id, rows))
    for move in conn.execute(moves.order_by(story_moves.c.until, story_moves.c.edit)):
        is_reprint = rows[move.item_id].reprint_of is not None
        yield Filed(move.item_id, move.story_id, since[move.item_id], move.until, is_reprint)
        since[move.item_id] = move.until
    for item_id, story_id, _, reprint_of in rows.values():
        yield Filed(item_id, story_id, since[item_id], None, reprint_of is not None)


def _aliases(conn: Connection, names: set[str], until: datetime) -> list[Alias]:
    """All aliases, also those that an editor ended, that join any of these stories to others, however far."""
    known: dict[tuple[str, str, datetime], Alias] = {}
    fresh = set(names)
    while fresh:
        found = [Alias(row.alias, row.story_id, row.at, getattr(row, "until", None))
                 for table in (story_aliases, past_aliases) for side in ("alias", "story_id")
                 for row in conn.execute(select(table).where(_among(conn, table.c[side], fresh), table.c.at <= until))]
        known |= {(one.alias, one.story_id, one.since): one for one in found}
        reached = {name for one in found for name in (one.alias, one.story_id)}
        fresh, names = reached - names, names | reached
    return sorted(known.values(), key=lambda one: (one.since, one.alias))


def _among(conn: Connection, column: Any, ids: Iterable[str]) -> ColumnElement[bool]:
    """Whether a column is one of many values, which go as one."""
    values = list(dict.fromkeys(ids))
    if conn.dialect.name == "postgresql":
        return column == any_(bindparam(None, values, type_=ARRAY(String)))  # type: ignore[no-any-return]
    found = func.json_each(bindparam(None, json.dumps(values))).table_valued("value")
    return column.in_(select(found.c.value))  # type: ignore[no-any-return]
