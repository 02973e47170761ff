"""/u/address/{token} and /u/data/{token}: what links mailed for one purpose open. GET shows, buttons POST."""

import json

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from digest.app import App
from digest.errors import TokenError
from digest.services import address_changes, personal_data
from digest.services.address_changes import Asked
from digest.storage.engine import read_only
from digest.web.forms import PRIVATE, Fields, bad_link, notice
from digest.web.pages import Pages


def router(app: App, pages: Pages) -> APIRouter:
    """Routes of /u/address/{token}, /u/data/{token} and /u/data/{token}/erase."""
    routes = APIRouter()
    _add_address(routes, app, pages)
    _add_data(routes, app, pages)
    return routes


def _add_address(routes: APIRouter, app: App, pages: Pages) -> None:
    @routes.get("/u/address/{token}")
    def show(token: str) -> HTMLResponse:
        try:
            with read_only(app.engine) as conn:
                asked = address_changes.read(conn, token, app.signer(), app.clock.now())
        except TokenError as error:
            return _bad_link(pages, error)
        return _asked(pages, asked)

    @routes.post("/u/address/{token}")
    def confirm(token: str) -> HTMLResponse:
        try:
            with app.engine.begin() as conn:
                now = app.clock.now()
                asked = address_changes.read(conn, token, app.signer(), now)
                address_changes.confirm(conn, asked, now)
                asked = address_changes.read(conn, token, app.signer(), now)
        except TokenError as error:
            return _bad_link(pages, error)
        return _asked(pages, asked)


def _add_data(routes: APIRouter, app: App, pages: Pages) -> None:
    @routes.get("/u/data/{token}")
    def show(token: str) -> HTMLResponse:
        try:
            with read_only(app.engine) as conn:
                _, language = personal_data.read(conn, token, app.signer(), app.clock.now())
        except TokenError as error:
            return _bad_link(pages, error)
        return _data(pages, token, language)

    @routes.post("/u/data/{token}")
    def download(token: str) -> Response:
        try:
            with read_only(app.engine) as conn:
                subscriber, _ = personal_data.read(conn, token, app.signer(), app.clock.now())
                found = personal_data.gather(conn, subscriber)
        except TokenError as error:
            return _bad_link(pages, error)
        return Response(json.dumps(found, ensure_ascii=False, indent=2) + "\n", media_type="application/json", headers={
            **PRIVATE, "Content-Disposition": 'attachment; filename="my-data.json"'})

    @routes.post("/u/data/{token}/erase")
    def erase(token: str, fields: Fields) -> HTMLResponse:
        try:
            with app.engine.begin() as conn:
                subscriber, language = personal_data.read(conn, token, app.signer(), app.clock.now())
                if fields.get("sure") != "yes":
                    return _data(pages, token, language, unsure=True)
                personal_data.erase(conn, subscriber, app.clock.now())
        except TokenError as error:
            return _bad_link(pages, error)
        gettext = pages.renderer.words(language).gettext
        return notice(pages, gettext("You are erased"), [
            gettext("Nothing that we have stored names you any more, and no mail comes to you."),
            gettext("You are welcome to sign up again whenever you like.")], language=language)


def _asked(pages: Pages, asked: Asked) -> HTMLResponse:
    """What a change waits for, and the button of this side of it."""
    change, language = asked.change, asked.change.language
    gettext = pages.renderer.words(language).gettext
    if change.state == "done":
        return notice(pages, gettext("Your address is changed"), [
            gettext("From now on your mail goes to the new one.")], language=language)
    mine = change.old_confirmed_at if asked.side == "old" else change.new_confirmed_at
    if mine:
        return notice(pages, gettext("Thank you. Now the other mailbox"), [
            gettext("The address changes when the link in the other mailbox is confirmed too.")], language=language)
    return notice(pages, gettext("Change the address?"), [
        gettext("From {old} to {new}.").format(old=asked.shown, new=change.email),
        gettext("Press the button if you asked for this. Otherwise do nothing: nothing will change.")],
        button=gettext("Yes, change it"), language=language)


def _data(pages: Pages, token: str, language: str, *, unsure: bool = False) -> HTMLResponse:
    response = pages.html("web/data.html", language=language, status=422 if unsure else 200, token=token,
                          unsure=unsure)
    response.headers.update(PRIVATE)
    return response


def _bad_link(pages: Pages, error: TokenError) -> HTMLResponse:
    gettext = pages.renderer.words(pages.language).gettext
    return bad_link(pages, error, gettext("Ask for a new one on the page of your subscription."), pages.language)
