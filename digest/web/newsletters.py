"""Public pages of newsletters: the list, the current edition, dated and weekly editions, all their stories."""

from datetime import date as Date
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from digest.app import App
from digest.errors import NotFound
from digest.model import Period
from digest.pipeline.slots import next_release
from digest.pipeline.view import EditionView
from digest.services import archive, corrections
from digest.services.archive import ArchivePage
from digest.services.corrections import CorrectionView
from digest.services.newsletters import chosen
from digest.storage.editions import edition_name
from digest.storage.engine import read_only
from digest.web.pages import Pages

LAST_EDITIONS = 14
CACHED = {"Cache-Control": "public, max-age=60"}


def router(app: App, pages: Pages) -> APIRouter:
    """Routes of / and of everything below /{newsletter}/. GET changes nothing."""
    routes = APIRouter()

    @routes.get("/")
    def index() -> HTMLResponse:
        newsletters = list(app.configuration.newsletters.values())
        latest = {n.slug: next(iter(days_of(app, n.slug, None).days), None) for n in newsletters}
        return pages.html("web/index.html", newsletters=newsletters, latest=latest)

    @routes.get("/{slug}/")
    def current(slug: str, before: str | None = None) -> HTMLResponse:
        newsletter = chosen(app.configuration, slug)
        newest = archive.current(days_of(app, slug, None).days)
        if newest is None:
            release = next_release(newsletter, app.clock.now())
            return pages.html("web/waiting.html", language=newsletter.language, newsletter=newsletter,
                              next_release=local_iso(release, newsletter.zone))
        return edition_page(slug, newest.date.isoformat(), newest.period, iso_day(before) if before else None)

    @routes.get("/{slug}/{date}/")
    def daily(slug: str, date: str) -> HTMLResponse:
        return edition_page(slug, date, Period.DAILY)

    @routes.get("/{slug}/{date}/weekly/")
    def weekly(slug: str, date: str) -> HTMLResponse:
        return edition_page(slug, date, Period.WEEKLY)

    @routes.get("/{slug}/{date}/all")
    def every_story(slug: str, date: str) -> HTMLResponse:
        return page(view_of(app, slug, date, Period.DAILY), "all")

    @routes.get("/{slug}/{date}/weekly/all")
    def every_story_of_the_week(slug: str, date: str) -> HTMLResponse:
        return page(view_of(app, slug, date, Period.WEEKLY), "all")

    def edition_page(slug: str, date: str, period: Period, before: Date | None = None) -> HTMLResponse:
        view = view_of(app, slug, date, period)
        return page(view, "edition", archive=days_of(app, slug, before), before=before,
                    corrections=corrections_of(app, slug, date, period))

    def page(view: EditionView, kind: str, **values: Any) -> HTMLResponse:
        text = pages.renderer.page(view, kind, site_name=pages.site_name, **values)
        return HTMLResponse(text, headers=CACHED)

    return routes


def days_of(app: App, slug: str, before: Date | None) -> ArchivePage:
    """The last editions earlier than `before` (None: the newest)."""
    with read_only(app.engine) as connection:
        return archive.archive_page(connection, slug, before=before, limit=LAST_EDITIONS)


def view_of(app: App, slug: str, date: str, period: Period) -> EditionView:
    """The view that was approved for a day, of a retired newsletter too. Raises NotFound where there is none."""
    with read_only(app.engine) as connection:
        edition = archive.archived(connection, slug, iso_day(date), period)
    if edition is None:
        raise NotFound("edition", edition_name(slug, iso_day(date), period))
    return edition.view


def corrections_of(app: App, slug: str, date: str, period: Period) -> tuple[CorrectionView, ...]:
    """What was corrected of an edition since it was released, oldest first."""
    with read_only(app.engine) as connection:
        edition = archive.archived(connection, slug, iso_day(date), period)
        return corrections.corrections_of(connection, edition) if edition else ()


def iso_day(text: str) -> Date:
    """The day of "YYYY-MM-DD", the only form that addresses have. Raises NotFound."""
    try:
        day = Date.fromisoformat(text)
    except ValueError as error:
        raise NotFound("edition", text) from error
    if day.isoformat() != text:
        raise NotFound("edition", text, hint=day.isoformat())
    return day


def local_iso(instant: datetime, zone: str) -> str:
    """An instant as ISO 8601 with the zone's offset."""
    return instant.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")
