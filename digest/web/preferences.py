"""What a reader may do on the page of their signed link beside leaving: preferences, another address, their data."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from digest.app import App
from digest.errors import AddressRefused, NotFound, PreferenceRefused, TokenError
from digest.services import address_changes, leaving, own_alerts, personal_data, readers
from digest.services.readers import Reader
from digest.storage.engine import read_only
from digest.web.access import client_of
from digest.web.forms import PRIVATE, Fields, admit, bad_link, notice
from digest.web.pages import Pages


def router(app: App, pages: Pages) -> APIRouter:
    """Routes of /u/{token}/preferences, /u/{token}/address and /u/{token}/data, the last one below /a/ too."""
    routes = APIRouter()
    _add_preferences(routes, app, pages)
    _add_address(routes, app, pages)
    _add_data(routes, app, pages)
    return routes


def _add_preferences(routes: APIRouter, app: App, pages: Pages) -> None:
    @routes.post("/u/{token}/preferences")
    def save(token: str, fields: Fields) -> HTMLResponse:
        now = app.clock.now()
        try:
            with app.engine.begin() as conn:
                reader = readers.reader_of(conn, token, app.configuration, app.signer(),
                                           site_language=app.settings.site.language, now=now)
                readers.save(conn, _some(reader), fields.values, app.configuration, now)
        except (TokenError, NotFound) as error:
            return bad_reader_link(pages, error)
        except PreferenceRefused as error:
            return reader_page(app, pages, token, refused=error.reason)
        return reader_page(app, pages, token, saved=True)


def _add_address(routes: APIRouter, app: App, pages: Pages) -> None:
    @routes.post("/u/{token}/address")
    def ask(token: str, fields: Fields, request: Request) -> HTMLResponse:
        admit(app, client_of(request, app.settings.server.proxies))
        now = app.clock.now()
        try:
            with app.engine.begin() as conn:
                reader = _some(readers.reader_of(conn, token, app.configuration, app.signer(),
                                                 site_language=app.settings.site.language, now=now))
                address_changes.ask(
                    conn, reader.active.subscriber, fields.get("email"), language=reader.language,
                    settings=app.settings, signer=app.signer(), renderer=pages.renderer, now=now)
        except (TokenError, NotFound) as error:
            return bad_reader_link(pages, error)
        except AddressRefused as error:
            return reader_page(app, pages, token, refused=error.reason)
        gettext = pages.renderer.words(reader.language).gettext
        return notice(pages, gettext("Look into both mailboxes"), [
            gettext("If the address can be changed to this one, a mail with a link is on its way to each of the two."),
            gettext("Open both links and press the buttons: then your mail goes to the new address.")],
            language=reader.language)


def _add_data(routes: APIRouter, app: App, pages: Pages) -> None:
    @routes.post("/u/{token}/data")
    @routes.post("/a/{token}/data")
    def ask(token: str, request: Request) -> HTMLResponse:
        admit(app, client_of(request, app.settings.server.proxies))
        now = app.clock.now()
        try:
            with app.engine.begin() as conn:
                reader = _some(readers.reader_of(conn, token, app.configuration, app.signer(),
                                                 site_language=app.settings.site.language, now=now))
                personal_data.offer(conn, reader.subscriber, reader.mark, language=reader.language,
                                    settings=app.settings, signer=app.signer(), renderer=pages.renderer, now=now)
        except (TokenError, NotFound) as error:
            return bad_reader_link(pages, error)
        gettext = pages.renderer.words(reader.language).gettext
        return notice(pages, gettext("Look into your mailbox"), [
            gettext("A mail with a link is on its way to your address. The link works for a day.")],
            language=reader.language)


def reader_page(app: App, pages: Pages, token: str, *, saved: bool = False, refused: str = "") -> HTMLResponse:
    """The page of a reader's link: a button to leave, and their preferences where they read the newsletter.

    `refused` says why what was asked for was not done; 422 then. Raises TokenError or NotFound.
    """
    now = app.clock.now()
    with read_only(app.engine) as conn:
        reader = _some(readers.reader_of(conn, token, app.configuration, app.signer(),
                                         site_language=app.settings.site.language, now=now))
        planned = leaving.describe(conn, reader.mark, reader.language)
        form = readers.form_of(conn, reader, app.configuration, now)
        rules = own_alerts.rules_of(conn, reader.mark)
    reason = pages.renderer.words(reader.language).gettext(refused) if refused else ""
    response = pages.html(
        "web/reader.html", language=reader.language, status=422 if refused else 200, planned=planned, saved=saved,
        path=f"/{'a' if reader.mark.startswith('alert') else 'u'}/{token}", refused=reason, form=form, rules=rules)
    response.headers.update(PRIVATE)
    return response


def bad_reader_link(pages: Pages, error: TokenError | NotFound) -> HTMLResponse:
    """What is said of a mail's link that does not work."""
    gettext = pages.renderer.words(pages.language).gettext
    return bad_link(pages, error, gettext("Open the link of the newest mail that you have from us."), pages.language)


def _some(reader: Reader | None) -> Reader:
    """A reader with an address. Raises NotFound where the link is nobody's or its reader was erased."""
    if reader is None or reader.subscriber.erased:
        raise NotFound("subscriber", "")
    return reader
