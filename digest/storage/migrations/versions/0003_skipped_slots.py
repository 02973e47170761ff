"""Slots whose edition was never made, with the reason."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "skipped_slots",
        sa.Column("newsletter", sa.Text(), nullable=False), sa.Column("period", sa.Text(), nullable=False),
        sa.Column("date", sa.String(length=10), nullable=False), sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["newsletter"], ["newsletters.slug"], name="fk_skipped_slots_newsletter"),
        sa.PrimaryKeyConstraint("newsletter", "period", "date", name="pk_skipped_slots"),
    )
