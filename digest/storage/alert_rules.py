"""Alert rules, their versions and their channels."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, exists, func, insert, or_, select, update

from digest.alert_rules import COMMAND, MAIL, STORED, AlertRule, AlertSpec, Channel, RuleVersion
from digest.model import Subscriber
from digest.storage.schema import alert_channels, alert_rule_versions, alert_rules, cursors, subscribers
from digest.storage.upsert import insert_ignore

CHANGES = "alert-rules"  # name of the counter of changes to rules and channels, kept among the cursors
CHUNK = 500  # ids in one statement


@dataclass(frozen=True, slots=True)
class NewRule:
    """A rule that is to be stored, with the (kind, target) of its channels. `owner_id` None: the desk's."""

    name: str
    owner_id: int | None
    spec: AlertSpec
    channels: Sequence[tuple[str, str]]
    author: str
    origin: str = COMMAND
    state: str = "active"


def insert_rule(conn: Connection, new: NewRule, now: datetime) -> bool:
    """Stores a rule as its version 1; False where the name is taken, and the rule of that name stays as it is."""
    spec = new.spec.model_dump_json(exclude_defaults=True)
    values = {"name": new.name, "owner_id": new.owner_id, "spec": spec, "version": 1, "created_at": now, "since": now,
              "state": new.state, "origin": new.origin}
    inserted = insert_ignore(conn, alert_rules, [values])
    if not inserted:
        return False
    rule_id = inserted[0].id
    conn.execute(insert(alert_rule_versions).values(rule_id=rule_id, version=1, at=now, author=new.author, spec=spec))
    add_channels(conn, rule_id, new.channels, now)
    _note_change(conn)
    return True


def set_spec(conn: Connection, rule: AlertRule, spec: AlertSpec, author: str, now: datetime) -> bool:
    """Makes `spec` the rule's next version; False where another process changed the rule first.

    A version that asks for something else fires on nothing that was there before it.
    """
    since = now if spec.asked != rule.spec.asked else rule.since
    text = spec.model_dump_json(exclude_defaults=True)
    statement = update(alert_rules).where(
        alert_rules.c.id == rule.id, alert_rules.c.version == rule.version, alert_rules.c.state != "removed")
    statement = statement.values(spec=text, version=rule.version + 1, since=since)
    if conn.execute(statement.returning(alert_rules.c.id)).one_or_none() is None:
        return False
    conn.execute(insert(alert_rule_versions).values(
        rule_id=rule.id, version=rule.version + 1, at=now, author=author, spec=text))
    _note_change(conn)
    return True


def rules(conn: Connection, *states: str) -> list[AlertRule]:
    """Rules in any of these states ("active", "paused", "removed"), by id."""
    return _rules(conn, alert_rules.c.state.in_(states))


def rules_by_id(conn: Connection, ids: Iterable[int]) -> dict[int, AlertRule]:
    """Rules by id, those that were removed too; unknown ids are left out."""
    return {rule.id: rule for chunk in chunks(ids) for rule in _rules(conn, alert_rules.c.id.in_(chunk))}


def rule_by_name(conn: Connection, name: str) -> AlertRule | None:
    """The rule of a name; None where there is none."""
    return next(iter(_rules(conn, alert_rules.c.name == name)), None)


def rule_by_id(conn: Connection, rule_id: int) -> AlertRule | None:
    """The rule with an id, also one that was removed; None where there is none."""
    return rules_by_id(conn, [rule_id]).get(rule_id)


def rules_of(conn: Connection, owner_id: int) -> list[AlertRule]:
    """The rules of a subscriber that are not removed, by id."""
    return _rules(conn, (alert_rules.c.owner_id == owner_id) & (alert_rules.c.state != "removed"))


def rules_to(conn: Connection, subscriber_id: int) -> list[AlertRule]:
    """The active and paused rules that a subscriber owns, or that mail to their address; by id."""
    mailed = exists().where(
        alert_channels.c.rule_id == alert_rules.c.id, alert_channels.c.kind == MAIL,
        alert_channels.c.state == "active", alert_channels.c.target == subscribers_email(subscriber_id))
    concerned = or_(alert_rules.c.owner_id == subscriber_id, mailed)
    return _rules(conn, and_(alert_rules.c.state.in_(("active", "paused")), concerned))


def subscribers_email(subscriber_id: int) -> Any:
    """A subquery: the address of a subscriber."""
    return select(subscribers.c.email).where(subscribers.c.id == subscriber_id).scalar_subquery()


def versions_of(conn: Connection, rule_id: int) -> list[RuleVersion]:
    """What a rule said, newest first."""
    query = select(alert_rule_versions).where(alert_rule_versions.c.rule_id == rule_id)
    rows = conn.execute(query.order_by(alert_rule_versions.c.version.desc()))
    return [RuleVersion(row.rule_id, row.version, row.at, row.author, _spec(row.spec))
            for row in rows]


def set_state(conn: Connection, rule_id: int, state: str, now: datetime) -> bool:
    """Makes a rule active or paused; False where it is so already, was removed or does not exist.

    One that becomes active fires on nothing that was first seen before.
    """
    statement = update(alert_rules).where(alert_rules.c.id == rule_id, alert_rules.c.state.not_in((state, "removed")))
    values = {"state": state, **({"since": now} if state == "active" else {})}
    changed = conn.execute(statement.values(values).returning(alert_rules.c.id)).one_or_none() is not None
    if changed:
        _note_change(conn)
    return changed


def remove_rule(conn: Connection, rule_id: int) -> bool:
    """Ends a rule for good and frees its name: "gas" becomes "gas #7". False where it was removed before."""
    rule = rule_by_id(conn, rule_id)
    if rule is None:
        return False
    statement = update(alert_rules).where(alert_rules.c.id == rule_id, alert_rules.c.state != "removed")
    values = {"state": "removed", "name": f"{rule.name} #{rule.id}"}
    removed = conn.execute(statement.values(values).returning(alert_rules.c.id)).one_or_none() is not None
    if removed:
        _note_change(conn)
    return removed


def forget_pending(conn: Connection, before: datetime) -> None:
    """Ends rules that were made before an instant and never confirmed. Idempotent."""
    for rule in _rules(conn, and_(alert_rules.c.state == "pending", alert_rules.c.created_at < before)):
        remove_rule(conn, rule.id)


def channels_of(conn: Connection, rule_ids: Iterable[int], *states: str) -> dict[int, list[Channel]]:
    """The channels of rules by rule id, oldest first, in any of `states` (none named: all)."""
    found: dict[int, list[Channel]] = {}
    for chunk in chunks(rule_ids):
        query = select(alert_channels).where(alert_channels.c.rule_id.in_(chunk))
        query = query.where(alert_channels.c.state.in_(states)) if states else query
        for row in conn.execute(query.order_by(alert_channels.c.id)):
            found.setdefault(row.rule_id, []).append(_channel(row))
    return found


def channel_by_id(conn: Connection, channel_id: int) -> Channel | None:
    """The channel with an id; None where there is none."""
    row = conn.execute(select(alert_channels).where(alert_channels.c.id == channel_id)).one_or_none()
    return _channel(row) if row else None


def add_channels(conn: Connection, rule_id: int, wanted: Iterable[tuple[str, str]], now: datetime) -> int:
    """Adds channels by (kind, target); returns how many are new. One that was stopped stays so: its reader left."""
    rows = [{"rule_id": rule_id, "kind": kind, "target": target, "state": "active", "created_at": now}
            for kind, target in wanted]
    return len(insert_ignore(conn, alert_channels, rows))


def drop_channels(conn: Connection, rule_id: int, kept: Iterable[tuple[str, str]]) -> None:
    """Takes away the mail channels of a rule but those in `kept`, and those that were stopped: who left stays away."""
    wanted = set(kept)
    for channel in channels_of(conn, [rule_id], "active").get(rule_id, []):
        if channel.kind == MAIL and (channel.kind, channel.target) not in wanted:
            conn.execute(delete(alert_channels).where(alert_channels.c.id == channel.id))


def stop_channel(conn: Connection, channel_id: int) -> bool:
    """Ends what goes to one target of a rule; False where it had ended."""
    statement = update(alert_channels).where(alert_channels.c.id == channel_id, alert_channels.c.state != "stopped")
    return conn.execute(statement.values(state="stopped").returning(alert_channels.c.id)).one_or_none() is not None


def changes(conn: Connection) -> int:
    """How often rules were changed so far: what was made of them is good while it stays the same."""
    query = select(cursors.c.position).where(cursors.c.name == CHANGES)
    return conn.execute(query).scalar_one_or_none() or 0


def count(conn: Connection, *states: str) -> int:
    """How many rules are in any of these states."""
    return int(conn.execute(select(func.count()).select_from(alert_rules).where(
        alert_rules.c.state.in_(states))).scalar_one())


def chunks(ids: Iterable[Any]) -> Iterator[list[Any]]:
    """The ids, each once, in lists that one statement can hold."""
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), CHUNK):
        yield wanted[start:start + CHUNK]


def _note_change(conn: Connection) -> None:
    insert_ignore(conn, cursors, [{"name": CHANGES, "position": 0}])
    conn.execute(update(cursors).where(cursors.c.name == CHANGES).values(position=cursors.c.position + 1))


def _rules(conn: Connection, condition: Any) -> list[AlertRule]:
    known_since = subscribers.c.created_at.label("known_since")
    columns = (alert_rules, subscribers.c.email, subscribers.c.consent_source, known_since)
    query = select(*columns).outerjoin(subscribers, subscribers.c.id == alert_rules.c.owner_id).where(condition)
    return [_rule(row) for row in conn.execute(query.order_by(alert_rules.c.id))]


def _rule(row: Row[Any]) -> AlertRule:
    owner = None
    if row.owner_id is not None:
        owner = Subscriber(row.owner_id, row.email, row.consent_source, row.known_since)
    return AlertRule(row.id, row.name, owner, _spec(row.spec), row.version, row.created_at,
                     row.since, row.state, row.origin)


@lru_cache(maxsize=50_000)
def _spec(text: str) -> AlertSpec:
    """A stored spec as a value, its query unread."""
    return AlertSpec.model_validate_json(text, context=STORED)


def _channel(row: Row[Any]) -> Channel:
    return Channel(row.id, row.rule_id, row.kind, row.target, row.state)
