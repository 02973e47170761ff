"""/u/{token} and /a/{token}: the page of a mail's signed link, and leaving. GET shows, the one button POSTs; no cookie,
no script.
"""

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from digest.app import App
from digest.errors import NotFound, TokenError
from digest.services import leaving, readers
from digest.services.leaving import Leaving
from digest.storage.engine import read_only
from digest.web.forms import notice
from digest.web.pages import Pages
from digest.web.preferences import bad_reader_link, reader_page

Gettext = Callable[[str], str]


def router(app: App, pages: Pages) -> APIRouter:
    """Routes of /u/{token} and /a/{token}."""
    routes = APIRouter()

    @routes.get("/u/{token}")
    @routes.get("/a/{token}")
    def page(token: str) -> HTMLResponse:
        try:
            mark, language, known = _look(app, token)
            if known:
                return reader_page(app, pages, token)
            with read_only(app.engine) as conn:
                planned = leaving.describe(conn, mark, language)
        except (TokenError, NotFound) as error:
            return bad_reader_link(pages, error)
        return _left(pages, planned, language) if planned.over else _to_leave(pages, planned, language)

    @routes.post("/u/{token}")
    @routes.post("/a/{token}")
    def leave(token: str) -> HTMLResponse:
        """Also what a mail program's one-click POST asks for (RFC 8058): the token alone counts, not the body."""
        try:
            mark, language, _ = _look(app, token)
            with app.engine.begin() as conn:
                ended = leaving.leave(conn, mark, app.clock.now(), language)
        except (TokenError, NotFound) as error:
            return bad_reader_link(pages, error)
        return _left(pages, ended, language)

    return routes


def _look(app: App, token: str) -> tuple[str, str, bool]:
    """The mark of a link, the language of its reader or of the site, and whether it is a reader's. Raises TokenError
    or NotFound.
    """
    site, now = app.settings.site.language, app.clock.now()
    mark = app.signer().read("unsubscribe", token, now)
    with read_only(app.engine) as conn:
        reader = readers.reader_of(conn, token, app.configuration, app.signer(), site_language=site, now=now)
        language = reader.language if reader else leaving.language_of(conn, mark) or site
    return mark, language, reader is not None and not reader.subscriber.erased


def _to_leave(pages: Pages, planned: Leaving, language: str) -> HTMLResponse:
    """A wish for another address, which is nobody's subscription."""
    gettext = pages.renderer.words(language).gettext
    return notice(pages, gettext("Keep the address as it is?"), [
        gettext("Press the button and nothing changes, whoever confirms it.")],
        button=gettext("Keep the address"), language=language)


def _left(pages: Pages, ended: Leaving, language: str) -> HTMLResponse:
    gettext = pages.renderer.words(language).gettext
    if not ended.what:
        return notice(pages, gettext("This was a test mail"), [
            gettext("Nothing is sent regularly to this address because of it.")], language=language)
    if ended.is_change:
        return notice(pages, gettext("This is settled"), [
            gettext("No change of address waits to be confirmed any more.")], language=language)
    return notice(pages, gettext("You have left {what}").format(what=ended.what), [
        gettext("No more mail of it comes to you."), *_rest(ended, gettext)], language=language)


def _rest(leaving_: Leaving, gettext: Gettext) -> list[str]:
    text = gettext("You still get {what}: each mail has a link of its own.")
    return [text.format(what=", ".join(leaving_.rest))] if leaving_.rest else []
