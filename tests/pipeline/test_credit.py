"""Who told a story first, and whose copy it is."""

import pytest

from digest.model import DateQuality, Item
from digest.pipeline.credit import credit
from tests.pipeline.worlds import HOUR, NOW, item, story

EARLY = item("Dam opens", "herald", hours=9)
LATE = item("Dam opens", "courier", hours=3)
UNDATED = item("Dam opens", "post", published_at=None, date_quality=DateQuality.NONE, first_seen_at=NOW - 6 * HOUR)
DAY = item("Dam opens", "gazette", published_at=NOW - 20 * HOUR, date_quality=DateQuality.DATE_ONLY,
           first_seen_at=NOW - 5 * HOUR)


@pytest.mark.parametrize(("items", "first"), [
    ((LATE, EARLY), EARLY),
    ((LATE, UNDATED), UNDATED),  # it was seen before the other was published
    ((EARLY, UNDATED), EARLY),
    ((DAY, LATE), DAY),  # a bare date means the end of its day, or its first sight
    ((DAY, UNDATED), UNDATED),
], ids=["dated", "seen earlier", "published earlier", "bare date", "bare date, seen later"])
def test_the_oldest_item_that_can_be_shown_is_the_first(items: tuple[Item, ...], first: Item) -> None:
    assert credit(story(*items)).first == first


def test_of_two_at_one_time_the_reprint_is_not_the_first() -> None:
    copy = item("Dam opens", "aaa", hours=9)
    assert credit(story(copy, EARLY, reprints=(copy,))).first == EARLY


@pytest.mark.parametrize(("agencies", "named"), [
    (("AFP", None, None), "AFP"),  # the first publisher's copy credits it
    ((None, "AFP", None, None), None),  # one of four does
    ((None, "AFP"), "AFP"),  # half of them
    ((None, "TASS", "TASS", None, None), "TASS"),
    ((None, None), None),
], ids=["first", "one of four", "half", "two", "none"])
def test_the_agency_is_the_first_publisher_s_or_that_of_several_copies(agencies: tuple[str | None, ...],
                                                                     named: str | None) -> None:
    items = [item(f"Dam opens {n}", f"outlet-{n}", hours=20 - n, agency=agency) for n, agency in enumerate(agencies)]
    assert credit(story(*items)).agency == named
