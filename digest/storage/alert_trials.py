"""What trials of queries read: the items of a span of time, and the stories that they are in."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, func, select

from digest.storage.alert_rules import chunks
from digest.storage.alerts import roots_of
from digest.storage.schema import items, story_items


def archive_ids(conn: Connection, since: datetime, until: datetime) -> list[str]:
    """Ids of items seen by `until` that are dated (else first seen) after `since`, newest first, backlog too."""
    dated = func.coalesce(items.c.published_at, items.c.first_seen_at)
    query = select(items.c.id).where(dated > since, items.c.first_seen_at <= until).order_by(dated.desc(), items.c.id)
    return list(conn.execute(query).scalars())


def stories_of(conn: Connection, item_ids: Iterable[str]) -> dict[str, str]:
    """The story of each item, merges followed; items without a story are left out."""
    found: dict[str, str] = {}
    for chunk in chunks(item_ids):
        query = select(story_items.c.item_id, story_items.c.story_id).where(story_items.c.item_id.in_(chunk))
        found |= {row.item_id: row.story_id for row in conn.execute(query)}
    roots = roots_of(conn, found.values())
    return {item_id: roots[story_id] for item_id, story_id in found.items()}
