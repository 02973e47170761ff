"""The search table. It is empty and its stamp nobody's, so that the next poll or search fills it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "search_items",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item_id", sa.String(16), nullable=False), sa.Column("feed_id", sa.String(16), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False), sa.Column("day", sa.Date(), nullable=False),
        sa.Column("backlog", sa.Boolean(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_search_items_item_id_items"),
        sa.PrimaryKeyConstraint("number", name="pk_search_items"),
        sa.UniqueConstraint("item_id", name="uq_search_items_item_id"),
    )
    op.create_index("ix_search_items_at", "search_items", ["at"])
    op.create_index("ix_search_items_feed_at", "search_items", ["feed_id", "at"])
    not_whole = sa.text("NOT whole")
    op.create_index("ix_search_items_not_whole", "search_items", ["number"],
                    sqlite_where=not_whole, postgresql_where=not_whole)
    op.create_table(
        "search_pending",
        sa.Column("number", sa.Integer(), nullable=False), sa.Column("item_id", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_search_pending"),
    )
    op.create_table(
        "search_languages",
        sa.Column("language", sa.Text(), nullable=False), sa.Column("most_forms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("language", name="pk_search_languages"),
    )
    op.create_table(
        "search_stamp",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stamp", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_search_stamp"),
    )
    op.execute("INSERT INTO search_stamp (number, stamp) VALUES (1, '')")
    _make_index()


def _make_index() -> None:
    """Our own words go in, so nothing but spaces may part them; the texts themselves stay in `items`.

    Without content of its own an FTS5 table takes no room for texts; rows leave it by telling what was indexed.
    """
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE TABLE search_index (number integer PRIMARY KEY, terms tsvector NOT NULL)")
        op.execute("CREATE INDEX ix_search_index_terms ON search_index USING gin (terms)")
    else:
        op.execute("CREATE VIRTUAL TABLE search_index USING fts5(stems, words, content='', tokenize='ascii')")
