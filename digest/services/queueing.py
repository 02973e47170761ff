"""Queueing: an approved edition into the ledger, one row a reader, due at the reader's hour, in the reader's variant.

Readers are taken in parts by their ids, each part in a transaction of its own, so that memory stays flat and no writer
waits long. What was queued stays: after a crash, queueing again adds what is missing.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine

from digest.documents import Newsletter
from digest.errors import ApprovalStale, EditionClosed
from digest.model import Message, Period
from digest.pipeline.due import Released, due_of
from digest.pipeline.variants import Variant, render, variant_of
from digest.services import deliveries, editions, envelopes, leaving, variants
from digest.services.variants import History, Reader
from digest.settings import Settings
from digest.storage import desk as desk_storage
from digest.storage import editions as storage
from digest.storage import queueing, subscribers
from digest.storage.editions import EditionRow
from digest.storage.engine import read_only

PART = 1000  # readers in one transaction

Progress = Callable[[int, int], None]  # readers looked at, and of how many


@dataclass(frozen=True, slots=True)
class Queued:
    """How many readers' rows are new in the ledger, and how many stood there already.

    `without` counts readers of whose variant no story is left, as where none is in a language that they read.
    """

    new: int
    known: int
    without: int = 0


def queue_deliveries(
    engine: Engine, edition: EditionRow, newsletter: Newsletter, settings: Settings, *, now: datetime,
    on_progress: Progress | None = None, part: int = PART,
) -> Queued:
    """Puts one row into the ledger for every reader who wants the edition, with the approved hash. Idempotent.

    Steps:
    1. under the edition's lock: check that its view is what was approved, and close the desk;
    2. readers in parts: when each copy is due, and in which variant, rendered where nobody needed it before;
    3. note that all readers of the edition are queued.
    `part` readers share a transaction. Nobody whose variant has no story left gets a mail.
    Before its release it is released now. Raises EditionClosed where the edition is not approved, ApprovalStale where
    the stored view is not what was approved.
    """
    with engine.begin() as conn:
        held = desk_storage.hold(conn, edition.id)
        check_approved(held)
        if storage.move(conn, held.id, "sending", since="approved"):
            desk_storage.forget_working_set(conn, held.id)
        total = queueing.count_active(conn, newsletter.slug)
    work = _Queueing(engine, held, newsletter, settings, now)
    looked_at = after = 0
    while readers := work.readers(after, part):
        work.queue(readers)
        looked_at, after = looked_at + len(readers), readers[-1].subscription.id
        if on_progress:
            on_progress(looked_at, max(total, looked_at))
    with engine.begin() as conn:
        storage.mark_queued(conn, held.id, now)
    return work.queued


def check_approved(edition: EditionRow) -> None:
    """Raises EditionClosed where the edition is not approved, ApprovalStale where its view is not what was approved."""
    if edition.state not in ("approved", *storage.RELEASED):
        raise EditionClosed(edition.name, edition.state, "approve it first: digest editions approve")
    found = hashlib.sha256(edition.view_text.encode()).hexdigest()
    if found != edition.view_sha256:
        raise ApprovalStale(edition.name, edition.view_sha256, found)


class _Queueing:
    """One run over the readers of an edition. Does not decide which editions go."""

    def __init__(self, engine: Engine, edition: EditionRow, newsletter: Newsletter, settings: Settings, now: datetime):
        self._engine, self._edition, self._newsletter, self._now = engine, edition, newsletter, now
        self._view = edition.view
        self._renderer = editions.renderer_of(edition.templates, settings)
        release_at = edition.release_at or edition.built_at
        self._released = Released(Period(edition.period), edition.date, min(release_at, now))
        with read_only(engine) as conn:
            self._history = History(conn, newsletter, release_at)
            self._messages: dict[str, str | None] = dict(variants.frozen(conn, edition.id))
        self._variants: dict[tuple[Any, ...], Variant] = {}
        self.queued = Queued(0, 0)

    def readers(self, after: int, limit: int) -> list[Reader]:
        """The next readers, by id."""
        with read_only(self._engine) as conn:
            found = subscribers.active_after(conn, self._newsletter.slug, after=after, limit=limit)
        return [Reader(subscription, since) for subscription, since in found]

    def queue(self, readers: Sequence[Reader]) -> None:
        """Puts those who want the edition into the ledger; new variants are rendered before anything is locked."""
        due = {reader.subscription.id: at for reader in readers
               if (at := due_of(reader.subscription.preferences, self._newsletter, self._released)) is not None}
        wanting = [reader for reader in readers if reader.subscription.id in due]
        rendered: dict[str, Message] = {}
        with read_only(self._engine) as conn:
            missed = self._history.missed_by(conn, wanting)
            chosen = [(reader, self._variant(conn, reader, missed.get(reader.subscription.id, ()), rendered))
                      for reader in wanting]
        with self._engine.begin() as conn:
            queueing.lock_edition(conn, self._edition.id)
            for name, message in rendered.items():
                self._messages[name] = variants.freeze(conn, self._edition.id, name, message, self._newsletter)
            rows = [self._row(reader, message_id, due[reader.subscription.id])
                    for reader, name in chosen if (message_id := self._messages[name])]
            new = queueing.insert_rows(conn, self._edition.subject, envelopes.MAIL, rows, self._now)
        so_far = self.queued
        self.queued = Queued(so_far.new + new, so_far.known + len(rows) - new,
                             so_far.without + len(chosen) - len(rows))

    def _variant(
        self, conn: Connection, reader: Reader, missed: tuple[Released, ...], rendered: dict[str, Message]
    ) -> str:
        """The name of a reader's variant; its message is put into `rendered` where nobody needed it before."""
        wanted = reader.subscription.preferences
        key = (wanted.format, wanted.language, wanted.read, reader.subscription.hidden_sections, missed)
        if key not in self._variants:
            views = self._history.views(conn, missed)
            self._variants[key] = variant_of(wanted, reader.subscription.hidden_sections, self._view, views)
        variant = self._variants[key]
        if variant.name not in self._messages:
            message = render(self._view, variant, self._renderer, self._history.views(conn, missed))
            self._messages[variant.name] = None
            if message is not None:
                rendered[variant.name] = message
        return variant.name

    def _row(self, reader: Reader, message_id: str, due_at: datetime) -> dict[str, Any]:
        subject, target = self._edition.subject, reader.target
        return {
            "target": target, "message_id": message_id,
            "mail_id": deliveries.mail_name(subject, envelopes.MAIL, target),
            "unsubscribe": leaving.subscription_mark(reader.subscription.id), "due_at": due_at,
            "view_sha256": self._edition.view_sha256,
        }
