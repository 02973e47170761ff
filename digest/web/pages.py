"""What every page shares: the renderer, the site's name, how mail is framed."""

import re
from collections.abc import Callable
from typing import Any

from fastapi.responses import HTMLResponse

from digest.pipeline.render import Renderer

# A mail shown in a frame: its own styles and pictures, nothing that runs, an origin of its own.
FRAME_POLICY = ("default-src 'none'; style-src 'unsafe-inline'; img-src http: https: data:; base-uri 'none'; "
                "form-action 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox")
FRAMED = {"Content-Security-Policy": FRAME_POLICY, "Cache-Control": "no-store"}


class Pages:
    """Renders the pages around editions with one site's name and language."""

    def __init__(self, renderer: Callable[[], Renderer], site_name: str, language: str = "en"):
        self._renderer = renderer
        self.site_name = site_name
        self.language = language  # of pages that belong to no newsletter

    @property
    def renderer(self) -> Renderer:
        """The renderer of the templates in force."""
        return self._renderer()

    def html(self, name: str, *, language: str = "", status: int = 200, **values: Any) -> HTMLResponse:
        """A page from a template; `language` "" is the site's."""
        text = self.renderer.render(name, language=language or self.language, site_name=self.site_name, **values)
        return HTMLResponse(text, status_code=status)

    def error(self, status: int, title: str, message: str) -> HTMLResponse:
        """An error page that says what happened and what to do, in the site's language where there is a translation."""
        words = self.renderer.words(self.language)
        return self.html("web/error.html", status=status, title=words.gettext(title), message=words.gettext(message))


def open_links_outside(html: str) -> str:
    """A mail for a frame: its links open in a page of their own."""
    return re.sub(r"(<head[^>]*>)", r'\1<base target="_blank">', html, count=1)
