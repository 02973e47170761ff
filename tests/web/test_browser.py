"""The mail and the pages in Chromium: nothing wider than the screen, dark where it should be, readable letters."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from digest.pipeline.render import Renderer
from digest.resources import template_texts
from tests.pipeline import views

pytestmark = pytest.mark.browser

LONG_WORDS = replace(views.LEAD, headline="Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbau " + "a" * 90)
EDITION = replace(views.EDITION, lead=LONG_WORDS)
SMALLEST = """() => Math.min(...[...document.querySelectorAll("p, h1, h2, h3, td.util")]
    .filter(e => e.innerText.trim()).map(e => parseFloat(getComputedStyle(e).fontSize)))"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-quic"])
        yield browser
        browser.close()


def html_mail(renderer: Renderer) -> str:
    return renderer.html(EDITION)


def page(renderer: Renderer, kind: str) -> str:
    sheet = renderer.templates["web/site.css"]
    return renderer.page(EDITION, kind, editions=("2023-03-20",)).replace("</head>", f"<style>{sheet}</style></head>")


@pytest.mark.parametrize("width", [320, 375, 600, 1000])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("make", [html_mail, lambda r: page(r, "edition"), lambda r: page(r, "all")],
                         ids=["mail", "edition", "all"])
def test_it_fits_the_screen_in_either_scheme(
    chromium: Any, tmp_path: Path, make: Callable[[Renderer], str], width: int, scheme: str
) -> None:
    file = tmp_path / "page.html"
    file.write_text(make(Renderer(template_texts(None))), encoding="utf-8")
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    shown = context.new_page()
    shown.goto(file.as_uri())
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert shown.evaluate(SMALLEST) >= 13
    ink = shown.evaluate("getComputedStyle(document.querySelector('h1')).color")
    light = sum(int(part) for part in ink[4:-1].split(",")) > 3 * 128
    assert light == (scheme == "dark")
    context.close()
