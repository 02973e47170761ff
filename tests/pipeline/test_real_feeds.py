"""Every recorded feed document goes from bytes to rows, whatever is odd about it."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.errors import ParseError
from digest.model import DateQuality, Feed, Item, Source, short_id
from digest.pipeline.normalise import normalise_document
from digest.pipeline.parse import parse_feed
from digest.storage.items import items_by_id, store
from tests.storage.worlds import add_feed

# Documents without a day of capture are read as if on this day, later than all of their entries.
UNDATED_CAPTURE = datetime(2026, 9, 1, tzinfo=UTC)


def clock_of(captured: str) -> datetime:
    """The end of the day (or of the month, where only that is known) of a copy: 00:00 UTC of the following day."""
    if not captured:
        return UNDATED_CAPTURE
    if len(captured) == 6:
        return datetime.strptime(captured + "28", "%Y%m%d").replace(tzinfo=UTC) + timedelta(days=4)
    return datetime.strptime(captured, "%Y%m%d").replace(tzinfo=UTC) + timedelta(days=1)


@pytest.fixture(scope="module")
def documents(data_dir: Path) -> dict[str, list[Item]]:
    """The items of each document by file name, read at its clock."""
    return dict(_read(data_dir / "feeds"))


def _read(folder: Path) -> Iterator[tuple[str, list[Item]]]:
    with (folder / "index.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for row in rows:
        url = f"https://{row['file'].lower()}.example/feed"
        feed = Feed(short_id(url), url, Source("outlet", "Outlet", "outlet"))
        try:
            document = parse_feed((folder / row["file"]).read_bytes(), None, url)
        except ParseError as error:
            assert error.kind in {"empty", "html_not_feed", "not_a_feed", "malformed"}
            continue
        yield row["file"], normalise_document(document, feed, now=clock_of(row["captured"]))


def test_nearly_every_document_is_read(documents: dict[str, list[Item]]) -> None:
    assert len(documents) >= 205
    assert sum(len(items) for items in documents.values()) > 4600


def test_titles_are_never_empty_and_never_markup(documents: dict[str, list[Item]]) -> None:
    for name, items in documents.items():
        for item in items:
            assert item.title.strip(), name
            assert not {"&amp;", "&quot;", "</", "<b>"} & set(item.title.split()), (name, item.title)


def test_links_are_absolute_or_missing(documents: dict[str, list[Item]]) -> None:
    for name, items in documents.items():
        for item in items:
            assert not item.url or item.url.startswith(("http://", "https://")), (name, item.url)


def test_dates_are_aware_and_not_after_the_clock(documents: dict[str, list[Item]]) -> None:
    for name, items in documents.items():
        for item in items:
            if item.published_at is None:
                assert item.date_quality in {DateQuality.NONE, DateQuality.FUTURE, DateQuality.IMPLAUSIBLE}, name
            else:
                assert item.published_at.utcoffset() == timedelta(0)
                assert item.published_at <= item.first_seen_at, (name, item.published_at)


def test_all_items_can_be_stored_and_read_back(documents: dict[str, list[Item]], sqlite_engine: Engine) -> None:
    with sqlite_engine.begin() as conn:
        for name, items in documents.items():
            if not items:
                continue
            add_feed(conn, items[0].feed)
            stored = store(conn, items[0].feed, items, items[0].first_seen_at)
            assert len(stored.new) == len(items), name
            assert items_by_id(conn, stored.new) == {item.id: item for item in items}


def test_the_oddities_of_the_region_are_seen_through(documents: dict[str, list[Item]]) -> None:
    # 24.kg: every entry carries the time of the scraper's run
    assert {i.date_quality for i in documents["ca-kg-24kg-20260417.xml"]} == {DateQuality.IMPLAUSIBLE}
    assert not any("24.KG" in item.title for item in documents["ca-kg-24kg-20260417.xml"])
    assert {item.language for item in documents["ca-kg-24kg-20260417.xml"]} == {"ru"}  # declared as English
    # Times of Central Asia: the site's name on every title
    assert not any(item.title.endswith("The Times Of Central Asia") for item in documents["ca-ca-timesca-20260402.xml"])
    # Astana Times: a motto, a dateline and "The post … appeared first on" round every summary
    astana = documents["ca-kz-astanatimes-20260212.xml"]
    assert not any(word in item.summary for item in astana for word in ("provides news", "The post", "appeared first"))
    assert "Astana" in {item.place for item in astana}
