"""Alert rules, the alerts that they gave, and the bundles in which alerts are mailed."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from digest.model import Alert, AlertRule, Subscriber
from digest.storage.schema import (
    alert_rules,
    alerts,
    bundle_alerts,
    bundles,
    cursors,
    items,
    story_aliases,
    story_items,
    subscribers,
)
from digest.storage.upsert import insert_ignore

CURSOR = "alerts"  # name of the place in the log of story events up to which they were looked at
CHUNK = 500  # ids in one statement


@dataclass(frozen=True, slots=True)
class NewAlert:
    """An alert that is to be stored; the fields of `model.Alert`."""

    rule: AlertRule
    story_id: str
    item_id: str
    sentence: str
    words: tuple[str, ...]


def insert_rule(conn: Connection, name: str, owner_id: int, query: str, now: datetime) -> bool:
    """Stores an active rule; False where the name is taken, and the rule of that name stays as it is."""
    values = {"name": name, "owner_id": owner_id, "query": query, "created_at": now, "state": "active"}
    return bool(insert_ignore(conn, alert_rules, [values]))


def rules(conn: Connection, *states: str) -> list[AlertRule]:
    """Rules in any of these states ("active", "paused", "removed"), by id."""
    return _rules(conn, alert_rules.c.state.in_(states))


def rule_by_name(conn: Connection, name: str) -> AlertRule | None:
    """The rule of a name; None where there is none."""
    return next(iter(_rules(conn, alert_rules.c.name == name)), None)


def rule_by_id(conn: Connection, rule_id: int) -> AlertRule | None:
    """The rule with an id, also one that was removed; None where there is none."""
    return next(iter(_rules(conn, alert_rules.c.id == rule_id)), None)


def rules_of(conn: Connection, owner_id: int) -> list[AlertRule]:
    """The rules of a subscriber that are not removed, by id."""
    return _rules(conn, (alert_rules.c.owner_id == owner_id) & (alert_rules.c.state != "removed"))


def set_state(conn: Connection, rule_id: int, state: str) -> bool:
    """Makes a rule active or paused; False where it is so already, was removed or does not exist."""
    statement = update(alert_rules).where(alert_rules.c.id == rule_id, alert_rules.c.state.not_in((state, "removed")))
    return conn.execute(statement.values(state=state).returning(alert_rules.c.id)).one_or_none() is not None


def remove_rule(conn: Connection, rule_id: int) -> bool:
    """Ends a rule for good and frees its name: "gas" becomes "gas #7". False where it was removed before."""
    rule = rule_by_id(conn, rule_id)
    if rule is None:
        return False
    statement = update(alert_rules).where(alert_rules.c.id == rule_id, alert_rules.c.state != "removed")
    values = {"state": "removed", "name": f"{rule.name} #{rule.id}"}
    return conn.execute(statement.values(values).returning(alert_rules.c.id)).one_or_none() is not None


def counts(conn: Connection) -> dict[int, tuple[int, datetime]]:
    """How many alerts each rule gave and when the last one, by rule id; rules that gave none are left out."""
    query = select(alerts.c.rule_id, func.count().label("number"), func.max(alerts.c.at).label("last"))
    return {row.rule_id: (row.number, row.last) for row in conn.execute(query.group_by(alerts.c.rule_id))}


def advance(conn: Connection, position: int, to: int) -> bool:
    """Moves the cursor from `position`; False where another process moved it first, and nothing may be stored."""
    insert_ignore(conn, cursors, [{"name": CURSOR, "position": 0}])
    statement = update(cursors).where(cursors.c.name == CURSOR, cursors.c.position == position).values(position=to)
    return conn.execute(statement.returning(cursors.c.name)).one_or_none() is not None


def stories_of(conn: Connection, item_ids: Iterable[str]) -> dict[str, str]:
    """The story of each item, merges followed; items without a story are left out."""
    found: dict[str, str] = {}
    for chunk in _chunks(item_ids):
        query = select(story_items.c.item_id, story_items.c.story_id).where(story_items.c.item_id.in_(chunk))
        found |= {row.item_id: row.story_id for row in conn.execute(query)}
    canonical = _canonical(conn, found.values())
    return {item_id: canonical[story_id] for item_id, story_id in found.items()}


def alerted(conn: Connection, story_ids: Iterable[str]) -> set[tuple[int, str]]:
    """(rule id, story id) of stories for which a rule gave an alert, if only for a story that was merged into one."""
    names = _names(conn, story_ids)
    return {
        (row.rule_id, names[row.story_id])
        for chunk in _chunks(names)
        for row in conn.execute(select(alerts.c.rule_id, alerts.c.story_id).where(alerts.c.story_id.in_(chunk)))
    }


def insert_alerts(conn: Connection, new: Sequence[NewAlert], now: datetime) -> list[Alert]:
    """Stores alerts; returns those that are new, by id. One (rule, story) is stored once."""
    rows = [
        {"rule_id": alert.rule.id, "story_id": alert.story_id, "item_id": alert.item_id, "sentence": alert.sentence,
         "words": json.dumps(alert.words, ensure_ascii=False), "at": now}
        for alert in new
    ]
    ids = [row.id for row in insert_ignore(conn, alerts, rows)]
    rules_by_id = {alert.rule.id: alert.rule for alert in new}
    stored = [
        _alert(row, rules_by_id[row.rule_id])
        for chunk in _chunks(ids)
        for row in conn.execute(select(alerts).where(alerts.c.id.in_(chunk)))
    ]
    return sorted(stored, key=lambda alert: alert.id)


def insert_bundle(conn: Connection, channel: str, target: str, alert_ids: Sequence[int], now: datetime) -> int:
    """Stores a bundle of new alerts for one target and returns its id. An alert enters one bundle of a target."""
    values = {"channel": channel, "target": target, "created_at": now}
    bundle_id: int = conn.execute(insert(bundles).values(values).returning(bundles.c.id)).scalar_one()
    conn.execute(insert(bundle_alerts), [
        {"alert_id": alert_id, "channel": channel, "target": target, "bundle_id": bundle_id} for alert_id in alert_ids])
    return bundle_id


def archive_ids(conn: Connection, since: datetime, until: datetime) -> list[str]:
    """Ids of items seen by `until` that are dated (else first seen) after `since`, newest first, backlog too."""
    dated = func.coalesce(items.c.published_at, items.c.first_seen_at)
    query = select(items.c.id).where(dated > since, items.c.first_seen_at <= until).order_by(dated.desc(), items.c.id)
    return list(conn.execute(query).scalars())


def _rules(conn: Connection, condition: Any) -> list[AlertRule]:
    known_since = subscribers.c.created_at.label("known_since")
    columns = (alert_rules, subscribers.c.email, subscribers.c.consent_source, known_since)
    query = select(*columns).join(subscribers, subscribers.c.id == alert_rules.c.owner_id).where(condition)
    return [_rule(row) for row in conn.execute(query.order_by(alert_rules.c.id))]


def _rule(row: Row[Any]) -> AlertRule:
    owner = Subscriber(row.owner_id, row.email, row.consent_source, row.known_since)
    return AlertRule(row.id, row.name, owner, row.query, row.created_at, row.state)


def _alert(row: Row[Any], rule: AlertRule) -> Alert:
    return Alert(row.id, rule, row.story_id, row.item_id, row.sentence, tuple(json.loads(row.words)), row.at)


def _canonical(conn: Connection, story_ids: Iterable[str]) -> dict[str, str]:
    """The id under which each story stands now."""
    standing = {story_id: story_id for story_id in story_ids}
    while True:
        moved: dict[str, str] = {}
        for chunk in _chunks(standing.values()):
            query = select(story_aliases.c.alias, story_aliases.c.story_id).where(story_aliases.c.alias.in_(chunk))
            moved |= {row.alias: row.story_id for row in conn.execute(query)}
        if not moved:
            return standing
        standing = {story_id: moved.get(current, current) for story_id, current in standing.items()}


def _names(conn: Connection, story_ids: Iterable[str]) -> dict[str, str]:
    """Each story by its own id and by the ids of all stories that were merged into it."""
    names = {story_id: story_id for story_id in story_ids}
    fresh = list(names)
    while fresh:
        found: dict[str, str] = {}
        for chunk in _chunks(fresh):
            query = select(story_aliases.c.alias, story_aliases.c.story_id).where(story_aliases.c.story_id.in_(chunk))
            found |= {row.alias: names[row.story_id] for row in conn.execute(query) if row.alias not in names}
        names |= found
        fresh = list(found)
    return names


def _chunks(ids: Iterable[str] | Iterable[int]) -> Iterator[list[Any]]:
    wanted: list[Any] = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), CHUNK):
        yield wanted[start:start + CHUNK]
