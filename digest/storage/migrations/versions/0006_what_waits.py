"""What waits in the ledger, by urgency and time."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("urgent", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("deliveries", sa.Column("attempted_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE deliveries SET urgent = 1 WHERE subject NOT LIKE 'edition:%'")
    waiting = sa.text("state IN ('queued', 'deferred')")
    op.create_index("ix_deliveries_waiting", "deliveries", ["urgent", "next_attempt_at", "id"],
                    sqlite_where=waiting, postgresql_where=waiting)
