"""/preview: an edition as it goes out, made by the edition's very functions. Stores nothing, mails nobody.

A day that has an edition, or a draft at the desk, shows that one; any other day its plan as of `now`. On request in any
variant that a reader's preferences can ask for.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from datetime import date as Date
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from digest.app import App
from digest.documents import Newsletter
from digest.model import Fate, Message, Period
from digest.pipeline.lint import Finding
from digest.pipeline.variants import Variant
from digest.pipeline.view import EditionView, StoryView
from digest.resources import template_texts
from digest.services import editions, variants
from digest.services.lint import check
from digest.services.newsletters import chosen, week_at_hand
from digest.services.variants import LOOK_BACK
from digest.storage.engine import read_only
from digest.web.access import Access, token_query
from digest.web.newsletters import iso_day, local_iso
from digest.web.pages import FRAMED, Pages, open_links_outside

Format = Literal["shell", "html", "text", "json"]
Look = Literal["mail", "phone", "dark", "phone-dark", "no-images", "text", "json"]
LOOKS: dict[Look, str] = {
    "mail": "HTML", "phone": "Phone", "dark": "Dark", "phone-dark": "Phone, dark", "no-images": "Images off",
    "text": "Text", "json": "JSON",
}


class BadTime(Exception):
    """The `now` of a preview cannot be read; answered with 400."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which edition, and which variant of it. `date` None: today in its zone; `missed` counts the last editions."""

    now: datetime
    date: Date | None = None
    weekly: bool = False
    language: str = ""
    hide: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """What an editor looks at, in every form. `fates` by item id; `state` of the edition, None for a plan."""

    newsletter: Newsletter
    edition: EditionView  # as it is without the variant
    variant: Variant
    mailed: bool  # whether readers of the variant get a mail
    view: EditionView
    message: Message
    json: str
    fates: Mapping[str, Fate]
    findings: tuple[Finding, ...]  # of the checks before approval
    now: datetime
    state: str | None


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
    def preview(
        request: Request, slug: str, format: Format = "shell", look: Look = "mail", now: str = "", date: str = "",
        weekly: bool = False, language: str = "", hide: Annotated[list[str] | None, Query()] = None,
        read: Annotated[list[str] | None, Query()] = None, missed: Annotated[int, Query(ge=0, le=LOOK_BACK)] = 0,
    ) -> Response:
        wanted = Wanted(read_time(now) if now else app.clock.now(), iso_day(date) if date else None, weekly, language,
                        tuple(sorted(set(hide or ()))), tuple(sorted(set(read or ()))), missed)
        shown = shown_at(app, slug, wanted)
        if format == "shell":
            return _shell(request, pages, shown, wanted, look)
        if format == "html":
            return HTMLResponse(framed_html(shown.message.html, look), headers=framed_headers(look))
        if format == "text":
            return PlainTextResponse(shown.message.text)
        return Response(shown.json, media_type="application/json")

    return routes


def shown_at(app: App, slug: str, wanted: Wanted) -> Shown:
    """A variant of the stored edition of a day, else of its plan at `now`. Stores nothing.

    The fates of a stored edition are those of the instant at which it was built.
    """
    newsletter, now = chosen(app.configuration, slug), wanted.now
    period = Period.WEEKLY if wanted.weekly and newsletter.weekly else Period.DAILY
    asked = wanted.date or (week_at_hand(newsletter, now) if period is Period.WEEKLY else None)
    day, _ = editions.slot_of(newsletter, now, asked, period)
    with read_only(app.engine) as connection:
        edition = editions.stored_edition(connection, slug, day, period, now=now)
        at = edition.built_at if edition else now
        templates = editions.templates_of(edition, template_texts(app.instance.templates))
        composed = editions.plan(
            connection, app.configuration, newsletter, app.settings, templates, now=at, date=day, period=period)
        view = edition.view if edition else composed.view
        renderer = editions.renderer_of(templates, app.settings)
        missed = variants.last_days(connection, newsletter, view, wanted.missed)
        variant = Variant(language=wanted.language, hidden=wanted.hide, read=wanted.read, missed=missed)
        look = variants.look_at(connection, view, variant, renderer)
    message = replace(look.message, html=editions.specimen(look.message.html, look.view),
                      text=editions.specimen(look.message.text, look.view))
    findings = check(view, renderer, newsletter, app.settings)
    return Shown(newsletter, view, variant, look.mailed, look.view, message, renderer.json(look.view, look.since),
                 composed.fates, findings, now, edition.state if edition else None)


def read_time(text: str) -> datetime:
    """An instant of an address's `now`, in UTC where it names no offset. Raises BadTime."""
    try:
        when = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise BadTime(text) from error
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def framed_html(html: str, look: Look) -> str:
    """The mail as a frame shows it: links open outside, dark or light as asked for."""
    dark = look.endswith("dark")
    html = html.replace("@media (prefers-color-scheme: dark)", "@media all" if dark else "@media not all")
    html = html.replace("color-scheme: light dark", f"color-scheme: {'dark' if dark else 'light'}")
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


def _shell(request: Request, pages: Pages, shown: Shown, wanted: Wanted, look: Look) -> Response:
    view, message = shown.view, shown.message
    query: dict[str, str | list[str]] = {"now": shown.now.isoformat(), "date": view.date}
    if token := request.query_params.get("token"):
        query["token"] = token
    variant: dict[str, str | list[str]] = {
        name: value for name, value in (
            ("weekly", "1" if view.period == Period.WEEKLY else ""), ("language", wanted.language),
            ("hide", list(wanted.hide)), ("read", list(wanted.read)), ("missed", str(wanted.missed or "")))
        if value}
    edition = shown.edition
    response = pages.html(
        "web/preview.html", language=edition.language, view=view, state=shown.state,
        now=local_iso(shown.now, view.zone), html_bytes=len(message.html.encode()),
        text_bytes=len(message.text.encode()), pre={"text": message.text, "json": shown.json}.get(look),
        phone=look.startswith("phone"), placed=placed_stories(view), query=token_query(request),
        tabs=[Tab(title, _address({"look": name, **query, **variant}), name == look) for name, title in LOOKS.items()],
        frame=_address({"format": "html", "look": look, **query, **variant}), hidden={**query, "look": look},
        daily=_address({"look": look, **query}, without="date"), wanted=wanted, edition=edition, shown=shown,
        weekly=_address({"look": look, "weekly": "1", **query}, without="date"), most_missed=LOOK_BACK,
        languages=[edition.language, *(interface.language for interface in edition.interfaces)],
        told=sorted({story.language for story in edition.mailed}),
        findings=shown.findings, fates=Counter(fate.gate for fate in shown.fates.values()).most_common())
    response.headers["Cache-Control"] = "no-store"
    return response


def _address(query: Mapping[str, str | list[str]], *, without: str = "") -> str:
    """This page with other parameters."""
    return f"?{urlencode({name: value for name, value in query.items() if name != without}, doseq=True)}"
