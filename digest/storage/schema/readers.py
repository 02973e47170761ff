"""People and what they read."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from digest.storage.engine import UtcDateTime
from digest.storage.schema.base import metadata

subscribers = Table(
    "subscribers", metadata,
    Column("id", Integer, primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    Column("consent_source", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("erased_at", UtcDateTime),  # then the email is "erased-ID", and the row only keeps its ids from new use
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
    Column("frequency", Text, nullable=False, server_default="daily"),  # daily | weekdays | weekly
    Column("paused_until", String(10)),  # ISO date of the first edition after a pause; NULL: not paused
    Column("hour", String(5)),  # HH:MM; NULL: at release
    Column("zone", Text),  # NULL: the newsletter's
    Column("language", Text),  # NULL: the newsletter's
    Column("read_languages", Text, nullable=False, server_default="[]"),  # JSON array; []: the newsletter's
    Column("format", Text, nullable=False, server_default="html"),  # html | text
    UniqueConstraint("subscriber_id", "newsletter"),
)
address_changes = Table(
    "address_changes", metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber_id", Integer, ForeignKey("subscribers.id"), nullable=False),
    Column("email", Text, nullable=False),  # the new one
    Column("language", Text, nullable=False),  # of its mails and pages
    Column("asked_at", UtcDateTime, nullable=False),
    Column("old_confirmed_at", UtcDateTime),
    Column("new_confirmed_at", UtcDateTime),
    Column("state", Text, nullable=False),  # open | done | cancelled
)
form_posts = Table(
    "form_posts", metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(64), nullable=False),  # keyed hash of a limit and of whom it counts
    Column("at", UtcDateTime, nullable=False),
    Index("ix_form_posts_key_at", "key", "at"),
)
