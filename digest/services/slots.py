"""Slots: which editions are to be made now, and which came too late and are noted as skipped."""

from collections.abc import Callable, Sequence
from datetime import date as Date
from datetime import datetime

from sqlalchemy import Connection, Engine

from digest.documents import Newsletter
from digest.model import Period
from digest.pipeline.slots import LONGEST_PAUSE, Slot, local_date, open_slots
from digest.services.newsletters import is_late
from digest.storage import slots as storage
from digest.storage.engine import read_only


def to_make(
    engine: Engine, newsletter: Newsletter, now: datetime, reason: Callable[[Slot], str] = lambda _slot: ""
) -> tuple[Slot, ...]:
    """Released slots, oldest first, that have neither an edition nor a note and for which it is not too late.

    Those for which it is are noted as skipped, with `reason` where that knows one. Nothing is noted before the
    newsletter's first edition. Idempotent, safe in two processes.
    """
    found: list[Slot] = []
    for period in Period:
        with read_only(engine) as conn:
            handled = _handled(conn, newsletter, period, now)
        slots = open_slots(newsletter, handled, now, period)
        found += [slot for slot in slots if not is_late(newsletter, slot.release_at, now)]
        late = [slot for slot in slots if is_late(newsletter, slot.release_at, now)]
        if late and handled:
            _note(engine, newsletter, late, now, reason)
    return tuple(sorted(found, key=lambda slot: (slot.release_at, slot.period)))


def list_skipped(conn: Connection, newsletter: str, limit: int = 30) -> list[storage.SkippedSlot]:
    """The newest slots that were skipped and have no edition, newest first."""
    return storage.skipped(conn, newsletter, limit)


def _handled(conn: Connection, newsletter: Newsletter, period: Period, now: datetime) -> set[Date]:
    return storage.handled_days(conn, newsletter.slug, period, local_date(newsletter, now) - LONGEST_PAUSE)


def _note(
    engine: Engine, newsletter: Newsletter, late: Sequence[Slot], now: datetime, reason: Callable[[Slot], str]
) -> None:
    limit = f"no edition within {newsletter.max_lateness_hours} h of its release"
    with engine.begin() as conn:
        for slot in late:
            why = reason(slot) or "nothing was running"
            storage.skip(conn, newsletter.slug, slot.period, slot.date, f"{limit}: {why}", now)
