"""The pages of alerts in Chromium, in every language, without a script."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from digest.alert_rules import AlertSpec
from digest.app import App
from digest.locale import LANGUAGES
from digest.services import alert_rules
from digest.services.alerts import AlertEngine, Context
from digest.services.envelopes import unsubscribe_url
from digest.settings import AlertsSettings, SiteSettings
from digest.web.app import create_app
from tests.web.browser import Browser
from tests.web.test_browser import chromium as chromium
from tests.web.test_browser_reader import check
from tests.web.worlds import NOW, TOKEN, put_stories

pytestmark = pytest.mark.browser


@pytest.fixture
def pages(world: App) -> dict[str, str]:
    """The pages by language and name; made in a thread, for Chromium's driver has the event loop of this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(made, world).result()


def made(world: App) -> dict[str, str]:
    """A new alert that was tried, one that cannot be read, the page of an alert and that of its rule; with styles."""
    with world.engine.begin() as conn:
        rule = alert_rules.add(conn, "Выборы и зерно", AlertSpec(query="vote OR grain"), "reader@example.org",
                               NOW - timedelta(days=1))
    put_stories(world)
    AlertEngine(world.engine).fire(Context(world.settings, world.configuration, "UTC"), NOW)
    found = {}
    for language in LANGUAGES:
        settings = world.settings.model_copy(update={
            "alerts": AlertsSettings(open=True), "site": SiteSettings(language=language)})
        shown = Browser(create_app(replace(world, settings=settings), preview_token=TOKEN, heartbeat=lambda: NOW))
        url = unsubscribe_url(settings, world.signer(), f"alert:{rule.id}")
        link = url[url.index("/a/"):]
        answers = {
            "trial": shown.post("/alerts/new", data={"query": "vote OR grain"}),
            "refused": shown.post("/alerts/new", data={"query": "gas OR OR " + "oil " * 40}),
            "alert": shown.get(f"{link}/alert/1?say=mute"), "rule": shown.get(f"{link}/rule/{rule.id}"),
            "rules": shown.get(link)}
        style = f"<style>{shown.get('/static/site.css').text}</style></head>"
        found |= {f"{language} {name}": answer.text.replace("</head>", style) for name, answer in answers.items()}
    return found


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (900, "light")])
def test_they_fit_the_screen_and_every_field_has_a_name_and_room(
    chromium: Any, pages: dict[str, str], tmp_path: Path, width: int, scheme: str
) -> None:
    check(chromium, pages, tmp_path, width, scheme)
