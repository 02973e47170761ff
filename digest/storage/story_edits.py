"""Editors' merges and splits: the log of them, what they change in the tables of stories, and who stays apart.

Tables of stories say what holds now. What an edit ends is kept beside them with its time, so that the stories as of
an earlier time can be read back.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, or_, select, update

from digest.model import StoryEventKind
from digest.pipeline.story_edits import Apart, Change, EditKind, Family, StoryEdit
from digest.storage.schema import (
    items,
    past_aliases,
    stories_apart,
    story_aliases,
    story_edits,
    story_events,
    story_items,
    story_moves,
)
from digest.storage.stories import aliases_in, family_of, roots_of, select_in

EVENTS = {EditKind.MERGE: StoryEventKind.STORIES_MERGED, EditKind.SPLIT: StoryEventKind.STORY_SPLIT}


def family(conn: Connection, story_id: str) -> Family:
    """A story, by the id that it has now, with all that was merged into it; items in order of arrival."""
    names = family_of(conn, [story_id])
    joined = select(story_items.c.item_id, story_items.c.story_id, story_items.c.joined_at, items.c.first_seen_at,
                    items.c.feed_id, items.c.key).join(items, items.c.id == story_items.c.item_id)
    rows = sorted(select_in(conn, joined, story_items.c.story_id, names), key=arrival)
    aliases = aliases_in(conn, "alias", [name for name in names if name != story_id])
    return Family(story_id, tuple((row.item_id, row.story_id) for row in rows), aliases)


def by_age(conn: Connection, story_ids: Iterable[str]) -> list[str]:
    """Stories in the order in which their founding items arrived."""
    joined = select(story_items.c.item_id, story_items.c.joined_at, items.c.first_seen_at, items.c.feed_id, items.c.key)
    rows = select_in(conn, joined.join(items, items.c.id == story_items.c.item_id), story_items.c.item_id, story_ids)
    return [row.item_id for row in sorted(rows, key=arrival)]


def arrival(row: Any) -> tuple[datetime, datetime, str, str]:
    """What rows of items are sorted by for the order in which they were assigned."""
    return row.joined_at, row.first_seen_at, row.feed_id, row.key


def record_edit(conn: Connection, kind: EditKind, change: Change, at: datetime, author: str) -> StoryEdit:
    """Writes an edit and what it changes, with an event of the story that keeps its id (of a split: of the new one)."""
    newest = conn.execute(select(func.max(story_edits.c.number))).scalar_one()
    edit = StoryEdit((newest or 0) + 1, kind, at, author, change.story_id, change.other_id, change.items,
                     change.stayed)
    conn.execute(story_edits.insert(), {
        "number": edit.number, "kind": kind.value, "at": at, "author": author, "story_id": edit.story_id,
        "other_id": edit.other_id, "items": json.dumps([edit.items, edit.stayed])})
    _move(conn, change.moved, edit)
    _end_aliases(conn, change.ended, edit)
    if change.begun:
        conn.execute(story_aliases.insert(), [
            {"alias": alias, "story_id": story_id, "at": at, "similarity": 0.0, "edit": edit.number}
            for alias, story_id in change.begun])
    told = change.other_id if kind is EditKind.SPLIT else change.story_id
    conn.execute(story_events.insert(), {"kind": EVENTS[kind].value, "story_id": told, "item_id": None, "at": at})
    return edit


def edits(conn: Connection) -> list[StoryEdit]:
    """All edits, oldest first."""
    return [_edit(row) for row in conn.execute(select(story_edits).order_by(story_edits.c.number))]


def edits_of(conn: Connection, story_ids: Iterable[str]) -> list[StoryEdit]:
    """The edits that name one of the stories, oldest first."""
    wanted = list(story_ids)
    named = or_(story_edits.c.story_id.in_(wanted), story_edits.c.other_id.in_(wanted))
    return [_edit(row) for row in conn.execute(select(story_edits).where(named).order_by(story_edits.c.number))]


def first_places(conn: Connection, item_ids: Iterable[str]) -> dict[str, str]:
    """Of items that editors moved: the story that the clusterer had filed each under."""
    rows = list(select_in(conn, select(story_moves), story_moves.c.item_id, item_ids))
    return {row.item_id: row.story_id for row in sorted(rows, key=lambda row: -row.edit)}


def apart(conn: Connection) -> Apart:
    """The stories that stay apart, by the ids that they have now."""
    pairs = [(row.one, row.other) for row in conn.execute(select(stories_apart))]
    roots = roots_of(conn, {story_id for pair in pairs for story_id in pair})
    return Apart((roots[one], roots[other]) for one, other in pairs)


def keep_apart(conn: Connection, pairs: Apart) -> None:
    """Writes which stories stay apart, in place of what was written before."""
    conn.execute(delete(stories_apart))
    if rows := [{"one": one, "other": other} for one, other in sorted(pairs.pairs())]:
        conn.execute(stories_apart.insert(), rows)


def _move(conn: Connection, moved: Iterable[tuple[str, str]], edit: StoryEdit) -> None:
    """Files items under another story, with a note of the one before."""
    wanted = dict(moved)
    if not wanted:
        return
    before = select(story_items.c.item_id, story_items.c.story_id)
    conn.execute(story_moves.insert(), [
        {"item_id": row.item_id, "edit": edit.number, "story_id": row.story_id, "until": edit.at}
        for row in select_in(conn, before, story_items.c.item_id, wanted)])
    for item_id, story_id in wanted.items():
        conn.execute(update(story_items).where(story_items.c.item_id == item_id).values(story_id=story_id))


def _end_aliases(conn: Connection, ended: Iterable[str], edit: StoryEdit) -> None:
    rows = list(select_in(conn, select(story_aliases), story_aliases.c.alias, ended))
    if not rows:
        return
    conn.execute(past_aliases.insert(), [
        {"alias": row.alias, "edit": edit.number, "story_id": row.story_id, "at": row.at, "until": edit.at,
         "similarity": row.similarity} for row in rows])
    conn.execute(delete(story_aliases).where(story_aliases.c.alias.in_([row.alias for row in rows])))


def _edit(row: Row[Any]) -> StoryEdit:
    left, stayed = json.loads(row.items)
    return StoryEdit(row.number, EditKind(row.kind), row.at, row.author, row.story_id, row.other_id, tuple(left),
                     tuple(stayed))
