"""When all readers of an edition stood in the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    with op.batch_alter_table("editions") as table:
        table.add_column(sa.Column("queued_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE editions SET queued_at = built_at WHERE state IN ('sending', 'sent')")
