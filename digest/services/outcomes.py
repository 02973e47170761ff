"""What an attempt to hand over a mail means for its row in the ledger. Pure: decides, and writes nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.alert_rules import MAIL
from digest.errors import DeliveryError
from digest.mail.message import one_line
from digest.model import Delivery, DeliveryState

FIRST_RETRY, LAST_RETRY = timedelta(minutes=1), timedelta(hours=4)
GIVE_UP_AFTER = timedelta(days=3)  # after a row was due
MAX_ERROR = 500  # characters kept of a reply


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state that a row goes to. `until`: when a deferred or queued one is taken again (None: as before).

    QUEUED gives a row back that was not tried. `code` and `enhanced` are those of a server's refusal of this one mail
    for good, from which its reader's address may be judged; None for all else.
    """

    state: DeliveryState
    error: str = ""
    until: datetime | None = None
    code: int | None = None
    enhanced: str | None = None


SENT = Outcome(DeliveryState.SENT)
UNTRIED = Outcome(DeliveryState.QUEUED)


def judge(delivery: Delivery, error: DeliveryError, *, written: bool, now: datetime) -> Outcome:
    """What a failed attempt means for its row. `written`: the end of the message may have been handed over.

    - The mail's turn has not come (`retry_at`): given back, not tried.
    - Refused for good (5xx to this recipient or mail): failed. RFC 3463 X.7.X speaks of us and not of the reader, which
      is for `services.bounces` to tell.
    - No answer after the end of the message: uncertain (RFC 1047).
    - All else is deferred: a minute, doubling to four hours, or until the server said, for three days after it was due.
      `delivery.attempts` counts this attempt.
    """
    why = one_line(str(error))[:MAX_ERROR]
    code = error.code if delivery.channel == MAIL else None  # of no other channel's answer is an address judged
    if error.retry_at is not None and not written:
        return Outcome(DeliveryState.QUEUED, why, error.retry_at)
    if error.permanent:
        return Outcome(DeliveryState.FAILED, why, code=code, enhanced=error.enhanced)
    if error.code is None and written:
        return Outcome(DeliveryState.UNCERTAIN, why)
    if now - delivery.due_at > GIVE_UP_AFTER:
        code = None if error.server else code
        return Outcome(DeliveryState.FAILED, f"given up after {GIVE_UP_AFTER.days} days: {why}"[:MAX_ERROR],
                       code=code, enhanced=error.enhanced)
    wait = min(FIRST_RETRY * 2 ** min(max(delivery.attempts - 1, 0), 20), LAST_RETRY)
    return Outcome(DeliveryState.DEFERRED, why, max(now + wait, error.retry_at or now))
