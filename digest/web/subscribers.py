"""Pages for readers: signing up, confirming, leaving. GET shows, the one button POSTs; no cookie, no script."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse

from digest.app import App
from digest.documents import Newsletter
from digest.errors import AddressRefused, NotFound, TokenError
from digest.services import leaving, subscribers
from digest.services.leaving import Leaving
from digest.storage.engine import read_only
from digest.web.pages import Pages

Gettext = Callable[[str], str]
MAX_FORM_BYTES = 8192
PRIVATE = {"Cache-Control": "no-store"}


async def form_fields(request: Request) -> dict[str, str]:
    """The fields of a URL-encoded form; the last value of each name. Answers 413 to a large one, {} to another kind."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413, "The form is larger than an address can be.")
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    try:
        return {name: values[-1] for name, values in parse_qs(body.decode(), max_num_fields=20).items()}
    except ValueError:
        return {}


Fields = Annotated[dict[str, str], Depends(form_fields)]


def router(app: App, pages: Pages) -> APIRouter:
    """Routes of /sign-up/{newsletter}, /sign-up/{newsletter}/{token}, /u/{token} and /a/{token}."""
    routes = APIRouter()
    _add_sign_up(routes, app, pages)
    _add_confirmation(routes, app, pages)
    _add_leaving(routes, app, pages)
    return routes


def _add_sign_up(routes: APIRouter, app: App, pages: Pages) -> None:
    @routes.get("/sign-up/{slug}")
    def sign_up_page(slug: str) -> HTMLResponse:
        return _sign_up_form(pages, _newsletter(app, slug))

    @routes.post("/sign-up/{slug}")
    def sign_up(slug: str, fields: Fields) -> HTMLResponse:
        newsletter = _newsletter(app, slug)
        if not fields.get("website"):  # only a machine fills the field that nobody sees
            try:
                with app.engine.begin() as conn:
                    subscribers.sign_up(conn, newsletter, fields.get("email", ""), settings=app.settings,
                                        signer=app.signer(), renderer=pages.renderer, now=app.clock.now())
            except AddressRefused as error:
                return _sign_up_form(pages, newsletter, error.reason)
        return _asked(pages, newsletter)


def _add_confirmation(routes: APIRouter, app: App, pages: Pages) -> None:
    @routes.get("/sign-up/{slug}/{token}")
    def confirm_page(slug: str, token: str) -> HTMLResponse:
        newsletter = _newsletter(app, slug)
        try:
            with read_only(app.engine) as conn:
                subscription = subscribers.read_confirmation(conn, slug, token, app.signer(), app.clock.now())
        except TokenError as error:
            return _bad_confirmation(pages, newsletter, error)
        if subscription.state == "active":
            return _confirmed(pages, newsletter)
        return _to_confirm(pages, newsletter)

    @routes.post("/sign-up/{slug}/{token}")
    def confirm(slug: str, token: str) -> HTMLResponse:
        newsletter = _newsletter(app, slug)
        try:
            with app.engine.begin() as conn:
                now = app.clock.now()
                subscription = subscribers.read_confirmation(conn, slug, token, app.signer(), now)
                subscribers.confirm(conn, subscription.id, now)
        except TokenError as error:
            return _bad_confirmation(pages, newsletter, error)
        return _confirmed(pages, newsletter)


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
            return _bad_leave_link(pages, error)
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
            return _bad_leave_link(pages, error)
        return _left(pages, ended, language)


def _newsletter(app: App, slug: str) -> Newsletter:
    newsletter = app.configuration.newsletters.get(slug)
    if newsletter is None:
        raise NotFound("newsletter", slug[:60])
    return newsletter


def _language_of(app: App, mark: str) -> str:
    """The language of the newsletter that a mark is of; else the site's."""
    with read_only(app.engine) as conn:
        newsletter = app.configuration.newsletters.get(leaving.list_of(conn, mark))
    return newsletter.language if newsletter else app.settings.site.language


def _sign_up_form(pages: Pages, newsletter: Newsletter, refused: str = "") -> HTMLResponse:
    return pages.html("web/sign-up.html", language=newsletter.language, status=422 if refused else 200,
                      newsletter=newsletter, refused=refused)


def _asked(pages: Pages, newsletter: Newsletter) -> HTMLResponse:
    gettext = pages.renderer.words(newsletter.language).gettext
    sent = gettext("If this address can be signed up to {name}, a mail with a link is on its way to it.")
    return _notice(pages, gettext("Look into your mailbox"), [
        sent.format(name=newsletter.name),
        gettext("Nothing is sent before you confirm. Nothing came? Look among the spam, or try again in an hour.")],
        language=newsletter.language)


def _to_confirm(pages: Pages, newsletter: Newsletter) -> HTMLResponse:
    gettext = pages.renderer.words(newsletter.language).gettext
    return _notice(pages, gettext("{name}: one click to go").format(name=newsletter.name), [
        gettext("Press the button, and the next edition comes to you. Every mail lets you leave with one click.")],
        button=gettext("Yes, send me {name}").format(name=newsletter.name), language=newsletter.language)


def _confirmed(pages: Pages, newsletter: Newsletter) -> HTMLResponse:
    gettext = pages.renderer.words(newsletter.language).gettext
    return _notice(pages, gettext("You are signed up to {name}").format(name=newsletter.name), [
        gettext("It comes at {time}, {zone} time.").format(time=f"{newsletter.send_time:%H:%M}", zone=newsletter.zone)],
        language=newsletter.language)


def _to_leave(pages: Pages, planned: Leaving, language: str) -> HTMLResponse:
    gettext = pages.renderer.words(language).gettext
    return _notice(pages, gettext("Leave {what}?").format(what=planned.what), [
        gettext("Press the button and no more mail of {what} comes to you.").format(what=planned.what),
        *_rest(planned, gettext)],
        button=gettext("Leave {what}").format(what=planned.what), language=language)


def _left(pages: Pages, ended: Leaving, language: str) -> HTMLResponse:
    gettext = pages.renderer.words(language).gettext
    if not ended.what:
        return _notice(pages, gettext("This was a test mail"), [
            gettext("Nothing is sent regularly to this address because of it.")], language=language)
    return _notice(pages, gettext("You have left {what}").format(what=ended.what), [
        gettext("No more mail of it comes to you."), *_rest(ended, gettext)], language=language)


def _rest(leaving_: Leaving, gettext: Gettext) -> list[str]:
    text = gettext("You still get {what}: each mail has a link of its own.")
    return [text.format(what=", ".join(leaving_.rest))] if leaving_.rest else []


def _bad_confirmation(pages: Pages, newsletter: Newsletter, error: TokenError) -> HTMLResponse:
    gettext = pages.renderer.words(newsletter.language).gettext
    advice = gettext("Sign up again at {address} to get a new one.").format(address=f"/sign-up/{newsletter.slug}")
    return _bad_link(pages, error, advice, newsletter.language)


def _bad_leave_link(pages: Pages, error: TokenError | NotFound) -> HTMLResponse:
    gettext = pages.renderer.words(pages.language).gettext
    return _bad_link(pages, error, gettext("Open the link of the newest mail that you have from us."), pages.language)


def _bad_link(pages: Pages, error: TokenError | NotFound, advice: str, language: str) -> HTMLResponse:
    gettext = pages.renderer.words(language).gettext
    reasons = {"expired": gettext("It has expired."), "used already": gettext("It was used already.")}
    reason = (reasons.get(error.reason, gettext("It is not valid.")) if isinstance(error, TokenError)
              else gettext("What it was for does not exist any more."))
    return _notice(pages, gettext("This link does not work"), [reason, advice], language=language,
                   status=400 if isinstance(error, TokenError) else 404)


def _notice(pages: Pages, title: str, paragraphs: list[str], *, language: str, button: str = "",
            status: int = 200) -> HTMLResponse:
    """A page of plain words, with one button that POSTs to its own address where `button` names it."""
    response = pages.html("web/personal.html", language=language, status=status, title=title, paragraphs=paragraphs,
                          button=button)
    response.headers.update(PRIVATE)
    return response
