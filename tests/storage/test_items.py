from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Engine, func, select

from digest.model import Block
from digest.storage.items import (
    MAX_REVISIONS,
    count_items,
    earlier_items,
    find_items,
    items_by_id,
    store,
    unassigned_items,
)
from digest.storage.schema import item_revisions, story_items
from tests.storage.worlds import NOON, a_feed, add_feed, an_item

FEED = a_feed()
HOUR = timedelta(hours=1)


def test_an_item_comes_back_as_it_was_stored(engine: Engine) -> None:
    item = an_item(FEED, "k", body=(Block("p", "Мәтін."), Block("h2", "Тақырып")), tags=("саясат",), place="Almaty",
                   agency="Reuters", image_url="https://x.example/i.jpg", link="https://x.example/?utm_source=rss")
    undated = an_item(FEED, "u", published_at=None, published_offset_minutes=None, backlog=True)
    with engine.begin() as conn:
        add_feed(conn, FEED)
        assert store(conn, FEED, [item, undated], NOON).new == (item.id, undated.id)
        assert items_by_id(conn, [item.id, undated.id, "unknown"]) == {item.id: item, undated.id: undated}


def test_storing_twice_changes_nothing(engine: Engine) -> None:
    items = [an_item(FEED, key) for key in "abc"]
    with engine.begin() as conn:
        add_feed(conn, FEED)
        store(conn, FEED, items, NOON)
        again = store(conn, FEED, [replace(item, first_seen_at=NOON + HOUR) for item in items], NOON + HOUR)
        assert (again.new, again.changed) == ((), ())
        assert {item.first_seen_at for item in items_by_id(conn, [i.id for i in items]).values()} == {NOON}


def test_what_an_entry_may_be_once_more_is_found_by_address_and_by_instant(engine: Engine) -> None:
    addressed = an_item(FEED, "a", canonical_url="s.example/a", published_at=None)
    timed = an_item(FEED, "t", canonical_url="s.example/t", published_at=NOON - HOUR)
    other = an_item(FEED, "o", canonical_url="s.example/o", published_at=NOON)
    wanted = [an_item(FEED, "1", canonical_url="s.example/a", published_at=NOON - 2 * HOUR),
              an_item(FEED, "2", canonical_url="s.example/2", published_at=NOON - HOUR)]
    with engine.begin() as conn:
        add_feed(conn, FEED)
        store(conn, FEED, [addressed, timed, other], NOON)
        found = earlier_items(conn, wanted)
    assert {feed: {one.id for one in known} for feed, known in found.items()} == {FEED.id: {addressed.id, timed.id}}


def test_a_changed_text_is_a_revision_and_earlier_readings_stay(engine: Engine) -> None:
    first = an_item(FEED, "k", title="Bridge closed", place="Almaty")
    later = replace(first, title="Bridge open again", place="Astana", published_at=NOON + HOUR)
    with engine.begin() as conn:
        add_feed(conn, FEED)
        store(conn, FEED, [first], NOON)
        assert store(conn, FEED, [later], NOON + 2 * HOUR).changed == (first.id,)
        assert items_by_id(conn, [first.id], at=NOON + HOUR)[first.id] == first
        now = items_by_id(conn, [first.id])[first.id]
        assert now == items_by_id(conn, [first.id], at=NOON + 2 * HOUR)[first.id]
        assert (now.title, now.place, now.published_at) == ("Bridge open again", "Almaty", NOON)


def test_an_item_is_not_seen_before_its_first_sight(engine: Engine) -> None:
    with engine.begin() as conn:
        add_feed(conn, FEED)
        store(conn, FEED, [an_item(FEED, "k")], NOON)
        assert items_by_id(conn, [an_item(FEED, "k").id], at=NOON - HOUR) == {}


def test_an_item_rewritten_at_every_poll_is_followed_only_so_far(engine: Engine) -> None:
    item = an_item(FEED, "k")
    with engine.begin() as conn:
        add_feed(conn, FEED)
        for number in range(MAX_REVISIONS + 5):
            store(conn, FEED, [replace(item, title=f"Viewed {number} times")], NOON + number * HOUR)
        assert conn.execute(select(func.count()).select_from(item_revisions)).scalar_one() == MAX_REVISIONS


def test_unassigned_items_stand_in_a_fixed_order(engine: Engine) -> None:
    other = a_feed("Lake Herald")
    low, high = sorted([FEED, other], key=lambda feed: feed.id)
    items = [an_item(high, "a"), an_item(low, "b"), an_item(low, "Б"), an_item(low, "c", first_seen_at=NOON - HOUR),
             an_item(low, "z")]
    with engine.begin() as conn:
        for feed in (low, high):
            add_feed(conn, feed)
            store(conn, feed, [item for item in items if item.feed == feed], NOON)
        taken = {"item_id": items[4].id, "story_id": items[4].id, "joined_at": NOON, "score": 0.0, "features": "{}"}
        conn.execute(story_items.insert().values(**taken))
        assert [item.key for item in unassigned_items(conn)] == ["c", "b", "Б", "a"]
        assert count_items(conn) == 5


def test_an_item_is_found_by_any_spelling_of_its_address(engine: Engine) -> None:
    item = an_item(FEED, "k", url="https://www.steppe.example/a/", canonical_url="steppe.example/a")
    with engine.begin() as conn:
        add_feed(conn, FEED)
        store(conn, FEED, [item], NOON)
        for url in ("https://www.steppe.example/a/", "http://steppe.example/a?utm_source=rss#top"):
            assert find_items(conn, url) == [item]
        assert find_items(conn, "https://steppe.example/b") == []
        assert find_items(conn, "not an address") == []
