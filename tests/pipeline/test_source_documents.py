"""Edits of config/sources/: what is added can be read and taken out again, and comments stay."""

import difflib

from digest.documents import read_configuration
from digest.pipeline.source_documents import NewFeed, with_feeds, without_feed
from digest.resources import packaged_config_dir

SHIPPED = {f"sources/{path.name}": path.read_text(encoding="utf-8")
           for path in (packaged_config_dir() / "sources").glob("*.toml")}
NEW = NewFeed("https://new.example/rss", "new", 'The "New" Post', "Kazakhstan", "ru", family="network")


def changed_lines(path: str, after: str) -> list[str]:
    lines = difflib.unified_diff(SHIPPED.get(path, "").splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[0] in "+-" and not line.startswith(("+++", "---")) and line != "+"]


def test_a_feed_of_a_known_source_is_one_more_line() -> None:
    feed = NewFeed("https://tengrinews.kz/kk", "tengrinews", "", "Kazakhstan", "kk")
    ((path, text),) = with_feeds(SHIPPED, [feed]).items()
    assert changed_lines(path, text) == [
        '+  { url = "https://tengrinews.kz/kk", region = "Kazakhstan", language = "kk" },']


def test_a_new_source_joins_the_document_of_its_region_and_can_be_read() -> None:
    changed = with_feeds(SHIPPED, [NEW])
    assert list(changed) == ["sources/kazakhstan.toml"]
    assert not [line for line in changed_lines(*next(iter(changed.items()))) if line.startswith("-")]
    configuration = read_configuration({**SHIPPED, **changed})
    feed = next(feed for feed in configuration.feeds if feed.url == NEW.url)
    assert (feed.source.name, feed.source.family, feed.region, feed.language) == (
        'The "New" Post', "network", "Kazakhstan", "ru")


def test_a_region_without_a_document_gets_one() -> None:
    feed = NewFeed("https://m.example/rss", "m", "M", "Mongolia")
    assert list(with_feeds(SHIPPED, [feed, NewFeed("https://x.example/", "x", "X")])) == [
        "sources/added.toml", "sources/mongolia.toml"]


def test_taking_out_what_was_put_in_leaves_the_document_as_it_was() -> None:
    url = "https://tengrinews.kz/news.rss"
    gone = without_feed(SHIPPED, url)
    assert url not in {feed.url for feed in read_configuration({**SHIPPED, **gone}).feeds}
    back = with_feeds({**SHIPPED, **gone}, [NewFeed(url, "tengrinews", "", "Kazakhstan", "ru")])
    assert back == {"sources/kazakhstan.toml": SHIPPED["sources/kazakhstan.toml"]}
    assert without_feed(SHIPPED, "https://nobody.example/") == {}


def test_feeds_written_as_tables_and_their_comments_are_kept() -> None:
    text = ('# mine\n[[sources]]\nslug = "b"\nname = "B"\n[[sources.feeds]]\nurl = "https://b.example/1" # first\n')
    changed = with_feeds({"sources/x.toml": text}, [NewFeed("https://b.example/2", "b", "", language="en")])
    assert changed["sources/x.toml"].startswith(text)
    assert [feed.url for feed in read_configuration(changed).feeds] == ["https://b.example/1", "https://b.example/2"]
