"""The archive: editions that were released, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date as Date
from typing import Any

from sqlalchemy import Connection, Select, select

from digest.model import Period
from digest.storage.editions import RELEASED, EditionRow, edition_of
from digest.storage.schema import editions


@dataclass(frozen=True, slots=True)
class ArchiveDay:
    """An edition as a list of the archive names it."""

    newsletter: str
    period: Period
    date: Date

    @property
    def path(self) -> str:
        """Its permanent page, below the site's address; the same as `EditionView.path`."""
        return f"/{self.newsletter}/{self.date.isoformat()}/" + ("weekly/" if self.period is Period.WEEKLY else "")


def archive_days(
    conn: Connection, newsletter: str, *, before: Date | None = None, limit: int | None = None
) -> list[ArchiveDay]:
    """Editions of both periods of days earlier than `before` (None: all), newest first, a day's weekly one first.

    With a `limit`, so many, and one more where the last day's other edition would be cut off.
    """
    statement = _public(newsletter).order_by(editions.c.date.desc(), editions.c.period.desc())
    if before is not None:
        statement = statement.where(editions.c.date < before.isoformat())
    rows = conn.execute(statement if limit is None else statement.limit(limit + 1)).all()
    days = [ArchiveDay(newsletter, Period(row.period), Date.fromisoformat(row.date)) for row in rows]
    if limit is not None and len(days) > limit and days[limit].date != days[limit - 1].date:
        return days[:limit]
    return days


def archived(conn: Connection, newsletter: str, date: Date, period: Period) -> EditionRow | None:
    """The edition of a day that readers may see; None where there is none."""
    edition = edition_of(conn, newsletter, date, period)
    return edition if edition and edition.state in RELEASED else None


def archived_newsletters(conn: Connection) -> Sequence[str]:
    """Slugs of the newsletters that have an edition to see, retired ones too, sorted."""
    public = select(editions.c.newsletter).where(editions.c.state.in_(RELEASED))
    return conn.execute(public.distinct().order_by(editions.c.newsletter)).scalars().all()


def _public(newsletter: str) -> Select[Any]:
    return select(editions.c.period, editions.c.date).where(
        editions.c.newsletter == newsletter, editions.c.state.in_(RELEASED))
