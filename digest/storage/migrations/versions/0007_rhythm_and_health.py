"""Each feed's rhythm, moves, pauses and suspension; what each poll cost."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """The newest item of a known feed is read from its items, so that its silence is known from the first day."""
    for column in (
        _instant("validators_at"), sa.Column("gap_seconds", sa.Integer(), nullable=True),
        sa.Column("hint_seconds", sa.Integer(), nullable=True), _instant("newest_at"), _instant("wait_until"),
        sa.Column("moved_from", sa.Text(), nullable=True), sa.Column("moved_to", sa.Text(), nullable=True),
        sa.Column("move_target", sa.Text(), nullable=True), _instant("move_since"),
        sa.Column("move_count", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("merged_into", sa.String(length=16), nullable=True), _instant("gone_since"),
        _instant("suspended_at"), _instant("paused_at"), sa.Column("note", sa.Text(), nullable=True),
    ):
        op.add_column("feeds", column)
    for name in ("failed", "milliseconds", "bytes"):
        kind = sa.Boolean() if name == "failed" else sa.Integer()
        default = sa.false() if name == "failed" else "0"
        op.add_column("poll_attempts", sa.Column(name, kind, nullable=False, server_default=default))
    op.execute("""
        UPDATE feeds SET validators_at = last_success_at, newest_at = (
            SELECT max(CASE WHEN i.published_at IS NULL THEN i.first_seen_at ELSE i.published_at END)
            FROM items i WHERE i.feed_id = feeds.id)""")


def _instant(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)
