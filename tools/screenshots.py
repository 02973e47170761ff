"""Pictures of the demo's edition for the docs: make screenshots.

Writes docs/screenshots/mail-WIDTH-LOOK.png at 600 and 375 pixels: light, dark, and light with images off.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from playwright.sync_api import Browser, Route, sync_playwright

from tools.samples import ROOT, demo

FOLDER = ROOT / "docs" / "screenshots"
HEIGHTS = {600: 1300, 375: 1600}  # the most pixels that a picture of a width shows
MAX_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Look:
    name: str
    scheme: str
    images: bool


LOOKS = (Look("light", "light", True), Look("dark", "dark", True), Look("images-off", "light", False))


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="screenshots-") as name:
        page = Path(name) / "edition.html"
        page.write_text(demo(Path(name)).html, encoding="utf-8")
        with _browser() as browser:
            for width in HEIGHTS:
                for look in LOOKS:
                    path = FOLDER / f"mail-{width}-{look.name}.png"
                    _shoot(browser, page, width, look, path)
                    print(f"{path.relative_to(ROOT)}  {path.stat().st_size:,} bytes")
                    if path.stat().st_size > MAX_BYTES:
                        raise SystemExit(f"{path.name} is over {MAX_BYTES:,} bytes")


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=which("chromium") or "/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-lcd-text"])
        yield browser
        browser.close()


def _shoot(browser: Browser, page: Path, width: int, look: Look, path: Path) -> None:
    """The top of the mail as one mailbox shows it; nothing is loaded from elsewhere."""
    context = browser.new_context(viewport={"width": width, "height": 900},
                                  color_scheme="dark" if look.scheme == "dark" else "light")
    tab = context.new_page()
    tab.route("**/*", lambda route: _answer(route, look.images))
    tab.goto(page.as_uri())
    height = min(HEIGHTS[width], tab.evaluate("document.documentElement.scrollHeight"))
    tab.screenshot(path=path, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})
    context.close()


def _answer(route: Route, images: bool) -> None:
    allowed = route.request.url.startswith("file:") and (images or route.request.resource_type != "image")
    if allowed:
        route.continue_()
    else:
        route.abort()


if __name__ == "__main__":
    main()
