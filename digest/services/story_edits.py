"""Editors' merges and splits of stories. Each is logged, holds against later ticks, and is undone by its opposite."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from digest.errors import ActionRefused
from digest.pipeline import story_edits as edits
from digest.pipeline.story_edits import Change, EditKind, StoryEdit
from digest.services.stories import CLUSTERER, LEASE
from digest.storage import story_edits as storage
from digest.storage.leases import release_lease, take_lease


def merge(conn: Connection, one: str, other: str, *, author: str, now: datetime, holder: str) -> StoryEdit:
    """Makes one of two stories, named by the ids that they have now; the older keeps its id.

    Raises ActionRefused where they are one already, or while somebody rebuilds the stories.
    """
    if one == other:
        raise ActionRefused(f"both are story {one}")
    older, younger = storage.by_age(conn, (one, other))
    return _record(conn, EditKind.MERGE, edits.merged(older, younger), author=author, now=now, holder=holder)


def split(conn: Connection, story_id: str, item_ids: Collection[str], *, author: str, now: datetime,
          holder: str) -> StoryEdit:
    """Makes a story of their own of some of a story's items; both stay apart until an editor merges them.

    Raises ActionRefused where an item is not of the story or none would stay, or while somebody rebuilds the stories.
    """
    change = edits.split(storage.family(conn, story_id), item_ids)
    return _record(conn, EditKind.SPLIT, change, author=author, now=now, holder=holder)


def _record(conn: Connection, kind: EditKind, change: Change, *, author: str, now: datetime,
            holder: str) -> StoryEdit:
    if not take_lease(conn, CLUSTERER, holder, now=now, until=now + LEASE):
        raise ActionRefused("the stories are being rebuilt", "try again when that is done")
    apart = storage.apart(conn)
    edits.apply_to(apart, kind, change.story_id, change.other_id)
    edit = storage.record_edit(conn, kind, change, now, author)
    storage.keep_apart(conn, apart)
    release_lease(conn, CLUSTERER, holder)
    return edit
