"""What bounces and complaints mean for a reader: points that fade, and the suppression list.

A report that the mailbox or its host does not exist gives one point, one that the mailbox takes nothing now a fifth; of
a day at most the largest counts, and points halve every two weeks. At 1.5 points the address is suppressed: two hard
bounces on different days, or more than a week of a full mailbox. A complaint suppresses at once. All else is stored and
never counts.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from digest.mail.reasons import judge
from digest.model import Bounce, BounceKind, Suppression
from digest.storage import bounces as storage

POINTS = {BounceKind.HARD: 1.0, BounceKind.SOFT: 0.2}
SUPPRESS_AT = 1.5  # points
HALF_LIFE = timedelta(days=14)
COUNTED_FOR = 8 * HALF_LIFE  # older points are less than half a hundredth
MAX_TEXT = 1000  # characters kept of a diagnostic


def suppressed(conn: Connection, target: str) -> str | None:
    """Why a normalised address gets no mail, in words for operators; None where it may."""
    found = storage.suppression_of(conn, target)
    return f"{found.reason}: {found.note}".rstrip(": ") if found else None


def suppressed_among(conn: Connection, targets: Sequence[str]) -> dict[str, str]:
    """Those of some normalised addresses, 500 at most, that get no mail: why, as `suppressed` says it."""
    return {target: suppressed(conn, target) or "" for target in storage.suppressed_of(conn, targets)}


def note_refusal(conn: Connection, *, target: str, subject: str, code: int | None, enhanced: str | None, text: str,
                 now: datetime) -> None:
    """Counts a server's refusal of one recipient while sending; what it says of them is judged here.

    `subject` is that of the delivery, `code` the reply code, `enhanced` its RFC 3463 status ("5.1.1"), None where it
    has none. Idempotent: a delivery counts once for each kind of refusal. Policy blocks (5.7.x) and temporary
    refusals never count.
    """
    verdict = judge(code, enhanced, text)
    digest = hashlib.sha256("\n".join(("refusal", subject, target, verdict.kind)).encode()).hexdigest()
    note(conn, digest, Bounce(now, "smtp", verdict.kind, verdict.reason, target, subject, code, enhanced, text))


def note(conn: Connection, digest: str, bounce: Bounce) -> bool:
    """Stores a bounce with its points and suppresses its address where it is due; False where it was stored before.

    `digest` names the report and its recipient: the same one counts once.
    """
    points = POINTS.get(bounce.kind, 0.0) if bounce.target else 0.0
    stored = replace(bounce, text=_storable(bounce.text), points=points)
    if not storage.insert(conn, digest, stored):
        return False
    if bounce.target is None:
        return True
    if bounce.kind is BounceKind.COMPLAINT:
        storage.suppress(conn, Suppression(
            bounce.target, "complaint", stored.text[:200] or f"told by {bounce.origin}", bounce.at))
    elif points and score(conn, bounce.target, bounce.at) >= SUPPRESS_AT:
        why = " ".join(part for part in (bounce.reason, bounce.enhanced or "", stored.text[:160]) if part)
        storage.suppress(conn, Suppression(bounce.target, "bounced", why, bounce.at))
    return True


def _storable(text: str) -> str:
    """A text that every database takes: without NUL and without halves of characters, which headers may hold."""
    return text[:MAX_TEXT].replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def score(conn: Connection, target: str, now: datetime) -> float:
    """The points that stand against a normalised address now: the largest of each day (UTC), halved every 14 days."""
    days: dict[date, float] = {}
    for bounce in storage.counted(conn, target, now - COUNTED_FOR):
        faded = bounce.points * 0.5 ** ((now - bounce.at) / HALF_LIFE)
        days[bounce.at.date()] = max(days.get(bounce.at.date(), 0.0), faded)
    return sum(days.values())


def suppress(conn: Connection, target: str, note: str, now: datetime) -> bool:
    """Puts a normalised address on the list for the operator; False where it stands there already."""
    return storage.suppress(conn, Suppression(target, "operator", note, now))


def lift(conn: Connection, target: str, now: datetime) -> bool:
    """Lets a normalised address have mail again, with no points against it; False where it was not suppressed."""
    return storage.lift(conn, target, now)


def suppressions(conn: Connection) -> list[Suppression]:
    """The suppression list, newest first."""
    return storage.suppressions_in_force(conn)


def recent(conn: Connection, *, limit: int, target: str | None = None) -> list[Bounce]:
    """The newest bounces (of one normalised address), newest first."""
    return storage.recent(conn, limit, target)


def forget(conn: Connection, target: str) -> None:
    """Erases what bounced from a normalised address, and its suppression. Idempotent."""
    storage.forget(conn, target)
