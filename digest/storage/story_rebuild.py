"""What a rebuild of the stories reads, and the one transaction in which it writes."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, exists, select

from digest.model import Join, StoryEventKind
from digest.pipeline.story_book import Alias, Arrival, StoryBook
from digest.storage.schema import (
    items,
    items_without_story,
    past_aliases,
    story_aliases,
    story_events,
    story_items,
    story_moves,
)
from digest.storage.stories import CHUNK, join_row, read_join
from digest.storage.story_edits import arrival, keep_apart


def arrivals(conn: Connection) -> list[Arrival]:
    """Every item that has a story, in the order in which they were assigned."""
    columns = (story_items.c.item_id, story_items.c.joined_at, items.c.first_seen_at, items.c.feed_id, items.c.key)
    rows = conn.execute(select(*columns).join(items, items.c.id == story_items.c.item_id)).all()
    return [Arrival(row.item_id, row.joined_at, row.first_seen_at) for row in sorted(rows, key=arrival)]


def stored_joins(conn: Connection) -> Iterator[Join]:
    """The joins of the tables, in no particular order."""
    for row in conn.execute(select(story_items)):
        yield read_join(row)


def stored_aliases(conn: Connection) -> dict[str, Alias]:
    """The aliases that hold now."""
    return {row.alias: Alias(row.story_id, row.at, row.similarity, row.edit)
            for row in conn.execute(select(story_aliases))}


def replace_stories(conn: Connection, book: StoryBook, changed: Sequence[str], at: datetime) -> None:
    """Puts the book in place of what the tables say, with an event for each of the `changed` stories.

    The logs of events and edits stay. Items that neither has are marked as waiting for a story.
    """
    for table in (story_items, story_aliases, story_moves, past_aliases):
        conn.execute(delete(table))
    _insert_joins(conn, book.joins.values())
    _insert_edits(conn, book)
    keep_apart(conn, book.apart)
    if changed:
        conn.execute(story_events.insert(), [
            {"kind": StoryEventKind.STORY_REBUILT.value, "story_id": story_id, "item_id": None, "at": at}
            for story_id in changed])
    conn.execute(delete(items_without_story))
    waiting = select(items.c.id).where(~exists().where(story_items.c.item_id == items.c.id))
    conn.execute(items_without_story.insert().from_select(["item_id"], waiting))


def _insert_joins(conn: Connection, joins: Iterable[Join]) -> None:
    rows = [join_row(join) for join in joins]
    for start in range(0, len(rows), CHUNK):
        conn.execute(story_items.insert(), rows[start:start + CHUNK])


def _insert_edits(conn: Connection, book: StoryBook) -> None:
    aliases = [{"alias": alias, "story_id": one.story_id, "at": one.at, "similarity": one.similarity, "edit": one.edit}
               for alias, one in book.aliases.items()]
    moves = [{"item_id": item_id, "edit": edit, "story_id": story_id, "until": until}
             for (item_id, edit), (story_id, until) in book.moves.items()]
    past = [{"alias": alias, "edit": edit, "story_id": one.story_id, "at": one.at, "until": until,
             "similarity": one.similarity} for (alias, edit), (one, until) in book.past.items()]
    for table, rows in ((story_aliases, aliases), (story_moves, moves), (past_aliases, past)):
        if rows:
            conn.execute(table.insert(), rows)
