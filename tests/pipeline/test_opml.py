"""Subscription lists: every published one is read, however broken, and what is passed over is told."""

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model import Feed, Source, short_id
from digest.pipeline.opml import Listed, read_opml, write_opml

# Feeds that a list names more than once, or without a usable address: fewer are read than stand there.
FEWER = {"broken-subscriptionListErrors2.opml": 1}


def lists(data_dir: Path) -> list[dict[str, str]]:
    with (data_dir / "opml" / "index.tsv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_every_published_list_gives_all_its_feeds(data_dir: Path) -> None:
    for row in lists(data_dir):
        data = (data_dir / "opml" / row["file"]).read_bytes()
        listed = read_opml(data)
        named = len(re.findall(rb"xmlUrl\s*=", data))
        assert len(listed.feeds) == FEWER.get(row["file"], named), row["file"]
        assert bool(listed.flaw) == (row["well_formed"] != "yes"), row["file"]


def test_a_list_that_is_no_xml_is_read_and_its_flaw_named_with_its_line() -> None:
    listed = read_opml(b'<opml><head><title>This & That\n<body><outline text="A & B" xmlUrl="https://a.example/rss?x=1&y=2"/>'
                       b"</outline></body>")
    assert [feed.url for feed in listed.feeds] == ["https://a.example/rss?x=1&y=2"]
    assert listed.feeds[0].title == "A & B"
    assert "line 1" in listed.flaw


def test_folders_lines_and_sites_are_kept() -> None:
    listed = read_opml(b'<opml version="2.0"><head><title>Mine</title></head><body>\n<outline text="Asia">\n'
                       b'<outline type="rss" text="A" xmlUrl="https://a.example/f" htmlUrl="https://a.example/"/>\n'
                       b"</outline></body></opml>")
    assert listed.title == "Mine"
    assert listed.feeds == (Listed(3, "https://a.example/f", "A", "https://a.example/", ("Asia",)),)
    assert listed.flaw == ""


@pytest.mark.parametrize(("outline", "why"), [
    ('type="rss" text="No address"', "names no address of a feed (xmlUrl)"),
    ('text="Site" htmlUrl="https://a.example/"', "names no address of a feed (xmlUrl)"),
    ('text="Mail" xmlUrl="mailto:a@a.example"', "is no http(s) address"),
    ('text="File" xmlUrl="/feeds.xml"', "is no http(s) address"),
    ('text="Broken" xmlUrl="http://[::1"', "is no http(s) address"),
])
def test_what_cannot_be_polled_is_passed_over_with_its_reason(outline: str, why: str) -> None:
    listed = read_opml(f"<opml><body><outline {outline}/></body></opml>".encode())
    assert listed.feeds == ()
    assert [passed.why for passed in listed.passed] == [why]


def test_addresses_of_other_readers_are_understood() -> None:
    listed = read_opml(b'<opml><body><outline xmlUrl="feed://a.example/1"/><outline xmlUrl="feed:https://a.example/2"/>'
                       b"</body></opml>")
    assert [feed.url for feed in listed.feeds] == ["http://a.example/1", "https://a.example/2"]


def test_entities_of_the_document_are_not_expanded() -> None:
    bomb = b'<!DOCTYPE o [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><opml><body><outline text="&b;" xmlUrl="https://a.example/"/></body></opml>'
    assert read_opml(bomb).feeds[0].title == "&b;"


@given(st.binary(max_size=400) | st.text("<>outlinexmlUrl=\"'/&;: \n", max_size=400).map(str.encode))
def test_nothing_stops_the_reading(data: bytes) -> None:
    urls = [feed.url for feed in read_opml(data).feeds]
    assert all(url.lower().startswith(("http://", "https://")) for url in urls)
    assert len(urls) == len(set(urls))


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1, max_size=20)


@given(st.lists(st.tuples(st.integers(0, 3), NAMES), max_size=6))
def test_what_is_written_is_read_again(names: list[tuple[int, str]]) -> None:
    sources = {number: Source(f"s{number}", " ".join(name.split()) or "x", f"s{number}") for number, name in names}
    feeds = [Feed(short_id(url := f"https://a{number}.example/{index}?x=1&y=2"), url, sources[number], "Asia", "ru")
             for index, (number, _) in enumerate(names)]
    listed = read_opml(write_opml("List", feeds).encode())
    assert {feed.url for feed in listed.feeds} == {feed.url for feed in feeds}
    assert all(feed.folders == (sources[int(feed.url[9])].name,) for feed in listed.feeds)
    assert listed.flaw == ""
