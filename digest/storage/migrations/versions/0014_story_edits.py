"""Editors' merges and splits of stories, items that wait for a story, and agencies' families."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "items_without_story", _id("item_id"), sa.PrimaryKeyConstraint("item_id", name="pk_items_without_story"))
    op.execute("INSERT INTO items_without_story (item_id) SELECT id FROM items WHERE NOT EXISTS "
               "(SELECT 1 FROM story_items WHERE story_items.item_id = items.id)")
    op.create_table(
        "story_edits",
        sa.Column("number", sa.Integer(), nullable=False), sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False), sa.Column("author", sa.Text(), nullable=False),
        _id("story_id"), _id("other_id"), sa.Column("items", sa.Text(), nullable=False, server_default="[[], []]"),
        sa.PrimaryKeyConstraint("number", name="pk_story_edits"),
    )
    op.create_index("ix_story_edits_story_id", "story_edits", ["story_id"])
    op.create_index("ix_story_edits_other_id", "story_edits", ["other_id"])
    _moves_and_aliases()
    op.create_table(
        "stories_apart", _id("one"), _id("other"), sa.PrimaryKeyConstraint("one", "other", name="pk_stories_apart"))
    op.create_table(
        "agencies", sa.Column("name", sa.Text(), nullable=False), sa.Column("family", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_agencies"))
    op.add_column("story_aliases", sa.Column("edit", sa.Integer(), nullable=True))


def _moves_and_aliases() -> None:
    op.create_table(
        "story_moves", _id("item_id"), sa.Column("edit", sa.Integer(), nullable=False), _id("story_id"),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_story_moves_item_id_items"),
        sa.ForeignKeyConstraint(["edit"], ["story_edits.number"], name="fk_story_moves_edit_story_edits"),
        sa.PrimaryKeyConstraint("item_id", "edit", name="pk_story_moves"),
    )
    op.create_index("ix_story_moves_until", "story_moves", ["until"])
    op.create_table(
        "past_aliases", _id("alias"), sa.Column("edit", sa.Integer(), nullable=False), _id("story_id"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("similarity", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["edit"], ["story_edits.number"], name="fk_past_aliases_edit_story_edits"),
        sa.PrimaryKeyConstraint("alias", "edit", name="pk_past_aliases"),
    )
    op.create_index("ix_past_aliases_until", "past_aliases", ["until"])
    op.create_index("ix_past_aliases_story_id", "past_aliases", ["story_id"])


def _id(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(16), nullable=False)
