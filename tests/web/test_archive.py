"""Pages and feeds of the archive, daily and weekly."""

import json
from dataclasses import replace
from datetime import date, timedelta
from xml.etree import ElementTree

import feedparser
import pytest

from digest.app import App
from digest.model import Period
from digest.pipeline.render import Renderer
from digest.pipeline.view import EditionView, sha256, to_json
from digest.resources import template_texts
from digest.storage.editions import insert_edition
from tests.pipeline import views
from tests.web.browser import Browser
from tests.web.worlds import NOW

ATOM = "{http://www.w3.org/2005/Atom}"


def publish(world: App, view: EditionView) -> None:
    day = date.fromisoformat(view.date)
    with world.engine.begin() as connection:
        insert_edition(
            connection, newsletter="kazakhstan", date=day, cutoff_at=NOW, built_at=NOW, config_version=1,
            view_text=to_json(view), view_sha256=sha256(view), templates={}, stories=[], period=Period(view.period),
            state="sent")


@pytest.fixture
def years(world: App) -> App:
    """Twenty more days before the world's own edition, and a weekly one."""
    for number in range(1, 21):
        publish(world, replace(views.EDITION, date=(date(2023, 3, 20) - timedelta(days=number)).isoformat()))
    publish(world, replace(views.EDITION, date="2023-03-19", period="weekly"))
    return world


def test_the_weekly_edition_has_its_own_pages(years: App, local: Browser) -> None:
    text = local.get("/kazakhstan/2023-03-19/weekly/").text
    assert '<a href="/kazakhstan/2023-03-19/weekly/all">' in text
    assert '<a href="/kazakhstan/2023-03-19/weekly/" aria-current="page">Sunday, March 19, 2023 · The week</a>' in text
    assert "<h1>All 15 stories</h1>" in local.get("/kazakhstan/2023-03-19/weekly/all").text
    assert local.get("/kazakhstan/2023-03-18/weekly/").status_code == 404


def test_a_weekly_edition_says_that_it_is_one(years: App, local: Browser) -> None:
    weekly = replace(views.EDITION, date="2023-03-19", period="weekly")
    message = Renderer(template_texts(None)).message(weekly)
    assert "March 19, 2023</time> · The week</p>" in message.html
    assert "Sunday, March 19, 2023 · The week\n" in message.text
    assert "March 19, 2023</time> · The week</p>" in local.get("/kazakhstan/2023-03-19/weekly/all").text
    assert "The week" not in Renderer(template_texts(None)).message(views.EDITION).text


def test_every_edition_can_be_reached_from_the_front_page(years: App, local: Browser) -> None:
    first = local.get("/kazakhstan/").text
    assert 'href="/kazakhstan/?before=2023-03-08#editions-title"' in first
    assert 'href="/kazakhstan/2023-03-07/"' not in first
    second = local.get("/kazakhstan/?before=2023-03-08").text
    assert 'href="/kazakhstan/2023-03-07/"' in second and 'href="/kazakhstan/2023-02-28/"' in second
    assert "?before=" not in second
    assert local.get("/kazakhstan/?before=yesterday").status_code == 404


@pytest.mark.parametrize("path", ["/kazakhstan/", "/kazakhstan/2023-03-20/", "/kazakhstan/2023-03-20/all"])
def test_pages_name_the_feeds(local: Browser, path: str) -> None:
    text = local.get(path).text
    for kind, name in (("atom+xml", "feed.atom"), ("feed+json", "feed.json")):
        link = f'<link rel="alternate" type="application/{kind}" title="Kazakhstan News" href="/kazakhstan/{name}">'
        assert link in text


def test_the_atom_feed_lists_the_newest_editions(years: App, local: Browser) -> None:
    answer = local.get("/kazakhstan/feed.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    parsed = feedparser.parse(answer.content)
    assert not parsed.bozo and parsed.version == "atom10" and parsed.feed.title == "Kazakhstan News"
    assert [entry.link for entry in parsed.entries[:3]] == [
        "http://localhost:8080/kazakhstan/2023-03-20/", "http://localhost:8080/kazakhstan/2023-03-19/weekly/",
        "http://localhost:8080/kazakhstan/2023-03-19/"]
    assert len(parsed.entries) == 20 and len({entry.id for entry in parsed.entries}) == 20
    assert views.EDITION.lead is not None and views.EDITION.lead.headline in parsed.entries[0].content[0].value
    root = ElementTree.fromstring(answer.content)
    for element in (root, *root.iter(f"{ATOM}entry")):
        assert all(element.find(f"{ATOM}{name}") is not None for name in ("id", "title", "updated"))


def test_the_json_feed_says_the_same(years: App, local: Browser) -> None:
    answer = local.get("/kazakhstan/feed.json")
    assert answer.headers["content-type"] == "application/feed+json"
    feed = json.loads(answer.text)
    assert feed["version"] == "https://jsonfeed.org/version/1.1" and feed["feed_url"].endswith("/kazakhstan/feed.json")
    parsed = feedparser.parse(local.get("/kazakhstan/feed.atom").content)
    assert [item["id"] for item in feed["items"]] == [entry.id for entry in parsed.entries]
    assert all(item["content_html"] and item["date_published"].endswith("Z") for item in feed["items"])


def test_an_unchanged_feed_is_not_sent_again(local: Browser) -> None:
    tag = local.get("/kazakhstan/feed.atom").headers["etag"]
    assert local.get("/kazakhstan/feed.atom", headers={"If-None-Match": tag}).status_code == 304


def test_a_feed_without_editions_is_empty_and_one_of_nobody_is_not_found(local: Browser) -> None:
    parsed = feedparser.parse(local.get("/quiet/feed.atom").content)
    assert not parsed.bozo and parsed.entries == [] and parsed.feed.updated == "1970-01-01T00:00:00Z"
    assert json.loads(local.get("/quiet/feed.json").text)["items"] == []
    assert local.get("/nobody/feed.atom").status_code == 404


def test_the_feeds_of_a_retired_newsletter_stay(world: App, local: Browser) -> None:
    world.configuration = replace(world.configuration, newsletters={})
    assert "<title>Kazakhstan News</title>" in local.get("/kazakhstan/feed.atom").text
