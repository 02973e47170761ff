import asyncio
import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.errors import ArchiveError, FetchError
from digest.fetch.archive import ArchiveFetcher, read_archive
from digest.ports import FetchRequest, FetchResponse

HEADER = "polled_at_utc\toutlet\tfile\tfeed_title\n"


class StandingClock:
    def __init__(self, hour: int):
        self._now = datetime(2026, 2, 17, hour, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An outlet that changed at 08:00 and at 12:00, and stored an empty body at 10:00."""
    (tmp_path / "steppe").mkdir()
    (tmp_path / "steppe" / "8.xml.gz").write_bytes(gzip.compress(b"<rss>8</rss>"))
    (tmp_path / "steppe" / "10.xml.gz").write_bytes(b"")
    (tmp_path / "steppe" / "12.xml.gz").write_bytes(gzip.compress(b"<rss>12</rss>"))
    rows = [f"2026-02-17T{hour:02}:00:00Z\tsteppe\tsteppe/{hour}.xml.gz\t{title}"
            for hour, title in ((8, "Steppe Post"), (10, ""), (12, "The Steppe Post"))]
    (tmp_path / "manifest.tsv").write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


def ask(folder: Path, hour: int, outlet: str = "steppe", etag: str | None = None) -> FetchResponse:
    fetcher = ArchiveFetcher(read_archive(folder), StandingClock(hour))
    return asyncio.run(fetcher.fetch(FetchRequest(f"archive://{outlet}", etag)))


def test_an_archive_knows_its_outlets_and_times(folder: Path) -> None:
    archive = read_archive(folder)
    assert archive.outlets == ("steppe",)
    assert (archive.first.hour, archive.last.hour) == (8, 12)
    assert archive.title_of("steppe") == "The Steppe Post"


def test_an_outlet_serves_its_last_document_between_rows(folder: Path) -> None:
    assert ask(folder, 9).body == b"<rss>8</rss>"
    assert ask(folder, 11).body == b""
    assert ask(folder, 12).body == ask(folder, 23).body == b"<rss>12</rss>"


def test_an_unchanged_document_is_not_sent_again(folder: Path) -> None:
    etag = ask(folder, 8).headers["etag"]
    assert ask(folder, 9, etag=etag).status == 304
    assert ask(folder, 12, etag=etag).status == 200


@pytest.mark.parametrize(("hour", "outlet"), [(7, "steppe"), (9, "lake")])
def test_before_its_first_row_an_outlet_is_not_found(folder: Path, hour: int, outlet: str) -> None:
    with pytest.raises(FetchError) as caught:
        ask(folder, hour, outlet)
    assert (caught.value.kind, caught.value.status) == ("http_404", 404)


def test_a_document_that_is_no_gzip_is_a_named_failure(folder: Path) -> None:
    (folder / "steppe" / "8.xml.gz").write_bytes(gzip.compress(b"<rss>8</rss>")[:-6])
    with pytest.raises(FetchError) as caught:
        ask(folder, 8)
    assert caught.value.kind == "unreadable"


@pytest.mark.parametrize(("manifest", "line"), [
    (HEADER, None), ("polled_at_utc\toutlet\n", 1), (HEADER + "soon\tsteppe\tx.gz\t\n", 2),
    (HEADER + "2026-02-17T08:00:00Z\tsteppe\t../../etc/passwd\t\n", 2), (HEADER + "2026-02-17T08:00:00Z\t\tx\t\n", 2),
])
def test_a_wrong_manifest_is_refused_with_its_line(tmp_path: Path, manifest: str, line: int | None) -> None:
    (tmp_path / "manifest.tsv").write_text(manifest, encoding="utf-8")
    with pytest.raises(ArchiveError) as caught:
        read_archive(tmp_path)
    assert caught.value.line == line


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError):
        read_archive(tmp_path)


def test_recorded_archives_are_read(data_dir: Path) -> None:
    for path in sorted((data_dir / "timeseries").iterdir()):
        archive = read_archive(path)
        assert len(archive.outlets) >= 17
        assert all(row.path.is_file() for rows in archive.rows.values() for row in rows)
