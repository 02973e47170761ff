"""Finds the feeds that a web page names, and guesses what a new source should be called."""

import re
import unicodedata
from html.parser import HTMLParser
from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit

FEED_TYPES = frozenset({
    "application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml", "application/xml",
    "text/xml",
})
USUAL_PATHS = ("feed/", "rss/", "rss.xml", "feed.xml", "atom.xml")
CYRILLIC_LANGUAGES = frozenset({"be", "bg", "kk", "ky", "mk", "mn", "ru", "sr", "tg", "tt", "uk", "uz"})
ONLY_CYRILLIC = CYRILLIC_LANGUAGES - {"kk", "sr", "tt", "uz"}
_IGNORED_LABELS = frozenset({"www", "feeds", "feed", "rss", "news", "m", "en", "ru", "api"})
_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gov", "net", "or", "org"})


def feed_links(page: bytes, url: str) -> tuple[str, ...]:
    """The absolute http(s) addresses of the feeds that an HTML page names, in its order, feeds of comments last.

    Reads `<link rel="alternate" type="...">`; `url` is the page's own address.
    """
    reader = _Links(url)
    reader.feed(page.decode("utf-8", errors="replace"))
    reader.close()
    return tuple(dict.fromkeys(address for address, _ in sorted(reader.found, key=_is_comments)))


def usual_addresses(url: str) -> tuple[str, ...]:
    """Where a site that names no feed often has one: below the page itself, then below its root."""
    page = url if url.endswith("/") else url + "/"
    bases = dict.fromkeys((page, urljoin(url, "/")))
    return tuple(base + path for base in bases for path in USUAL_PATHS)


def slug_of(text: str) -> str:
    """Lower-case Latin letters, digits and hyphens that stand for `text`; "" where none are left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")


def slug_of_host(url: str) -> str:
    """The part of a host name that people know: "rnz" of https://www.rnz.co.nz/rss; the address of a numeric host."""
    host = urlsplit(url).hostname or ""
    try:
        ip_address(host)
        return slug_of(host)
    except ValueError:
        labels = host.split(".")
    labels = labels[:-1] or labels
    if len(labels) > 1 and labels[-1] in _SECOND_LEVEL:
        labels = labels[:-1]
    known = [label for label in labels if label not in _IGNORED_LABELS]
    return slug_of("-".join(known or labels[-1:])) or "source"


def likely_language(declared: str | None, text: str, fallback: str) -> str:
    """The language of a feed's titles: as declared, unless its letters say otherwise.

    Feeds often declare "en" over Russian text. Cyrillic with letters of Kazakh is "kk", other Cyrillic "ru"; Latin is
    `fallback`, or "en" where that is not written in Latin.
    """
    letters = [c for c in text.casefold() if c.isalpha()]
    cyrillic = sum("Ѐ" <= c <= "ӿ" for c in letters)
    if not letters:
        return declared or fallback
    if cyrillic * 2 > len(letters):
        if declared in CYRILLIC_LANGUAGES:
            return declared
        return "kk" if sum(c in "әіңғүұқөһ" for c in letters) * 50 > len(letters) else "ru"
    if declared and declared not in ONLY_CYRILLIC:
        return declared
    return fallback if fallback not in ONLY_CYRILLIC else "en"


def _is_comments(link: tuple[str, str]) -> bool:
    return "comment" in (link[0] + link[1]).lower()


class _Links(HTMLParser):
    """Collects (address, title) of alternate links."""

    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self._base = url
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "base" and values.get("href"):
            self._base = urljoin(self._base, values["href"])
        if tag != "link" or "alternate" not in values.get("rel", "").lower().split():
            return
        kind = values.get("type", "").lower().partition(";")[0].strip()
        address = self._joined(values.get("href", "").strip())
        if kind in FEED_TYPES and address:
            self.found.append((address, values.get("title", "")))

    def _joined(self, href: str) -> str:
        try:
            address = urljoin(self._base, href) if href else ""
            return address if urlsplit(address).scheme in {"http", "https"} else ""
        except ValueError:
            return ""
