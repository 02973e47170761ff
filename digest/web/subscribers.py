"""/u/{token} and /a/{token}: leaving. GET shows, the one button POSTs; no cookie, no script."""

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from digest.app import App
from digest.errors import NotFound, TokenError
from digest.services import leaving
from digest.services.leaving import Leaving
from digest.storage.engine import read_only
from digest.web.forms import bad_link, notice
from digest.web.pages import Pages

Gettext = Callable[[str], str]


def router(app: App, pages: Pages) -> APIRouter:
    """Routes of /u/{token} and /a/{token}."""
    routes = APIRouter()
    _add_leaving(routes, app, pages)
    return routes


def _add_leaving(routes: APIRouter, app: App, pages: Pages) -> None:
    @routes.get("/u/{token}")
    @routes.get("/a/{token}")
    def leave_page(token: str) -> HTMLResponse:
        try:
            mark = app.signer().read("unsubscribe", token, app.clock.now())
            language = _language_of(app, mark)
            with read_only(app.engine) as conn:
                planned = leaving.describe(conn, mark, language)
        except (TokenError, NotFound) as error:
            return _bad_link(pages, error)
        return _left(pages, planned, language) if planned.over else _to_leave(pages, planned, language)

    @routes.post("/u/{token}")
    @routes.post("/a/{token}")
    def leave(token: str) -> HTMLResponse:
        """Also what a mail program's one-click POST asks for (RFC 8058): the token alone counts, not the body."""
        try:
            now = app.clock.now()
            mark = app.signer().read("unsubscribe", token, now)
            language = _language_of(app, mark)
            with app.engine.begin() as conn:
                ended = leaving.leave(conn, mark, now, language)
        except (TokenError, NotFound) as error:
            return _bad_link(pages, error)
        return _left(pages, ended, language)


def _language_of(app: App, mark: str) -> str:
    """The language of the newsletter that a mark is of; else the site's."""
    with read_only(app.engine) as conn:
        newsletter = app.configuration.newsletters.get(leaving.list_of(conn, mark))
    return newsletter.language if newsletter else app.settings.site.language


def _to_leave(pages: Pages, planned: Leaving, language: str) -> HTMLResponse:
    gettext = pages.renderer.words(language).gettext
    return notice(pages, gettext("Leave {what}?").format(what=planned.what), [
        gettext("Press the button and no more mail of {what} comes to you.").format(what=planned.what),
        *_rest(planned, gettext)],
        button=gettext("Leave {what}").format(what=planned.what), language=language)


def _left(pages: Pages, ended: Leaving, language: str) -> HTMLResponse:
    gettext = pages.renderer.words(language).gettext
    if not ended.what:
        return notice(pages, gettext("This was a test mail"), [
            gettext("Nothing is sent regularly to this address because of it.")], language=language)
    return notice(pages, gettext("You have left {what}").format(what=ended.what), [
        gettext("No more mail of it comes to you."), *_rest(ended, gettext)], language=language)


def _rest(leaving_: Leaving, gettext: Gettext) -> list[str]:
    text = gettext("You still get {what}: each mail has a link of its own.")
    return [text.format(what=", ".join(leaving_.rest))] if leaving_.rest else []


def _bad_link(pages: Pages, error: TokenError | NotFound) -> HTMLResponse:
    gettext = pages.renderer.words(pages.language).gettext
    return bad_link(pages, error, gettext("Open the link of the newest mail that you have from us."), pages.language)
