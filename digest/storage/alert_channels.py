"""Channels of alert rules that are no mail: made, paused, taken away, and how those do that bundles go to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, delete, exists, func, select, update

from digest.alert_rules import Channel
from digest.model import DeliveryState
from digest.storage.alert_rules import channel_by_id
from digest.storage.schema import alert_channels, deliveries

UNSENT = (DeliveryState.DEFERRED.value, DeliveryState.FAILED.value)


@dataclass(frozen=True, slots=True)
class Record:
    """What went to a target of a channel. `error` is the newest one of what is not sent yet; "" where there is none."""

    sent: int
    waiting: int
    failed: int
    uncertain: int
    last_sent_at: datetime | None
    error: str


def find(conn: Connection, kind: str, target: str) -> Channel | None:
    """The oldest channel with a target, whatever its state; None where there is none."""
    query = select(alert_channels.c.id).where(alert_channels.c.kind == kind, alert_channels.c.target == target)
    channel_id = conn.execute(query.order_by(alert_channels.c.id).limit(1)).scalar_one_or_none()
    return channel_by_id(conn, channel_id) if channel_id is not None else None


def set_state(conn: Connection, channel_id: int, state: str) -> bool:
    """Makes a channel active, paused or stopped; False where it is so already."""
    statement = update(alert_channels).where(alert_channels.c.id == channel_id, alert_channels.c.state != state)
    return conn.execute(statement.values(state=state).returning(alert_channels.c.id)).one_or_none() is not None


def remove(conn: Connection, channel_id: int) -> None:
    """Takes a channel away; what waits for it is not told. Idempotent."""
    conn.execute(delete(alert_channels).where(alert_channels.c.id == channel_id))


def failing(conn: Connection, kinds: Iterable[str], before: datetime) -> list[Channel]:
    """Active channels of these kinds for which something queued before an instant is not sent, and nothing since."""
    later = deliveries.alias()
    sent_since = exists().where(
        later.c.target == deliveries.c.target, later.c.channel == deliveries.c.channel,
        later.c.state == DeliveryState.SENT.value, later.c.sent_at >= deliveries.c.queued_at)
    broken = exists().where(
        deliveries.c.target == alert_channels.c.target, deliveries.c.channel == alert_channels.c.kind,
        deliveries.c.state.in_(UNSENT), deliveries.c.attempts > 0, deliveries.c.queued_at <= before, ~sent_since,
        deliveries.c.queued_at >= alert_channels.c.created_at)
    query = select(alert_channels.c.id).where(
        alert_channels.c.kind.in_(list(kinds)), alert_channels.c.state == "active", broken)
    found = (channel_by_id(conn, id_) for id_ in conn.execute(query.order_by(alert_channels.c.id)).scalars().all())
    return [channel for channel in found if channel]


def record(conn: Connection, kind: str, target: str) -> Record:
    """What went to a target so far."""
    theirs = and_(deliveries.c.channel == kind, deliveries.c.target == target)
    counts = {row.state: row for row in conn.execute(select(
        deliveries.c.state, func.count().label("number"), func.max(deliveries.c.sent_at).label("last"),
    ).where(theirs).group_by(deliveries.c.state))}
    number = {state: row.number for state, row in counts.items()}
    error = conn.execute(select(deliveries.c.last_error).where(
        theirs, deliveries.c.last_error.is_not(None), deliveries.c.state != DeliveryState.SENT.value,
    ).order_by(deliveries.c.id.desc()).limit(1)).scalar_one_or_none()
    sent = counts.get(DeliveryState.SENT.value)
    waiting = sum(number.get(state.value, 0) for state in (
        DeliveryState.QUEUED, DeliveryState.DEFERRED, DeliveryState.SENDING))
    return Record(number.get(DeliveryState.SENT.value, 0), waiting, number.get(DeliveryState.FAILED.value, 0),
                  number.get(DeliveryState.UNCERTAIN.value, 0), sent.last if sent else None, error or "")
