"""/sign-up/{newsletter}: asking for a newsletter and confirming it. GET shows, the one button POSTs."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from digest.app import App
from digest.documents import Newsletter
from digest.errors import AddressRefused, NotFound, TokenError
from digest.services import sign_ups
from digest.storage.engine import read_only
from digest.web.access import client_of
from digest.web.forms import Fields, admit, bad_link, notice
from digest.web.pages import Pages


def router(app: App, pages: Pages) -> APIRouter:
    """Routes of /sign-up/{newsletter} and /sign-up/{newsletter}/{token}."""
    routes = APIRouter()
    _add_sign_up(routes, app, pages)
    _add_confirmation(routes, app, pages)
    return routes


def _add_sign_up(routes: APIRouter, app: App, pages: Pages) -> None:
    @routes.get("/sign-up/{slug}")
    def sign_up_page(slug: str) -> HTMLResponse:
        return _form(pages, _newsletter(app, slug))

    @routes.post("/sign-up/{slug}")
    def sign_up(slug: str, fields: Fields, request: Request) -> HTMLResponse:
        newsletter = _newsletter(app, slug)
        admit(app, client_of(request, app.settings.server.proxies))
        if not fields.get("website"):  # only a machine fills the field that nobody sees
            try:
                with app.engine.begin() as conn:
                    sign_ups.sign_up(conn, newsletter, fields.get("email"), settings=app.settings,
                                     signer=app.signer(), renderer=pages.renderer, now=app.clock.now())
            except AddressRefused as error:
                return _form(pages, newsletter, error.reason)
        return _asked(pages, newsletter)


def _add_confirmation(routes: APIRouter, app: App, pages: Pages) -> None:
    @routes.get("/sign-up/{slug}/{token}")
    def confirm_page(slug: str, token: str) -> HTMLResponse:
        newsletter = _newsletter(app, slug)
        try:
            with read_only(app.engine) as conn:
                subscription = sign_ups.read_confirmation(conn, slug, token, app.signer(), app.clock.now())
        except TokenError as error:
            return _bad_link(pages, newsletter, error)
        if subscription.state == "active":
            return _confirmed(pages, newsletter)
        return _to_confirm(pages, newsletter)

    @routes.post("/sign-up/{slug}/{token}")
    def confirm(slug: str, token: str) -> HTMLResponse:
        newsletter = _newsletter(app, slug)
        try:
            with app.engine.begin() as conn:
                now = app.clock.now()
                subscription = sign_ups.read_confirmation(conn, slug, token, app.signer(), now)
                sign_ups.confirm(conn, subscription.id, now)
        except TokenError as error:
            return _bad_link(pages, newsletter, error)
        return _confirmed(pages, newsletter)


def _newsletter(app: App, slug: str) -> Newsletter:
    newsletter = app.configuration.newsletters.get(slug)
    if newsletter is None:
        raise NotFound("newsletter", slug[:60])
    return newsletter


def _form(pages: Pages, newsletter: Newsletter, refused: str = "") -> HTMLResponse:
    reason = pages.renderer.words(newsletter.language).gettext(refused) if refused else ""
    return pages.html("web/sign-up.html", language=newsletter.language, status=422 if refused else 200,
                      newsletter=newsletter, refused=reason)


def _asked(pages: Pages, newsletter: Newsletter) -> HTMLResponse:
    gettext = pages.renderer.words(newsletter.language).gettext
    sent = gettext("If this address can be signed up to {name}, a mail with a link is on its way to it.")
    return notice(pages, gettext("Look into your mailbox"), [
        sent.format(name=newsletter.name),
        gettext("Nothing is sent before you confirm. Nothing came? Look among the spam, or try again in an hour.")],
        language=newsletter.language)


def _to_confirm(pages: Pages, newsletter: Newsletter) -> HTMLResponse:
    gettext = pages.renderer.words(newsletter.language).gettext
    return notice(pages, gettext("{name}: one click to go").format(name=newsletter.name), [
        gettext("Press the button, and the next edition comes to you. Every mail lets you leave with one click.")],
        button=gettext("Yes, send me {name}").format(name=newsletter.name), language=newsletter.language)


def _confirmed(pages: Pages, newsletter: Newsletter) -> HTMLResponse:
    gettext = pages.renderer.words(newsletter.language).gettext
    return notice(pages, gettext("You are signed up to {name}").format(name=newsletter.name), [
        gettext("It comes at {time}, {zone} time.").format(time=f"{newsletter.send_time:%H:%M}", zone=newsletter.zone)],
        language=newsletter.language)


def _bad_link(pages: Pages, newsletter: Newsletter, error: TokenError) -> HTMLResponse:
    gettext = pages.renderer.words(newsletter.language).gettext
    advice = gettext("Sign up again at {address} to get a new one.").format(address=f"/sign-up/{newsletter.slug}")
    return bad_link(pages, error, advice, newsletter.language)
