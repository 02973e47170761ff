"""Public pages of newsletters: the list, the current edition, dated editions and all their stories."""

from datetime import date as Date
from datetime import datetime
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from digest.app import App
from digest.errors import NotFound
from digest.pipeline.slots import next_release
from digest.pipeline.view import EditionView
from digest.services import editions
from digest.services.newsletters import chosen
from digest.storage.engine import read_only
from digest.web.pages import Pages

LAST_EDITIONS = 14
CACHED = {"Cache-Control": "public, max-age=60"}


def router(app: App, pages: Pages) -> APIRouter:
    """Routes of /, /{newsletter}/, /{newsletter}/{date}/ and /{newsletter}/{date}/all. GET changes nothing."""
    routes = APIRouter()

    @routes.get("/")
    def index() -> HTMLResponse:
        newsletters = list(app.configuration.newsletters.values())
        latest = {n.slug: next(iter(edition_dates(app, n.slug)), None) for n in newsletters}
        return pages.html("web/index.html", newsletters=newsletters, latest=latest)

    @routes.get("/{slug}/")
    def current(slug: str) -> HTMLResponse:
        newsletter = chosen(app.configuration, slug)
        dates = edition_dates(app, slug)
        if not dates:
            release = next_release(newsletter, app.clock.now())
            return pages.html("web/waiting.html", language=newsletter.language, newsletter=newsletter,
                              next_release=local_iso(release, newsletter.zone))
        return page(view_of(app, slug, dates[0]), "edition", dates)

    @routes.get("/{slug}/{date}/")
    def dated(slug: str, date: str) -> HTMLResponse:
        return page(view_of(app, slug, date), "edition", edition_dates(app, slug))

    @routes.get("/{slug}/{date}/all")
    def every_story(slug: str, date: str) -> HTMLResponse:
        return page(view_of(app, slug, date), "all", [])

    def page(view: EditionView, kind: str, dates: list[str]) -> HTMLResponse:
        text = pages.renderer.page(view, kind, editions=dates, site_name=pages.site_name)
        return HTMLResponse(text, headers=CACHED)

    return routes


def edition_dates(app: App, slug: str) -> list[str]:
    """ISO days of the last approved editions, newest first."""
    with read_only(app.engine) as connection:
        return [row.date.isoformat() for row in editions.list_editions(connection, slug, LAST_EDITIONS)]


def view_of(app: App, slug: str, date: str) -> EditionView:
    """The view that was approved for a day, of a retired newsletter too. Raises NotFound where there is none."""
    with read_only(app.engine) as connection:
        view = editions.stored_view(connection, slug, iso_day(date))
    if view is None:
        raise NotFound("edition", f"{slug}/{date}")
    return view


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
