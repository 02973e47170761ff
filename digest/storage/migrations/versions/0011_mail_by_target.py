"""What was mailed to an address, without a look at every other mail."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_index("ix_deliveries_target", "deliveries", ["target"])
