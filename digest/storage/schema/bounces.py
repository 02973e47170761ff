"""What came back of sent mail, and the addresses that get none."""

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text

from digest.storage.engine import UtcDateTime
from digest.storage.schema.base import metadata

# One row for each recipient of each report, with what was understood of it.
bounces = Table(
    "bounces", metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),  # of the report and its recipient: taken in once
    Column("at", UtcDateTime, nullable=False),
    Column("origin", Text, nullable=False),  # smtp | lmtp | imap | webhook:NAME | command
    Column("kind", Text, nullable=False),  # model.BounceKind
    Column("reason", Text, nullable=False),  # "user-unknown", "mailbox-full", ...
    Column("target", Text),  # normalised address; NULL: nothing proves whose mail it was
    Column("subject", Text),  # of the delivery: edition:..., bundle:...
    Column("code", Integer),  # SMTP reply code
    Column("enhanced", Text),  # RFC 3463 status
    Column("text", Text, nullable=False),
    Column("points", Float, nullable=False),  # towards suppression, before decay
    Index("ix_bounces_target_at", "target", "at"),
)
suppressions = Table(
    "suppressions", metadata,
    Column("target", Text, primary_key=True),  # normalised address
    Column("reason", Text, nullable=False),  # bounced | complaint | operator
    Column("note", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("lifted_at", UtcDateTime),  # NULL: in force; what bounced before does not count any more
)
