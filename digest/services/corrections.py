"""Corrections: dated notes on a released edition's page, and a mail to those who got it, where an editor asks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from digest.documents import Newsletter
from digest.errors import ActionRefused, EditionClosed
from digest.model import Message
from digest.pipeline.desk import resolve
from digest.pipeline.render import Renderer
from digest.pipeline.view import EditionView, StoryView
from digest.services import deliveries, envelopes, variants
from digest.services.envelopes import MAIL
from digest.services.queueing import PART
from digest.settings import Settings
from digest.storage import deliveries as ledger
from digest.storage import desk as storage
from digest.storage import queueing
from digest.storage.desk import Correction
from digest.storage.editions import RELEASED, EditionRow


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """A correction as readers see it. `at` is ISO 8601 in the newsletter's zone; `story` None: the whole edition."""

    at: str
    text: str
    story: StoryView | None


@dataclass(frozen=True, slots=True)
class Corrected:
    """A stored correction, the ledger subject of its mail, and how many readers' mails were queued."""

    correction: Correction
    subject: str
    queued: int


def correct(
    engine: Engine, edition: EditionRow, newsletter: Newsletter, settings: Settings, renderer: Renderer, *, text: str,
    story: str | None, mail: bool, actor: str, now: datetime,
) -> Corrected:
    """Puts a dated note on the edition's page; with `mail`, queues it for everybody whom the edition's mail reached.

    Those whose copy is still on its way get it too. The edition itself, as it was approved, does not change. Raises
    EditionClosed where it is not released, ActionRefused where there is no text or no such story.
    """
    if edition.state not in RELEASED:
        raise EditionClosed(edition.name, edition.state, "only what was released is corrected; change a draft instead")
    view, words = edition.view, " ".join(text.split())
    if not words:
        raise ActionRefused("a correction needs a text")
    story_id = resolve(story, [s.id for s in view.all_stories]) if story else None
    with engine.begin() as conn:
        held = storage.hold(conn, edition.id)
        correction = storage.add_correction(conn, held.id, at=now, text=words, story_id=story_id, mailed=mail)
        storage.log(conn, held.id, at=now, actor=actor, kind="correct",
                    payload={"correction": correction.id, "story": story_id, "text": words, "mail": mail})
        subject = f"notice:correction:{correction.id}"
        queued = 0
        if mail:
            told = shown(correction, view)
            queued = _queue(conn, held.subject, subject, lambda text_only, language: _message(
                told, view, newsletter, settings, renderer, text_only=text_only, language=language), now)
    return Corrected(correction, subject, queued)


def corrections_of(conn: Connection, edition: EditionRow) -> tuple[CorrectionView, ...]:
    """The corrections of an edition as its page shows them, oldest first."""
    return tuple(shown(correction, edition.view) for correction in storage.corrections_of(conn, edition.id))


def shown(correction: Correction, view: EditionView) -> CorrectionView:
    """A correction with its local time and the story that it is about."""
    story = next((s for s in view.all_stories if s.id == correction.story_id), None)
    at = correction.at.astimezone(ZoneInfo(view.zone)).isoformat(timespec="seconds")
    return CorrectionView(at, correction.text, story)


def _queue(
    conn: Connection, edition: str, subject: str, message: Callable[[bool, str], Message], now: datetime
) -> int:
    """Queues the correction for everybody whom the edition's mail reached, in the form and language of that mail."""
    queued = after = 0
    known: dict[tuple[bool, str], str] = {}
    while reached := queueing.reached_by(conn, edition, MAIL, after=after, limit=PART):
        for kind in {(reader.text_only, reader.language) for reader in reached} - known.keys():
            known[kind] = ledger.store_message(conn, message(*kind))
        queued += queueing.insert_rows(conn, subject, MAIL, [{
            "target": reader.target,
            "message_id": known[reader.text_only, reader.language],
            "mail_id": deliveries.mail_name(subject, MAIL, reader.target), "unsubscribe": reader.unsubscribe,
            "due_at": now,
        } for reader in reached], now)
        after = reached[-1].id
    return queued


def _message(
    correction: CorrectionView, view: EditionView, newsletter: Newsletter, settings: Settings, renderer: Renderer, *,
    text_only: bool, language: str,
) -> Message:
    language = language or view.language
    values = {"view": view, "correction": correction, "base": view.site_url or envelopes.base_url(settings)}
    subject = renderer.words(language).gettext("Correction: {name}").format(name=view.name)
    message = Message(
        subject=subject,
        html="" if text_only else renderer.mail_html(
            "email/correction.html", language=language, slug=view.newsletter, theme=view.theme, **values),
        text=renderer.render("email/correction.txt", language=language, slug=view.newsletter, **values),
        headers={"Content-Language": language})
    return variants.with_sender(message, newsletter)
