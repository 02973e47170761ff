"""A new instance: finding its feeds and writing its documents."""

import asyncio
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.documents import read_configuration
from digest.doubts import find_doubts
from digest.errors import AddressRefused, ConfigError, FetchError, NotFound
from digest.parsing import ParserPool
from digest.ports import FetchRequest, FetchResponse
from digest.services import discovery, instances
from digest.services.config import packaged_gazetteer
from digest.services.discovery import FoundFeed
from digest.services.instances import NewInstance
from digest.settings import Instance
from digest.storage.subscribers import subscription_of

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
RSS = ('<rss version="2.0"><channel><title>{title}</title><language>en</language>'
       "<item><title>{item}</title><link>https://h.example/1</link></item></channel></rss>")
FEED = FoundFeed("https://h.example/feed", 'The "Herald"', "en", 20)


class Web:
    """A fetcher over a few pages; anything else is a 404."""

    def __init__(self, pages: Mapping[str, str]) -> None:
        self._pages = pages

    async def fetch(self, request: FetchRequest) -> FetchResponse:
        if request.url not in self._pages:
            raise FetchError(request.url, "http_404", "answered 404", status=404)
        body = self._pages[request.url]
        kind = "text/html" if "<html" in body else "application/xml"
        return FetchResponse(200, request.url, body.encode(), {"content-type": kind})

    async def close(self) -> None:
        pass


def find(pages: Mapping[str, str], address: str, language: str = "en") -> FoundFeed:
    async def run() -> FoundFeed:
        parser = ParserPool(1, 20)
        try:
            return await discovery.find_feed(Web(pages), parser, address, language)
        finally:
            await parser.close()

    return asyncio.run(run())


def new(**changes: object) -> NewInstance:
    values = {"name": "Steppe News", "region": "Steppe", "parent": None, "zone": "Asia/Almaty", "language": "en",
              "send_time": "06:30", "feeds": (FEED,)}
    return NewInstance(**{**values, **changes})  # type: ignore[arg-type]


def test_the_address_of_a_feed_is_that_feed_and_its_letters_tell_the_language() -> None:
    pages = {"https://h.example/feed": RSS.format(title="Вестник", item="Парламент принял бюджет")}
    assert find(pages, "h.example/feed") == FoundFeed("https://h.example/feed", "Вестник", "ru", 1)


def test_the_address_of_a_site_leads_to_the_first_feed_with_items() -> None:
    link = '<link rel="alternate" type="application/rss+xml" href="{}">'
    links = "".join(link.format(path) for path in ("/gone", "/empty", "/rss"))
    pages = {
        "https://h.example/": f"<html><head>{links}</head></html>",
        "https://h.example/empty": '<rss version="2.0"><channel><title>Empty</title></channel></rss>',
        "https://h.example/rss": RSS.format(title="Herald", item="News"),
    }
    assert find(pages, "https://h.example/").url == "https://h.example/rss"


def test_a_site_that_names_no_feed_is_tried_at_the_usual_addresses() -> None:
    pages = {"https://h.example": "<html></html>", "https://h.example/rss.xml": RSS.format(title="Herald", item="News")}
    assert find(pages, "https://h.example").url == "https://h.example/rss.xml"


@pytest.mark.parametrize(("body", "said"), [
    ("<html><body>Welcome</body></html>", "the page names none"),
    ("<opml></opml>", "neither RSS"),
])
def test_where_there_is_no_feed_it_says_what_to_do(body: str, said: str) -> None:
    with pytest.raises(NotFound, match=said):
        find({"https://h.example": body}, "https://h.example")


def test_the_documents_say_what_was_answered() -> None:
    base = packaged_gazetteer()
    russian = FoundFeed("https://www.h.example/ru", "Вестник", "ru", 5)
    feeds = (FEED, russian, FoundFeed("https://b.example/x", "B", "en", 1), FEED)
    texts = instances.documents_of(new(parent="Asia", feeds=feeds), read_configuration({}, base).gazetteer)
    configuration = read_configuration(texts, base)
    newsletter = configuration.newsletters["steppe"]
    assert (newsletter.name, newsletter.zone) == ("Steppe News", "Asia/Almaty")
    assert f"{newsletter.send_time:%H:%M}" == "06:30"
    assert newsletter.read == ("en", "ru")
    assert newsletter.caps.source == 0  # two sources alone: a cap would leave the edition nearly empty
    assert configuration.gazetteer.parent("Steppe") == "Asia"
    assert {slug: source.name for slug, source in configuration.sources.items()} == {"h": 'The "Herald"', "b": "B"}
    assert len(configuration.feeds_of(newsletter)) == 3
    assert find_doubts(configuration) == []


@pytest.mark.parametrize(("changes", "written"), [
    ({"region": "Kazakhstan", "parent": "Central Asia"}, False),  # as the package knows it
    ({"region": "Kazakhstan", "parent": "Silk Road"}, True),
    ({"region": "Lilliput", "parent": None}, True),
])
def test_a_region_is_written_where_it_is_not_known_so(changes: dict[str, str | None], written: bool) -> None:
    gazetteer = read_configuration({}, packaged_gazetteer()).gazetteer
    made = new(**changes)
    texts = instances.documents_of(made, gazetteer)
    assert (f"gazetteer/{made.slug}.toml" in texts) == written
    after = read_configuration(texts, packaged_gazetteer()).gazetteer
    assert after.parent(made.region) == made.parent
    known = gazetteer.regions.get(made.region)
    assert after.regions[made.region].places == (known.places if known else ())


@pytest.mark.parametrize(("region", "name", "slug"), [
    ("New Zealand", "NZ", "new-zealand"), ("Қазақстан", "Steppe", "steppe"), ("Қазақстан", "Дала", "newsletter"),
])
def test_files_are_named_for_the_region(region: str, name: str, slug: str) -> None:
    assert new(region=region, name=name).slug == slug


def test_creating_writes_imports_and_subscribes(sqlite_engine: Engine, tmp_path: Path) -> None:
    instance = Instance(tmp_path / "mine")
    configuration = instances.create(sqlite_engine, instance, new(), ["Anna@Example.org"], NOW)
    assert configuration.version == 1
    assert all(table == {} for table in tomllib.loads((instance.config / "digest.toml").read_text()).values())
    with sqlite_engine.begin() as conn:
        subscription = subscription_of(conn, "anna@example.org", "steppe")
    assert subscription is not None and subscription.state == "active"
    with pytest.raises(ConfigError, match="configuration already"):
        instances.create(sqlite_engine, instance, new(), [], NOW)


@pytest.mark.parametrize(("changes", "readers", "error"), [
    ({}, ["nobody"], AddressRefused),
    ({"zone": "Nowhere"}, [], ConfigError),
    ({"language": "english"}, [], ConfigError),
])
def test_nothing_is_written_where_an_answer_is_wrong(
    sqlite_engine: Engine, tmp_path: Path, changes: dict[str, str], readers: list[str], error: type[Exception]
) -> None:
    instance = Instance(tmp_path / "mine")
    with pytest.raises(error):
        instances.create(sqlite_engine, instance, new(**changes), readers, NOW)
    assert not instance.config.exists()
