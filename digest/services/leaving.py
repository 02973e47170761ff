"""What leaving means: the marks that deliveries and unsubscribe links carry.

"subscription:ID" is one newsletter of one reader, "alert:ID" one alert rule, "alerts:OWNER" all rules of a
subscriber, "test" a mail that somebody sent to try things.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from digest.errors import NotFound
from digest.storage import subscribers as storage

TEST = "test"


@dataclass(frozen=True, slots=True)
class Standing:
    """Why a reader gets a mail, and of which list it is ("" for none)."""

    reason: str
    list_slug: str = ""
    list_name: str = ""


def subscription_mark(subscription_id: int) -> str:
    """The mark of one subscription."""
    return f"subscription:{subscription_id}"


def standing(conn: Connection, mark: str, *, subject: str) -> Standing | None:
    """Why the mail `subject` is wanted; None where its reader left or the mark names nothing."""
    try:
        kind, number = split(mark)
    except NotFound:
        return None
    if kind == TEST:
        return Standing("You get this because somebody sent a test mail to this address.")
    if kind == "subscription":
        return _subscription_standing(conn, number, subject)
    return None


def _subscription_standing(conn: Connection, subscription_id: int, subject: str) -> Standing | None:
    subscription = storage.subscription_by_id(conn, subscription_id)
    if subscription is None:
        return None
    name = storage.newsletter_name(conn, subscription.newsletter) or subscription.newsletter
    if subject.startswith("notice:confirm:"):
        reason = f"You get this because somebody entered this address at the sign-up page of {name}."
    elif subscription.state != "active":
        return None
    elif subscription.subscriber.consent_source == "double-opt-in":
        reason = f"You get this because you signed up to {name}."
    else:
        reason = f"You get this because you were added to the readers of {name}."
    return Standing(reason, subscription.newsletter, name)


def split(mark: str) -> tuple[str, int]:
    """The kind and the number of a mark; number 0 where it has none. Raises NotFound where it is no mark."""
    kind, _, number = mark.partition(":")
    if kind == TEST and not number:
        return kind, 0
    if kind not in {"subscription", "alert", "alerts"} or not number.isdecimal() or len(number) > 18:
        raise NotFound("subscription", mark)
    return kind, int(number)
