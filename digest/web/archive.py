"""/{newsletter}/feed.atom and /{newsletter}/feed.json: the newest editions for news readers."""

import hashlib
from collections.abc import Callable, Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response

from digest.app import App
from digest.errors import NotFound
from digest.pipeline.syndication import ATOM_TYPE, JSON_TYPE, Channel, Published, atom, json_feed
from digest.services import archive
from digest.services.envelopes import base_url
from digest.storage.engine import read_only

MAX_AGE = "public, max-age=600"


def router(app: App) -> APIRouter:
    """Routes of the feeds, of retired newsletters too; an unchanged feed is answered with 304."""
    routes = APIRouter()

    @routes.get("/{slug}/feed.atom")
    def atom_feed(slug: str, request: Request) -> Response:
        return answer(request, slug, atom, ATOM_TYPE)

    @routes.get("/{slug}/feed.json")
    def feed_json(slug: str, request: Request) -> Response:
        return answer(request, slug, json_feed, JSON_TYPE)

    def answer(
        request: Request, slug: str, document: Callable[[Channel, Sequence[Published]], str], media_type: str
    ) -> Response:
        with read_only(app.engine) as connection:
            editions = archive.published(connection, slug)
        if not editions and slug not in app.configuration.newsletters:
            raise NotFound("newsletter", slug, tuple(app.configuration.newsletters))
        newest = editions[0].view if editions else None
        base = base_url(app.settings)
        body = document(archive.channel_of(app.configuration, newest, slug, base=base), editions).encode()
        headers = {"Cache-Control": MAX_AGE, "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"'}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=media_type, headers=headers)

    return routes
