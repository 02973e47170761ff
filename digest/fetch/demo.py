"""The demo's feeds: bundled documents of a made-up region, served over HTTP on this machine.

The documents (config/demo/feeds/) hold marks instead of dates, so that their news is always of today:

| mark | becomes |
|---|---|
| `{{rfc822 -3h45m +0500}}` | Mon, 02 Jan 2006 15:04:05 +0500, so long before the anchor; zone ALMT or none (GMT) |
| `{{iso -26h +05:00}}` | 2006-01-02T15:04:05+05:00; without a zone ...Z |
| `{{day -2d}}` | 2006-01-02, the day in UTC |
| `{{key}}` | 20060102, the day of the anchor: addresses differ from day to day |

events.tsv says which event each item tells; one event told in two languages is two, for languages do not share words.
"""

import hashlib
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from digest.documents import read_document
from digest.errors import ConfigError
from digest.resources import packaged_config_dir
from digest.sources import SourcesDocument

SUFFIX = "*.example"  # the hosts of the demo's outlets (RFC 2606: nobody can own one)
CONTENT_TYPES = {
    ".rss": "application/rss+xml", ".atom": "application/atom+xml", ".rdf": "application/rdf+xml",
    ".json": "application/feed+json", ".html": "text/html; charset=utf-8", ".txt": "application/rss+xml",
}
MARK = re.compile(rb"\{\{(.*?)\}\}")
DATE = re.compile(
    r"(?:(?P<day>day)|(?P<form>rfc822|iso)) -(?=\d)(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?"
    r"(?(form)(?: (?P<zone>ALMT|(?P<sign>[+-])(?P<zone_hours>\d\d):?(?P<zone_minutes>\d\d)?))?)")
ALMATY = timedelta(hours=5)


@dataclass(frozen=True, slots=True)
class Served:
    """A document as the feed server answers it."""

    body: bytes
    content_type: str
    etag: str
    last_modified: datetime


def demo_dir() -> Path:
    """The packaged config/demo/: documents, events.tsv and the instance's configuration."""
    return packaged_config_dir() / "demo"


def expand(document: bytes, anchor: datetime, path: str = "document") -> bytes:
    """The document with its marks filled (see the module). The encoding must keep ASCII as it is.

    Raises ConfigError with the line of a mark that is unknown or not closed.
    """
    def fill(found: re.Match[bytes]) -> bytes:
        try:
            return _fill(found.group(1).decode("ascii"), anchor).encode("ascii")
        except (ValueError, UnicodeDecodeError) as error:
            line = document.count(b"\n", 0, found.start()) + 1
            raise ConfigError(path, f"unknown mark {found.group().decode('ascii', 'replace')}", line=line,
                              hint="see digest/fetch/demo.py") from error

    text = MARK.sub(fill, document)
    if (left := text.find(b"{{")) >= 0:
        raise ConfigError(path, "mark is not closed", line=text.count(b"\n", 0, left) + 1, hint="write {{...}}")
    return text


def _fill(mark: str, anchor: datetime) -> str:
    """What stands for one mark; raises ValueError where it is unknown."""
    if mark == "key":
        return f"{anchor:%Y%m%d}"
    found = DATE.fullmatch(mark)
    if found is None:
        raise ValueError(mark)
    ages = {unit: int(found[unit]) for unit in ("days", "hours", "minutes") if found[unit]}
    instant = anchor.replace(microsecond=0) - timedelta(**ages)
    if found["day"]:
        return f"{instant:%Y-%m-%d}"
    local = instant.astimezone(_zone(found))
    if found["form"] == "iso":
        return local.isoformat() if found["zone"] else f"{instant:%Y-%m-%dT%H:%M:%SZ}"
    return f"{format_datetime(local).rpartition(' ')[0]} {found['zone'] or 'GMT'}"


def _zone(found: re.Match[str]) -> timezone:
    if found["zone"] == "ALMT":
        return timezone(ALMATY)
    east = timedelta(hours=int(found["zone_hours"] or 0), minutes=int(found["zone_minutes"] or 0))
    return timezone(-east if found["sign"] == "-" else east)


def feed_documents(anchor: datetime) -> dict[str, Served]:
    """The demo's documents by feed address, as of `anchor`; the address that has none is to answer 404.

    The first label of a feed's host names its file. Raises ConfigError where a document holds an unknown mark.
    """
    folder = demo_dir()
    path = folder / "sources" / "demo.toml"
    sources = read_document(str(path), path.read_text(encoding="utf-8"), SourcesDocument)
    files = {file.stem: file for file in (folder / "feeds").iterdir() if file.suffix in CONTENT_TYPES}
    served: dict[str, Served] = {}
    for feed in (feed for source in sources.sources for feed in source.feeds):
        if file := files.get((urlsplit(feed.url).hostname or "").partition(".")[0]):
            body = expand(file.read_bytes(), anchor, str(file))
            etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            served[feed.url] = Served(body, CONTENT_TYPES[file.suffix], etag, anchor.replace(microsecond=0))
    return served


@contextmanager
def serve_feeds(documents: Mapping[str, Served]) -> Iterator[int]:
    """Serves documents by host and path on a free port of 127.0.0.1 while the context is open; yields the port.

    Answers conditional requests with 304 and unknown addresses with 404.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(documents))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(documents: Mapping[str, Served]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "RegionDigestDemo"
        sys_version = ""

        def do_GET(self) -> None:
            host = (self.headers.get("Host") or "").partition(":")[0].lower()
            document = documents.get(f"http://{host}{self.path}")
            if document is None:
                self._answer(404, b"no such feed\n", "text/plain")
            elif self.headers.get("If-None-Match") == document.etag:
                self._answer(304, b"", document.content_type, document)
            else:
                self._answer(200, document.body, document.content_type, document)

        do_HEAD = do_GET

        def _answer(self, status: int, body: bytes, content_type: str, document: Served | None = None) -> None:
            self.send_response(status)
            if document:
                self.send_header("ETag", document.etag)
                self.send_header("Last-Modified", format_datetime(document.last_modified, usegmt=True))
            if status != 304:
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: what was polled is told in the table of outcomes."""

    return Handler
