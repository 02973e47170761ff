"""/preview: the next edition as it would go out, made by the edition's very functions. Stores nothing, mails nobody."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from digest.app import App
from digest.model import Message
from digest.pipeline.compose import Composed
from digest.pipeline.view import EditionView, StoryView
from digest.services import editions
from digest.services.newsletters import chosen
from digest.storage.engine import read_only
from digest.web.access import Access, token_query
from digest.web.newsletters import local_iso
from digest.web.pages import FRAMED, Pages, open_links_outside

Format = Literal["shell", "html", "text", "json"]
Look = Literal["mail", "phone", "dark", "phone-dark", "no-images", "text", "json"]
LOOKS: dict[Look, str] = {
    "mail": "HTML", "phone": "Phone", "dark": "Dark", "phone-dark": "Phone, dark", "no-images": "Images off",
    "text": "Text", "json": "JSON",
}
PREVIEW_MARKS = {"%%unsubscribe%%": "#unsubscribe", "%%reason%%": "Here stands why the reader gets this mail."}


class BadTime(Exception):
    """The `now` of a preview cannot be read; answered with 400."""


@dataclass(frozen=True, slots=True)
class Tab:
    title: str
    url: str
    current: bool


def router(app: App, pages: Pages, access: Access) -> APIRouter:
    """Routes of /preview and /preview/{newsletter}?look=…&format=…&now=…, for operators only."""
    routes = APIRouter(dependencies=[Depends(access.check)])

    @routes.get("/preview")
    def index(request: Request) -> HTMLResponse:
        newsletters = list(app.configuration.newsletters.values())
        return pages.html("web/preview-index.html", newsletters=newsletters, query=token_query(request))

    @routes.get("/preview/{slug}")
    def preview(request: Request, slug: str, format: Format = "shell", look: Look = "mail", now: str = "") -> Response:
        at = read_time(now) if now else app.clock.now()
        composed = planned(app, slug, at)
        message = pages.renderer.message(composed.view)
        if format == "shell":
            return _shell(request, pages, composed, message, look, at)
        if format == "html":
            return HTMLResponse(framed_html(message.html, look), headers=framed_headers(look))
        text = message.text if format == "text" else pages.renderer.json(composed.view)
        return PlainTextResponse(text, media_type="text/plain" if format == "text" else "application/json")

    return routes


def planned(app: App, slug: str, now: datetime) -> Composed:
    """The edition of a newsletter as it would be built at `now`. Stores nothing."""
    newsletter = chosen(app.configuration, slug)
    with read_only(app.engine) as connection:
        return editions.plan(connection, app.configuration, newsletter, app.settings.site, now=now)


def read_time(text: str) -> datetime:
    """An instant of an address's `now`, in UTC where it names no offset. Raises BadTime."""
    try:
        when = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise BadTime(text) from error
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def framed_html(html: str, look: Look) -> str:
    """The mail as a frame shows it: links open outside, marks are filled in, dark rules apply where asked for."""
    for mark, text in PREVIEW_MARKS.items():
        html = html.replace(mark, text)
    if look.endswith("dark"):
        html = html.replace("@media (prefers-color-scheme: dark)", "@media all")
    return open_links_outside(html)


def framed_headers(look: Look) -> dict[str, str]:
    """Headers of a framed mail; with images off the browser is told to load none."""
    if look != "no-images":
        return FRAMED
    policy = FRAMED["Content-Security-Policy"].replace("img-src http: https: data:", "img-src 'none'")
    return {**FRAMED, "Content-Security-Policy": policy}


def placed_stories(view: EditionView) -> list[tuple[str, StoryView]]:
    """Every story with the title of its place, in the order of the edition."""
    lead = [("Lead", view.lead)] if view.lead else []
    sections = [(section.title, story) for section in view.sections for story in section.stories]
    return [*lead, *sections, *(("On the page of all stories", story) for story in view.rest)]


def _shell(request: Request, pages: Pages, composed: Composed, message: Message, look: Look, now: datetime) -> Response:
    view = composed.view
    query = {"now": now.isoformat(), **({"token": t} if (t := request.query_params.get("token")) else {})}
    pre = {"text": message.text, "json": pages.renderer.json(view)}.get(look)
    response = pages.html(
        "web/preview.html", language=view.language, view=view, now=local_iso(now, view.zone),
        html_bytes=len(message.html.encode()), text_bytes=len(message.text.encode()), pre=pre,
        phone=look.startswith("phone"), placed=placed_stories(view), query=token_query(request),
        tabs=[Tab(title, f"?{urlencode({'look': name, **query})}", name == look) for name, title in LOOKS.items()],
        frame=f"?{urlencode({'format': 'html', 'look': look, **query})}",
        fates=Counter(fate.gate for fate in composed.fates.values()).most_common())
    response.headers["Cache-Control"] = "no-store"
    return response
