import json
import time

import pytest

from digest.errors import ParseError
from digest.pipeline.encoding import as_utf8
from digest.pipeline.parse import MAX_ENTRIES, Entry, parse_feed

URL = "https://steppe.example/news/feed"


def rss(items: str, head: str = "<title>Steppe Post</title><language>en-GB</language>") -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>{head}{items}</channel></rss>'.encode()


def test_an_rss_entry_is_given_raw() -> None:
    document = parse_feed(rss("""<item><title>Dam &amp; bridge</title><link>/a?utm_source=rss</link>
        <guid isPermaLink="false">n1</guid><description>&lt;p&gt;Text.&lt;/p&gt;</description>
        <author>desk@steppe.example (Reuters)</author><category>Water</category><category>Water</category>
        <pubDate>20 Mar 2023, 08:06 GMT+10</pubDate>
        <enclosure url="https://steppe.example/i.jpg" type="image/jpeg" length="1"/></item>"""), None, URL)
    assert (document.title, document.language) == ("Steppe Post", "en")
    assert document.entries == (Entry(
        guid="n1", link="https://steppe.example/a?utm_source=rss", title="Dam & bridge", summary="<p>Text.</p>",
        author="desk@steppe.example (Reuters)", published="20 Mar 2023, 08:06 GMT+10", tags=("Water",),
        image_url="https://steppe.example/i.jpg"),)


def test_a_json_feed_is_read() -> None:
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "Steppe Post", "language": "kk", "items": [
        {"id": 7, "url": "https://steppe.example/7", "title": "a < b", "content_text": "x < y & z",
         "date_published": "2026-02-17T10:00:00+05:00", "authors": [{"name": "Aida"}, {"name": "Reuters"}],
         "tags": ["water"], "image": "https://steppe.example/7.jpg"},
        "no entry", {"id": None, "content_html": "<p>Bare</p>"}]}
    document = parse_feed(json.dumps(feed).encode(), None, URL)
    assert document.language == "kk"
    assert document.entries[0] == Entry(
        guid="7", link="https://steppe.example/7", title="a &lt; b", content="x &lt; y &amp; z",
        author="Aida, Reuters", published="2026-02-17T10:00:00+05:00", tags=("water",),
        image_url="https://steppe.example/7.jpg")
    assert document.entries[1].content == "<p>Bare</p>"


@pytest.mark.parametrize(("body", "kind"), [
    (b"", "empty"),
    (b"\xef\xbb\xbf \n", "empty"),
    (b"<!DOCTYPE html><html><body>Just a moment...</body></html>", "html_not_feed"),
    (b"\n<!-- cached --><html lang='ru'></html>", "html_not_feed"),
    (b"<div>oops</div><body>maintenance</body>", "html_not_feed"),
    (b"%PDF-1.7 not a feed", "malformed"),
    (b"<opml version='2.0'><body/></opml>", "not_a_feed"),
    (b"<config><key>1</key></config>", "not_a_feed"),
    (b'{"error": "not found"}', "not_a_feed"),
    (b'{"items": [', "malformed"),
    (b"[" * 100_000, "malformed"),
    (b'<!DOCTYPE rss [<!ENTITY a "ha">]><rss version="2.0"><channel><title>&a;</title></channel></rss>', "malformed"),
    ('<!DOCTYPE rss [<!entity a "ha">]><rss version="2.0"><channel/></rss>'.encode("utf-16"), "malformed"),
])
def test_what_is_no_feed_is_named(body: bytes, kind: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_feed(body, "text/html", URL)
    assert caught.value.kind == kind


def test_an_article_about_entities_is_no_attack() -> None:
    body = rss("<item><title>XML</title><description><![CDATA[Write <!ENTITY a 'b'>.]]></description></item>")
    assert len(parse_feed(body, None, URL).entries) == 1


def test_a_feed_without_entries_is_a_feed() -> None:
    assert parse_feed(rss(""), None, URL).entries == ()


@pytest.mark.parametrize(("body", "content_type"), [
    # UTF-8 under another name, as the server or the document calls it
    (rss("<item><title>Су қоймасы</title></item>").replace(b"utf-8", b"windows-1251"), None),
    (rss("<item><title>Су қоймасы</title></item>").replace(b"utf-8", b"utf-16"), None),
    (rss("<item><title>Су қоймасы</title></item>"), "text/xml; charset=ISO-8859-1"),
    (rss("<item><title>Су қоймасы</title></item>"), "text/xml"),
    (b"\xef\xbb\xbf" + rss("<item><title>Су қоймасы</title></item>"), "text/plain"),
    # cut in the middle of a letter, and a stray byte
    (rss("<item><title>Су қоймасы</title><description>" + "Қала " * 20 + "</description></item>")
     .replace("Қала".encode(), "Қала".encode()[:-1], 1), None),
    (("\ufeff" + rss("<item><title>Су қоймасы</title></item>").decode().replace("utf-8", "utf-16")).encode("utf-16-le"),
     None),
])
def test_letters_survive_a_lying_declaration(body: bytes, content_type: str | None) -> None:
    assert parse_feed(body, content_type, URL).entries[0].title == "Су қоймасы"


@pytest.mark.parametrize(("encoding", "declared", "title"), [
    ("windows-1251", "windows-1251", "Новости дня"),
    ("koi8-r", "koi8-r", "Новости дня"),
    ("windows-1251", "utf-8", "Новости дня и ночи в Алматы"),  # the declaration lies
    ("koi8-r", "utf-8", "Новости дня и ночи в Алматы"),
    ("gb18030", "utf-8", "中国政府大举增加债券发售以减轻地方政府债务压力，明码标价网上卖婴，儿童买卖黑市助长绑架儿童"),
    ("windows-1252", "utf-8", "Café déjà vu à Genève"),
    ("iso-8859-7", "iso-8859-7", "Ειδήσεις"),
])
def test_older_encodings_are_read(encoding: str, declared: str, title: str) -> None:
    body = rss(f"<item><title>{title}</title></item>").decode().replace("utf-8", declared).encode(encoding)
    assert parse_feed(body, None, URL).entries[0].title == title


def test_single_bytes_are_believed_where_they_fit() -> None:
    rss = '<?xml version="1.0" encoding="windows-1251"?><rss>Новости</rss>'
    assert as_utf8(rss.encode("windows-1251"), None) == ('<?xml version="1.0"?><rss>Новости</rss>'.encode(), "utf-8")
    no_sign = rss.replace("1251", "1252").encode("windows-1251") + b"\x81"
    assert as_utf8(no_sign, "text/xml; charset=windows-1252") == (no_sign, "windows-1252")


def test_a_document_cut_short_gives_what_it_has() -> None:
    body = rss("".join(f"<item><title>Story {n}</title><guid>{n}</guid></item>" for n in range(10)))
    assert len(parse_feed(body[: len(body) * 8 // 10], None, URL).entries) >= 7


def test_a_path_as_a_document_opens_no_file() -> None:
    with pytest.raises(ParseError):
        parse_feed(b"/etc/passwd", None, URL)


def test_control_characters_and_lengths_are_bounded() -> None:
    entry = parse_feed(rss(f"<item><title>Be\x08ll{'x' * 5000}</title><guid>g</guid></item>"), None, URL).entries[0]
    assert entry.title.startswith("Bell")
    assert len(entry.title) <= 1000


def test_at_most_a_thousand_entries_are_taken() -> None:
    body = rss("<item><title>x</title></item>" * (MAX_ENTRIES + 50))
    assert len(parse_feed(body, None, URL).entries) == MAX_ENTRIES


@pytest.mark.parametrize("author", ["{}", "<![CDATA[{}]]>"])
def test_a_hostile_author_costs_no_time(author: str) -> None:
    body = rss(f"<item><title>x</title><author>{author.format('a' * 64_000)}</author></item>")
    started = time.process_time()
    parse_feed(body, None, URL)
    assert time.process_time() - started < 1


def test_half_a_pair_of_a_character_is_dropped() -> None:
    body = b'{"version": "https://jsonfeed.org/version/1", "items": [{"title": "a \\ud83d b \\ud83d\\ude80"}]}'
    assert parse_feed(body, None, "http://x.example/").entries[0].title == "a  b \U0001f680"


def test_a_document_of_opened_tags_is_not_even_tried_but_text_may_hold_any_number() -> None:
    with pytest.raises(ParseError, match="opens more than"):
        parse_feed(b'<rss version="2.0"><channel>' + b"<a>" * 30_000, None, "http://x.example/")
    lines = b"<![CDATA[" + b"line<br>" * 30_000 + b"]]>"
    document = b'<rss version="2.0"><channel><item><title>t</title><description>%s</description></item></channel></rss>'
    assert parse_feed(document % lines, None, "http://x.example/").entries[0].title == "t"
