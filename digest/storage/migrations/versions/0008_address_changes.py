"""Changes of address, erased subscribers, and what limits the forms of visitors."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    with op.batch_alter_table("subscribers") as table:
        table.add_column(sa.Column("erased_at", sa.DateTime(timezone=True)))
    op.create_table(
        "address_changes",
        sa.Column("id", sa.Integer(), nullable=False), sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False), sa.Column("language", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("old_confirmed_at", sa.DateTime(timezone=True)),
        sa.Column("new_confirmed_at", sa.DateTime(timezone=True)), sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscribers.id"], name="fk_address_changes_subscriber_id"),
        sa.PrimaryKeyConstraint("id", name="pk_address_changes"),
    )
    op.create_table(
        "form_posts",
        sa.Column("id", sa.Integer(), nullable=False), sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_form_posts"),
    )
    op.create_index("ix_form_posts_key_at", "form_posts", ["key", "at"])
