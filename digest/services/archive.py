"""The archive of a newsletter: its editions by page of a list, and the documents of its feeds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date as Date

from sqlalchemy import Connection

from digest.documents import Configuration
from digest.model import Period
from digest.pipeline.syndication import Channel, Published
from digest.pipeline.view import EditionView
from digest.storage import archive as storage
from digest.storage.archive import ArchiveDay
from digest.storage.editions import EditionRow

FEED_ENTRIES = 20


@dataclass(frozen=True, slots=True)
class ArchivePage:
    """Some editions of the archive, newest first; the next page has those before `older`, None at the end."""

    days: tuple[ArchiveDay, ...]
    older: Date | None


def archive_page(conn: Connection, newsletter: str, *, before: Date | None = None, limit: int) -> ArchivePage:
    """The next editions earlier than `before` (None: the newest)."""
    days = storage.archive_days(conn, newsletter, before=before, limit=limit)
    more = bool(days) and bool(storage.archive_days(conn, newsletter, before=days[-1].date, limit=1))
    return ArchivePage(tuple(days), days[-1].date if more else None)


def all_days(conn: Connection, newsletter: str) -> tuple[ArchiveDay, ...]:
    """Every edition of the archive, newest first."""
    return tuple(storage.archive_days(conn, newsletter))


def current(days: Sequence[ArchiveDay]) -> ArchiveDay | None:
    """What a newsletter's own page shows: its newest daily edition; where there is none, its newest weekly one."""
    return next((day for day in days if day.period is Period.DAILY), days[0] if days else None)


def archived(conn: Connection, newsletter: str, date: Date, period: Period = Period.DAILY) -> EditionRow | None:
    """The edition of a day that readers may see; None where there is none."""
    return storage.archived(conn, newsletter, date, period)


def archived_newsletters(conn: Connection) -> tuple[str, ...]:
    """Slugs of the newsletters that have an edition to see, retired ones too, sorted."""
    return tuple(storage.archived_newsletters(conn))


def published(conn: Connection, newsletter: str, limit: int = FEED_ENTRIES) -> list[Published]:
    """The newest editions as feeds carry them, newest first."""
    found = []
    for day in storage.archive_days(conn, newsletter, limit=limit):
        if edition := storage.archived(conn, newsletter, day.date, day.period):
            found.append(Published(edition.view, edition.built_at))
    return found


def channel_of(
    configuration: Configuration, newest: EditionView | None, slug: str, *, base: str,
    link: Callable[[str], str] | None = None,
) -> Channel:
    """How a newsletter's feeds name it: as the configuration does, or for a retired one as its last edition did.

    Links are made by `link`; without it they begin with `base`.
    """
    link = link or (lambda address: base + address)
    known = configuration.newsletters.get(slug) or newest
    if known is None:
        return Channel(slug, slug, "", "en", base, link)
    return Channel(slug, known.name, known.tagline, known.language, base, link)
