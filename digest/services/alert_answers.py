"""What the reader of an alert says of it by the links of its mail: useful, not useful, no more of this story."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection

from digest.alert_rules import MAIL, Alert, AlertRule
from digest.errors import NotFound
from digest.model import Item
from digest.services import leaving
from digest.storage import alert_answers as storage
from digest.storage import alert_rules as rule_storage
from digest.storage.alerts import muted, names_of, roots_of
from digest.storage.items import items_by_id

MUTED_FOR = timedelta(days=90)  # longer than stories run


class Answer(StrEnum):
    """What can be said of an alert."""

    USEFUL = "useful"
    NOT_USEFUL = "not-useful"
    MUTE = "mute"
    UNMUTE = "unmute"


@dataclass(frozen=True, slots=True)
class Told:
    """An alert as its reader was told it, and what they said of it. `useful` None: nothing."""

    alert: Alert
    rule: AlertRule
    item: Item
    target: str
    useful: bool | None
    is_muted: bool


def told(conn: Connection, mark: str, alert_id: int, now: datetime) -> Told:
    """The alert that the mail with this mark told. Raises NotFound where it did not."""
    owner = leaving.owner_of(conn, mark)
    alert = storage.alert_told(conn, alert_id, MAIL, owner.email) if owner and not owner.erased else None
    if alert is None or owner is None:
        raise NotFound("alert", str(alert_id))
    rule = rule_storage.rule_by_id(conn, alert.rule_id)
    assert rule is not None  # rules are never deleted
    stands = muted(conn, _names(conn, alert), now)
    return Told(alert, rule, items_by_id(conn, [alert.item_id])[alert.item_id], owner.email,
                storage.is_useful(conn, alert.id, owner.email),
                any((channel, target) == (MAIL, owner.email) for channel, target, _ in stands))


def answer(conn: Connection, found: Told, said: Answer, now: datetime) -> None:
    """Notes what a reader says of an alert; what they say last counts. Idempotent."""
    if said is Answer.MUTE:
        storage.mute(conn, MAIL, found.target, _names(conn, found.alert), now + MUTED_FOR)
    elif said is Answer.UNMUTE:
        storage.unmute(conn, MAIL, found.target, _names(conn, found.alert))
    else:
        storage.set_useful(conn, found.alert.id, found.target, said is Answer.USEFUL, now)


def _names(conn: Connection, alert: Alert) -> frozenset[str]:
    """All ids of the story, those of stories that were merged into it too."""
    root = roots_of(conn, [alert.story_id])[alert.story_id]
    return frozenset(names_of(conn, [root]))
