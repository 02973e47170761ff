"""Releases: what becomes of an edition when its time has come, by the newsletter's policy; its way into the ledger.

    none ─▶ draft ─▶ approved ─▶ sending ─▶ sent          held: stays a draft until somebody approves it
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date as Date
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from digest.documents import Configuration, Newsletter
from digest.errors import ApprovalStale, EditionClosed
from digest.model import DeliveryState, Message, Period
from digest.pipeline.slots import Slot, local_date, next_release
from digest.pipeline.thin import decide
from digest.services import deliveries, desk, editions, subscribers
from digest.services.editions import Built
from digest.services.newsletters import is_late
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
class Queued:
    """How many readers' rows are new in the ledger, and how many stood there already."""

    new: int
    known: int


@dataclass(frozen=True, slots=True)
class Release:
    """What became of an edition at its release.

    `outcome` is empty, held, queued, published (a weekly one stands on the web alone) or closed (skipped or
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
    approve_as: str | None = None,
) -> Release:
    """Does what the release of an edition asks for. Idempotent, safe in two processes; sends nothing.

    Steps:
    1. build it, where the day has none;
    2. skip a draft that is too thin, where the newsletter says so and nobody else does; it is final;
    3. approve a draft: by the newsletter's policy (`desk.on_timeout`), or because somebody says so (`approve_as`);
       one that lint finds errors in, or that the policy holds, stays a draft;
    4. queue what is approved for its readers; a weekly one is published.
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
    if period is Period.WEEKLY:
        publish(engine, edition)
        return Release("published", built, approved=approved)
    queued = queue_deliveries(engine, edition, newsletter, settings, now=now)
    return Release("queued", built, queued=queued, approved=approved)


def queue_deliveries(
    engine: Engine, edition: EditionRow, newsletter: Newsletter, settings: Settings, *, now: datetime
) -> Queued:
    """Puts one row per active subscriber into the ledger, due at once, with the approved hash. Idempotent.

    What is mailed is read under the edition's lock, not taken from the caller. Raises EditionClosed where the edition
    is not approved, ApprovalStale where the stored view is not what was approved.
    """
    with engine.begin() as conn:
        held = desk_storage.hold(conn, edition.id)
        check_approved(held)
        readers = subscribers.active_subscriptions(conn, newsletter.slug)
        messages: dict[tuple[str, ...], Message] = {}
        new = 0
        for reader in readers:
            hidden = tuple(sorted(reader.hidden_sections))
            if hidden not in messages:
                messages[hidden] = _message(conn, held, newsletter, settings, hidden)
            new += deliveries.queue(
                conn, subject=held.subject, channel=deliveries.MAIL, target=reader.subscriber.email,
                message=messages[hidden], unsubscribe=f"subscription:{reader.id}", due_at=now, now=now,
                view_sha256=held.view_sha256)
        if storage.move(conn, held.id, "sending", since="approved"):
            desk_storage.forget_working_set(conn, held.id)
    return Queued(new, len(readers) - new)


def publish(engine: Engine, edition: EditionRow) -> None:
    """Marks an approved edition as sent though nobody is mailed: it stands on the web alone. Idempotent."""
    with engine.begin() as conn:
        check_approved(desk_storage.hold(conn, edition.id))
        if storage.move(conn, edition.id, "sending", since="approved"):
            storage.move(conn, edition.id, "sent", since="sending")
            desk_storage.forget_working_set(conn, edition.id)


def settle(engine: Engine, edition: EditionRow) -> dict[DeliveryState, int]:
    """The edition's rows by state; where none is open any more, the edition is marked sent."""
    with engine.begin() as conn:
        counts = ledger.count_by_state(conn, edition.subject)
        if not any(counts.get(state) for state in OPEN_STATES):
            storage.move(conn, edition.id, "sent", since="sending")
    return counts


def check_approved(edition: EditionRow) -> None:
    """Raises EditionClosed where the edition is not approved, ApprovalStale where its view is not what was approved."""
    if edition.state not in ("approved", *storage.RELEASED):
        raise EditionClosed(edition.name, edition.state, "approve it first: digest editions approve")
    found = hashlib.sha256(edition.view_text.encode()).hexdigest()
    if found != edition.view_sha256:
        raise ApprovalStale(edition.name, edition.view_sha256, found)


def _message(
    conn: Connection, edition: EditionRow, newsletter: Newsletter, settings: Settings, hidden: Collection[str]
) -> Message:
    """The frozen message of a variant, rendered from the stored view and templates where nobody needed it yet."""
    variant = f"without {','.join(hidden)}" if hidden else editions.DEFAULT_VARIANT
    message_id = storage.message_id_of(conn, edition.id, variant)
    if message_id and (stored := ledger.load_message(conn, message_id)):
        return stored
    message = editions.renderer_of(edition.templates, settings).message(edition.view, hidden)
    return editions.store_variant(conn, edition.id, variant, message, newsletter)
