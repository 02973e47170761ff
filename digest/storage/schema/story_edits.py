"""What editors did to stories, what waits for one, and whose copy an agency's credit makes of an item."""

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table, Text

from digest.storage.engine import UtcDateTime
from digest.storage.schema.base import metadata

# A mark on each item that has no story yet: a tick that finds none of them reads no item.
items_without_story = Table(
    "items_without_story", metadata,
    Column("item_id", String(16), primary_key=True),
)
# The log of editors' merges and splits, as model of `pipeline.story_edits.StoryEdit`.
story_edits = Table(
    "story_edits", metadata,
    Column("number", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("author", Text, nullable=False),
    Column("story_id", String(16), nullable=False, index=True),
    Column("other_id", String(16), nullable=False, index=True),
    Column("items", Text, nullable=False, server_default="[[], []]"),  # JSON: ids that left, ids that stayed
)
# Where an item was filed until an edit moved it; where it is now stands in story_items.
story_moves = Table(
    "story_moves", metadata,
    Column("item_id", String(16), ForeignKey("items.id"), primary_key=True),
    Column("edit", Integer, ForeignKey("story_edits.number"), primary_key=True),
    Column("story_id", String(16), nullable=False),
    Column("until", UtcDateTime, nullable=False, index=True),
)
# Aliases that an edit ended; those that hold stand in story_aliases.
past_aliases = Table(
    "past_aliases", metadata,
    Column("alias", String(16), primary_key=True),
    Column("edit", Integer, ForeignKey("story_edits.number"), primary_key=True),
    Column("story_id", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False, index=True),
    Column("similarity", Float, nullable=False),
    Index("ix_past_aliases_story_id", "story_id"),
)
# Stories that never merge by themselves, by ids that may be aliases now.
stories_apart = Table(
    "stories_apart", metadata,
    Column("one", String(16), primary_key=True),
    Column("other", String(16), primary_key=True),
)
# Names under which items credit an agency, and the family that such a copy counts for.
agencies = Table(
    "agencies", metadata,
    Column("name", Text, primary_key=True),
    Column("family", Text, nullable=False),
)
