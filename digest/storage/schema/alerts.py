"""Alert rules, what they found, and where it is told."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from digest.storage.engine import UtcDateTime
from digest.storage.schema.base import metadata

UNBUNDLED = text("bundle_id IS NULL")

alert_rules = Table(
    "alert_rules", metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("owner_id", Integer, ForeignKey("subscribers.id")),  # NULL: the desk
    Column("spec", Text, nullable=False),  # JSON object: what its newest version says
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("since", UtcDateTime, nullable=False),  # fires on nothing that was first seen before
    Column("state", Text, nullable=False),  # active | paused | removed | pending
    Column("origin", Text, nullable=False),  # command | web | path of the document that holds it
    Index("ix_alert_rules_owner_id", "owner_id"),
)
alert_rule_versions = Table(
    "alert_rule_versions", metadata,
    Column("rule_id", Integer, ForeignKey("alert_rules.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("author", Text, nullable=False),
    Column("spec", Text, nullable=False),
)
alert_channels = Table(
    "alert_channels", metadata,
    Column("id", Integer, primary_key=True),
    Column("rule_id", Integer, ForeignKey("alert_rules.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("state", Text, nullable=False),  # active | stopped | paused
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("rule_id", "kind", "target"),
    Index("ix_alert_channels_target", "target"),
)
alerts = Table(
    "alerts", metadata,
    Column("id", Integer, primary_key=True),
    Column("rule_id", Integer, ForeignKey("alert_rules.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("story_id", String(16), nullable=False),
    Column("item_id", String(16), ForeignKey("items.id"), nullable=False),
    Column("occasion", Text, nullable=False),  # first | id of the item that made it fire again
    Column("sentence", Text, nullable=False),
    Column("words", Text, nullable=False),  # JSON array
    Column("why", Text, nullable=False),  # JSON array of [name, detail]
    Column("at", UtcDateTime, nullable=False),
    Column("release_at", UtcDateTime, nullable=False),
    Column("held_by", Text, nullable=False),  # "" | cadence | cool-down | ceiling | quiet hours
    UniqueConstraint("rule_id", "story_id", "occasion"),
    Index("ix_alerts_story_id", "story_id"),
    Index("ix_alerts_item_id", "item_id"),
    Index("ix_alerts_rule_id_release_at", "rule_id", "release_at"),
)
bundles = Table(
    "bundles", metadata,
    Column("id", Integer, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_bundles_target", "target"),
)
bundle_alerts = Table(
    "bundle_alerts", metadata,
    Column("alert_id", Integer, ForeignKey("alerts.id"), primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("bundle_id", Integer, ForeignKey("bundles.id")),  # NULL: it waits for its release
    Index("ix_bundle_alerts_waiting", "channel", "target", sqlite_where=UNBUNDLED, postgresql_where=UNBUNDLED),
    Index("ix_bundle_alerts_bundle_id", "bundle_id"),
)
alert_marks = Table(  # what people say of an alert
    "alert_marks", metadata,
    Column("alert_id", Integer, ForeignKey("alerts.id"), primary_key=True),
    Column("target", Text, primary_key=True),
    Column("useful", Integer, nullable=False),  # 1 | 0
    Column("at", UtcDateTime, nullable=False),
)
alert_mutes = Table(  # stories that one target wants to hear no more of
    "alert_mutes", metadata,
    Column("channel", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("story_id", String(16), primary_key=True),
    Column("until", UtcDateTime, nullable=False),
)
