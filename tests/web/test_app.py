from datetime import timedelta

import pytest

from digest import __version__
from digest.app import App
from digest.web.app import create_app
from tests.web.browser import Browser
from tests.web.worlds import NOW, TOKEN, put_mail, put_stories


def test_pages_say_what_a_browser_may_do(local: Browser) -> None:
    answer = local.get("/kazakhstan/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers
    assert "<script" not in answer.text and "style=" not in answer.text


def test_head_answers_as_get_without_a_body(local: Browser) -> None:
    head, get = local.ask("HEAD", "/kazakhstan/"), local.get("/kazakhstan/")
    assert head.status_code == 200 and head.content == b""
    assert head.headers["content-length"] == get.headers["content-length"]


def test_the_style_sheet_is_served_and_loads_nothing(local: Browser) -> None:
    answer = local.get("/static/site.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert "url(" not in answer.text and "@import" not in answer.text


@pytest.mark.parametrize("path", [
    "/nowhere/", "/kazakhstan/2023-03-21/", "/kazakhstan/2023-3-20/", "/kazakhstan/20230320/", "/kazakhstan/yesterday/",
    "/kazakhstan/2023-03-21/all", "/stories/0000000000000000", "/a/b/c/d", "/outbox/none.eml", "/preview/nowhere",
    "/docs", "/openapi.json",
])
def test_a_missing_page_is_a_readable_404(local: Browser, path: str) -> None:
    answer = local.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "There is no such page" in answer.text


def test_a_fault_is_a_readable_500_without_its_details(world: App) -> None:
    def broken() -> None:
        raise RuntimeError("secret detail")

    web = create_app(world, preview_token="", heartbeat=broken)
    answer = Browser(web).get("/healthz")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_health_tells_database_tick_and_version(local: Browser) -> None:
    answer = local.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": "ok", "last_tick_age_seconds": 0.0, "version": __version__}


@pytest.mark.parametrize("last_tick", [None, NOW - timedelta(minutes=11)])
def test_a_scheduler_that_stands_still_is_unhealthy(world: App, last_tick: object) -> None:
    web = create_app(world, preview_token="", heartbeat=lambda: last_tick)  # type: ignore[arg-type, return-value]
    answer = Browser(web).get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "unhealthy"


def test_get_changes_nothing(world: App, local: Browser) -> None:
    put_stories(world)
    put_mail(world)
    before = _dump(world)
    for path in ("/", "/kazakhstan/", "/kazakhstan/2023-03-20/", "/kazakhstan/2023-03-20/all", "/quiet/", "/preview",
                 "/preview/kazakhstan", "/preview/quiet?look=dark", "/preview/quiet?format=html", "/outbox",
                 "/outbox/0001-anna.eml", "/outbox/0001-anna.eml/html", "/healthz", "/robots.txt"):
        assert local.get(path).status_code == 200, path
    assert _dump(world) == before


@pytest.mark.parametrize("path", ["/preview", "/preview/kazakhstan", "/preview/kazakhstan?format=html", "/outbox",
                                  "/outbox/0001-anna.eml", "/outbox/0001-anna.eml/html"])
def test_operators_pages_are_closed_to_others(world: App, path: str) -> None:
    put_mail(world)
    web = create_app(world, preview_token=TOKEN, heartbeat=lambda: NOW)
    elsewhere = Browser(web, base="http://news.example.org", client="192.0.2.7")
    answer = elsewhere.get(path)
    assert answer.status_code == 403 and "For operators only" in answer.text
    assert elsewhere.get(f"{path}{'&' if '?' in path else '?'}token={TOKEN}").status_code == 200


def test_a_template_of_the_instance_is_noticed(world: App, local: Browser) -> None:
    assert "All newsletters" in local.get("/nowhere/").text
    override = world.instance.templates / "web" / "error.html"
    override.parent.mkdir(parents=True)
    override.write_text("{{ title }}: ask the desk", encoding="utf-8")
    assert local.get("/nowhere/").text == "There is no such page: ask the desk"


def _dump(world: App) -> list[str]:
    raw = world.engine.raw_connection()
    try:
        return list(raw.driver_connection.iterdump())  # type: ignore[union-attr]
    finally:
        raw.close()
