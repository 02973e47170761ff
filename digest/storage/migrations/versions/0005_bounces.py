"""What came back of sent mail, and the addresses that get none."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "bounces",
        sa.Column("id", sa.Integer(), nullable=False), sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False), sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False), sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("target", sa.Text()), sa.Column("subject", sa.Text()), sa.Column("code", sa.Integer()),
        sa.Column("enhanced", sa.Text()), sa.Column("text", sa.Text(), nullable=False),
        sa.Column("points", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bounces"), sa.UniqueConstraint("digest", name="uq_bounces_digest"),
    )
    op.create_index("ix_bounces_target_at", "bounces", ["target", "at"])
    op.create_table(
        "suppressions",
        sa.Column("target", sa.Text(), nullable=False), sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False), sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("target", name="pk_suppressions"),
    )
