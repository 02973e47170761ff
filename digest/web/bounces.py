"""What mail providers post to us: /webhooks/{name}. No page, no cookie; a signature or a secret is the only key."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from digest.app import App
from digest.errors import NotFound, WebhookRefused
from digest.services.webhooks import MAX_BYTES, Webhooks


def router(app: App) -> APIRouter:
    """Route of /webhooks/{name}, for the names in bounces.webhooks."""
    routes = APIRouter()
    webhooks = Webhooks(app.engine, app.settings, app.clock, app.fetcher)

    @routes.post("/webhooks/{name}")
    async def receive(name: str, request: Request) -> Response:
        """204 once the events are stored; else the provider tries again or tells its owner."""
        try:
            body = await _body(request)
            await webhooks.receive(name, {key.lower(): value for key, value in request.headers.items()}, body)
        except WebhookRefused as refused:
            return Response(f"{refused.reason}\n", status_code=refused.status, media_type="text/plain")
        except NotFound:
            return Response("no such webhook\n", status_code=404, media_type="text/plain")
        return Response(status_code=204)

    return routes


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise WebhookRefused(f"is larger than {MAX_BYTES} bytes", 413)
    return bytes(body)
