"""Releases: what becomes of an edition when its time has come, by the newsletter's policy; its way into the ledger.

    none ─▶ draft ─▶ approved ─▶ sending ─▶ sent          held: stays a draft until somebody approves it
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date as Date
from datetime import datetime, timedelta

from sqlalchemy import Engine

from digest.documents import Configuration, Newsletter
from digest.errors import EditionClosed
from digest.model import DeliveryState, Period
from digest.pipeline.slots import Slot, local_date, next_release
from digest.pipeline.thin import decide
from digest.services import desk, editions
from digest.services.editions import Built
from digest.services.newsletters import is_late
from digest.services.queueing import Progress as Progress
from digest.services.queueing import Queued as Queued
from digest.services.queueing import queue_deliveries as queue_deliveries
from digest.settings import Settings
from digest.storage import deliveries as ledger
from digest.storage import desk as desk_storage
from digest.storage import editions as storage
from digest.storage.editions import EditionRow
from digest.storage.engine import read_only

OPEN_STATES = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.DEFERRED)
POLICY = "policy"  # who approves what nobody did
HELD = "nobody approved it by its release"


@dataclass(frozen=True, slots=True)
class Release:
    """What became of an edition at its release.

    `outcome` is empty, held, queued, published (a weekly one that nobody gets by mail) or closed (skipped or
    cancelled); `reason` says why it was not queued, `news` whether that was not known before.
    """

    outcome: str
    built: Built
    reason: str = ""
    queued: Queued | None = None
    news: bool = True
    approved: bool = False  # by this call


def build_and_approve(
    engine: Engine, configuration: Configuration, newsletter: Newsletter, settings: Settings,
    templates: Mapping[str, str], *, now: datetime, date: Date | None = None, period: Period = Period.DAILY,
    despite_errors: bool = True,
) -> Built:
    """The stored edition of a day; builds and approves it at the first call. Idempotent, safe in two processes.

    A draft that is there is approved as it stands. Raises EditionClosed where lint holds it, unless `despite_errors`.
    """
    built = editions.build(engine, configuration, newsletter, settings, templates, now=now, date=date, period=period)
    if built.edition is None or built.edition.state != "draft":
        return built
    approval = desk.approve(engine, built.edition, newsletter, settings, templates, actor=POLICY, now=now,
                            despite_errors=despite_errors)
    return replace(built, edition=approval.edition)


def drafts_due(engine: Engine, newsletter: Newsletter, now: datetime) -> tuple[Slot, ...]:
    """Slots whose draft is to be built: their release is no more than the desk's minutes away."""
    if not newsletter.desk.minutes:
        return ()
    found = []
    for period in (Period.DAILY, *((Period.WEEKLY,) if newsletter.weekly else ())):
        release_at = next_release(newsletter, now, period)
        day = local_date(newsletter, release_at)
        with read_only(engine) as conn:
            known = editions.stored_edition(conn, newsletter.slug, day, period)
        if known is None and release_at - now <= timedelta(minutes=newsletter.desk.minutes):
            found.append(Slot(period, day, release_at))
    return tuple(found)


def waiting(engine: Engine, newsletter: Newsletter, now: datetime) -> tuple[Slot, ...]:
    """Slots of drafts and approved editions whose release has come, oldest first."""
    with read_only(engine) as conn:
        open_editions = desk_storage.open_editions(conn, newsletter.slug)
    slots = (Slot(Period(row.period), row.date, row.release_at or row.built_at) for row in open_editions)
    return tuple(slot for slot in slots if slot.release_at <= now)


def skip_late(engine: Engine, newsletter: Newsletter, slot: Slot, *, now: datetime) -> EditionRow | None:
    """Skips the open edition of a slot for which it is too late, with a note; None where it is not."""
    if not is_late(newsletter, slot.release_at, now):
        return None
    with read_only(engine) as conn:
        edition = editions.stored_edition(conn, newsletter.slug, slot.date, slot.period)
    if edition is None or edition.state not in desk_storage.OPEN:
        return None
    why = edition.note or ("nobody approved it" if edition.state == "draft" else "nothing was running")
    reason = f"not sent within {newsletter.max_lateness_hours} h of its release: {why}"
    return desk.close(engine, edition, "skipped", reason, actor=POLICY, now=now)


def release(
    engine: Engine, configuration: Configuration, newsletter: Newsletter, settings: Settings,
    templates: Mapping[str, str], *, now: datetime, date: Date | None = None, period: Period = Period.DAILY,
    approve_as: str | None = None, on_progress: Progress | None = None,
) -> Release:
    """Does what the release of an edition asks for. Idempotent, safe in two processes; sends nothing.

    Steps:
    1. build it, where the day has none;
    2. skip a draft that is too thin, where the newsletter says so and nobody else does; it is final;
    3. approve a draft: by the newsletter's policy (`desk.on_timeout`), or because somebody says so (`approve_as`);
       one that lint finds errors in, or that the policy holds, stays a draft;
    4. queue what is approved for those of its readers who want it.
    """
    built = editions.build(engine, configuration, newsletter, settings, templates, now=now, date=date, period=period)
    edition = built.edition
    if edition is None:
        return Release("empty", built, built.view.empty_reason or "")
    if edition.state in ("skipped", "cancelled"):
        return Release("closed", built, f"{edition.state}: {edition.note or ''}".rstrip(": "))
    approved = False
    if edition.state == "draft":
        if newsletter.desk.minutes and newsletter.desk.on_timeout == "hold" and approve_as is None:
            return Release("held", built, HELD, news=desk.hold_back(engine, edition, HELD, now=now))
        decision = decide(edition.view, newsletter)
        if decision.action != "send" and approve_as is None:
            desk.close(engine, edition, "skipped", decision.reason, actor=POLICY, now=now)
            return Release("closed", built, f"skipped: {decision.reason}")
        try:
            actor = approve_as or POLICY
            approval = desk.approve(engine, edition, newsletter, settings, templates, actor=actor, now=now)
        except EditionClosed as error:
            noted = desk.hold_back(engine, edition, error.hint, now=now)
            return Release("held", built, error.hint, news=noted)
        edition, approved = approval.edition, approval.given
        built = replace(built, edition=edition, view=edition.view)
    queued = queue_deliveries(engine, edition, newsletter, settings, now=now, on_progress=on_progress)
    if period is Period.DAILY or queued.new or queued.known:
        return Release("queued", built, queued=queued, approved=approved)
    settle(engine, edition)
    return Release("published", built, queued=queued, approved=approved)


def finish_queueing(
    engine: Engine, newsletter: Newsletter, settings: Settings, *, now: datetime, on_progress: Progress | None = None
) -> tuple[tuple[EditionRow, Queued], ...]:
    """Queues the rest of the editions of which some readers stand in the ledger and others do not, as after a crash."""
    with read_only(engine) as conn:
        half = storage.half_queued(conn, newsletter.slug)
    return tuple((edition, queue_deliveries(engine, edition, newsletter, settings, now=now, on_progress=on_progress))
                 for edition in half)


def settle(engine: Engine, edition: EditionRow) -> dict[DeliveryState, int]:
    """The edition's rows by state; where all readers are queued and no row is open, the edition is marked sent."""
    with engine.begin() as conn:
        counts = ledger.count_by_state(conn, edition.subject)
        if not any(counts.get(state) for state in OPEN_STATES):
            storage.mark_sent(conn, edition.id)
    return counts
