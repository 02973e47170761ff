"""The desk: drafts, what was done to them, corrections, and the approved hash on every delivery of an edition."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

DECIDED = "state IN ('approved', 'sending', 'sent')"


def upgrade() -> None:
    _editions()
    _actions()
    _corrections()
    _hashes()


def _instant(name: str, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _editions() -> None:
    """Editions of before were approved by the program itself as they were built."""
    for column in (_instant("release_at", nullable=True), _instant("approved_at", nullable=True),
                   sa.Column("approved_by", sa.Text(), nullable=True), sa.Column("note", sa.Text(), nullable=True),
                   sa.Column("base_view", sa.Text(), nullable=True), sa.Column("pool", sa.Text(), nullable=True)):
        op.add_column("editions", column)
    op.execute("UPDATE editions SET approved_at = built_at, approved_by = 'digest', base_view = view WHERE " + DECIDED)


def _actions() -> None:
    op.create_table(
        "edition_actions",
        sa.Column("id", sa.Integer(), nullable=False), sa.Column("edition_id", sa.Integer(), nullable=False),
        _instant("at"), sa.Column("actor", sa.Text(), nullable=False), sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False), _instant("undone_at", nullable=True),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_edition_actions_edition_id"),
        sa.PrimaryKeyConstraint("id", name="pk_edition_actions"),
    )
    op.create_index("ix_edition_actions_edition_id", "edition_actions", ["edition_id"])


def _corrections() -> None:
    op.create_table(
        "edition_corrections",
        sa.Column("id", sa.Integer(), nullable=False), sa.Column("edition_id", sa.Integer(), nullable=False),
        _instant("at"), sa.Column("text", sa.Text(), nullable=False),
        sa.Column("story_id", sa.String(length=16), nullable=True), sa.Column("mailed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_edition_corrections_edition_id"),
        sa.PrimaryKeyConstraint("id", name="pk_edition_corrections"),
    )
    op.create_index("ix_edition_corrections_edition_id", "edition_corrections", ["edition_id"])


def _hashes() -> None:
    """A variant rendered before has no hash of its own; the edition's is known for every row of the ledger."""
    op.add_column("edition_messages", sa.Column("sha256", sa.String(length=64), nullable=True))
    op.add_column("deliveries", sa.Column("view_sha256", sa.String(length=64), nullable=True))
    op.execute("""
        UPDATE deliveries SET view_sha256 = (
            SELECT e.view_sha256 FROM editions e
            WHERE deliveries.subject = 'edition:' || e.newsletter || '/' || e.date
                                       || CASE e.period WHEN 'weekly' THEN '/weekly' ELSE '' END)
        WHERE subject LIKE 'edition:%'""")
