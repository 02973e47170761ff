import pytest

from digest.pipeline.identify import absolute_url, canonical_url, keys
from digest.pipeline.parse import Entry

BASE = "https://steppe.example/news/feed"


@pytest.mark.parametrize(("link", "expected"), [
    ("https://steppe.example/a?utm_source=rss&id=7&at_medium=x", "https://steppe.example/a?id=7"),
    ("https://steppe.example/a?fbclid=1", "https://steppe.example/a"),
    ("https://steppe.example/a?ref=rss", "https://steppe.example/a"),
    ("https://steppe.example/a?ref=main-road", "https://steppe.example/a?ref=main-road"),
    ("https://steppe.example/a?b=2&a=1", "https://steppe.example/a?b=2&a=1"),  # the order may matter to the server
    ("https://steppe.example/a#xtor=RSS-1", "https://steppe.example/a"),
    ("https://steppe.example/a#part2", "https://steppe.example/a#part2"),
    ("/a", "https://steppe.example/a"),
    ("a?b", "https://steppe.example/news/a?b"),
    ("//other.example/a", "https://other.example/a"),
    (" https://steppe.example/ a\n", "https://steppe.example/a"),
    ("https://steppe.example/мақала", "https://steppe.example/%D0%BC%D0%B0%D2%9B%D0%B0%D0%BB%D0%B0"),
    ("javascript:alert(1)", ""), ("mailto:desk@steppe.example", ""), ("ftp://steppe.example/a", ""), ("", ""),
    ("http://[broken/a", ""), ("https://steppe.example:port/a", ""),
])
def test_links_are_absolute_and_without_tracking(link: str, expected: str) -> None:
    assert absolute_url(link, BASE) == expected


def test_a_relative_link_of_an_archive_has_no_address() -> None:
    assert absolute_url("/a", "archive://steppe") == ""


@pytest.mark.parametrize("url", [
    "https://steppe.example/a?b=1&c=2", "http://www.steppe.example/a/?c=2&b=1#top", "https://STEPPE.example:443//a?b=1&c=2&gclid=3",
])
def test_spellings_of_one_address_are_equal(url: str) -> None:
    assert canonical_url(url) == "steppe.example/a?b=1&c=2"


def test_entries_of_one_guid_are_told_apart_by_their_links() -> None:
    entries = [Entry(guid="same", title="A"), Entry(guid="same", title="B"), Entry(guid="other")]
    links = ["https://s.example/a", "https://s.example/b", "https://s.example/c"]
    assert keys(entries, links, ["", "", ""]) == ["same|s.example/a", "same|s.example/b", "other"]


def test_a_home_page_as_every_link_collapses_nothing() -> None:
    entries = [Entry(title=f"Story {n}") for n in range(24)]
    assert len(set(keys(entries, ["https://s.example/"] * 24, ["2026-02-17"] * 24))) == 24


def test_an_entry_that_stands_twice_keeps_its_link_as_key() -> None:
    entries = [Entry(title="Kept <b>apart</b>"), Entry(title="Kept apart"), Entry(title="Other")]
    links = ["https://s.example/a", "https://s.example/a/", "https://s.example/b"]
    assert keys(entries, links, ["2026-02-17", "2026-02-18", ""]) == ["s.example/a", "s.example/a", "s.example/b"]


def test_a_guid_survives_a_move_to_https_and_a_revision_mark() -> None:
    found = [keys([Entry(guid=guid)], [""], [""]) for guid in
             ("http://s.example/a#0", "https://s.example/a#3", "https://s.example/a")]
    assert found[0] == found[1] == found[2]


def test_guids_that_differ_in_their_fragment_stay_apart() -> None:
    entries = [Entry(guid="https://s.example/log#flood"), Entry(guid="https://s.example/log#fire")]
    assert len(set(keys(entries, ["https://s.example/log"] * 2, ["", ""]))) == 2


def test_a_title_comes_back_on_another_day_as_another_item() -> None:
    entries = [Entry(title="Weather"), Entry(title="Weather")]
    assert len(set(keys(entries, ["", ""], ["2026-02-17", "2026-02-18"]))) == 2
