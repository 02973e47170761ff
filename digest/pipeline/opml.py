"""Subscription lists in OPML (http://opml.org/spec2.opml): read as published, written as specified.

Many published lists are not well-formed XML: bare ampersands, unknown entities, outlines after the body. So a list is
read as tag soup, and what an XML parser would have said stands in the report.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, SubElement, indent, tostring
from xml.parsers import expat

from digest.model import Feed
from digest.pipeline.encoding import as_utf8

MOST_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Listed:
    """A feed as a list names it. `folders` are the outlines round it, outermost first."""

    line: int
    url: str
    title: str = ""
    site: str = ""
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passed:
    """An outline that names no feed which could be polled, and why."""

    line: int
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class FeedList:
    """What a list holds, in its order; feeds that stand twice stand once. `flaw` says why it is no XML, "" if it is."""

    title: str
    feeds: tuple[Listed, ...]
    passed: tuple[Passed, ...] = ()
    flaw: str = ""


def read_opml(data: bytes) -> FeedList:
    """The feeds of a list. Never raises: what cannot be read is passed over, and told.

    Nothing that the document refers to is opened, and none of its own entities is expanded.
    """
    if len(data) > MOST_BYTES:
        return FeedList("", (), flaw=f"longer than {MOST_BYTES // 1024 // 1024} MiB")
    body, charset = as_utf8(data, None)
    reader = _Outlines()
    reader.feed(body.decode(charset or _declared(data), errors="replace"))
    reader.close()
    return FeedList(" ".join(reader.title.split())[:200], tuple(reader.feeds), tuple(reader.passed), _flaw(data))


def write_opml(title: str, feeds: Iterable[Feed]) -> str:
    """A list in OPML 2.0 with one outline a source, its feeds inside, in the given order."""
    root = Element("opml", version="2.0")
    SubElement(SubElement(root, "head"), "title").text = title
    body = SubElement(root, "body")
    folders: dict[str, Element] = {}
    for feed in feeds:
        source = feed.source
        if source.slug not in folders:
            folders[source.slug] = SubElement(body, "outline", text=source.name, title=source.name)
        outline = {"type": "rss", "text": source.name, "title": source.name, "xmlUrl": feed.url}
        outline |= {"language": feed.language} if feed.language else {}
        outline |= {"category": f"/{feed.region}"} if feed.region else {}
        SubElement(folders[source.slug], "outline", outline)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _declared(data: bytes) -> str:
    """A charset that Python knows and the declaration names; Latin-1 reads any byte."""
    head = data[:200].lower()
    return next((name for name in ("utf-16", "windows-1251", "koi8-r") if name.encode() in head), "iso-8859-1")


def _flaw(data: bytes) -> str:
    """What an XML parser says of the document; entities and documents that it names are not followed."""
    parser = expat.ParserCreate()
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError) as error:
        return f"not well-formed XML: {error}"
    return ""


@dataclass
class _Outlines(HTMLParser):
    """Collects outlines from tag soup; attribute names come in lower case."""

    title: str = ""
    feeds: list[Listed] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._folders: list[str] = []
        self._in_title = False
        self._seen: set[str] = set()

    def set_cdata_mode(self, elem: str, **_: Any) -> None:
        """Text is text in every element: a list has no scripts, and its title may stay open."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_title = tag == "title" and not self.title
        if tag == "outline":
            values = self._outline(attrs)
            self._folders.append(values.get("text") or values.get("title") or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "outline":
            self._outline(attrs)

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False
        if tag == "outline" and self._folders:
            self._folders.pop()

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data

    def _outline(self, attrs: list[tuple[str, str | None]]) -> dict[str, str]:
        """Files one outline under feeds, under what is passed over, or, as a mere folder, nowhere."""
        values = {name: " ".join((value or "").split()) for name, value in attrs}
        line, _ = self.getpos()
        title = values.get("title") or values.get("text") or ""
        address = values.get("xmlurl", "")
        if not address:
            if values.get("type", "").lower() in {"rss", "atom", "feed"} or values.get("htmlurl"):
                self._pass(line, title or values.get("htmlurl", ""), "names no address of a feed (xmlUrl)")
        elif (url := _http(address)) is None:
            self._pass(line, address, "is no http(s) address")
        elif url in self._seen:
            self._pass(line, url, "stands in the list twice")
        else:
            self._seen.add(url)
            folders = tuple(name for name in self._folders if name)
            self.feeds.append(Listed(line, url, title[:200], values.get("htmlurl", ""), folders))
        return values

    def _pass(self, line: int, what: str, why: str) -> None:
        self.passed.append(Passed(line, what[:200], why))


def _http(address: str) -> str | None:
    """The address as an absolute http(s) one; feed: and feed:// are what some readers write (never registered)."""
    lowered = address.lower()
    if lowered.startswith("feed://"):
        address = "http://" + address[len("feed://"):]
    elif lowered.startswith("feed:"):
        address = address[len("feed:"):]
    try:
        parts = urlsplit(address)
        return address if parts.scheme in {"http", "https"} and parts.hostname else None
    except ValueError:
        return None
