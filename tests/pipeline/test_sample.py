"""What a feed's document says of its rhythm and its dates."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digest.model import DateQuality, Feed, Item, Source, short_id
from digest.pipeline.sample import sample, suspected_family

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
FEED = Feed(short_id("https://a.example/"), "https://a.example/", Source("a", "A", "a"))
ITEM = Item(
    id="1", feed=FEED, key="1", url="", canonical_url="", title="Title", summary="five words stand right here", body=(),
    agency=None, place=None, language="en", published_at=NOW, published_offset_minutes=0,
    date_quality=DateQuality.EXACT, first_seen_at=NOW)
UNDATED = replace(ITEM, published_at=None, date_quality=DateQuality.NONE)


@pytest.mark.parametrize(("hours", "rate"), [([0, 6, 12, 18, 24], 4.0), ([0], None), ([0, 0, 0.5], None), ([], None)])
def test_the_rhythm_is_that_of_the_dated_items(hours: list[float], rate: float | None) -> None:
    items = [replace(ITEM, published_at=NOW - timedelta(hours=hour)) for hour in hours]
    assert sample([*items, UNDATED]).per_day == rate


def test_dates_languages_and_words_are_counted() -> None:
    seen = sample([ITEM, UNDATED, replace(ITEM, language="ru")])
    assert seen.date_words == "2 exact, 1 none"
    assert seen.languages == {"en": 2, "ru": 1}
    assert seen.words == 5
    assert sample([ITEM]).date_words == "all exact"
    assert sample([]).date_words == "no items"


def test_a_feed_of_a_known_site_seems_to_be_its_publishers() -> None:
    herald = Feed("1", "https://www.herald.co.nz/rss", Source("herald", "Herald", "nzme"))
    kin = suspected_family("https://rss.herald.co.nz/world", [FEED, herald])
    assert kin == herald.source
    assert suspected_family("https://other.co.nz/", [FEED, herald]) is None
