"""A browser for the pages of an application in this process, over httpx's ASGI transport."""

import asyncio
from typing import Any

import httpx
from fastapi import FastAPI


class Browser:
    """Asks from `client`'s address for pages of `base`; a fault in the application is its 500 page, as on a server."""

    def __init__(self, web: FastAPI, *, base: str = "http://localhost:8080", client: str = "127.0.0.1"):
        self._web, self._base, self._client = web, base, client

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("POST", path, **options)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._ask(method, path, {"follow_redirects": True, **options}))

    async def _ask(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self._web, raise_app_exceptions=False, client=(self._client, 50000))
        async with httpx.AsyncClient(transport=transport, base_url=self._base) as client:
            return await client.request(method, path, **options)
