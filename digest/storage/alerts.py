"""What alert rules found: alerts, what stories they told, and the bundles in which alerts go out."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Text, and_, cast, exists, func, insert, literal, select, update

from digest.alert_rules import Alert, Trigger
from digest.model import StoryEventKind
from digest.storage.alert_rules import chunks
from digest.storage.schema import (
    alert_channels,
    alert_marks,
    alert_mutes,
    alert_rules,
    alerts,
    bundle_alerts,
    bundles,
    cursors,
    deliveries,
    story_aliases,
    story_events,
)
from digest.storage.upsert import insert_ignore

BUNDLE = literal("bundle:", Text) + cast(bundle_alerts.c.bundle_id, Text)  # subject of a bundle in the ledger
CURSOR = "alerts"  # name of the place in the log of story events up to which they were looked at


@dataclass(frozen=True, slots=True)
class NewAlert:
    """An alert that is to be stored; the fields of `alert_rules.Alert`."""

    rule_id: int
    version: int
    story_id: str
    item_id: str
    occasion: str
    sentence: str
    words: tuple[str, ...]
    why: tuple[Trigger, ...]
    at: datetime
    release_at: datetime
    held_by: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a rule did: alerts, the stories that they were of, the first and last, and what people said of them."""

    alerts: int
    stories: int
    first: datetime
    last: datetime
    useful: int = 0
    not_useful: int = 0


def advance(conn: Connection, position: int, to: int) -> bool:
    """Moves the cursor from `position`; False where another process moved it first, and nothing may be stored."""
    insert_ignore(conn, cursors, [{"name": CURSOR, "position": 0}])
    statement = update(cursors).where(cursors.c.name == CURSOR, cursors.c.position == position).values(position=to)
    return conn.execute(statement.returning(cursors.c.name)).one_or_none() is not None


def record_flag(conn: Connection, story_id: str, at: datetime) -> None:
    """Writes into the log of story events that an editor flagged a story as developing."""
    conn.execute(insert(story_events).values(
        kind=StoryEventKind.FLAGGED.value, story_id=story_id, item_id=None, at=at))


def roots_of(conn: Connection, story_ids: Iterable[str], at: datetime | None = None) -> dict[str, str]:
    """The id under which each story stands at `at` (None: now), merges followed."""
    roots = {story_id: story_id for story_id in story_ids}
    frontier: Collection[str] = list(roots)
    while frontier:
        steps = {row.alias: row.story_id for row in _aliases(conn, story_aliases.c.alias, frontier, at)}
        roots = {story_id: steps.get(root, root) for story_id, root in roots.items()}
        frontier = set(steps.values())
    return roots


def names_of(conn: Connection, roots: Iterable[str], at: datetime | None = None) -> dict[str, str]:
    """Each story by its own id and by those of all stories that were merged into it by `at` (None: now)."""
    names = {root: root for root in roots}
    fresh: Collection[str] = list(names)
    while fresh:
        found = {row.alias: names[row.story_id] for row in _aliases(conn, story_aliases.c.story_id, fresh, at)
                 if row.alias not in names}
        names |= found
        fresh = found.keys()
    return names


def told(conn: Connection, story_ids: Iterable[str], item_ids: Iterable[str], before: datetime) -> list[Alert]:
    """Alerts given up to an instant for any of these stories, or for any of these items; by id."""
    found = {alert.id: alert for column, ids in ((alerts.c.story_id, story_ids), (alerts.c.item_id, item_ids))
             for alert in _alerts(conn, column, ids, alerts.c.at <= before)}
    return [found[alert_id] for alert_id in sorted(found)]


def releases(conn: Connection, rule_ids: Iterable[int], since: datetime) -> list[Alert]:
    """Alerts of rules that are told at `since` or later, by id: what their ceilings and cool-downs count."""
    found = _alerts(conn, alerts.c.rule_id, rule_ids, alerts.c.release_at >= since)
    return sorted(found, key=lambda alert: alert.id)


def insert_alerts(conn: Connection, new: Sequence[NewAlert]) -> list[Alert]:
    """Stores alerts; returns those that are new, by id. One (rule, story, occasion) is stored once."""
    rows = [
        {"rule_id": one.rule_id, "version": one.version, "story_id": one.story_id, "item_id": one.item_id,
         "occasion": one.occasion, "sentence": one.sentence, "words": json.dumps(one.words, ensure_ascii=False),
         "why": json.dumps([[t.name, t.detail] for t in one.why], ensure_ascii=False), "at": one.at,
         "release_at": one.release_at, "held_by": one.held_by}
        for one in new
    ]
    return alerts_by_id(conn, [row.id for row in insert_ignore(conn, alerts, rows)])


def alerts_by_id(conn: Connection, ids: Iterable[int]) -> list[Alert]:
    """Alerts, by id; unknown ids are left out."""
    return sorted(_alerts(conn, alerts.c.id, ids), key=lambda alert: alert.id)


def address(conn: Connection, pairs: Sequence[tuple[int, str, str]]) -> None:
    """Notes that alerts are to go to targets, by (alert id, channel, target); each pair stands there once."""
    insert_ignore(conn, bundle_alerts, [
        {"alert_id": alert_id, "channel": channel, "target": target, "bundle_id": None}
        for alert_id, channel, target in pairs])


def due(conn: Connection, now: datetime, channels: Sequence[str], told_before: datetime) -> list[tuple[str, str]]:
    """The (channel, target) to which something is to be told by `now`, but those that got a bundle since `told_before`.

    Alerts of rules that are not active, and of channels that were stopped, are left out here and in `waiting`.
    """
    recent = exists().where(bundles.c.channel == bundle_alerts.c.channel, bundles.c.target == bundle_alerts.c.target,
                            bundles.c.created_at >= told_before)
    query = select(bundle_alerts.c.channel, bundle_alerts.c.target).distinct().select_from(_joined())
    query = query.where(*_open(channels), alerts.c.release_at <= now, ~recent)
    return [(row.channel, row.target) for row in conn.execute(
        query.order_by(bundle_alerts.c.channel, bundle_alerts.c.target))]


def waiting(conn: Connection, channel: str, target: str, now: datetime) -> list[Alert]:
    """What is to be told to a target: alerts due by `now`, and what waits on the same stories. In order of time."""
    query = select(alerts).select_from(_joined()).where(*_open([channel]), bundle_alerts.c.target == target)
    rows = conn.execute(query.order_by(alerts.c.at, alerts.c.id)).all()
    stories = {row.story_id for row in rows if row.release_at <= now}
    return [_alert(row) for row in rows if row.story_id in stories]


def claim(conn: Connection, channel: str, target: str, alert_ids: Sequence[int], now: datetime) -> int | None:
    """A new bundle of waiting alerts for a target; None where another process bundled one of them first.

    The caller must then give its transaction up.
    """
    values = {"channel": channel, "target": target, "created_at": now}
    bundle_id: int = conn.execute(insert(bundles).values(values).returning(bundles.c.id)).scalar_one()
    taken = 0
    for chunk in chunks(alert_ids):
        statement = update(bundle_alerts).where(
            bundle_alerts.c.channel == channel, bundle_alerts.c.target == target, bundle_alerts.c.alert_id.in_(chunk),
            bundle_alerts.c.bundle_id.is_(None)).values(bundle_id=bundle_id)
        taken += len(conn.execute(statement.returning(bundle_alerts.c.alert_id)).all())
    return bundle_id if taken == len(alert_ids) else None


def first_mails(conn: Connection, channel: str, target: str, names: Mapping[str, str]) -> dict[str, str]:
    """The Message-ID of the first mail that told a target of each story, by the root in `names`; before its first
    attempt that is the part before the @ alone.
    """
    joined = alerts.join(bundle_alerts, bundle_alerts.c.alert_id == alerts.c.id).join(
        deliveries, and_(deliveries.c.subject == BUNDLE, deliveries.c.channel == channel,
                         deliveries.c.target == target))
    found: dict[str, str] = {}
    for chunk in chunks(names):
        query = select(alerts.c.story_id, deliveries.c.mail_id).select_from(joined).where(
            bundle_alerts.c.channel == channel, bundle_alerts.c.target == target, alerts.c.story_id.in_(chunk))
        for row in conn.execute(query.order_by(bundle_alerts.c.bundle_id)):
            found.setdefault(names[row.story_id], row.mail_id)
    return found


def muted(conn: Connection, names: Iterable[str], at: datetime) -> set[tuple[str, str, str]]:
    """(channel, target, story id) of the mutes of any of these stories that are in force."""
    return {(row.channel, row.target, row.story_id)
            for chunk in chunks(names)
            for row in conn.execute(select(alert_mutes).where(
                alert_mutes.c.story_id.in_(chunk), alert_mutes.c.until > at))}


def counts(conn: Connection, rule_ids: Iterable[int]) -> dict[int, Counts]:
    """What rules did so far, by rule id; rules that gave no alert are left out."""
    found: dict[int, Counts] = {}
    for chunk in chunks(rule_ids):
        query = select(
            alerts.c.rule_id, func.count().label("alerts"), func.count(alerts.c.story_id.distinct()).label("stories"),
            func.min(alerts.c.at).label("first"), func.max(alerts.c.at).label("last"),
        ).where(alerts.c.rule_id.in_(chunk)).group_by(alerts.c.rule_id)
        marks = {(row.rule_id, row.useful): row.number for row in conn.execute(select(
            alerts.c.rule_id, alert_marks.c.useful, func.count().label("number"),
        ).join(alert_marks, alert_marks.c.alert_id == alerts.c.id).where(alerts.c.rule_id.in_(chunk)).group_by(
            alerts.c.rule_id, alert_marks.c.useful))}
        found |= {row.rule_id: Counts(row.alerts, row.stories, row.first, row.last, marks.get((row.rule_id, 1), 0),
                                      marks.get((row.rule_id, 0), 0)) for row in conn.execute(query)}
    return found


def log(conn: Connection, *, rule_id: int | None = None, since: datetime | None = None,
        limit: int | None = None) -> list[tuple[Alert, str]]:
    """Alerts with the names of their rules, newest first."""
    query = select(alerts, alert_rules.c.name).join(alert_rules, alert_rules.c.id == alerts.c.rule_id)
    query = query.where(alerts.c.rule_id == rule_id) if rule_id is not None else query
    query = query.where(alerts.c.at >= since) if since is not None else query
    rows = conn.execute(query.order_by(alerts.c.at.desc(), alerts.c.id.desc()).limit(limit))
    return [(_alert(row), row.name) for row in rows]


def fates(conn: Connection, alert_ids: Iterable[int]) -> dict[int, list[tuple[str, str, str]]]:
    """By alert id, (channel, target, state) of each target; the state is "waiting" or the delivery's."""
    same = and_(deliveries.c.subject == BUNDLE, deliveries.c.channel == bundle_alerts.c.channel,
                deliveries.c.target == bundle_alerts.c.target)
    found: dict[int, list[tuple[str, str, str]]] = {}
    for chunk in chunks(alert_ids):
        query = select(bundle_alerts, deliveries.c.state).outerjoin(deliveries, same).where(
            bundle_alerts.c.alert_id.in_(chunk)).order_by(bundle_alerts.c.channel, bundle_alerts.c.target)
        for row in conn.execute(query):
            found.setdefault(row.alert_id, []).append((row.channel, row.target, row.state or "waiting"))
    return found


def alert_times(conn: Connection, rule_ids: Iterable[int]) -> dict[int, list[datetime]]:
    """When each rule's alerts were given, oldest first; rules that gave none are left out."""
    found: dict[int, list[datetime]] = {}
    for chunk in chunks(rule_ids):
        query = select(alerts.c.rule_id, alerts.c.at).where(alerts.c.rule_id.in_(chunk))
        for row in conn.execute(query.order_by(alerts.c.at, alerts.c.id)):
            found.setdefault(row.rule_id, []).append(row.at)
    return found


def _joined() -> Any:
    same = and_(alert_channels.c.rule_id == alerts.c.rule_id, alert_channels.c.kind == bundle_alerts.c.channel,
                alert_channels.c.target == bundle_alerts.c.target)
    return (bundle_alerts.join(alerts, alerts.c.id == bundle_alerts.c.alert_id)
            .join(alert_rules, alert_rules.c.id == alerts.c.rule_id).join(alert_channels, same))


def _open(channels: Sequence[str]) -> tuple[Any, ...]:
    return (bundle_alerts.c.bundle_id.is_(None), bundle_alerts.c.channel.in_(channels),
            alert_rules.c.state == "active", alert_channels.c.state == "active")


def _aliases(conn: Connection, column: Any, ids: Iterable[str], at: datetime | None) -> list[Any]:
    query = select(story_aliases.c.alias, story_aliases.c.story_id)
    query = query if at is None else query.where(story_aliases.c.at <= at)
    return [row for chunk in chunks(ids) for row in conn.execute(query.where(column.in_(chunk)))]


def _alerts(conn: Connection, column: Any, ids: Iterable[Any], *conditions: Any) -> list[Alert]:
    return [_alert(row) for chunk in chunks(ids)
            for row in conn.execute(select(alerts).where(column.in_(chunk), *conditions))]


def _alert(row: Row[Any]) -> Alert:
    why = tuple(Trigger(name, detail) for name, detail in json.loads(row.why))
    return Alert(row.id, row.rule_id, row.version, row.story_id, row.item_id, row.occasion, row.sentence,
                 tuple(json.loads(row.words)), why, row.at, row.release_at, row.held_by)
