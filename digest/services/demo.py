"""The demo: a made-up region whose feeds are served over HTTP on this machine, in an instance of its own.

The bundled documents (config/demo/feeds/) hold marks instead of dates, so that their news is always of today:

| mark | becomes |
|---|---|
| `{{rfc822 -3h45m +0500}}` | Mon, 02 Jan 2006 15:04:05 +0500, so long before the anchor; zone ALMT or none (GMT) |
| `{{iso -26h +05:00}}` | 2006-01-02T15:04:05+05:00; without a zone ...Z |
| `{{day -2d}}` | 2006-01-02, the day in UTC |
| `{{key}}` | 20060102, the day of the anchor: addresses differ from day to day |

events.tsv says which event each item tells; one event told in two languages is two, for languages do not share words.

The anchor is the instant of the day's first run, kept in the file `anchor`: runs of one day (in UTC) serve the same
bytes. A new day begins with an empty instance, for yesterday's stories told again would be no news.
"""

import asyncio
import hashlib
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine

from digest.documents import Configuration, SourcesDocument, read_document
from digest.errors import ConfigError, DigestError, NotFound
from digest.parsing import ParserPool
from digest.pipeline.slots import local_date
from digest.pipeline.view import EditionView
from digest.ports import Clock, Fetcher, Mailer
from digest.resources import packaged_config_dir
from digest.services import alerts, deliveries, editions, leaving, subscribers
from digest.services.cycle import run_cycle
from digest.services.deliveries import SendReport
from digest.services.editions import Queued
from digest.services.feeds import PollOutcome
from digest.services.stories import StoryClusterer, TickReport
from digest.settings import Settings
from digest.storage.editions import EditionRow
from digest.storage.engine import read_only
from digest.storage.items import count_items
from digest.storage.stories import stories_as_of
from digest.tokens import Signer

NEWSLETTER = "kazakhstan"
READERS = ("aliya@readers.example", "timur@readers.example")
ANALYST = "analyst@desk.example"
ALERT, QUERY = "Caspian railways", "railway AND Aktau"
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
                              hint="see digest.services.demo") from error

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


def prepare(root: Path, now: datetime) -> datetime:
    """Makes the demo's instance in `root` ready for a run and returns the anchor of its day.

    The first run of a day (in UTC) empties the instance of an earlier day. The configuration is the package's.
    Idempotent within a day.
    """
    kept = _read_anchor(root)
    anchor = kept if kept and kept.astimezone(UTC).date() == now.astimezone(UTC).date() and kept <= now else None
    if anchor is None:
        _empty(root)
        anchor = now.astimezone(UTC).replace(microsecond=0)
        root.mkdir(parents=True, exist_ok=True)
        _anchor_path(root).write_text(anchor.isoformat() + "\n", encoding="utf-8")
    _copy_configuration(root / "config")
    return anchor


def anchor_of(root: Path) -> datetime:
    """The anchor of a prepared instance. Raises NotFound where no demo was run in `root`."""
    anchor = _read_anchor(root)
    if anchor is None:
        raise NotFound("demo", str(root), hint="make one with: digest demo")
    return anchor


def _anchor_path(root: Path) -> Path:
    return root / "anchor"


def _read_anchor(root: Path) -> datetime | None:
    try:
        anchor = datetime.fromisoformat(_anchor_path(root).read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None
    return anchor if anchor.tzinfo else None


def _empty(root: Path) -> None:
    """Removes what an earlier day wrote: only what the demo itself makes, for `root` may hold other things."""
    for name in ("var", "outbox", "config"):
        shutil.rmtree(root / name, ignore_errors=True)
    for path in root.glob("edition.*"):
        path.unlink()


def _copy_configuration(target: Path) -> None:
    """Copies digest.toml, newsletters/ and sources/ of the package where they differ."""
    source = demo_dir()
    for path in [source / "digest.toml", *source.glob("newsletters/*.toml"), *source.glob("sources/*.toml")]:
        copy = target / path.relative_to(source)
        if not copy.exists() or copy.read_bytes() != path.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What a run did. `alerts` counts alerts that fired now; `files` are those of the edition."""

    anchor: datetime
    outcomes: tuple[PollOutcome, ...]
    items: int  # stored, in all runs of the day
    stories: int  # that they make
    tick: TickReport
    alerts: int
    view: EditionView
    created: bool  # False: the edition stood from an earlier run
    queued: Queued
    sent: SendReport
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Demo:
    """An opened demo instance, with what a run needs of the outside."""

    root: Path
    anchor: datetime
    engine: Engine
    configuration: Configuration
    settings: Settings
    templates: Mapping[str, str]
    signer: Signer
    clock: Clock

    async def run(
        self, fetcher: Fetcher, parser: ParserPool, mailer: Mailer, *, holder: str,
        on_outcome: Callable[[PollOutcome], None] | None = None,
    ) -> DemoReport:
        """The whole chain once. Running it again on the same day polls again and sends nothing twice.

        Steps:
        1. two readers and an analyst's alert rule, before anything is polled;
        2. poll every feed, make stories, fire alerts;
        3. build and approve the edition of the anchor's day, queue it for its readers;
        4. send what is due;
        5. write the edition's files.
        """
        await asyncio.to_thread(self._enlist)
        cycle = await run_cycle(
            self.engine, fetcher, parser, StoryClusterer(self.engine), self.clock, self.settings,
            self.configuration.feeds, holder=holder, everything=True, on_outcome=on_outcome)
        edition, created, queued = await asyncio.to_thread(self._build)
        sent = await deliveries.send_due(
            self.engine, mailer, self.clock, settings=self.settings, signer=self.signer, holder=holder)
        await asyncio.to_thread(editions.settle, self.engine, edition)
        items, stories = await asyncio.to_thread(self._count)
        files = await asyncio.to_thread(self._write, edition)
        return DemoReport(self.anchor, cycle.outcomes, items, stories, cycle.tick, cycle.alerts, edition.view, created,
                          queued, sent, files)

    def _enlist(self) -> None:
        now = self.clock.now()
        with self.engine.begin() as conn:
            for reader in READERS:
                subscribers.subscribe(conn, NEWSLETTER, reader, "demo", now)
            alerts.add(conn, ALERT, QUERY, ANALYST, now, "demo")

    def _build(self) -> tuple[EditionRow, bool, Queued]:
        newsletter = self.configuration.newsletters[NEWSLETTER]
        now = self.clock.now()
        built = editions.build_and_approve(
            self.engine, self.configuration, newsletter, self.settings, self.templates, now=now,
            date=local_date(newsletter, self.anchor))
        if built.edition is None:
            raise DigestError(f"the demo's edition has no story: {built.view.empty_reason}")
        queued = editions.queue_deliveries(self.engine, built.edition, newsletter, self.settings, now=now)
        return built.edition, built.created, queued

    def _count(self) -> tuple[int, int]:
        """Items and stories of the instance."""
        with read_only(self.engine) as conn:
            stories = stories_as_of(conn, since=self.anchor - timedelta(days=1), at=self.clock.now())
            return count_items(conn), len(stories)

    def _write(self, edition: EditionRow) -> tuple[Path, ...]:
        """Writes edition.html, .txt, .json and .eml as the first reader gets them, and returns their paths."""
        renderer = editions.renderer_of(edition.templates, self.settings)
        message = renderer.message(edition.view)
        with read_only(self.engine) as conn:
            readers = subscribers.active_subscriptions(conn, NEWSLETTER)
            mark = leaving.subscription_mark(readers[0].id) if readers else leaving.TEST
            standing = leaving.standing(conn, mark, subject=edition.subject)
        assert standing is not None
        draft = deliveries.draft(message, target=readers[0].subscriber.email if readers else READERS[0],
                                 settings=self.settings, now=edition.built_at, unsubscribe=mark)
        mail = deliveries.envelope(draft, standing, settings=self.settings, signer=self.signer, now=edition.built_at)
        contents = {"html": _body(mail.data, "html"), "txt": _body(mail.data, "plain"),
                    "json": renderer.json(edition.view).encode(), "eml": mail.data}
        paths = tuple(self.root / f"edition.{suffix}" for suffix in contents)
        for path, content in zip(paths, contents.values(), strict=True):
            path.write_bytes(content)
        return paths


def _body(mail: bytes, subtype: str) -> bytes:
    """The text of a mail in plain or HTML form, as its reader sees it."""
    part = message_from_bytes(mail, policy=policy.default).get_body((subtype,))
    return str(part.get_content()).encode() if part else b""
