"""Preferences of a subscription."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("subscriptions") as table:
        table.add_column(sa.Column("frequency", sa.Text(), nullable=False, server_default="daily"))
        table.add_column(sa.Column("paused_until", sa.String(length=10)))
        table.add_column(sa.Column("hour", sa.String(length=5)))
        table.add_column(sa.Column("zone", sa.Text()))
        table.add_column(sa.Column("language", sa.Text()))
        table.add_column(sa.Column("read_languages", sa.Text(), nullable=False, server_default="[]"))
        table.add_column(sa.Column("format", sa.Text(), nullable=False, server_default="html"))
