"""Finding stories: by the beginning of an id."""

import re
from collections.abc import Sequence

from sqlalchemy import Column, Connection, select

from digest.errors import NotFound
from digest.storage.schema import past_aliases, story_aliases, story_items
from digest.storage.stories import roots_of

CANDIDATES = 10  # that an ambiguous id names


def find_story(conn: Connection, prefix: str) -> str:
    """The id of the story that the beginning of an id leads to: a story's, a former story's, or one of its items'.

    Raises NotFound where there is none, or where several stories have such an id; `known` are theirs.
    """
    columns = (story_items.c.story_id, story_aliases.c.alias, past_aliases.c.alias)
    ids = {found for column in columns for found in _beginning(conn, column, prefix)}
    stories = sorted(set(roots_of(conn, ids).values()))
    if not stories:
        own = select(story_items.c.story_id).where(story_items.c.item_id.in_(_beginning(
            conn, story_items.c.item_id, prefix)))
        stories = sorted(set(roots_of(conn, conn.execute(own).scalars()).values()))
    if len(stories) > 1 and prefix not in stories:
        raise NotFound("one story", prefix, tuple(stories[:CANDIDATES]), f"{len(stories)} stories begin so: say more")
    if not stories:
        raise NotFound("story", prefix, hint="digest stories list shows them")
    return prefix if prefix in stories else stories[0]


def find_items(conn: Connection, story_items_ids: Sequence[str], prefixes: Sequence[str]) -> list[str]:
    """The items of a story that the beginnings of ids mean. Raises NotFound for one that means none or several."""
    found = []
    for prefix in prefixes:
        own = [item_id for item_id in story_items_ids if item_id.startswith(prefix)]
        if len(own) != 1:
            raise NotFound("item of the story", prefix, tuple((own or list(story_items_ids))[:CANDIDATES]))
        found += own
    return found


def _beginning(conn: Connection, column: Column[str], prefix: str) -> list[str]:
    """The values of a column of ids that begin so; none where it is no beginning of an id."""
    if not re.fullmatch(r"[0-9a-f]{1,16}", prefix):
        return []
    query = select(column).distinct().where(column >= prefix, column < prefix + "g")
    return list(conn.execute(query).scalars())
