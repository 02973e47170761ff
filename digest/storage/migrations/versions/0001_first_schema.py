"""First schema."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _configuration()
    _items()
    _stories()
    _ledger()
    _editions()
    _people()
    _alerts()


def _instant(name: str, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _configuration() -> None:
    op.create_table(
        "config_versions",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("author", sa.Text(), nullable=False), _instant("at"),
        sa.PrimaryKeyConstraint("version", name="pk_config_versions"),
    )
    op.create_table(
        "config_documents",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["version"], ["config_versions.version"], name="fk_config_documents_version"),
        sa.PrimaryKeyConstraint("path", "version", name="pk_config_documents"),
    )
    op.create_table(
        "sources",
        sa.Column("slug", sa.Text(), nullable=False), sa.Column("name", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False), sa.Column("tier", sa.Float(), nullable=False),
        _instant("retired_at", nullable=True), sa.PrimaryKeyConstraint("slug", name="pk_sources"),
    )
    op.create_table(
        "feeds",
        sa.Column("id", sa.String(length=16), nullable=False), sa.Column("url", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False), sa.Column("region", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True), sa.Column("body", sa.Text(), nullable=False),
        _instant("retired_at", nullable=True), sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True), sa.Column("body_sha256", sa.Text(), nullable=True),
        _instant("next_poll_at", nullable=True), _instant("lease_until", nullable=True),
        _instant("first_polled_at", nullable=True), _instant("last_polled_at", nullable=True),
        _instant("last_success_at", nullable=True),
        sa.Column("error_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_outcome", sa.Text(), nullable=True), sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["source"], ["sources.slug"], name="fk_feeds_source"),
        sa.PrimaryKeyConstraint("id", name="pk_feeds"), sa.UniqueConstraint("url", name="uq_feeds_url"),
    )
    op.create_index("ix_feeds_next_poll_at", "feeds", ["next_poll_at"])
    op.create_table(
        "newsletters",
        sa.Column("slug", sa.Text(), nullable=False), sa.Column("name", sa.Text(), nullable=False),
        _instant("retired_at", nullable=True), sa.PrimaryKeyConstraint("slug", name="pk_newsletters"),
    )
    op.create_table(
        "topics",
        sa.Column("newsletter", sa.Text(), nullable=False), sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False), sa.Column("query", sa.Text(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False), _instant("retired_at", nullable=True),
        sa.ForeignKeyConstraint(["newsletter"], ["newsletters.slug"], name="fk_topics_newsletter"),
        sa.PrimaryKeyConstraint("newsletter", "slug", name="pk_topics"),
    )


def _items() -> None:
    op.create_table(
        "poll_attempts",
        sa.Column("id", sa.Integer(), nullable=False), sa.Column("feed_id", sa.String(length=16), nullable=False),
        _instant("at"), sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("entries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("new", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name="fk_poll_attempts_feed_id"),
        sa.PrimaryKeyConstraint("id", name="pk_poll_attempts"),
    )
    op.create_index("ix_poll_attempts_feed_at", "poll_attempts", ["feed_id", "at"])
    op.create_table(
        "items",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("feed_id", sa.String(length=16), nullable=False), sa.Column("key", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False), sa.Column("link", sa.Text(), server_default="", nullable=False),
        sa.Column("canonical_url", sa.Text(), nullable=False), sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False), sa.Column("body", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=True), sa.Column("place", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False), _instant("published_at", nullable=True),
        sa.Column("published_offset_minutes", sa.Integer(), nullable=True),
        sa.Column("date_quality", sa.Text(), nullable=False), _instant("first_seen_at"),
        sa.Column("backlog", sa.Boolean(), nullable=False), sa.Column("image_url", sa.Text(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name="fk_items_feed_id"),
        sa.PrimaryKeyConstraint("id", name="pk_items"),
        sa.UniqueConstraint("feed_id", "key", name="uq_items_feed_id_key"),
    )
    op.create_index("ix_items_canonical_url", "items", ["canonical_url"])
    op.create_index("ix_items_first_seen_at", "items", ["first_seen_at"])
    op.create_index("ix_items_published_at", "items", ["published_at"])
    op.create_table(
        "item_revisions",
        sa.Column("item_id", sa.String(length=16), nullable=False), _instant("seen_at"),
        sa.Column("url", sa.Text(), nullable=False), sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False), sa.Column("body", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_item_revisions_item_id"),
        sa.PrimaryKeyConstraint("item_id", "seen_at", name="pk_item_revisions"),
    )


def _stories() -> None:
    op.create_table(
        "story_items",
        sa.Column("item_id", sa.String(length=16), nullable=False),
        sa.Column("story_id", sa.String(length=16), nullable=False), _instant("joined_at"),
        sa.Column("score", sa.Float(), nullable=False), sa.Column("features", sa.Text(), nullable=False),
        sa.Column("reprint_of", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_story_items_item_id"),
        sa.PrimaryKeyConstraint("item_id", name="pk_story_items"),
    )
    op.create_index("ix_story_items_joined_at", "story_items", ["joined_at"])
    op.create_index("ix_story_items_story_id", "story_items", ["story_id"])
    op.create_table(
        "story_aliases",
        sa.Column("alias", sa.String(length=16), nullable=False),
        sa.Column("story_id", sa.String(length=16), nullable=False), _instant("at"),
        sa.Column("similarity", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("alias", name="pk_story_aliases"),
    )
    op.create_index("ix_story_aliases_story_id", "story_aliases", ["story_id"])
    op.create_table(
        "story_events",
        sa.Column("number", sa.Integer(), nullable=False), sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("story_id", sa.String(length=16), nullable=False),
        sa.Column("item_id", sa.String(length=16), nullable=True), _instant("at"),
        sa.PrimaryKeyConstraint("number", name="pk_story_events"),
    )
    op.create_index("ix_story_events_at", "story_events", ["at"])
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False), sa.Column("holder", sa.Text(), nullable=False),
        _instant("until"), sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.create_table(
        "cursors",
        sa.Column("name", sa.Text(), nullable=False), sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_cursors"),
    )


def _ledger() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.String(length=64), nullable=False), sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False), sa.Column("text", sa.Text(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False), sa.PrimaryKeyConstraint("id", name="pk_messages"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False), sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False), sa.Column("target", sa.Text(), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("mail_id", sa.Text(), nullable=False), sa.Column("unsubscribe", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False), sa.Column("phase", sa.Text(), nullable=True),
        _instant("due_at"), _instant("next_attempt_at"), sa.Column("lease_holder", sa.Text(), nullable=True),
        _instant("lease_until", nullable=True), sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True), _instant("queued_at"), _instant("sent_at", nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_deliveries_message_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("mail_id", name="uq_deliveries_mail_id"),
        sa.UniqueConstraint("subject", "channel", "target", name="uq_deliveries_subject_channel_target"),
    )
    op.create_index("ix_deliveries_state_next", "deliveries", ["state", "next_attempt_at"])


def _editions() -> None:
    op.create_table(
        "editions",
        sa.Column("id", sa.Integer(), nullable=False), sa.Column("newsletter", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False), sa.Column("date", sa.String(length=10), nullable=False),
        sa.Column("state", sa.Text(), nullable=False), _instant("cutoff_at"), _instant("built_at"),
        sa.Column("config_version", sa.Integer(), nullable=False), sa.Column("view", sa.Text(), nullable=False),
        sa.Column("view_sha256", sa.String(length=64), nullable=False),
        sa.Column("templates", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["newsletter"], ["newsletters.slug"], name="fk_editions_newsletter"),
        sa.PrimaryKeyConstraint("id", name="pk_editions"),
        sa.UniqueConstraint("newsletter", "period", "date", name="uq_editions_newsletter_period_date"),
    )
    op.create_table(
        "edition_stories",
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("story_id", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False), sa.Column("section", sa.Text(), nullable=False),
        sa.Column("families", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_edition_stories_edition_id"),
        sa.PrimaryKeyConstraint("edition_id", "story_id", name="pk_edition_stories"),
    )
    op.create_index("ix_edition_stories_story", "edition_stories", ["story_id"])
    op.create_table(
        "edition_messages",
        sa.Column("edition_id", sa.Integer(), nullable=False), sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_edition_messages_edition_id"),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="fk_edition_messages_message_id"),
        sa.PrimaryKeyConstraint("edition_id", "variant", name="pk_edition_messages"),
    )


def _people() -> None:
    op.create_table(
        "subscribers",
        sa.Column("id", sa.Integer(), nullable=False), sa.Column("email", sa.Text(), nullable=False),
        sa.Column("consent_source", sa.Text(), nullable=False), _instant("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_subscribers"),
        sa.UniqueConstraint("email", name="uq_subscribers_email"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Integer(), nullable=False), sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("newsletter", sa.Text(), nullable=False), sa.Column("state", sa.Text(), nullable=False),
        _instant("created_at"), _instant("changed_at"), sa.Column("hidden_sections", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["newsletter"], ["newsletters.slug"], name="fk_subscriptions_newsletter"),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscribers.id"], name="fk_subscriptions_subscriber_id"),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
        sa.UniqueConstraint("subscriber_id", "newsletter", name="uq_subscriptions_subscriber_id_newsletter"),
    )


def _alerts() -> None:
    op.create_table(
        "alert_rules",
        sa.Column("id", sa.Integer(), nullable=False), sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False), sa.Column("query", sa.Text(), nullable=False),
        _instant("created_at"), sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["subscribers.id"], name="fk_alert_rules_owner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_alert_rules"),
        sa.UniqueConstraint("name", name="uq_alert_rules_name"),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer(), nullable=False), sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("story_id", sa.String(length=16), nullable=False),
        sa.Column("item_id", sa.String(length=16), nullable=False), sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False), _instant("at"),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_alerts_item_id"),
        sa.ForeignKeyConstraint(["rule_id"], ["alert_rules.id"], name="fk_alerts_rule_id"),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
        sa.UniqueConstraint("rule_id", "story_id", name="uq_alerts_rule_id_story_id"),
    )
    op.create_table(
        "bundles",
        sa.Column("id", sa.Integer(), nullable=False), sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False), _instant("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_bundles"),
    )
    op.create_table(
        "bundle_alerts",
        sa.Column("alert_id", sa.Integer(), nullable=False), sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False), sa.Column("bundle_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name="fk_bundle_alerts_alert_id"),
        sa.ForeignKeyConstraint(["bundle_id"], ["bundles.id"], name="fk_bundle_alerts_bundle_id"),
        sa.PrimaryKeyConstraint("alert_id", "channel", "target", name="pk_bundle_alerts"),
    )
