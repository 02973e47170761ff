"""Revisions that are no first sight are marked, so that the few of them are found without reading all."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("item_revisions", sa.Column("later", sa.Boolean(), nullable=False, server_default=sa.false()))
    later = sa.text("UPDATE item_revisions SET later = :later WHERE seen_at > "
                    "(SELECT first_seen_at FROM items WHERE items.id = item_revisions.item_id)")
    op.execute(later.bindparams(later=True))
    is_later = sa.text("later")
    op.create_index("ix_item_revisions_later", "item_revisions", ["seen_at", "item_id"],
                    sqlite_where=is_later, postgresql_where=is_later)
