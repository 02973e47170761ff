"""All tables. Instants are UtcDateTime; ids of items, feeds and stories are `model.short_id`."""

from digest.storage.schema.alerts import (
    alert_channels,
    alert_marks,
    alert_mutes,
    alert_rule_versions,
    alert_rules,
    alerts,
    bundle_alerts,
    bundles,
)
from digest.storage.schema.base import metadata
from digest.storage.schema.bounces import bounces, suppressions
from digest.storage.schema.configuration import config_documents, config_versions, newsletters, sources, topics
from digest.storage.schema.editions import (
    edition_actions,
    edition_corrections,
    edition_messages,
    edition_stories,
    editions,
    skipped_slots,
)
from digest.storage.schema.ledger import deliveries, messages, send_rates
from digest.storage.schema.news import (
    cursors,
    feeds,
    item_articles,
    item_revisions,
    items,
    leases,
    poll_attempts,
    robots,
    story_aliases,
    story_events,
    story_items,
)
from digest.storage.schema.readers import (
    address_changes,
    form_posts,
    subscribers,
    subscriptions,
)

__all__ = [
    "address_changes",
    "alert_channels",
    "alert_marks",
    "alert_mutes",
    "alert_rule_versions",
    "alert_rules",
    "alerts",
    "bounces",
    "bundle_alerts",
    "bundles",
    "config_documents",
    "config_versions",
    "cursors",
    "deliveries",
    "edition_actions",
    "edition_corrections",
    "edition_messages",
    "edition_stories",
    "editions",
    "feeds",
    "form_posts",
    "item_articles",
    "item_revisions",
    "items",
    "leases",
    "messages",
    "metadata",
    "newsletters",
    "poll_attempts",
    "robots",
    "send_rates",
    "skipped_slots",
    "sources",
    "story_aliases",
    "story_events",
    "story_items",
    "subscribers",
    "subscriptions",
    "suppressions",
    "topics",
]
