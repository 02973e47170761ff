"""Which source a feed joins, and what happens to the documents."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.errors import ConfigError, NotFound
from digest.model import Feed, Source, short_id
from digest.pipeline.opml import read_opml
from digest.pipeline.source_documents import NewFeed
from digest.services import config, feed_documents
from digest.services.feed_documents import Slugs
from digest.settings import Instance

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
HERALD = ('# ours\n[[sources]]\nslug = "herald"\nname = "Herald"\n'
          'feeds = [\n  { url = "https://www.herald.co.nz/rss" }, # main\n]\n')


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    (tmp_path / "config/sources").mkdir(parents=True)
    (tmp_path / "config/sources/nz.toml").write_text(HERALD)
    return Instance(tmp_path)


def known(url: str, slug: str) -> Feed:
    return Feed(short_id(url), url, Source(slug, slug.title(), slug))


@pytest.mark.parametrize(("url", "title", "page", "slug"), [
    ("https://rss.herald.co.nz/sport", "Sport", "", "herald"),  # the site is known
    ("https://herald.com.au/rss", "Herald", "", "herald-herald-com-au"),  # another site of that name
    ("https://feeds.feedburner.com/TheDaily", "The Daily", "", "the-daily"),  # a service that carries many
    ("https://feeds.feedburner.com/TheDaily", "The Daily", "https://www.herald.co.nz/", "herald"),
    ("https://www.other.org/feed", "Other", "", "other"),
])
def test_a_feed_joins_the_source_of_its_site(url: str, title: str, page: str, slug: str) -> None:
    assert Slugs([known("https://www.herald.co.nz/rss", "herald")]).of(url, title, page) == slug


def test_a_list_makes_one_source_of_one_site() -> None:
    listed = read_opml(b'<opml><outline text="A news" xmlUrl="https://a.example.org/1"/>'
                       b'<outline text="A sport" xmlUrl="https://rss.example.org/2"/></opml>')
    entries = feed_documents.from_list(listed, "Steppe", None, [])
    assert len({entry.source for entry in entries}) == 1


def test_adding_is_one_version_and_adding_again_is_none(sqlite_engine: Engine, instance: Instance) -> None:
    feeds = [NewFeed("https://www.herald.co.nz/world", "herald", ""), NewFeed("https://b.example/rss", "b", "B")]
    first = feed_documents.add(sqlite_engine, instance, feeds, now=NOW, author="cli")
    assert [feed.url for feed in first.new] == [feed.url for feed in feeds]
    assert "# main" in (instance.config / "sources/nz.toml").read_text()
    again = feed_documents.add(sqlite_engine, instance, feeds, now=NOW, author="cli")
    assert (again.new, len(again.known)) == ((), 2)
    assert [version.author for version in config.versions(sqlite_engine)] == ["cli", "files"]


def test_an_entry_that_is_wrong_leaves_every_document_as_it_was(sqlite_engine: Engine, instance: Instance) -> None:
    feeds = [NewFeed("https://b.example/rss", "b", "B"), NewFeed("ftp://c.example/", "c", "C")]
    with pytest.raises(ConfigError, match="absolute http"):
        feed_documents.add(sqlite_engine, instance, feeds, now=NOW, author="cli")
    assert [path.name for path in (instance.config / "sources").iterdir()] == ["nz.toml"]


def test_a_removed_feed_is_retired_and_an_unknown_one_is_named(sqlite_engine: Engine, instance: Instance) -> None:
    left = feed_documents.remove(sqlite_engine, instance, "https://www.herald.co.nz/rss", now=NOW, author="cli")
    assert left.feeds == ()
    with pytest.raises(NotFound, match="nobody"):
        feed_documents.remove(sqlite_engine, instance, "https://nobody.example/", now=NOW, author="cli")
