"""What only a row of polls of one feed shows, on recorded polls."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.model import DateQuality, Feed, Item, Source, short_id
from digest.pipeline.normalise import normalise_document
from digest.pipeline.parse import parse_feed


@pytest.fixture(scope="module")
def archive(data_dir: Path) -> Path:
    return data_dir / "timeseries" / "ru-2025-11-03_09"


def polls(archive: Path, outlet: str, step: int) -> list[list[Item]]:
    """The items of every so-many-th poll of an outlet."""
    url = f"archive://{outlet}"
    feed = Feed(short_id(url), url, Source(outlet, outlet, outlet))
    found = []
    for path in sorted((archive / outlet).glob("*.xml.gz"))[::step]:
        now = datetime.strptime(path.name, "%Y%m%dT%H%M%SZ.xml.gz").replace(tzinfo=UTC)
        found.append(normalise_document(parse_feed(gzip.decompress(path.read_bytes()), None, ""), feed, now=now))
    return found


def test_a_scraper_that_stamps_some_entries_with_its_run_dates_none_of_them(archive: Path) -> None:
    for items in polls(archive, "feed_holod", 25):
        assert {item.date_quality for item in items} == {DateQuality.EXACT, DateQuality.IMPLAUSIBLE}
        assert not [item.title for item in items if item.published_at and item.published_at.second]


def test_an_entry_without_a_guid_is_one_item_in_all_polls(archive: Path) -> None:
    items = [item for poll in polls(archive, "feed_holod", 5) for item in poll]
    assert len({item.id for item in items}) == len({item.canonical_url for item in items})


def test_one_link_for_all_entries_makes_as_many_items_as_titles(archive: Path) -> None:
    for items in polls(archive, "meduza", 4):
        assert len({item.canonical_url for item in items}) < len(items) == len({item.title for item in items})


def test_labels_for_screen_readers_are_no_part_of_titles(archive: Path) -> None:
    titles = {item.title for poll in polls(archive, "bbc", 3) for item in poll}
    assert len(titles) > 30
    assert not [title for title in titles if title.startswith("Видео,") or "Продолжительность" in title]
