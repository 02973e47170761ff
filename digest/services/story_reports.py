"""What is told of stories: lists, one story with its copies, why each item is in it, and lines for export."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from digest.model import Item, Story
from digest.pipeline.credit import credit
from digest.pipeline.joins import WhyJoined, why_joined
from digest.pipeline.story_edits import StoryEdit
from digest.storage import story_edits as edit_storage
from digest.storage.items import items_as_joined
from digest.storage.stories import family_of, joins_of, merges_of, stories_as_of, story_by_id
from digest.text.names import NO_NAMES, Names


@dataclass(frozen=True, slots=True)
class Merged:
    """A story that became part of this one: by the clusterer, with the likeness of both, or by an editor's act."""

    alias: str
    story_id: str
    at: datetime
    similarity: float
    edit: StoryEdit | None


@dataclass(frozen=True, slots=True)
class StoryReport:
    """A story and how it came about: joins name the story that the clusterer filed an item under.

    `moved`: items that an editor moved since, with that story.
    """

    story: Story
    joins: tuple[WhyJoined, ...]
    merges: tuple[Merged, ...]
    edits: tuple[StoryEdit, ...]
    moved: dict[str, str]


def listed(conn: Connection, since: datetime, until: datetime, *, largest: bool = False) -> list[Story]:
    """Stories with an item first seen in (since, until], newest first; with `largest` those of most families first."""
    stories = stories_as_of(conn, since=since, at=until)
    newest = sorted(stories, key=lambda story: (-story.items[-1].first_seen_at.timestamp(), story.id))
    return sorted(newest, key=lambda s: (-len(s.families), -len(s.items))) if largest else newest


def report(conn: Connection, story_id: str, names: Names = NO_NAMES) -> StoryReport:
    """Everything about a story, by the id that it has now. Raises NotFound."""
    story = story_by_id(conn, story_id)
    joins = joins_of(conn, story.id)
    moved = edit_storage.first_places(conn, [join.item_id for join in joins])
    items = items_as_joined(conn, [join.item_id for join in joins])
    edits = edit_storage.edits_of(conn, family_of(conn, [story.id]))
    by_number = {edit.number: edit for edit in edits}
    merges = tuple(Merged(alias, into, at, similarity, by_number.get(edit) if edit else None)
                   for alias, into, at, similarity, edit in merges_of(conn, story.id))
    as_joined = [(replace(join, story_id=moved.get(join.item_id, join.story_id)), items[join.item_id])
                 for join in joins]
    return StoryReport(story, why_joined(as_joined, names), merges, tuple(edits), moved)


def story_json(story: Story) -> dict[str, Any]:
    """A story for programs; times are ISO 8601 in UTC."""
    told = credit(story)
    return {
        "id": story.id, "title": story.items[0].title, "items": len(story.items),
        "families": sorted(story.families), "languages": sorted({item.language for item in story.items}),
        "first_seen": _iso(story.items[0].first_seen_at), "last_seen": _iso(story.items[-1].first_seen_at),
        "first_publisher": told.first.feed.source.name, "first_published": _iso(told.at), "agency": told.agency,
        "reprints": len(story.reprints),
    }


def item_json(item: Item) -> dict[str, Any]:
    """An item for programs."""
    return {
        "id": item.id, "url": item.link or item.url, "source": item.feed.source.slug,
        "family": item.feed.source.family, "agency": item.agency, "lang": item.language, "title": item.title,
        "published": _iso(item.published_at) if item.published_at else None, "first_seen": _iso(item.first_seen_at),
    }


def report_json(found: StoryReport) -> dict[str, Any]:
    """A story with its items, joins, merges and edits for programs."""
    return {
        **story_json(found.story),
        "items": [{**item_json(item), "reprint": item.id in found.story.reprints} for item in found.story.items],
        "joins": [_join_json(why) for why in found.joins],
        "merges": [{"alias": one.alias, "into": one.story_id, "at": _iso(one.at), "similarity": one.similarity,
                    "author": one.edit.author if one.edit else None} for one in found.merges],
        "edits": [{"number": edit.number, "kind": edit.kind.value, "at": _iso(edit.at), "author": edit.author,
                   "story": edit.story_id, "other": edit.other_id, "items": list(edit.items)} for edit in found.edits],
    }


def export_lines(conn: Connection, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
    """The items of the stories of a span, each with its story as `cluster`, as bench.cluster reads them."""
    for story in stories_as_of(conn, since=since, at=until):
        for item in story.items:
            text = "\n".join(block.text for block in item.text)
            yield {**item_json(item), "summary": item.summary, "text": text, "cluster": story.id}


def _join_json(why: WhyJoined) -> dict[str, Any]:
    join = why.join
    return {"item": join.item_id, "story": join.story_id, "at": _iso(join.at), "score": join.score,
            "features": dict(join.features), "shared": list(why.shared), "reprint_of": join.reprint_of}


def _iso(at: datetime) -> str:
    return at.isoformat()
