"""The text of items' pages, and what robots.txt says of them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "item_articles",
        sa.Column("item_id", sa.String(16), nullable=False), sa.Column("feed_id", sa.String(16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False), sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("blocks", sa.Text(), nullable=False, server_default="[]"), sa.Column("place", sa.Text()),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name="fk_item_articles_feed_id_feeds"),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_item_articles_item_id_items"),
        sa.PrimaryKeyConstraint("item_id", name="pk_item_articles"),
    )
    op.create_index("ix_item_articles_feed_at", "item_articles", ["feed_id", "at"])
    op.create_table(
        "robots",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False), sa.Column("rules", sa.Text()),
        sa.PrimaryKeyConstraint("origin", name="pk_robots"),
    )
