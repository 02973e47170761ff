"""Finding feeds in pages, and names for new sources."""

import pytest

from digest.pipeline.discover import feed_links, likely_language, slug_of, slug_of_host, usual_addresses

PAGE = b"""<!doctype html><html><head>
<link rel=stylesheet href=/x.css><link rel="alternate" hreflang="ru" href="/ru/">
<link rel="alternate" type="application/rss+xml" title="Herald &raquo; Comments" href="/comments/feed/">
<LINK REL="Alternate Home" TYPE="application/rss+xml; charset=utf-8" TITLE="Herald" HREF="feed/">
<link rel="alternate" type="application/atom+xml" href="https://other.example/atom?a=1&amp;b=2">
<link rel="alternate" type="application/rss+xml" href="javascript:void(0)">
<link rel="alternate" type="application/rss+xml" href="http://[broken/feed">
<link rel="alternate" type="application/rss+xml" href="feed/">
</head><body>\xff</body>"""


def test_feeds_of_a_page_are_absolute_once_each_and_comments_last() -> None:
    assert feed_links(PAGE, "https://herald.example/news/") == (
        "https://herald.example/news/feed/",
        "https://other.example/atom?a=1&b=2",
        "https://herald.example/comments/feed/",
    )


def test_a_base_element_counts() -> None:
    page = b'<base href="https://cdn.example/x/"><link rel=alternate type=application/rss+xml href=rss>'
    assert feed_links(page, "https://herald.example/") == ("https://cdn.example/x/rss",)


@pytest.mark.parametrize("page", [
    b"", b"\x00\x01", b"<link rel=alternate type='application/rss+xml'>", b"<a href=/rss>",
])
def test_a_page_without_feeds_names_none(page: bytes) -> None:
    assert feed_links(page, "https://herald.example/") == ()


def test_usual_addresses_begin_at_the_page_and_end_at_the_root() -> None:
    addresses = usual_addresses("https://herald.example/en")
    assert addresses[0] == "https://herald.example/en/feed/"
    assert "https://herald.example/rss.xml" in addresses
    assert len(set(addresses)) == len(addresses)


@pytest.mark.parametrize(("url", "slug"), [
    ("https://www.rnz.co.nz/rss/national.xml", "rnz"),
    ("https://news.err.ee/rss", "err"),
    ("https://astanatimes.com/feed/", "astanatimes"),
    ("https://kz.kursiv.media/feed/", "kz-kursiv"),
    ("http://feeds.kenyastar.com/rss/1", "kenyastar"),
    ("https://www.com/", "www"),
    ("http://127.0.0.1:8000/feed", "127-0-0-1"),
    ("http://[::1]:8000/feed", "1"),
    ("http://localhost/feed", "localhost"),
    ("https://приме́р.рф/", "source"),
])
def test_a_source_is_called_as_its_host_is_known(url: str, slug: str) -> None:
    assert slug_of_host(url) == slug


@pytest.mark.parametrize(("text", "slug"), [
    ("New Zealand", "new-zealand"), ("Île-de-France", "ile-de-france"), ("Қазақстан", ""), ("--A & B--", "a-b"),
])
def test_a_slug_keeps_what_is_latin(text: str, slug: str) -> None:
    assert slug_of(text) == slug


@pytest.mark.parametrize(("declared", "text", "fallback", "language"), [
    ("en", "Парламент принял бюджет", "en", "ru"),  # declared wrongly
    (None, "Үкімет жаңа бағдарлама қабылдады", "en", "kk"),
    ("ky", "Өкмөт жаңы программа кабыл алды", "en", "ky"),
    ("ru", "Parliament passes the budget", "en", "en"),
    ("fr", "Le parlement vote", "en", "fr"),
    (None, "Parliament passes the budget", "de", "de"),
    (None, "Parliament passes the budget", "ru", "en"),
    (None, "2026 — 15", "ru", "ru"),
])
def test_letters_win_over_a_declared_language(declared: str | None, text: str, fallback: str, language: str) -> None:
    assert likely_language(declared, text, fallback) == language
