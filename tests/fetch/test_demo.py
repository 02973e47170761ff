"""The demo's feeds: their marks, what they tell, the server."""

import csv
import http.client
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from digest.documents import Configuration, read_configuration
from digest.errors import ConfigError, ParseError
from digest.fetch.demo import Served, demo_dir, expand, feed_documents, serve_feeds
from digest.model import DateQuality, Item
from digest.pipeline.cluster import Clusterer
from digest.pipeline.cluster_document import batches
from digest.pipeline.normalise import normalise_document
from digest.pipeline.parse import parse_feed
from digest.services.config import packaged_gazetteer

ANCHOR = datetime(2026, 3, 10, 9, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(("mark", "text"), [
    ("{{key}}", "20260310"),
    ("{{day -0d}}", "2026-03-10"),
    ("{{day -2d}}", "2026-03-08"),
    ("{{rfc822 -3h}}", "Tue, 10 Mar 2026 06:30:15 GMT"),
    ("{{rfc822 -3h45m +0500}}", "Tue, 10 Mar 2026 10:45:15 +0500"),
    ("{{rfc822 -1d1h +05}}", "Mon, 09 Mar 2026 13:30:15 +05"),
    ("{{rfc822 -0h10m ALMT}}", "Tue, 10 Mar 2026 14:20:15 ALMT"),
    ("{{iso -26h}}", "2026-03-09T07:30:15Z"),
    ("{{iso -0h1m +05:00}}", "2026-03-10T14:29:15+05:00"),
])
def test_a_mark_becomes_a_date_before_the_anchor(mark: str, text: str) -> None:
    assert expand(f"<a>{mark}</a>".encode(), ANCHOR) == f"<a>{text}</a>".encode()


@pytest.mark.parametrize("mark", [
    "{{}}", "{{keys}}", "{{iso}}", "{{iso 3h}}", "{{iso -}}", "{{iso -3w}}", "{{day -1d +0500}}", "{{rfc822 -3h MSK}}",
    "{{rfc822 -3h +0500 x}}", "{{iso -3h",
])
def test_an_unknown_mark_is_an_error_with_its_line(mark: str) -> None:
    with pytest.raises(ConfigError) as caught:
        expand(f"<a>\n{mark}</a>".encode(), ANCHOR, "feeds/x.rss")
    assert (caught.value.path, caught.value.line) == ("feeds/x.rss", 2)


def test_documents_of_one_day_have_the_same_bytes_and_another_day_other_addresses() -> None:
    today, again, tomorrow = (feed_documents(at) for at in (ANCHOR, ANCHOR, ANCHOR + timedelta(days=1)))
    assert today == again
    links = {url: set(re.findall(rb"https?://[^<\"]*2026031\d[^<\"]*", d.body)) for url, d in today.items()}
    later = {url: set(re.findall(rb"https?://[^<\"]*2026031\d[^<\"]*", d.body)) for url, d in tomorrow.items()}
    assert sum(map(len, links.values())) > 200
    assert not any(links[url] & later[url] for url in links)


def test_documents_hold_no_mark_any_more() -> None:
    assert [url for url, d in feed_documents(ANCHOR).items() if b"{{" in d.body] == []


def ask(port: int, url: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", parts.path, headers={"Host": parts.netloc, "Connection": "close", **(headers or {})})
    response = connection.getresponse()
    response.text = response.read()  # type: ignore[attr-defined]
    connection.close()
    return response


def test_the_server_answers_by_host_and_path() -> None:
    url = "http://a.example/rss"
    with serve_feeds({url: Served(b"<rss/>", "application/rss+xml", '"1"', ANCHOR)}) as port:
        first = ask(port, url)
        assert (first.status, first.text, first.headers["Content-Type"]) == (200, b"<rss/>", "application/rss+xml")
        assert first.headers["Last-Modified"] == "Tue, 10 Mar 2026 09:30:15 GMT"
        again = ask(port, url, {"If-None-Match": first.headers["ETag"]})
        assert (again.status, again.text) == (304, b"")
        assert ask(port, "http://b.example/rss").status == 404
        assert ask(port, "http://a.example/atom").status == 404


def configuration() -> Configuration:
    folder = demo_dir()
    texts = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
             for path in [*folder.glob("newsletters/*.toml"), *folder.glob("sources/*.toml")]}
    return read_configuration(texts, packaged_gazetteer())


def read_items(anchor: datetime) -> list[Item]:
    """Items of all documents that are feeds, in the order in which the clusterer gets them."""
    documents = feed_documents(anchor)
    items: list[Item] = []
    for feed in configuration().feeds:
        if document := documents.get(feed.url):
            try:
                parsed = parse_feed(document.body, document.content_type, feed.url)
            except ParseError:
                continue
            items += normalise_document(parsed, feed, now=anchor)
    return sorted(items, key=lambda item: (item.first_seen_at, item.feed.id, item.key))


def events_of(anchor: datetime) -> dict[str, str]:
    """The event that each link of events.tsv tells."""
    with (demo_dir() / "events.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {row["link"].replace("{{key}}", f"{anchor:%Y%m%d}"): row["event"] for row in rows}


def stories_by_item(items: list[Item], at: datetime) -> dict[str, str]:
    clusterer, stories, merged = Clusterer(), {}, {}
    for batch in batches(items):
        assignment = clusterer.assign(batch, at)
        stories.update({join.item_id: join.story_id for join in assignment.joins})
        merged.update({merge.alias: merge.story_id for merge in assignment.merges})
    for item_id in stories:
        while stories[item_id] in merged:
            stories[item_id] = merged[stories[item_id]]
    return stories


@pytest.mark.parametrize("anchor", [
    ANCHOR, datetime(2026, 7, 31, 23, 50, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC),
])
def test_events_tsv_says_what_every_item_tells_and_the_clusterer_agrees(anchor: datetime) -> None:
    items, events = read_items(anchor), events_of(anchor)
    assert {item.url for item in items} == set(events)
    stories = stories_by_item(items, anchor)
    told, mixed = defaultdict(set), defaultdict(set)
    for item in items:
        told[events[item.url]].add(stories[item.id])
        mixed[stories[item.id]].add(events[item.url])
    assert {event: ids for event, ids in told.items() if len(ids) > 1} == {}
    assert {story: names for story, names in mixed.items() if len(names) > 1} == {}


def test_the_demo_region_has_enough_to_tell() -> None:
    items, events = read_items(ANCHOR), events_of(ANCHOR)
    outlets = defaultdict(set)
    by_outlet = defaultdict(list)
    for item in items:
        outlets[events[item.url]].add(item.feed.source.slug)
        by_outlet[item.feed.source.slug].append(item)
    assert sum(len(names) >= 3 for names in outlets.values()) >= 20
    assert sum(len(list_) >= 20 for list_ in by_outlet.values()) >= 8
    assert {item.language for item in items} == {"en", "ru", "kk"}
    assert all(item.published_at is None or item.published_at <= ANCHOR for item in items)
    assert [slug for slug, list_ in by_outlet.items() if not any(i.published_at for i in list_)] == ["irtysh-bulletin"]
    assert sum(item.date_quality is DateQuality.DATE_ONLY for item in items) == len(by_outlet["chuy-review"])


def test_no_text_keeps_what_its_outlet_says_everywhere() -> None:
    """Boilerplate, site names, double escapes and datelines are of the documents, not of the news."""
    for item in read_items(ANCHOR):
        shown = f"{item.title} {item.summary}"
        for noise in ("appeared first on", "Caspian Herald", "Continue reading", "Read the full story", "&amp;", "&#",
                      "Читать на сайте", "Подписывайтесь", "utm_", "<", "{{"):
            assert noise not in shown + item.url, (item.feed.source.slug, shown)


def test_agency_copy_is_credited_to_its_agency_but_in_its_own_feed() -> None:
    credited = {(item.feed.source.slug, item.agency) for item in read_items(ANCHOR) if item.agency}
    assert credited == {("caspian-herald", "Silk Road Press Agency"), ("oasis-times", "Silk Road Press Agency")}
