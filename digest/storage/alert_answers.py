"""What people say of the alerts that they got: useful or not, and which stories they want to hear no more of."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from digest.alert_rules import Alert
from digest.storage.alert_rules import chunks
from digest.storage.alerts import alerts_by_id
from digest.storage.schema import alert_marks, alert_mutes, alerts, bundle_alerts
from digest.storage.upsert import insert_ignore


def alert_told(conn: Connection, alert_id: int, channel: str, target: str) -> Alert | None:
    """An alert that a target was told; None where it was not."""
    query = select(bundle_alerts.c.alert_id).where(
        bundle_alerts.c.alert_id == alert_id, bundle_alerts.c.channel == channel, bundle_alerts.c.target == target,
        bundle_alerts.c.bundle_id.is_not(None))
    known = conn.execute(query).one_or_none() is not None
    return next(iter(alerts_by_id(conn, [alert_id])), None) if known else None


def set_useful(conn: Connection, alert_id: int, target: str, useful: bool, at: datetime) -> None:
    """Notes what a target says of an alert, in place of what it said before. Idempotent."""
    values = {"useful": int(useful), "at": at}
    insert_ignore(conn, alert_marks, [{"alert_id": alert_id, "target": target, **values}])
    conn.execute(update(alert_marks).where(
        alert_marks.c.alert_id == alert_id, alert_marks.c.target == target).values(values))


def is_useful(conn: Connection, alert_id: int, target: str) -> bool | None:
    """What a target says of an alert; None where it said nothing."""
    said = conn.execute(select(alert_marks.c.useful).where(
        alert_marks.c.alert_id == alert_id, alert_marks.c.target == target)).scalar_one_or_none()
    return None if said is None else bool(said)


def mute(conn: Connection, channel: str, target: str, names: Collection[str], until: datetime) -> None:
    """Tells a target nothing of a story before an instant, nor what waits for it. `names` are its ids. Idempotent."""
    insert_ignore(conn, alert_mutes, [
        {"channel": channel, "target": target, "story_id": name, "until": until} for name in names])
    for chunk in chunks(names):
        conn.execute(update(alert_mutes).where(*_muted(channel, target, chunk)).values(until=until))
        conn.execute(delete(bundle_alerts).where(
            bundle_alerts.c.channel == channel, bundle_alerts.c.target == target, bundle_alerts.c.bundle_id.is_(None),
            bundle_alerts.c.alert_id.in_(select(alerts.c.id).where(alerts.c.story_id.in_(chunk)))))


def unmute(conn: Connection, channel: str, target: str, names: Collection[str]) -> None:
    """Lets a target hear of a story again, by all its ids. Idempotent."""
    for chunk in chunks(names):
        conn.execute(delete(alert_mutes).where(*_muted(channel, target, chunk)))


def _muted(channel: str, target: str, names: Collection[str]) -> tuple[Any, ...]:
    return (alert_mutes.c.channel == channel, alert_mutes.c.target == target, alert_mutes.c.story_id.in_(names))
