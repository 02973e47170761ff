"""The web application: public pages, subscribers' pages, operators' pages, health. No script, no cookie."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from digest import __version__
from digest.app import App
from digest.errors import LimitReached, NotFound
from digest.locale import N_
from digest.pipeline.render import Renderer
from digest.resources import template_texts
from digest.services.envelopes import base_url
from digest.storage.migrate import revision_of
from digest.web import (
    alerts,
    archive,
    bounces,
    new_alert,
    newsletters,
    outbox,
    personal,
    preferences,
    preview,
    sign_up,
    stories,
    subscribers,
)
from digest.web.access import Access, Denied
from digest.web.middleware import SECURITY_HEADERS, HeadAsGet, SecurityHeaders
from digest.web.pages import Pages
from digest.web.preview import BadTime

STALE_AFTER = timedelta(minutes=10)
LOST = N_("The address may be mistyped, or the page never was.")
Heartbeat = Callable[[], datetime | None]

log = structlog.get_logger(__name__)


def create_app(app: App, *, preview_token: str, heartbeat: Heartbeat) -> FastAPI:
    """The pages of an opened instance.

    `preview_token` lets operators in from elsewhere ("" lets nobody). `heartbeat` tells when the scheduler last ticked;
    None where it has not.
    """
    web = FastAPI(title="Region Digest", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    templates = Templates(app.instance.templates, base_url(app.settings))
    pages = Pages(templates.renderer, app.settings.site.name, app.settings.site.language)
    access = Access(preview_token)
    web.add_middleware(HeadAsGet)
    web.add_middleware(SecurityHeaders)
    _add_service_routes(web, app, templates, heartbeat)
    web.include_router(sign_up.router(app, pages))
    web.include_router(personal.router(app, pages))
    web.include_router(preferences.router(app, pages))
    web.include_router(subscribers.router(app, pages))
    web.include_router(alerts.router(app, pages))
    web.include_router(new_alert.router(app, pages))
    web.include_router(preview.router(app, pages, access))
    web.include_router(outbox.router(app.instance.outbox, pages, access))
    web.include_router(bounces.router(app))
    web.include_router(stories.router(app, pages, access))
    web.include_router(archive.router(app))
    web.include_router(newsletters.router(app, pages))
    _add_error_pages(web, pages)
    return web


class Templates:
    """The renderer of the packaged templates and the instance's own; a changed file is noticed."""

    def __init__(self, overrides: Path, base: str):
        self._overrides, self._base = overrides, base
        self._renderer_of = lru_cache(maxsize=1)(self._build)

    def renderer(self) -> Renderer:
        files = sorted(self._overrides.rglob("*")) if self._overrides.is_dir() else []
        return self._renderer_of(tuple((str(path), path.stat().st_mtime_ns) for path in files))

    def _build(self, _state: tuple[tuple[str, int], ...]) -> Renderer:
        return Renderer(template_texts(self._overrides), base=self._base)


def health(app: App, last_tick: datetime | None) -> JSONResponse:
    """200 where the database answers and the scheduler ticked within ten minutes, else 503; ages in seconds."""
    age = (app.clock.now() - last_tick).total_seconds() if last_tick else None
    try:
        database = "ok" if revision_of(app.engine) else "no schema"
    except Exception:
        log.exception("health: the database does not answer")
        database = "unreachable"
    healthy = database == "ok" and age is not None and age <= STALE_AFTER.total_seconds()
    body = {"status": "ok" if healthy else "unhealthy", "database": database, "last_tick_age_seconds": age,
            "version": __version__}
    return JSONResponse(body, status_code=200 if healthy else 503, headers={"Cache-Control": "no-store"})


def _add_service_routes(web: FastAPI, app: App, templates: Templates, heartbeat: Heartbeat) -> None:
    @web.get("/healthz")
    def healthz() -> JSONResponse:
        return health(app, heartbeat())

    @web.get("/static/site.css")
    def stylesheet() -> Response:
        text = templates.renderer().templates["web/site.css"]
        return Response(text, media_type="text/css", headers={"Cache-Control": "public, max-age=300"})

    @web.get("/robots.txt")
    def robots() -> Response:
        return Response("User-agent: *\nDisallow: /preview\nDisallow: /outbox\nDisallow: /u/\nDisallow: /a/\n",
                        media_type="text/plain")


def _add_error_pages(web: FastAPI, pages: Pages) -> None:
    @web.exception_handler(Denied)
    def denied(request: Request, error: Exception) -> Response:
        return pages.error(403, N_("For operators only"),
                           N_("Open this page on the machine itself, or with the address that digest serve printed."))

    @web.exception_handler(NotFound)
    def not_found(request: Request, error: Exception) -> Response:
        found = f"We looked, and found {error}."
        return pages.error(404, N_("There is no such page"), found if pages.language == "en" else LOST)

    @web.exception_handler(LimitReached)
    def limit_reached(request: Request, error: Exception) -> Response:
        assert isinstance(error, LimitReached)
        response = pages.error(429, N_("Too many forms from your network"),
                               N_("Try again in an hour, or write to us."))
        response.headers["Retry-After"] = str(int(error.retry_after.total_seconds()))
        return response

    @web.exception_handler(HTTPException)
    def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            return pages.error(404, N_("There is no such page"), LOST)
        response = pages.error(error.status_code, N_("This did not work"), str(error.detail))
        response.headers.update(error.headers or {})
        return response

    @web.exception_handler(BadTime)
    def bad_time(request: Request, error: Exception) -> Response:
        return pages.error(400, N_("This time cannot be read"),
                           f"now={error}: write it like 2023-03-20T02:00Z or 2023-03-20T08:00+06:00.")

    @web.exception_handler(RequestValidationError)
    def invalid(request: Request, error: Exception) -> Response:
        return pages.error(422, N_("This request cannot be read"),
                           N_("A value in the address or the form is not one we know."))

    @web.exception_handler(Exception)
    def failure(request: Request, error: Exception) -> Response:
        response = pages.error(500, N_("Something went wrong here"),
                               N_("The fault is ours and is logged. Try again soon."))
        response.headers.update(SECURITY_HEADERS)  # this answer passes no middleware
        return response
