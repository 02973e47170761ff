"""Atom and JSON Feed of editions: valid, stable, and no more text than a page may show."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from xml.etree import ElementTree

import pytest

from digest.pipeline.static_site import link_between
from digest.pipeline.syndication import Channel, Published, atom, content, json_feed, summary
from tests.pipeline import views

AT = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
SITE = "https://news.example.org"
CHANNEL = Channel("kazakhstan", "Kazakhstan News", "Tea & news", "en", SITE, lambda address: SITE + address)
ATOM = "{http://www.w3.org/2005/Atom}"


def text_of(document: str, path: str) -> str | None:
    found = ElementTree.fromstring(document).find("/".join(f"{ATOM}{name}" for name in path.split("/")))
    assert found is not None
    return found.text


def test_ids_are_the_permanent_pages() -> None:
    document = atom(CHANNEL, [Published(views.EDITION, AT)])
    assert text_of(document, "id") == "https://news.example.org/kazakhstan/"
    assert text_of(document, "entry/id") == "https://news.example.org/kazakhstan/2023-03-20/"
    assert text_of(document, "entry/updated") == text_of(document, "updated") == "2023-03-20T02:00:00Z"
    assert json.loads(json_feed(CHANNEL, [Published(views.EDITION, AT)]))["items"][0]["id"] == text_of(
        document, "entry/id")


def test_a_feed_is_as_new_as_its_newest_entry() -> None:
    older = Published(replace(views.EDITION, date="2023-03-19"), AT - timedelta(days=1))
    assert text_of(atom(CHANNEL, [Published(views.EDITION, AT), older]), "updated") == "2023-03-20T02:00:00Z"


def test_links_may_be_between_files() -> None:
    here = replace(CHANNEL, link=lambda address: link_between("/kazakhstan/feed.atom", address))
    root = ElementTree.fromstring(atom(here, [Published(views.EDITION, AT)]))
    links = [link.get("href") for link in root.iter(f"{ATOM}link")]
    assert links == ["feed.atom", "index.html", "2023-03-20/index.html"]
    feed = json.loads(json_feed(here, [Published(views.EDITION, AT)]))
    assert (feed["home_page_url"], feed["items"][0]["url"]) == ("index.html", "2023-03-20/index.html")
    assert feed["items"][0]["id"].startswith(SITE)


def test_full_text_stands_only_where_the_page_may_show_it() -> None:
    lead = views.EDITION.lead
    assert lead is not None and lead.body
    assert lead.body[-1].text in unescape(content(views.EDITION))
    assert "<h3>A changed chamber</h3>" in content(views.EDITION)
    under_excerpt = replace(views.EDITION, lead=replace(lead, body=()))
    assert lead.body[-1].text not in (text := unescape(content(under_excerpt))) and lead.excerpt in text
    under_headline = replace(views.EDITION, lead=replace(lead, body=(), excerpt=""))
    assert "<p>" in content(under_headline) and lead.excerpt not in content(under_headline)


def test_every_mailed_story_is_there_and_what_stands_on_the_page_of_all_is_not() -> None:
    text = content(views.EDITION)
    mailed = [story for section in views.EDITION.sections for story in section.stories]
    assert all(story.url in text for story in mailed)
    assert not any(story.url in text for story in views.EDITION.rest)


@pytest.mark.parametrize("headline", ["Ministers <script>alert(1)</script> & co", "Bell\x07 and \ufffe noise"])
def test_text_from_outside_cannot_break_the_document(headline: str) -> None:
    lead = views.EDITION.lead
    assert lead is not None
    view = replace(views.EDITION, subject=headline, lead=replace(lead, headline=headline))
    document = atom(CHANNEL, [Published(view, AT)])
    assert ElementTree.fromstring(document) is not None
    assert "<script>" not in (text_of(document, "entry/content") or "")
    assert "<script>" not in json.loads(json_feed(CHANNEL, [Published(view, AT)]))["items"][0]["content_html"]


def test_a_summary_names_the_first_headlines() -> None:
    assert views.EDITION.lead is not None
    assert summary(views.EDITION).startswith(views.EDITION.lead.headline) and summary(views.EDITION).endswith("…")
    empty = replace(views.EDITION, lead=None, sections=(), empty_reason="nothing was new")
    assert summary(empty) == "nothing was new"
