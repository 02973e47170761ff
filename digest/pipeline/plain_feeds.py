"""Plain feed documents, read at a fraction of feedparser's cost, to the same values.

Nearly all documents are well-formed RSS, RDF or Atom in UTF-8 whose entries hold text, and no markup of their own but
XHTML in Atom. Those are read here; for any other, `read_plain` gives None and feedparser, which knows every oddity,
reads it. The rules below (which of several titles counts, when a second description is the content, what a guid has to
do with a link) are feedparser's, so that a document gives the same entries by either way. One fault is not copied: in a
podcast whose channel has two descriptions, feedparser drops the first item's first one.
"""

import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any
from urllib.parse import urljoin
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

XML = "{http://www.w3.org/XML/1998/namespace}"
XML_BASE = f"{XML}base"
RDF_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
# Namespaces that mean the same as none, and prefixes of the others that are read; in lower case.
BARE = frozenset({
    "http://backend.userland.com/rss", "http://blogs.law.harvard.edu/tech/rss", "http://purl.org/rss/1.0/",
    "http://my.netscape.com/rdf/simple" "/0.9/", "http://www.w3.org/2005/atom", "http://purl.org/atom/ns#",
    "http://purl.org/rss/1.0/modules/rss091#"})
PREFIXES = {
    "http://purl.org/dc/elements/1.1/": "dc", "http://purl.org/dc/terms/": "dcterms",
    "http://purl.org/rss/1.0/modules/content/": "content", "http://search.yahoo.com/mrss/": "media",
    "http://search.yahoo.com/mrss": "media", "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner", "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://purl.org/rss/1.0/modules/syndication/": "sy", "http://www.w3.org/xml/1998/namespace": "xml"}
KNOWN_PREFIXES = frozenset(PREFIXES.values())  # also where a document gives them an address of its own
DECLARED = re.compile(rb"""xmlns:([A-Za-z][\w.-]{0,30})\s{0,9}=\s{0,9}["']([^"'<>]{1,300})["']""")
ROOTS = frozenset({"rss", "rdf:rdf", "feed"})
ENTRIES = frozenset({"item", "entry"})
TEXTS = frozenset({"title", "dc:title", "media:title", "description", "summary", "dc:description", "media:description",
                   "itunes:summary", "content", "content:encoded"})
GROUPS = frozenset({"media:group", "media:content"})  # what stands inside counts as if beside them
SKIPPED = frozenset({"source"})
PICTURE_PARTS = frozenset({"url", "title", "link", "width", "height"})
STRANGE = frozenset({  # feedparser gives these a meaning that is not told here
    "textinput", "body", "fullitem", "contributor", "tags", "abstract", "xhtml:body", "svg", "link:link",
    "entry", "item", "feed", "channel", "itunes:owner"})
KEPT = {  # text that is kept as it is, under its name
    "pubdate": "published", "published": "published", "issued": "published", "dcterms:issued": "published",
    "updated": "updated", "modified": "updated", "lastbuilddate": "updated", "dc:date": "updated",
    "dcterms:modified": "updated", "created": "created", "dcterms:created": "created",
    "feedburner:origlink": "feedburner_origlink"}
AUTHORS = frozenset({"author", "managingeditor", "dc:creator", "dc:author", "itunes:author"})
TAGS = frozenset({"category", "keywords", "dc:subject", "media:category"})
TAG_LISTS = frozenset({"itunes:keywords", "media:keywords"})
HTML_TYPES = frozenset({"html", "text/html", "xhtml", "application/xhtml+xml"})
PLAIN_TYPES = frozenset({"", "text", "plain", "html", "text/plain", "text/html"})
BODY_TYPES = PLAIN_TYPES | {"xhtml"}
MAX_DEPTH = 4
XHTML = "http://www.w3.org/1999/xhtml"
XHTML_TAG, XHTML_DIV = f"{{{XHTML}}}", f"{{{XHTML}}}div"
HTML_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
MAX_NESTING = 60
C1 = re.compile(r"[\x80-\x9f]")
WINDOWS = {code: bytes([code]).decode("cp1252") for code in range(0x80, 0xA0) if code not in {
    0x81, 0x8D, 0x8F, 0x90, 0x9D}}


class _Odd(Exception):
    """The document holds what only feedparser knows."""


@dataclass
class PlainDocument:
    """What a document holds, by feedparser's names; entries in their order."""

    feed: dict[str, Any] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)
    version: str = "plain"


def read_plain(text: bytes, url: str, most: int) -> PlainDocument | None:
    """The first `most` entries of a plain document in UTF-8; None where feedparser must read it.

    `url` is what relative links are joined to.
    """
    try:
        return _document(ElementTree.fromstring(text), _Names(text), url, most)
    except (ElementTree.ParseError, _Odd, ValueError, LookupError):
        return None


def _document(root: Element, names: "_Names", url: str, most: int) -> PlainDocument:
    kind = names.of(root.tag)
    if kind not in ROOTS:
        raise _Odd
    url = urljoin(url, root.get(XML_BASE, root.get("base", "")))
    channel = root if kind == "feed" else next((child for child in root if names.of(child.tag) == "channel"), None)
    if channel is None or (channel is not root and _has_base(channel)):
        raise _Odd
    found = [child for holder in dict.fromkeys((channel, root)) for child in holder
             if names.of(child.tag) in ENTRIES]
    tags = Counter(map(attrgetter("tag"), root.iter()))
    if not found or len(found) != sum(number for tag, number in tags.items() if names.of(tag) in ENTRIES):
        raise _Odd
    language = root.get(f"{XML}lang", root.get("lang"))
    return PlainDocument(_feed(channel, names, language), [_Entry(names, url).read(entry) for entry in found[:most]])


class _Names:
    """Tags as feedparser writes them: prefix:local in lower case, no prefix for feeds' own namespaces."""

    def __init__(self, text: bytes):
        self._known: dict[str, str] = {}
        declared = {uri.decode(errors="replace").lower(): prefix.decode().lower()
                    for prefix, uri in DECLARED.findall(text)}
        self._prefixes = {uri: prefix for uri, prefix in declared.items() if prefix in KNOWN_PREFIXES} | PREFIXES

    def of(self, tag: str) -> str:
        name = self._known.get(tag)
        if name is None:
            name = self._known[tag] = self._read(tag)
        return name

    def _read(self, tag: str) -> str:
        if not tag.startswith("{"):
            return tag.lower()
        uri, _, local = tag[1:].partition("}")
        uri, local = uri.lower(), local.lower()
        if uri in BARE or "backend.userland.com/rss" in uri:
            return local
        if uri == XHTML:
            return f"xhtml:{local}"
        if local in {"item", "entry", "channel", "svg"} or uri.endswith("/xhtml"):
            raise _Odd
        return f"{self._prefixes.get(uri, 'other')}:{local}"


def _feed(channel: Element, names: _Names, language: str | None) -> dict[str, Any]:
    """The document's own title, language and how often it changes: the first that says so."""
    found: dict[str, Any] = {"language": language} if language else {}
    for child in channel:
        name = names.of(child.tag)
        name = {"dc:language": "language", "sy:updateperiod": "sy_updateperiod",
                "sy:updatefrequency": "sy_updatefrequency"}.get(name, name)
        if name == "language":
            found["language"] = _repaired(_text(child))
        elif name in {"title", "ttl", "sy_updateperiod", "sy_updatefrequency"} and not found.get(name):
            found[name] = _repaired(_text(child))
    return found


class _Entry:
    """Reads one entry, element by element in their order. `depths` says how deep the value of a name stood."""

    def __init__(self, names: _Names, url: str):
        self._names, self._url = names, url
        self._values: dict[str, Any] = {}
        self._depths: dict[str, int] = {}
        self._title_depth = -1
        self._has_content = False

    def read(self, entry: Element) -> dict[str, Any]:
        if about := entry.get(RDF_ABOUT):
            self._values["id"] = about
        if _has_base(entry) or entry.get("href") or entry.get("lastmod"):
            raise _Odd
        self._children(entry, 1)
        return self._values

    def _children(self, parent: Element, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise _Odd
        for child in parent:
            name = self._names.of(child.tag)
            if name in TEXTS:
                self._body(name, child, depth)
            elif name == "image":
                self._picture(child, depth)
            elif name not in SKIPPED:
                self._element(name, child, depth)

    def _picture(self, image: Element, depth: int) -> None:
        """Its address, or its parts. Its title may become the entry's, but for one that stands higher."""
        self._title_depth = -1
        for part in image:
            name = self._names.of(part.tag)
            if name not in PICTURE_PARTS or part.attrib:
                raise _Odd
            text = _repaired(_text(part))
            if name == "title":
                self._title(text, depth + 1, is_media=False)

    def _element(self, name: str, element: Element, depth: int) -> None:
        if name in STRANGE or name.startswith("xhtml:") or _has_base(element):
            raise _Odd
        if name in KEPT:
            self._keep(KEPT[name], _repaired(_text(element)), depth)
        elif reader := READERS.get(name):
            reader(self, element, depth)
        elif name in GROUPS:
            self._group(name, element, depth)
        elif len(element):
            self._children(element, depth + 1)

    def _keep(self, name: str, value: str, depth: int) -> None:
        """A value gives way to one that stands as high or higher."""
        if depth <= self._depths.get(name, depth):
            self._depths[name] = depth
            self._values[name] = value

    def _body(self, name: str, element: Element, depth: int) -> None:
        kind = element.get("type", "").lower()
        if element.get("mode") or kind not in BODY_TYPES:
            raise _Odd
        value = _repaired(_markup(element) if kind == "xhtml" else _text(element))
        if name.endswith("title"):
            self._title(value, depth, is_media=name == "media:title")
        elif name.startswith("content"):
            self._content(value)
        elif "summary" in self._values and not self._has_content:
            self._content(value)  # a second description is the body
        else:
            self._keep("summary", value, depth)

    def _title(self, value: str, depth: int, *, is_media: bool) -> None:
        if -1 < self._title_depth <= depth:
            return
        self._keep("title", value, depth)
        if value and not is_media:
            self._title_depth = depth

    def _content(self, value: str) -> None:
        self._has_content = True
        self._values.setdefault("content", []).append({"value": value})
        self._values.setdefault("summary", value)

    def _group(self, name: str, element: Element, depth: int) -> None:
        if name == "media:content":
            self._values.setdefault("media_content", []).append(_attributes(element))
        self._children(element, depth + 1)

    def thumbnail(self, element: Element, depth: int) -> None:
        values = _attributes(element)
        if text := (element.text or "").strip():
            values.setdefault("url", self._joined(text))
        self._values.setdefault("media_thumbnail", []).append(values)
        self._children(element, depth + 1)

    def enclosure(self, element: Element, depth: int) -> None:
        values = _attributes(element)
        href = values.get("url", values.get("uri", values.get("href")))
        self._values.setdefault("links", []).append({**values, "rel": "enclosure", **({"href": href} if href else {})})

    def guid(self, element: Element, depth: int) -> None:
        is_link = _attributes(element).get("ispermalink", "true") == "true"
        value = _text(element)
        value = _repaired(self._joined(value) if is_link else value)
        self._keep("id", value, depth)
        if is_link:
            self._values.setdefault("link", value)

    def link(self, element: Element, depth: int) -> None:
        values = _attributes(element)
        rel = values.get("rel", "alternate")
        kind = values.get("type", "application/atom+xml" if rel == "self" else "text/html")
        href = values.get("url", values.get("uri", values.get("href")))
        if href is None:
            text = _repaired(self._joined(_text(element)))
            if "&" in text:
                text = re.sub("&([A-Za-z0-9_]+);", r"&\g<1>", text.replace("&amp;", "&"))
            self._values["link"] = text
            return
        self._values.setdefault("links", []).append({**values, "rel": rel, "type": kind, "href": self._joined(href)})
        if rel == "alternate" and kind in HTML_TYPES:
            self._values["link"] = self._joined(href)
        self._children(element, depth + 1)

    def author(self, element: Element, depth: int) -> None:
        if not len(element):
            self._keep("author", _repaired(_text(element)), depth)
            return
        parts = {self._names.of(child.tag): _repaired(_text(child)) for child in element}
        name, email = parts.get("name"), parts.get("email")
        self._values["author"] = f"{name} ({email})" if name and email else name or email or ""

    def tag(self, element: Element, depth: int) -> None:
        self._tags([element.get("term", ""), _repaired(_text(element))])

    def itunes_tag(self, element: Element, depth: int) -> None:
        self._tags([element.get("text", "")])
        self._children(element, depth + 1)

    def tag_list(self, element: Element, depth: int) -> None:
        self._tags(term.strip() for term in _repaired(_text(element)).split(","))

    def _tags(self, terms: Iterable[str]) -> None:
        self._values.setdefault("tags", []).extend({"term": term} for term in terms if term)

    def _joined(self, address: str) -> str:
        if not address or (address.startswith(("http://", "https://")) and not address.endswith(("?", "#", ";"))
                           and ":///" not in address[:9]):
            return address
        address = re.sub(r"^([A-Za-z][A-Za-z0-9+-.]*://)/*", r"\1", address)
        return urljoin(self._url, address)


READERS: dict[str, Callable[[_Entry, Element, int], None]] = {
    "guid": _Entry.guid, "id": _Entry.guid, "link": _Entry.link, "enclosure": _Entry.enclosure,
    "media:thumbnail": _Entry.thumbnail, "itunes:category": _Entry.itunes_tag,
    **dict.fromkeys(AUTHORS, _Entry.author), **dict.fromkeys(TAGS, _Entry.tag),
    **dict.fromkeys(TAG_LISTS, _Entry.tag_list)}


def _text(element: Element) -> str:
    """The text of an element that holds nothing else. Raises _Odd where it does."""
    if len(element):
        raise _Odd
    return (element.text or "").strip()


def _markup(element: Element) -> str:
    """The XHTML inside an element, without the div around it (RFC 4287 §3.1.1.3). Raises _Odd for other markup."""
    inside = list(element)
    if len(inside) == 1 and inside[0].tag == XHTML_DIV and not f"{element.text or ''}{inside[0].tail or ''}".strip():
        return "".join(_pieces(inside[0], 0)).strip()
    return "".join(_pieces(element, 0)).strip()


def _pieces(element: Element, depth: int) -> Iterator[str]:
    """The text and the tags inside an element."""
    if depth > MAX_NESTING:
        raise _Odd
    yield escape(element.text or "")
    for child in element:
        name = child.tag.removeprefix(XHTML_TAG)
        if not HTML_NAME.fullmatch(name) or _has_base(child):
            raise _Odd
        attributes = "".join(f' {key}="{escape(value, {chr(34): "&quot;"})}"' for key, value in child.items()
                             if HTML_NAME.fullmatch(key))
        yield f"<{name}{attributes}>"
        yield from _pieces(child, depth + 1)
        yield f"</{name}>{escape(child.tail or '')}"


def _attributes(element: Element) -> dict[str, str]:
    """Attributes without a namespace, by name in lower case."""
    if not element.attrib:
        return {}
    return {name.lower(): value for name, value in element.items() if not name.startswith("{")}


def _has_base(element: Element) -> bool:
    attributes = element.attrib
    return bool(attributes) and (XML_BASE in attributes or "base" in attributes)


def _repaired(text: str) -> str:
    """Text without two common mistakes: UTF-8 that was taken for Latin-1, and the signs of windows-1252 in Latin-1."""
    if text.isascii():
        return text
    try:
        text = text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        pass
    return text if text.isprintable() or not C1.search(text) else text.translate(WINDOWS)
