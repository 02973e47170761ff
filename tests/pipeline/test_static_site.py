"""Addresses as files, and links between them."""

import pytest

from digest.pipeline.static_site import file_of, link_between, offline, stories_linked

FILED = {"/", "/kazakhstan/", "/kazakhstan/2023-03-20/all", "/stories/1a", "/static/site.css"}


@pytest.mark.parametrize(("address", "file"), [
    ("/", "index.html"),
    ("/kazakhstan/", "kazakhstan/index.html"),
    ("/kazakhstan/2023-03-20/all", "kazakhstan/2023-03-20/all.html"),
    ("/stories/1a", "stories/1a.html"),
    ("/kazakhstan/feed.atom", "kazakhstan/feed.atom"),
])
def test_where_an_address_is_filed(address: str, file: str) -> None:
    assert file_of(address) == file


@pytest.mark.parametrize(("page", "address", "link"), [
    ("/", "/kazakhstan/", "kazakhstan/index.html"),
    ("/kazakhstan/2023-03-20/", "/", "../../index.html"),
    ("/kazakhstan/2023-03-20/", "/kazakhstan/2023-03-20/all", "all.html"),
    ("/stories/1a", "/stories/2b#main", "2b.html#main"),
])
def test_links_between_files_are_relative(page: str, address: str, link: str) -> None:
    assert link_between(page, address) == link


@pytest.mark.parametrize(("tag", "without_site", "with_site"), [
    ('<a href="/stories/1a">', '<a href="../stories/1a.html">', '<a href="../stories/1a.html">'),
    ('<a href="/stories/9f">', "<a>", '<a href="https://n.example/stories/9f">'),
    ('<a href="/kazakhstan/?before=2023-03-20">', "<a>", '<a href="https://n.example/kazakhstan/?before=2023-03-20">'),
    ('<a href="https://herald.example/a?b=1&amp;c=2">',) * 3,
    ('<a href="//herald.example/a">',) * 3,
    ('<a href="#main">',) * 3,
])
def test_links_of_a_page_offline(tag: str, without_site: str, with_site: str) -> None:
    assert offline(tag, "/kazakhstan/", FILED.__contains__) == without_site
    assert offline(tag, "/kazakhstan/", FILED.__contains__, "https://n.example") == with_site


def test_linked_stories_are_named_once_in_order() -> None:
    assert stories_linked('<a href="/stories/2b"><a href="/stories/1a"><a href="/stories/2b#x">') == ["2b", "1a"]
