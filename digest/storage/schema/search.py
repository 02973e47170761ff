"""The archive's search table: the words of each item, and what of them is not indexed yet.

The index over it is `search_index`, which is no table of the metadata: FTS5 over stems and words on SQLite (and the
tables that FTS5 keeps behind it), a tsvector with GIN on PostgreSQL. The migration that makes it says more.
"""

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, String, Table, Text, text, true

from digest.storage.engine import UtcDateTime
from digest.storage.schema.base import metadata

NOT_WHOLE = text("NOT whole")

search_items = Table(
    "search_items", metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # of its row in search_index
    Column("item_id", String(16), ForeignKey("items.id"), nullable=False, unique=True),
    Column("feed_id", String(16), nullable=False),
    Column("language", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),  # published, else first seen
    Column("day", Date, nullable=False),  # of `at`, in UTC
    Column("backlog", Boolean, nullable=False),
    Column("whole", Boolean, nullable=False, server_default=true()),  # false: too long for search_index, always judged
    Column("words", Text, nullable=False),  # folded, a paragraph a line: title, summary, text
    Index("ix_search_items_feed_at", "feed_id", "at"),
    Index("ix_search_items_not_whole", "number", sqlite_where=NOT_WHOLE, postgresql_where=NOT_WHOLE),
)
# Items whose words are not in search_items yet, or not as they are now; an item may stand here twice.
search_pending = Table(
    "search_pending", metadata,
    Column("number", Integer, primary_key=True),
    Column("item_id", String(16), nullable=False),
)
# Languages of the index, with the most forms that one of their words has.
search_languages = Table(
    "search_languages", metadata,
    Column("language", Text, primary_key=True),
    Column("most_forms", Integer, nullable=False),
)
# One row: what the words of the index were made with. Other than that of the program: all is to be made anew.
search_stamp = Table(
    "search_stamp", metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("stamp", Text, nullable=False),
)
