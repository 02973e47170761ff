from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digest.model import DateQuality, Feed, Item, Source
from digest.pipeline.reissue import Earlier, reissues

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FEED = Feed("f" * 16, "https://s.example/feed", Source("steppe", "Steppe Post", "steppe"))


def item(id_: str, address: str, title: str, published: datetime | None = None) -> Item:
    return Item(id_, FEED, id_, f"https://{address}", address, title, "", (), None, None, "en", published, 0,
                DateQuality.EXACT if published else DateQuality.NONE, NOW)


def earlier(address: str = "s.example/a", title: str = "Dam opens early", age: timedelta = DAY) -> Earlier:
    return Earlier("old", "old-key", address, title, NOW - age, NOW - age, "hash")


@pytest.mark.parametrize(("entry", "known", "why"), [
    (item("new", "s.example/a", "Dam opens early"), True, "one address, one title"),
    (item("new", "s.example/a", "Live: dam opens at dawn"), True, "one address, a title that was edited"),
    (item("new", "s.example/a", "Budget is voted down"), False, "a page that tells of something else now"),
    (item("new", "s.example/b", "Dam opens early", NOW - DAY), True, "moved: title and instant are the same"),
    (item("new", "s.example/b", "Dam opens early", NOW), False, "the same headline on another day"),
    (item("new", "s.example/b", "Dam opens early"), False, "the same headline, undated"),
    (item("new", "s.example/b", "Budget is voted down", NOW - DAY), False, "the same instant alone"),
])
def test_an_item_is_known_again(entry: Item, known: bool, why: str) -> None:
    assert ("new" in reissues([entry], [earlier()], ())) is known, why


def test_a_page_that_was_retitled_after_a_week_is_another_item() -> None:
    entry = item("new", "s.example/a", "Live: dam opens at dawn")
    assert reissues([entry], [earlier(age=8 * DAY)], ()) == {}
    assert reissues([replace(entry, title="Dam opens early")], [earlier(age=80 * DAY)], ())


def test_a_home_page_and_an_address_of_two_entries_identify_nothing() -> None:
    assert reissues([item("new", "s.example", "Dam opens early")], [earlier("s.example")], ()) == {}
    assert reissues([item("new", "", "Dam opens early")], [earlier("")], ()) == {}
    twins = [item("new", "s.example/a", "Dam opens early"), item("other", "s.example/a", "Dam opens late")]
    assert reissues(twins, [earlier()], ()) == {}


def test_what_still_stands_under_its_own_id_is_not_known_again() -> None:
    entries = [item("old", "s.example/old", "Dam opens early"), item("new", "s.example/a", "Dam opens early")]
    assert reissues(entries, [earlier()], {"old"}) == {}


def test_one_stored_item_comes_back_once() -> None:
    entries = [item(id_, f"s.example/{id_}", "Dam opens early", NOW - DAY) for id_ in ("x", "y")]
    assert list(reissues(entries, [earlier()], ())) == ["x"]
