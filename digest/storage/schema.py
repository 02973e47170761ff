"""All tables, one flat list. Instants are UtcDateTime; ids of items, feeds and stories are `model.short_id`."""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from digest.storage.engine import UtcDateTime

metadata = MetaData(naming_convention={
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
})

# Configuration: texts by version, mirrored as rows. A row that left the documents is retired, never deleted.
config_versions = Table(
    "config_versions", metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("author", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
config_documents = Table(
    "config_documents", metadata,
    Column("path", Text, primary_key=True),
    Column("version", Integer, ForeignKey("config_versions.version"), primary_key=True, autoincrement=False),
    Column("text", Text),  # NULL: removed in this version
)
sources = Table(
    "sources", metadata,
    Column("slug", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("family", Text, nullable=False),
    Column("tier", Float, nullable=False),
    Column("retired_at", UtcDateTime),
)
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
)
newsletters = Table(
    "newsletters", metadata,
    Column("slug", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("retired_at", UtcDateTime),
)
topics = Table(
    "topics", metadata,
    Column("newsletter", Text, ForeignKey("newsletters.slug"), primary_key=True),
    Column("slug", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("weight", Float, nullable=False),
    Column("retired_at", UtcDateTime),
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
)
story_events = Table(
    "story_events", metadata,
    Column("number", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("story_id", String(16), nullable=False),
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

# Editions
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

# People
subscribers = Table(
    "subscribers", metadata,
    Column("id", Integer, primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    Column("consent_source", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
subscriptions = Table(
    "subscriptions", metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber_id", Integer, ForeignKey("subscribers.id"), nullable=False),
    Column("newsletter", Text, ForeignKey("newsletters.slug"), nullable=False),
    Column("state", Text, nullable=False),  # pending | active | left
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("hidden_sections", Text, nullable=False),  # JSON array
    UniqueConstraint("subscriber_id", "newsletter"),
)

# Alerts
alert_rules = Table(
    "alert_rules", metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("owner_id", Integer, ForeignKey("subscribers.id"), nullable=False),
    Column("query", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("state", Text, nullable=False),  # active | paused | removed
)
alerts = Table(
    "alerts", metadata,
    Column("id", Integer, primary_key=True),
    Column("rule_id", Integer, ForeignKey("alert_rules.id"), nullable=False),
    Column("story_id", String(16), nullable=False),
    Column("item_id", String(16), ForeignKey("items.id"), nullable=False),
    Column("sentence", Text, nullable=False),
    Column("words", Text, nullable=False),  # JSON array
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("rule_id", "story_id"),
)
bundles = Table(
    "bundles", metadata,
    Column("id", Integer, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
bundle_alerts = Table(
    "bundle_alerts", metadata,
    Column("alert_id", Integer, ForeignKey("alerts.id"), primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("bundle_id", Integer, ForeignKey("bundles.id"), nullable=False),
)

# The delivery ledger
messages = Table(
    "messages", metadata,
    Column("id", String(64), primary_key=True),  # SHA-256 of the rest
    Column("subject", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("headers", Text, nullable=False),  # JSON object
)
deliveries = Table(
    "deliveries", metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("message_id", String(64), ForeignKey("messages.id"), nullable=False),
    Column("mail_id", Text, nullable=False, unique=True),  # RFC 5322 Message-ID without brackets
    Column("view_sha256", String(64)),  # editions: the approved hash of what is mailed
    Column("unsubscribe", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("phase", Text),  # NULL | claimed | data
    Column("due_at", UtcDateTime, nullable=False),
    Column("next_attempt_at", UtcDateTime, nullable=False),
    Column("lease_holder", Text),
    Column("lease_until", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text),
    Column("queued_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    UniqueConstraint("subject", "channel", "target"),
    Index("ix_deliveries_state_next", "state", "next_attempt_at"),
)
