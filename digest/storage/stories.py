"""Stories: who belongs together, since when, and the log of what happened.

A join is written once; a merge is an alias with its time. What an editor changes keeps a note of how it was before
(storage.story_edits). So the stories as of any earlier time can be read back: joins by then, aliases by then, texts by
then.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, func, select

from digest.errors import NotFound
from digest.model import Item, Join, Story, StoryEvent, StoryEventKind
from digest.pipeline.cluster import Merge
from digest.storage.items import forget_waiting, items_as_joined, items_by_id
from digest.storage.schema import cursors, items, past_aliases, story_aliases, story_events, story_items, story_moves
from digest.storage.upsert import upsert

CHUNK = 500  # ids in one statement


def record_joins(conn: Connection, joins: Sequence[Join]) -> None:
    """Writes joins in their order, with an event for each; an item that has a story already is refused by its key."""
    if not joins:
        return
    conn.execute(story_items.insert(), [join_row(join) for join in joins])
    forget_waiting(conn, [join.item_id for join in joins])
    conn.execute(story_events.insert(), [
        {"kind": _kind(join).value, "story_id": join.story_id, "item_id": join.item_id, "at": join.at}
        for join in joins])


def record_merges(conn: Connection, merges: Sequence[Merge], at: datetime) -> None:
    """Writes an alias and an event for each merge; joins stay as they are."""
    if not merges:
        return
    conn.execute(story_aliases.insert(), [
        {"alias": merge.alias, "story_id": merge.story_id, "at": at, "similarity": merge.similarity}
        for merge in merges])
    conn.execute(story_events.insert(), [
        {"kind": StoryEventKind.STORIES_MERGED.value, "story_id": merge.story_id, "item_id": None, "at": at}
        for merge in merges])


def stories_as_of(conn: Connection, *, since: datetime, at: datetime) -> tuple[Story, ...]:
    """Stories with an item first seen in (since, at], each with all its items as of `at`, in order of id.

    Items count from the time at which they joined; merges from theirs; texts are as revised by `at`.
    """
    recent = (
        select(story_items.c.item_id, story_items.c.story_id)
        .join(items, items.c.id == story_items.c.item_id)
        .where(items.c.first_seen_at > since, items.c.first_seen_at <= at, story_items.c.joined_at <= at)
    )
    moved = moved_since(conn, at)
    filed = {moved.get(row.item_id, row.story_id) for row in conn.execute(recent)}
    roots = roots_of(conn, filed, at)
    return _stories(conn, sorted(set(roots.values())), at)


def story_by_id(conn: Connection, story_id: str, *, at: datetime | None = None) -> Story:
    """The story, or the one that it was merged into by `at`. Raises NotFound where there is none by then."""
    root = roots_of(conn, [story_id], at)[story_id]
    stories = _stories(conn, [root], at)
    if not stories:
        raise NotFound("story", story_id)
    return stories[0]


def stories_by_id(conn: Connection, story_ids: Iterable[str], *, at: datetime | None = None) -> dict[str, Story]:
    """What `story_by_id` gives for each id, in a few queries for all; ids that lead to nothing are left out."""
    roots = roots_of(conn, story_ids, at)
    found = {story.id: story for story in _stories(conn, sorted(set(roots.values())), at)}
    return {story_id: found[root] for story_id, root in roots.items() if root in found}


def story_of(conn: Connection, item_id: str, at: datetime | None = None) -> str | None:
    """The id of the item's story as of `at` (None: now), merges followed; None where it has none yet."""
    query = _by(select(story_items.c.story_id).where(story_items.c.item_id == item_id), story_items.c.joined_at, at)
    story_id = conn.execute(query).scalar_one_or_none()
    if story_id is None:
        return None
    filed: str = moved_since(conn, at).get(item_id, story_id)
    return roots_of(conn, [filed], at)[filed]


def joins_of(conn: Connection, story_id: str) -> list[Join]:
    """Why each item is in the story, in order of joining; joins of stories merged into it keep their own story id."""
    names = family_of(conn, roots_of(conn, [story_id]).values())
    joins = [read_join(row) for row in select_in(conn, select(story_items), story_items.c.story_id, names)]
    return sorted(joins, key=lambda join: (join.at, join.item_id != join.story_id, join.item_id))


def merges_of(conn: Connection, story_id: str) -> list[tuple[str, str, datetime, float, int | None]]:
    """What was merged into a story: alias, the story it led to, when, likeness, number of the editor's act or None."""
    names = family_of(conn, [story_id])
    rows = select_in(conn, select(story_aliases), story_aliases.c.alias, [name for name in names if name != story_id])
    return sorted(((row.alias, row.story_id, row.at, row.similarity, row.edit) for row in rows),
                  key=lambda row: (row[2], row[0]))


def events_after(conn: Connection, number: int, limit: int) -> list[StoryEvent]:
    """The next events of the log after `number`, at most `limit`. Story ids are as of the event: follow aliases."""
    query = select(story_events).where(story_events.c.number > number).order_by(story_events.c.number).limit(limit)
    return [StoryEvent(row.number, StoryEventKind(row.kind), row.story_id, row.item_id, row.at)
            for row in conn.execute(query)]


def last_event_number(conn: Connection) -> int:
    """The number of the newest event; 0 for an empty log."""
    return int(conn.execute(select(func.max(story_events.c.number))).scalar_one() or 0)


def last_change(conn: Connection) -> int:
    """The number of the newest event that changed which items belong together; 0 where there is none."""
    changes = select(story_events.c.number).where(story_events.c.kind != StoryEventKind.FLAGGED.value)
    return conn.execute(changes.order_by(story_events.c.number.desc()).limit(1)).scalar_one_or_none() or 0


def cursor(conn: Connection, name: str) -> int:
    """How far the reader `name` has come in the log of events; 0 before its first time."""
    position = conn.execute(select(cursors.c.position).where(cursors.c.name == name)).scalar_one_or_none()
    return position or 0


def set_cursor(conn: Connection, name: str, position: int) -> None:
    """Remembers how far the reader `name` has come."""
    upsert(conn, cursors, [{"name": name, "position": position}])


def window_members(conn: Connection, *, window: timedelta, window_items: int) -> list[tuple[Item, str]]:
    """Items of live stories with their story ids, aliases resolved, in the order in which they were assigned.

    Each has the text that it had then: what is decided later must not hang on whether a process was restarted.

    Live is a story with one of the newest `window_items` items, or one first seen in the last `window` before the
    newest item.
    """
    joined = story_items.join(items, items.c.id == story_items.c.item_id)
    order = (story_items.c.joined_at.desc(), items.c.first_seen_at.desc(), items.c.feed_id.desc(), items.c.key.desc())
    newest = conn.execute(
        select(story_items.c.story_id, items.c.first_seen_at).select_from(joined).order_by(*order).limit(window_items)
    ).all()
    if not newest:
        return []
    horizon = newest[0].first_seen_at - window
    recent = select(story_items.c.story_id).select_from(joined).where(items.c.first_seen_at >= horizon).distinct()
    ids = {row.story_id for row in newest} | set(conn.execute(recent).scalars())
    members = _members(conn, set(roots_of(conn, ids).values()), None)
    found = items_as_joined(conn, members)
    ordered = sorted(members.values(), key=lambda m: (m.joined_at, found[m.item_id].first_seen_at,
                                                      found[m.item_id].feed.id, found[m.item_id].key))
    return [(found[member.item_id], member.story_id) for member in ordered]


@dataclass(frozen=True, slots=True)
class _Member:
    """An item's place in a story whose aliases are resolved."""

    item_id: str
    story_id: str
    joined_at: datetime
    reprint: bool


def _stories(conn: Connection, roots: Sequence[str], at: datetime | None) -> tuple[Story, ...]:
    members = _members(conn, roots, at)
    found = items_by_id(conn, members, at=at)
    by_story: dict[str, list[Item]] = {root: [] for root in roots}
    for id_, item in found.items():
        by_story[members[id_].story_id].append(item)
    return tuple(
        Story(root, tuple(sorted(own, key=lambda item: (item.first_seen_at, item.id))),
              frozenset(item.id for item in own if members[item.id].reprint))
        for root, own in by_story.items() if own)


def _members(conn: Connection, roots: Collection[str], at: datetime | None) -> dict[str, _Member]:
    """The items of the stories `roots` and of all stories merged into them by `at`, by item id."""
    names = family_of(conn, roots, at)
    moved = moved_since(conn, at)
    joined = _by(select(story_items), story_items.c.joined_at, at)
    rows = list(select_in(conn, joined, story_items.c.story_id, names))
    gone = [item_id for item_id, story_id in moved.items() if story_id in names]
    rows += select_in(conn, joined, story_items.c.item_id, gone)
    filed = {row.item_id: moved.get(row.item_id, row.story_id) for row in rows}
    return {row.item_id: _Member(row.item_id, names[filed[row.item_id]], row.joined_at, row.reprint_of is not None)
            for row in rows if filed[row.item_id] in names}


def family_of(conn: Connection, roots: Iterable[str], at: datetime | None = None) -> dict[str, str]:
    """Each of `roots` and each alias that leads to one by `at`, with its root."""
    names = {root: root for root in roots}
    frontier: Collection[str] = list(names)
    while frontier:
        found = {alias: names[story_id] for alias, story_id in aliases_in(conn, "story_id", frontier, at).items()}
        names |= found
        frontier = found.keys()
    return names


def roots_of(conn: Connection, ids: Iterable[str], at: datetime | None = None) -> dict[str, str]:
    """The story that each of `ids` is part of by `at` (None: now); itself where it was not merged."""
    roots = {id_: id_ for id_ in ids}
    frontier: Collection[str] = list(roots)
    while frontier:
        steps = aliases_in(conn, "alias", frontier, at)
        roots = {id_: steps.get(root, root) for id_, root in roots.items()}
        frontier = set(steps.values())
    return roots


def aliases_in(conn: Connection, side: str, ids: Iterable[str], at: datetime | None = None) -> dict[str, str]:
    """The aliases that held at `at` (None: hold now) whose `side` ("alias" or "story_id") is one of `ids`."""
    wanted = list(ids)
    current = _by(select(story_aliases.c.alias, story_aliases.c.story_id), story_aliases.c.at, at)
    rows = list(select_in(conn, current, story_aliases.c[side], wanted))
    if at is not None:
        past = select(past_aliases.c.alias, past_aliases.c.story_id).where(
            past_aliases.c.at <= at, past_aliases.c.until > at)
        rows += select_in(conn, past, past_aliases.c[side], wanted)
    return {row.alias: row.story_id for row in rows}


def moved_since(conn: Connection, at: datetime | None) -> dict[str, str]:
    """Items that an editor moved after `at`, with the story that each was filed under then; {} for None."""
    if at is None:
        return {}
    later = select(story_moves.c.item_id, story_moves.c.story_id).where(story_moves.c.until > at)
    return {row.item_id: row.story_id
            for row in conn.execute(later.order_by(story_moves.c.until.desc(), story_moves.c.edit.desc()))}


def _by(query: Select[Any], column: Column[Any], at: datetime | None) -> Select[Any]:
    """The query for rows whose time is not after `at`; None sets no limit."""
    return query if at is None else query.where(column <= at)


def select_in(conn: Connection, query: Select[Any], column: Column[Any], ids: Iterable[str]) -> Iterator[Row[Any]]:
    """The rows whose column is one of `ids`, in statements of bounded length."""
    wanted = list(ids)
    for start in range(0, len(wanted), CHUNK):
        yield from conn.execute(query.where(column.in_(wanted[start:start + CHUNK])))


def _kind(join: Join) -> StoryEventKind:
    return StoryEventKind.NEW_STORY if join.item_id == join.story_id else StoryEventKind.ITEM_JOINED


def read_join(row: Row[Any]) -> Join:
    """The join of a row of story_items."""
    return Join(row.item_id, row.story_id, row.joined_at, row.score, json.loads(row.features), row.reprint_of)


def join_row(join: Join) -> dict[str, Any]:
    """The row of story_items of a join."""
    return {"item_id": join.item_id, "story_id": join.story_id, "joined_at": join.at, "score": join.score,
            "features": json.dumps(dict(join.features), ensure_ascii=False), "reprint_of": join.reprint_of}
