"""A feed document as raw entries. Fetches nothing, interprets nothing but the document's own format.

Feeds lie about their encoding, carry control characters and are cut short; the parser below recovers what it can.
Run it in a worker that can be killed (`digest.parsing`): hostile documents keep it busy for minutes.
"""

import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax import SAXParseException

import feedparser

from digest.errors import ParseError
from digest.pipeline.encoding import as_utf8
from digest.pipeline.hints import document_minutes
from digest.pipeline.plain_feeds import read_plain

MAX_ENTRIES = 1000
MAX_TITLE = 1_000  # characters, as all caps below
MAX_AUTHOR = 500
MAX_SUMMARY = 64_000
MAX_CONTENT = 256_000
MAX_ADDRESS = 4_000
MAX_TAGS = 20
MOST_UNCLOSED = 20_000  # tags; a document of nothing but opened ones fills time and memory
CDATA = re.compile(rb"<!\[CDATA\[.*?\]\]>", re.DOTALL)

# Control characters, and halves of a pair, as JSON can name them: neither can be stored.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
# feedparser reads an e-mail address out of an author with a pattern that is quadratic in its length.
LONG_AUTHOR = re.compile(
    rb"(<(?:\w{1,20}:)?(?:author|creator|managingEditor|webMaster|publisher|contributor|owner|name)\b[^<>]{0,300}>"
    rb"\s{0,100}(?:<!\[CDATA\[)?[^<\]]{500}[\x80-\xbf]{0,3})[^<\]]+", re.IGNORECASE)

_get: Callable[[Any, str], Any] = dict.get  # a value without feedparser's fallbacks from one name to another


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as its document gives it: raw strings, "" where missing, capped in length."""

    guid: str = ""
    link: str = ""
    title: str = ""  # text or HTML
    summary: str = ""  # text or HTML
    content: str = ""  # text or HTML, the longest of the entry's bodies
    author: str = ""
    published: str = ""
    updated: str = ""
    tags: tuple[str, ...] = ()
    image_url: str = ""
    origin: str = ""  # the outlet's own address, where `link` is a redirect of its feed service


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """What a document holds; `language` is a primary subtag in lower case, None where it declares none.

    `update_minutes` is how seldom it asks to be polled, None where it does not say.
    """

    title: str
    language: str | None
    entries: tuple[Entry, ...]
    update_minutes: int | None = None


def parse_feed(body: bytes, content_type: str | None, url: str) -> ParsedFeed:
    """The entries of an RSS, RDF, Atom or JSON Feed document, at most 1,000, in the document's order.

    `url` is the address that relative links are joined to. Raises ParseError: empty, html_not_feed,
    not_a_feed, malformed.
    """
    start = body[:4096].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if not start:
        raise ParseError(url, "empty", "the document is empty")
    if start[:1] in (b"{", b"["):
        return _parse_json(body, url)
    if re.match(rb"(?i)(<!--.{0,2000}?-->\s*)*<(!doctype\s+html|html)\b", start, re.DOTALL):
        raise ParseError(url, "html_not_feed", "answered a web page instead of a feed")
    if _declares_entities(body):
        raise ParseError(url, "malformed", "declares XML entities, which are refused")
    if _is_unclosed(body) and _is_unclosed(CDATA.sub(b"", body)):
        raise ParseError(url, "malformed", f"opens more than {MOST_UNCLOSED} tags that it does not close")
    return _parse_xml(body, content_type, url)


def _is_unclosed(body: bytes) -> bool:
    """Whether about so many tags are opened and not closed."""
    if len(body) <= MOST_UNCLOSED:
        return False
    opened = body.count(b"<") - MOST_UNCLOSED
    return opened > 0 and opened > 2 * body.count(b"</") + body.count(b"/>")


def _declares_entities(body: bytes) -> bool:
    flat = body.lower() if b"\0" not in body else body.replace(b"\0", b"").lower()
    if b"<!entity" not in flat:
        return False
    return b"<!entity" in re.sub(rb"<!\[cdata\[.*?\]\]>", b"", flat, flags=re.DOTALL)


def _parse_xml(body: bytes, content_type: str | None, url: str) -> ParsedFeed:
    text, charset = as_utf8(body, content_type)
    kind = "application/xml" + (f"; charset={charset}" if charset else "")
    document = read_plain(text, url, MAX_ENTRIES) if charset == "utf-8" or text.isascii() else None
    # BytesIO: given bytes, feedparser would open a file of that name, given a string, fetch it.
    document = document or feedparser.parse(
        io.BytesIO(LONG_AUTHOR.sub(rb"\1", text)), sanitize_html=False, resolve_relative_uris=False,
        response_headers={"content-type": kind, "content-location": url},
    )
    if not document.entries and not document.version:
        raise _no_feed(text, document, url)
    return ParsedFeed(
        title=_clean(_get(document.feed, "title"), MAX_TITLE),
        language=_language(_get(document.feed, "language")),
        entries=tuple(_entry(entry) for entry in document.entries[:MAX_ENTRIES]),
        update_minutes=document_minutes(*(str(_get(document.feed, name) or "")[:20] for name in (
            "ttl", "sy_updateperiod", "sy_updatefrequency"))),
    )


def _no_feed(body: bytes, document: Any, url: str) -> ParseError:
    if re.search(rb"(?i)<(html|body)\b", body[:65536]) and b"<opml" not in body[:4096]:
        return ParseError(url, "html_not_feed", "answered a web page instead of a feed")
    if document.get("bozo"):
        return ParseError(url, "malformed", f"cannot be read as XML: {_complaint(document.get('bozo_exception'))}")
    return ParseError(url, "not_a_feed", "is neither RSS, RDF, Atom nor JSON Feed")


def _complaint(error: Any) -> str:
    """The XML parser's words with their line; other errors as they are."""
    if isinstance(error, SAXParseException):
        return f"{error.getMessage()} (line {error.getLineNumber()})"
    return str(error)[:200]


def _entry(entry: Any) -> Entry:
    summary = _clean(_get(entry, "summary"), MAX_SUMMARY)
    parts = _get(entry, "content")
    content = max([_clean(_get(part, "value"), MAX_CONTENT) for part in parts], key=len, default="") if parts else ""
    return Entry(
        guid=_clean(_get(entry, "id"), MAX_ADDRESS),
        link=_clean(_get(entry, "link"), MAX_ADDRESS),
        title=_clean(_get(entry, "title"), MAX_TITLE),
        summary="" if summary == content else summary,
        content=content,
        author=_clean(_get(entry, "author"), MAX_AUTHOR),
        published=_clean(_get(entry, "published"), 100),
        updated=_clean(_get(entry, "updated") or _get(entry, "created"), 100),
        tags=_tags(_get(tag, "term") for tag in tags) if (tags := _get(entry, "tags")) else (),
        image_url=_clean(_image(entry), MAX_ADDRESS),
        origin=_clean(_get(entry, "feedburner_origlink"), MAX_ADDRESS),
    )


def _image(entry: Any) -> str:
    """The address of the entry's picture: media:thumbnail, else an enclosure, else media:content."""
    for thumbnail in _get(entry, "media_thumbnail") or ():
        if address := _get(thumbnail, "url"):
            return str(address)
    links = [link for link in _get(entry, "links") or () if _get(link, "rel") == "enclosure"]
    for link in links:
        if str(_get(link, "type") or "").startswith("image") and _get(link, "href"):
            return str(_get(link, "href"))
    for media in _get(entry, "media_content") or ():
        is_image = _get(media, "medium") == "image" or str(_get(media, "type") or "").startswith("image")
        if is_image and _get(media, "url"):
            return str(_get(media, "url"))
    return ""


def _parse_json(body: bytes, url: str) -> ParsedFeed:
    """A JSON Feed 1.0 or 1.1 document (jsonfeed.org)."""
    try:
        document = json.loads(body.decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError) as error:
        raise ParseError(url, "malformed", f"cannot be read as JSON: {error}"[:300]) from error
    items = document.get("items") if isinstance(document, Mapping) else None
    if not isinstance(items, list):
        raise ParseError(url, "not_a_feed", "is JSON without a list of items")
    return ParsedFeed(
        title=_clean(document.get("title"), MAX_TITLE),
        language=_language(document.get("language")),
        entries=tuple(_json_entry(item) for item in items[:MAX_ENTRIES] if isinstance(item, Mapping)),
    )


def _json_entry(item: Mapping[str, Any]) -> Entry:
    authors = item.get("authors") if isinstance(item.get("authors"), list) else [item.get("author")]
    names = [str(author["name"]) for author in authors or () if isinstance(author, Mapping) and author.get("name")]
    html = item.get("content_html")
    content = html if isinstance(html, str) else _escaped(item.get("content_text"))
    tags = item.get("tags")
    return Entry(
        guid=_clean(item.get("id"), MAX_ADDRESS),
        link=_clean(item.get("url") or item.get("external_url"), MAX_ADDRESS),
        title=_escaped(_clean(item.get("title"), MAX_TITLE)),
        summary=_escaped(_clean(item.get("summary"), MAX_SUMMARY)),
        content=_clean(content, MAX_CONTENT),
        author=_clean(", ".join(names), MAX_AUTHOR),
        published=_clean(item.get("date_published"), 100),
        updated=_clean(item.get("date_modified"), 100),
        tags=_tags(tags if isinstance(tags, list) else ()),
        image_url=_clean(item.get("image") or item.get("banner_image"), MAX_ADDRESS),
    )


def _escaped(text: Any) -> str:
    """Plain text as HTML, so that a "<" in it is not taken for markup later."""
    return text.replace("&", "&amp;").replace("<", "&lt;") if isinstance(text, str) else ""


def _tags(terms: Iterable[Any]) -> tuple[str, ...]:
    cleaned = (_clean(term, 100) for term in terms)
    return tuple(dict.fromkeys(term for term in cleaned if term))[:MAX_TAGS]


def _clean(value: Any, limit: int) -> str:
    """A string without control characters, at most `limit` characters long; numbers count as strings."""
    if not isinstance(value, str):
        if value is None or isinstance(value, bool | list | dict):
            return ""
        value = str(value)
    if not value:
        return ""
    text = value[:limit]
    return (text if text.isprintable() else CONTROL.sub("", text)).strip()


def _language(value: Any) -> str | None:
    """The primary subtag of a BCP 47 tag, or None."""
    found = re.match(r"\s*([a-z]{2,3})(?![a-z])", str(value or "").lower())
    return found.group(1) if found else None
