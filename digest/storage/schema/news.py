"""Feeds, items and the stories that they tell."""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from digest.storage.engine import UtcDateTime
from digest.storage.schema.base import metadata

LATER = text("later")  # of a revision: no first sight

feeds = Table(
    "feeds", metadata,
    Column("id", String(16), primary_key=True),
    Column("url", Text, nullable=False, unique=True),
    Column("source", Text, ForeignKey("sources.slug"), nullable=False),
    Column("region", Text),
    Column("language", Text),
    Column("body", Text, nullable=False),
    Column("retired_at", UtcDateTime),
    # poll state
    Column("etag", Text),
    Column("last_modified", Text),
    Column("body_sha256", Text),
    Column("next_poll_at", UtcDateTime, index=True),  # NULL: due now
    Column("lease_until", UtcDateTime),
    Column("first_polled_at", UtcDateTime),  # first answer that parsed
    Column("last_polled_at", UtcDateTime),
    Column("last_success_at", UtcDateTime),
    Column("error_count", Integer, nullable=False, server_default="0"),
    Column("last_outcome", Text),
    Column("last_error", Text),
    Column("validators_at", UtcDateTime),  # when etag and last_modified were given
    Column("wait_until", UtcDateTime),  # asked by the server (Retry-After): not polled before by anybody
    # rhythm
    Column("gap_seconds", Integer),  # median time between its newest items
    Column("hint_seconds", Integer),  # how seldom document and answer ask to be polled
    Column("newest_at", UtcDateTime),  # when its newest item was published, or first seen where undated
    # moves: what permanent redirects of late say, and what came of it
    Column("move_target", Text),
    Column("move_since", UtcDateTime),
    Column("move_count", Integer, nullable=False, server_default="0"),
    Column("moved_from", Text),  # the address of the documents that has moved
    Column("moved_to", Text),  # polled in its place
    Column("merged_into", String(16)),  # id of the feed that it has become
    # what stops it
    Column("gone_since", UtcDateTime),  # first 404 or 410 since it was last read
    Column("suspended_at", UtcDateTime),
    Column("paused_at", UtcDateTime),  # by the operator
    Column("note", Text),  # why it is suspended, paused, moved or merged
)

# Polling and items
poll_attempts = Table(
    "poll_attempts", metadata,
    Column("id", Integer, primary_key=True),
    Column("feed_id", String(16), ForeignKey("feeds.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
    Column("entries", Integer, nullable=False, server_default="0"),
    Column("new", Integer, nullable=False, server_default="0"),
    Column("failed", Boolean, nullable=False, server_default=false()),
    Column("milliseconds", Integer, nullable=False, server_default="0"),  # from the request to its outcome
    Column("bytes", Integer, nullable=False, server_default="0"),  # of the document, unpacked
    Index("ix_poll_attempts_feed_at", "feed_id", "at"),
)
items = Table(
    "items", metadata,
    Column("id", String(16), primary_key=True),
    Column("feed_id", String(16), ForeignKey("feeds.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("link", Text, nullable=False, server_default=""),
    Column("canonical_url", Text, nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("body", Text, nullable=False),  # JSON array of [kind, text]
    Column("agency", Text),
    Column("place", Text),
    Column("language", Text, nullable=False),
    Column("published_at", UtcDateTime, index=True),
    Column("published_offset_minutes", Integer),
    Column("date_quality", Text, nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False, index=True),
    Column("backlog", Boolean, nullable=False),
    Column("image_url", Text),
    Column("tags", Text, nullable=False),  # JSON array
    Column("content_hash", String(16), nullable=False),
    UniqueConstraint("feed_id", "key"),
)
# What had been seen of an item by a time: one row at first sight and one for each change.
item_revisions = Table(
    "item_revisions", metadata,
    Column("item_id", String(16), ForeignKey("items.id"), primary_key=True),
    Column("seen_at", UtcDateTime, primary_key=True),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("content_hash", String(16), nullable=False),
    Column("later", Boolean, nullable=False, server_default=false()),  # than the first sight: it was rewritten
    Index("ix_item_revisions_later", "seen_at", "item_id", sqlite_where=LATER, postgresql_where=LATER),
)
# Pages of items: one row for each that was to be fetched, whatever came of it. Its text counts from `at` on, and is
# written before the item has a story or never.
item_articles = Table(
    "item_articles", metadata,
    Column("item_id", String(16), ForeignKey("items.id"), primary_key=True),
    Column("feed_id", String(16), ForeignKey("feeds.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),  # when it was claimed, then when it was fetched
    Column("outcome", Text, nullable=False),
    Column("blocks", Text, nullable=False, server_default="[]"),  # JSON array of [kind, text]
    Column("place", Text),  # of its dateline
    Index("ix_item_articles_feed_at", "feed_id", "at"),
)
robots = Table(
    "robots", metadata,
    Column("origin", Text, primary_key=True),  # scheme://host[:port]
    Column("fetched_at", UtcDateTime, nullable=False),
    Column("rules", Text),  # NULL: could not be read, so nothing may be fetched
)

# Stories: the join is never rewritten; a merge is an alias with its time, so that "as of T" can be told.
story_items = Table(
    "story_items", metadata,
    Column("item_id", String(16), ForeignKey("items.id"), primary_key=True),
    Column("story_id", String(16), nullable=False, index=True),
    Column("joined_at", UtcDateTime, nullable=False, index=True),
    Column("score", Float, nullable=False),
    Column("features", Text, nullable=False),  # JSON object: name -> points
    Column("reprint_of", String(16)),
)
story_aliases = Table(
    "story_aliases", metadata,
    Column("alias", String(16), primary_key=True),
    Column("story_id", String(16), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("similarity", Float, nullable=False),
    Column("edit", Integer),  # number of the editor's act that made it; NULL: the clusterer
)
story_events = Table(
    "story_events", metadata,
    Column("number", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("story_id", String(16), nullable=False, index=True),
    Column("item_id", String(16)),
    Column("at", UtcDateTime, nullable=False, index=True),
)
leases = Table(
    "leases", metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", UtcDateTime, nullable=False),
)
# How far a reader of the event log has come ("alerts").
cursors = Table(
    "cursors", metadata,
    Column("name", Text, primary_key=True),
    Column("position", Integer, nullable=False),
)
