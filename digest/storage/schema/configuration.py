"""What the configuration documents say: their texts by version, mirrored as rows."""

from sqlalchemy import Column, Float, ForeignKey, Integer, Table, Text

from digest.storage.engine import UtcDateTime
from digest.storage.schema.base import metadata

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
