"""The delivery ledger."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from digest.storage.engine import UtcDateTime
from digest.storage.schema.base import metadata

WAITING = text("state IN ('queued', 'deferred')")  # as words: a partial index serves no query with parameters here

messages = Table(
    "messages", metadata,
    Column("id", String(64), primary_key=True),  # SHA-256 of the rest
    Column("subject", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("headers", Text, nullable=False),  # JSON object
)
deliveries = Table(
    "deliveries", metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("message_id", String(64), ForeignKey("messages.id"), nullable=False),
    Column("mail_id", Text, nullable=False, unique=True),  # RFC 5322 Message-ID without brackets
    Column("view_sha256", String(64)),  # editions: the approved hash of what is mailed
    Column("unsubscribe", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("phase", Text),  # NULL | claimed | data
    Column("due_at", UtcDateTime, nullable=False),
    Column("next_attempt_at", UtcDateTime, nullable=False),
    Column("lease_holder", Text),
    Column("lease_until", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text),
    Column("queued_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("urgent", Integer, nullable=False, server_default="0"),  # 1: goes before all that are not
    Column("attempted_at", UtcDateTime),  # when it was last claimed
    UniqueConstraint("subject", "channel", "target"),
    Index("ix_deliveries_state_next", "state", "next_attempt_at"),
    Index("ix_deliveries_target", "target"),  # what was mailed to one person: to show, move or erase it
    Index("ix_deliveries_waiting", "urgent", "next_attempt_at", "id", sqlite_where=WAITING, postgresql_where=WAITING),
)
send_rates = Table(
    "send_rates", metadata,
    Column("scope", Text, primary_key=True),  # server:NAME | domain:NAME
    Column("record", Text, nullable=False),  # JSON: what went when (digest.mail.rates)
    Column("changed_at", UtcDateTime, nullable=False),
)
