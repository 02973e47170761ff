"""The page of a reader's link in Chromium, in every language, without a script."""

from pathlib import Path
from typing import Any

import pytest

from digest.app import App
from digest.locale import LANGUAGES
from digest.model import Preferences
from digest.pipeline.render import Renderer
from digest.resources import template_texts
from digest.services import leaving, preferences, subscribers
from digest.services.preferences import Wanted
from digest.web.pages import Pages
from digest.web.preferences import reader_page
from tests.web.test_browser import chromium as chromium
from tests.web.worlds import NOW

pytestmark = pytest.mark.browser

LOW = """() => [...document.querySelectorAll("button, select, input[type=text], input[type=date], label.box")]
    .filter(e => e.getBoundingClientRect().height < 38).map(e => e.outerHTML.slice(0, 80))"""
UNNAMED = """() => [...document.querySelectorAll("select, input:not([type=hidden])")]
    .filter(e => !e.labels.length).length"""


@pytest.fixture
def pages(world: App) -> dict[str, str]:
    """The page of a reader in each language, with its styles."""
    renderer = Renderer(template_texts(None))
    style = f"<style>{renderer.templates['web/site.css']}</style></head>"
    found = {}
    for language in LANGUAGES:
        with world.engine.begin() as conn:
            own = subscribers.subscribe(conn, "kazakhstan", f"{language}@example.org", "operator", NOW).subscription
            preferences.store(conn, own.id, Wanted(Preferences(language=language), ("brief",)))
        token = world.signer().sign("unsubscribe", leaving.subscription_mark(own.id))
        shown = reader_page(world, Pages(lambda: renderer, "Region Digest"), token)
        found[language] = bytes(shown.body).decode().replace("</head>", style)
    return found


def check(chromium: Any, pages: dict[str, str], folder: Path, width: int, scheme: str) -> None:
    """Holds pages, by their names, to a screen of so many pixels: what fits, and that fields have names and room."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    shown = context.new_page()
    for name, text in pages.items():
        file = folder / f"{name}.html"
        file.write_text(text, encoding="utf-8")
        shown.goto(file.as_uri())
        assert shown.evaluate("document.documentElement.scrollWidth") <= width, name
        assert shown.evaluate(LOW) == [], name
        assert shown.evaluate(UNNAMED) == 0, name
    context.close()


@pytest.mark.parametrize("width", [320, 375, 900])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_screen_and_every_field_has_a_name_and_room(
    chromium: Any, pages: dict[str, str], tmp_path: Path, width: int, scheme: str
) -> None:
    check(chromium, pages, tmp_path, width, scheme)
