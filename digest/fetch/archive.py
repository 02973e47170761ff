"""Recorded archives of feed documents, served as their outlets did at the clock's time.

An archive is a folder with `manifest.tsv` (columns at least: polled_at_utc, outlet, file; rows in time order) and the
gzipped documents that its rows name. A row stands for a poll whose content changed: until the next row of its outlet,
the outlet serves that document. An empty file is a poll that stored an empty body.
"""

import asyncio
import csv
import gzip
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from digest.errors import ArchiveError, FetchError
from digest.ports import Clock, FetchRequest, FetchResponse

COLUMNS = ("polled_at_utc", "outlet", "file")
MAX_DOCUMENT_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ArchiveRow:
    """One recorded poll. `title` is the feed's own title where the manifest has one, else ""."""

    at: datetime
    outlet: str
    path: Path
    title: str


@dataclass(frozen=True, slots=True)
class Archive:
    """Recorded polls by outlet, each outlet's in order of time."""

    root: Path
    rows: Mapping[str, tuple[ArchiveRow, ...]]

    @property
    def outlets(self) -> tuple[str, ...]:
        return tuple(sorted(self.rows))

    @property
    def first(self) -> datetime:
        return min(rows[0].at for rows in self.rows.values())

    @property
    def last(self) -> datetime:
        return max(rows[-1].at for rows in self.rows.values())

    def row_at(self, outlet: str, now: datetime) -> ArchiveRow | None:
        """What the outlet serves at `now`; None before its first row. Raises KeyError for an unknown outlet."""
        rows = self.rows[outlet]
        index = bisect_right(rows, now, key=lambda row: row.at)
        return rows[index - 1] if index else None

    def title_of(self, outlet: str) -> str:
        """The last title that the outlet's documents gave themselves, else the outlet's name."""
        return next((row.title for row in reversed(self.rows[outlet]) if row.title), outlet)


def read_archive(path: Path) -> Archive:
    """The archive in the folder `path`. Raises ArchiveError with file and line where its manifest is wrong."""
    manifest = path / "manifest.tsv"
    rows: dict[str, list[ArchiveRow]] = {}
    try:
        with manifest.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise ArchiveError(str(manifest), f"lacks the column {missing[0]}", line=1)
            for fields in reader:
                row = _row(path, manifest, reader.line_num, fields)
                rows.setdefault(row.outlet, []).append(row)
    except (OSError, UnicodeDecodeError) as error:
        raise ArchiveError(str(manifest), f"cannot be read: {error}") from error
    if not rows:
        raise ArchiveError(str(manifest), "has no rows")
    return Archive(path, {outlet: tuple(sorted(found, key=lambda row: row.at)) for outlet, found in rows.items()})


def _row(root: Path, manifest: Path, line: int, fields: Mapping[str, str | None]) -> ArchiveRow:
    values = {name: (fields.get(name) or "").strip() for name in COLUMNS}
    try:
        at = datetime.fromisoformat(values["polled_at_utc"])
    except ValueError as error:
        raise ArchiveError(str(manifest), f"no time: {values['polled_at_utc']!r}", line=line) from error
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    path = root / values["file"]
    if not values["outlet"] or not values["file"] or not path.resolve().is_relative_to(root.resolve()):
        raise ArchiveError(str(manifest), "a row needs an outlet and a file inside the archive", line=line)
    return ArchiveRow(at, values["outlet"], path, (fields.get("feed_title") or "").strip())


class ArchiveFetcher:
    """Answers `archive://OUTLET` from an archive at the clock's time; a Fetcher that touches no network.

    Validators are the recorded document's name, so that an unchanged outlet answers 304. Before an outlet's first
    row, and for an unknown outlet, it answers 404.
    """

    def __init__(self, archive: Archive, clock: Clock):
        self._archive, self._clock = archive, clock

    async def fetch(self, request: FetchRequest) -> FetchResponse:
        outlet = urlsplit(request.url).netloc
        if outlet not in self._archive.rows:
            raise FetchError(request.url, "http_404", "no such outlet in the archive", permanent=True, status=404)
        row = self._archive.row_at(outlet, self._clock.now())
        if row is None:
            raise FetchError(request.url, "http_404", "not yet in the archive", status=404)
        tag = f'"{row.path.name}"'
        if request.etag == tag:
            return FetchResponse(304, request.url, b"")
        try:
            body = await asyncio.to_thread(_read, row.path)
        except (OSError, EOFError) as error:
            raise FetchError(request.url, "unreadable", f"{row.path.name}: {error}") from error
        return FetchResponse(200, request.url, body, {"etag": tag})

    async def close(self) -> None:
        return None


def _read(path: Path) -> bytes:
    """The document; an empty file is an empty document."""
    packed = path.read_bytes()
    if not packed[:2] == b"\x1f\x8b":
        return packed[:MAX_DOCUMENT_BYTES]
    with gzip.open(path) as file:
        return file.read(MAX_DOCUMENT_BYTES)
