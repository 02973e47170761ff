"""Editions and what was done to them."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from digest.storage.engine import UtcDateTime
from digest.storage.schema.base import metadata

editions = Table(
    "editions", metadata,
    Column("id", Integer, primary_key=True),
    Column("newsletter", Text, ForeignKey("newsletters.slug"), nullable=False),
    Column("period", Text, nullable=False),  # daily | weekly
    Column("date", String(10), nullable=False),  # ISO day in the newsletter's zone
    Column("state", Text, nullable=False),  # draft | approved | sending | sent | skipped | cancelled
    Column("cutoff_at", UtcDateTime, nullable=False),
    Column("built_at", UtcDateTime, nullable=False),
    Column("config_version", Integer, nullable=False),
    Column("view", Text, nullable=False),  # canonical JSON of the view model as it stands
    Column("view_sha256", String(64), nullable=False),  # of `view`; an approval binds it
    Column("templates", Text, nullable=False),  # JSON: template name -> text
    Column("release_at", UtcDateTime),
    Column("approved_at", UtcDateTime),  # NULL: nobody has, or it was changed since
    Column("approved_by", Text),
    Column("queued_at", UtcDateTime),  # NULL: not all of its readers stand in the ledger
    Column("note", Text),  # why it was skipped, cancelled or held
    Column("base_view", Text),  # the view as it was built, before anything was changed at the desk
    Column("pool", Text),  # JSON: the frozen working set of the desk (pipeline/working.py)
    UniqueConstraint("newsletter", "period", "date"),
)
# What was done to an edition, oldest first. Changes at the desk are applied to `base_view`, undone ones are not.
edition_actions = Table(
    "edition_actions", metadata,
    Column("id", Integer, primary_key=True),
    Column("edition_id", Integer, ForeignKey("editions.id"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("payload", Text, nullable=False),  # JSON object
    Column("undone_at", UtcDateTime),
)
edition_corrections = Table(
    "edition_corrections", metadata,
    Column("id", Integer, primary_key=True),
    Column("edition_id", Integer, ForeignKey("editions.id"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("text", Text, nullable=False),
    Column("story_id", String(16)),  # NULL: about the edition as a whole
    Column("mailed", Boolean, nullable=False),  # whether it was also sent to those who got the edition
)
edition_stories = Table(
    "edition_stories", metadata,
    Column("edition_id", Integer, ForeignKey("editions.id"), primary_key=True),
    Column("story_id", String(16), primary_key=True),
    Column("position", Integer, nullable=False),  # 0 is the lead
    Column("section", Text, nullable=False),  # lead | section key | rest
    Column("families", Text, nullable=False),  # JSON array: independent families when it was sent
    Index("ix_edition_stories_story", "story_id"),
)
edition_messages = Table(
    "edition_messages", metadata,
    Column("edition_id", Integer, ForeignKey("editions.id"), primary_key=True),
    Column("variant", Text, primary_key=True),  # "default" until readers hide sections
    Column("message_id", String(64), ForeignKey("messages.id"), nullable=False),
    Column("sha256", String(64)),  # of the variant as rendered, before personal places are filled
)
# Releases for which no edition was made, and why.
skipped_slots = Table(
    "skipped_slots", metadata,
    Column("newsletter", Text, ForeignKey("newsletters.slug"), primary_key=True),
    Column("period", Text, primary_key=True),
    Column("date", String(10), primary_key=True),
    Column("note", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
