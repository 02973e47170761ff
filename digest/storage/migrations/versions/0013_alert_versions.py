"""Alert rules with versions, channels and policy; alerts that may come again; bundles that wait for their hour."""

import json
from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

TABLES = ("bundle_alerts", "alerts", "alert_rules")  # children first


def upgrade() -> None:
    """Tables are made anew, as SQLite cannot drop a constraint; each rule becomes version 1 of itself."""
    for table in TABLES:
        op.execute(f"CREATE TABLE old_{table} AS SELECT * FROM {table}")
    for table in TABLES:
        op.drop_table(table)
    _rules()
    _alerts()
    _feedback()
    op.create_index("ix_bundles_target", "bundles", ["target"])
    _copy()
    for table in TABLES:
        op.drop_table(f"old_{table}")


def _instant(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _number(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _foreign(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}")


def _rules() -> None:
    op.create_table(
        "alert_rules", *_number("id"), *_text("name"), sa.Column("owner_id", sa.Integer(), nullable=True),
        *_text("spec"), *_number("version"), _instant("created_at"), _instant("since"), *_text("state", "origin"),
        _key("alert_rules", "id"), _foreign("alert_rules", "owner_id", "subscribers.id"),
        sa.UniqueConstraint("name", name="uq_alert_rules_name"))
    op.create_index("ix_alert_rules_owner_id", "alert_rules", ["owner_id"])
    op.create_table(
        "alert_rule_versions", *_number("rule_id"),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False), _instant("at"),
        *_text("author", "spec"), _key("alert_rule_versions", "rule_id", "version"),
        _foreign("alert_rule_versions", "rule_id", "alert_rules.id"))
    op.create_table(
        "alert_channels", *_number("id", "rule_id"), *_text("kind", "target", "state"), _instant("created_at"),
        _key("alert_channels", "id"), _foreign("alert_channels", "rule_id", "alert_rules.id"),
        sa.UniqueConstraint("rule_id", "kind", "target", name="uq_alert_channels_rule_id_kind_target"))
    op.create_index("ix_alert_channels_target", "alert_channels", ["target"])


def _alerts() -> None:
    op.create_table(
        "alerts", *_number("id", "rule_id", "version"), sa.Column("story_id", sa.String(16), nullable=False),
        sa.Column("item_id", sa.String(16), nullable=False), *_text("occasion", "sentence", "words", "why"),
        _instant("at"), _instant("release_at"), *_text("held_by"), _key("alerts", "id"),
        _foreign("alerts", "rule_id", "alert_rules.id"), _foreign("alerts", "item_id", "items.id"),
        sa.UniqueConstraint("rule_id", "story_id", "occasion", name="uq_alerts_rule_id_story_id_occasion"))
    op.create_index("ix_alerts_story_id", "alerts", ["story_id"])
    op.create_index("ix_alerts_item_id", "alerts", ["item_id"])
    op.create_index("ix_alerts_rule_id_release_at", "alerts", ["rule_id", "release_at"])
    op.create_table(
        "bundle_alerts", *_number("alert_id"), *_text("channel", "target"),
        sa.Column("bundle_id", sa.Integer(), nullable=True), _key("bundle_alerts", "alert_id", "channel", "target"),
        _foreign("bundle_alerts", "alert_id", "alerts.id"), _foreign("bundle_alerts", "bundle_id", "bundles.id"))
    waiting = sa.text("bundle_id IS NULL")
    op.create_index("ix_bundle_alerts_waiting", "bundle_alerts", ["channel", "target"], sqlite_where=waiting,
                    postgresql_where=waiting)
    op.create_index("ix_bundle_alerts_bundle_id", "bundle_alerts", ["bundle_id"])


def _feedback() -> None:
    op.create_table(
        "alert_marks", *_number("alert_id"), *_text("target"), *_number("useful"), _instant("at"),
        _key("alert_marks", "alert_id", "target"), _foreign("alert_marks", "alert_id", "alerts.id"))
    op.create_table(
        "alert_mutes", *_text("channel", "target"), sa.Column("story_id", sa.String(16), nullable=False),
        _instant("until"), _key("alert_mutes", "channel", "target", "story_id"))


def _copy() -> None:
    conn = op.get_bind()
    for row in conn.execute(sa.text("SELECT id, query FROM old_alert_rules")).all():
        spec = {"id": row.id, "spec": json.dumps({"query": row.query or "erased"}, ensure_ascii=False)}
        conn.execute(sa.text(
            "INSERT INTO alert_rules (id, name, owner_id, spec, version, created_at, since, state, origin)"
            " SELECT id, name, owner_id, :spec, 1, created_at, created_at, state, 'command' FROM old_alert_rules"
            " WHERE id = :id"), spec)
    op.execute("INSERT INTO alert_rule_versions (rule_id, version, at, author, spec)"
               " SELECT id, 1, created_at, 'operator', spec FROM alert_rules")
    op.execute("INSERT INTO alert_channels (rule_id, kind, target, state, created_at)"
               " SELECT r.id, 'mail', s.email, 'active', r.created_at FROM alert_rules r"
               " JOIN subscribers s ON s.id = r.owner_id")
    op.execute("INSERT INTO alerts (id, rule_id, version, story_id, item_id, occasion, sentence, words, why, at,"
               " release_at, held_by) SELECT id, rule_id, 1, story_id, item_id, 'first', sentence, words,"
               " '[[\"first\", \"\"]]', at, at, '' FROM old_alerts")
    op.execute("INSERT INTO bundle_alerts (alert_id, channel, target, bundle_id)"
               " SELECT alert_id, channel, target, bundle_id FROM old_bundle_alerts")
    if conn.dialect.name == "postgresql":
        for table in ("alert_rules", "alerts"):
            op.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
