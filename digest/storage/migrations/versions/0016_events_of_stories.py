"""The events of a story are found by its id: a trial of an alert rule asks for those of the stories that it hits."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_index("ix_story_events_story_id", "story_events", ["story_id"])
