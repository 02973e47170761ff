"""The exported archive: files whose links work without a server."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from digest.app import App
from digest.pipeline.render import Renderer
from digest.resources import template_texts
from digest.settings import Settings, SiteSettings
from digest.web.export import archive_files
from digest.web.pages import Pages
from tests.pipeline import views
from tests.web.test_archive import publish
from tests.web.worlds import put_stories


@pytest.fixture
def archive(world: App) -> App:
    """Two daily editions and a weekly one; one story of the newer daily one is known, one is not."""
    first, _ = put_stories(world)
    lead = views.EDITION.lead
    assert lead is not None
    publish(world, replace(views.EDITION, date="2023-03-21", lead=replace(lead, id=first)))
    publish(world, replace(views.EDITION, date="2023-03-21", period="weekly", tagline="The week."))
    return world


def exported(app: App) -> dict[str, str]:
    pages = Pages(lambda: Renderer(template_texts(None)), "The Archive")
    found = list(archive_files(app, pages))
    assert len({name for name, _ in found}) == len(found)
    return {name: content.decode() for name, content in found}


def links_of(name: str, text: str) -> list[str]:
    if name.endswith(".atom"):
        root = ElementTree.fromstring(text)
        return [link.get("href", "") for link in root.iter("{http://www.w3.org/2005/Atom}link")]
    return [unescape(link) for link in re.findall(r'(?:href|src|action)="([^"]*)"', text)]


def test_every_link_inside_leads_to_a_file_and_its_anchor(archive: App) -> None:
    files = exported(archive)
    checked = 0
    for name, text in files.items():
        for link in links_of(name, text) if name.endswith((".html", ".atom")) else ():
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme in {"https", "http", "data"}, (name, link)
                continue
            assert not link.startswith("/") and not parts.query, (name, link)
            target = normpath(join(dirname(name), parts.path)) if parts.path else name
            assert target in files, (name, link)
            assert not parts.fragment or f'id="{parts.fragment}"' in files[target], (name, link)
            checked += 1
    assert checked > 50


def test_every_public_page_is_there(archive: App) -> None:
    files = exported(archive)
    assert {name for name in files if name.endswith("index.html")} == {
        "index.html", "kazakhstan/index.html", "kazakhstan/2023-03-20/index.html", "kazakhstan/2023-03-21/index.html",
        "kazakhstan/2023-03-21/weekly/index.html"}
    assert {"kazakhstan/2023-03-20/all.html", "kazakhstan/2023-03-21/weekly/all.html", "kazakhstan/feed.atom",
            "kazakhstan/feed.json", "static/site.css"} <= files.keys()
    assert sum(name.startswith("stories/") for name in files) == 1
    assert "2023-03-20/index.html" in files["kazakhstan/index.html"]
    assert views.EDITION.tagline in unescape(files["index.html"])
    assert files["kazakhstan/index.html"].count("<h1") == 1


def test_every_edition_is_listed_on_the_newsletters_page_alone(archive: App) -> None:
    for day in range(1, 20):
        publish(archive, replace(views.EDITION, date=f"2023-02-{day:02}"))
    files = exported(archive)
    assert files["kazakhstan/index.html"].count("<li>") == 22
    assert files["kazakhstan/2023-02-01/index.html"].count("<li>") == 14


def test_nothing_needs_a_server(archive: App) -> None:
    files = exported(archive)
    assert not any("<form" in text or "sign-up" in text for name, text in files.items() if name.endswith(".html"))


def test_what_is_not_exported_leads_to_the_site_where_there_is_one(archive: App) -> None:
    with_site = replace(archive, settings=Settings(site=SiteSettings(url="https://news.example.org")))
    text = exported(with_site)["kazakhstan/2023-03-20/index.html"]
    assert re.search(r'href="https://news\.example\.org/stories/[0-9a-f]+"', text)
    assert '<link rel="stylesheet" href="../../static/site.css">' in text
    feed = exported(with_site)["kazakhstan/feed.atom"]
    assert 'href="https://news.example.org/kazakhstan/2023-03-21/"' in feed


def test_an_equal_archive_gives_equal_bytes(archive: App) -> None:
    assert exported(archive) == exported(archive)


def test_retired_newsletters_stay_in_the_archive(archive: App) -> None:
    retired = replace(archive, configuration=replace(archive.configuration, newsletters={}))
    files = exported(retired)
    assert "Kazakhstan News" in files["index.html"] and "kazakhstan/2023-03-20/index.html" in files


def test_an_empty_archive_is_a_page_that_says_so(world: App, tmp_path: Path) -> None:
    with world.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE editions SET state = 'draft'")
    files = exported(world)
    assert set(files) == {"index.html", "static/site.css"}
