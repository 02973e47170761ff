from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from digest.errors import NotFound
from digest.model import Item, Join, StoryEventKind
from digest.pipeline.cluster import Merge
from digest.storage.items import store
from digest.storage.leases import release_lease, take_lease
from digest.storage.stories import (
    cursor,
    events_after,
    joins_of,
    last_event_number,
    record_joins,
    record_merges,
    set_cursor,
    stories_as_of,
    story_by_id,
    story_of,
    window_members,
)
from tests.storage.worlds import NOON, a_feed, add_feed, an_item

HOUR = timedelta(hours=1)
FEATURES = {"cosine": 5.7012, "nearest": 1.25, "bias": -4.4}


def an_archive(conn, *names: str) -> list[Item]:
    """Items of one feed, stored, first seen an hour apart from NOON on."""
    feed = a_feed()
    add_feed(conn, feed)
    items = [an_item(feed, name, first_seen_at=NOON + n * HOUR) for n, name in enumerate(names)]
    for item in items:
        store(conn, feed, [item], item.first_seen_at)
    return items


def founds(item: Item) -> Join:
    return Join(item.id, item.id, item.first_seen_at, 0.0, {})


def joins(item: Item, story: Item, reprint_of: Item | None = None) -> Join:
    return Join(item.id, story.id, item.first_seen_at, sum(FEATURES.values()), FEATURES,
                reprint_of.id if reprint_of else None)


def test_a_story_has_its_items_in_order_and_knows_its_reprints(engine):
    with engine.begin() as conn:
        a, b, c = an_archive(conn, "a", "b", "c")
        record_joins(conn, [founds(a), joins(b, a), joins(c, a, reprint_of=b)])
        story, = stories_as_of(conn, since=NOON - HOUR, at=NOON + 3 * HOUR)
    assert (story.id, story.items, story.reprints) == (a.id, (a, b, c), {c.id})


def test_an_item_of_the_span_brings_its_whole_story_along(engine):
    with engine.begin() as conn:
        a, b, c = an_archive(conn, "a", "b", "c")
        record_joins(conn, [founds(a), founds(b), joins(c, a)])
        stories = stories_as_of(conn, since=NOON + HOUR, at=NOON + 2 * HOUR)
    assert [story.items for story in stories] == [(a, c)]


def test_what_joined_later_is_not_there_yet(engine):
    with engine.begin() as conn:
        a, b = an_archive(conn, "a", "b")
        record_joins(conn, [founds(a), joins(b, a)])
        before, = stories_as_of(conn, since=NOON - HOUR, at=NOON)
        assert before.items == (a,)
        assert story_by_id(conn, a.id, at=NOON).items == (a,)
        assert story_of(conn, b.id, NOON) is None
        assert story_of(conn, b.id) == a.id


def test_a_merge_counts_from_its_time_on(engine):
    with engine.begin() as conn:
        a, b, c = an_archive(conn, "a", "b", "c")
        record_joins(conn, [founds(a), founds(b), joins(c, b)])
        record_merges(conn, [Merge(b.id, a.id, 0.41)], NOON + 3 * HOUR)
        early = stories_as_of(conn, since=NOON - HOUR, at=NOON + 2 * HOUR)
        late = stories_as_of(conn, since=NOON + HOUR, at=NOON + 3 * HOUR)
        assert [story.items for story in sorted(early, key=lambda s: len(s.items))] == [(a,), (b, c)]
        assert [(story.id, story.items) for story in late] == [(a.id, (a, b, c))]
        assert story_by_id(conn, b.id) == story_by_id(conn, a.id) == late[0]
        assert story_by_id(conn, b.id, at=NOON + 2 * HOUR).items == (b, c)
        assert story_of(conn, c.id) == a.id
        assert story_of(conn, c.id, NOON + 2 * HOUR) == b.id


def test_a_chain_of_merges_is_followed_to_its_end(engine):
    with engine.begin() as conn:
        a, b, c = an_archive(conn, "a", "b", "c")
        record_joins(conn, [founds(a), founds(b), founds(c)])
        record_merges(conn, [Merge(c.id, b.id, 0.5)], NOON + 2 * HOUR)
        record_merges(conn, [Merge(b.id, a.id, 0.3)], NOON + 4 * HOUR)
        assert story_by_id(conn, c.id).items == (a, b, c)
        assert story_by_id(conn, c.id, at=NOON + 3 * HOUR).items == (b, c)
        assert len(stories_as_of(conn, since=NOON + HOUR, at=NOON + 4 * HOUR)) == 1


def test_texts_are_as_revised_by_then(engine):
    with engine.begin() as conn:
        a, = an_archive(conn, "a")
        record_joins(conn, [founds(a)])
        store(conn, a.feed, [replace(a, title="A new title")], NOON + 2 * HOUR)
        assert story_by_id(conn, a.id, at=NOON + HOUR).items[0].title == a.title
        assert story_by_id(conn, a.id).items[0].title == "A new title"


def test_joins_keep_their_features(engine):
    with engine.begin() as conn:
        a, b, c = an_archive(conn, "a", "b", "c")
        written = [founds(a), joins(b, a), founds(c)]
        record_joins(conn, written)
        record_merges(conn, [Merge(c.id, a.id, 0.3)], NOON + 3 * HOUR)
        assert joins_of(conn, a.id) == joins_of(conn, c.id) == written
        assert sum(joins_of(conn, a.id)[1].features.values()) == joins_of(conn, a.id)[1].score


def test_an_item_has_one_join_for_good(engine):
    with engine.begin() as conn:
        a, b = an_archive(conn, "a", "b")
        record_joins(conn, [founds(a), founds(b)])
    with pytest.raises(IntegrityError), engine.begin() as conn:
        record_joins(conn, [joins(b, a)])


def test_an_unknown_story_is_not_found(engine):
    with engine.begin() as conn, pytest.raises(NotFound):
        story_by_id(conn, "0" * 16)


def test_the_log_tells_what_happened_in_order(engine):
    with engine.begin() as conn:
        a, b, c = an_archive(conn, "a", "b", "c")
        record_joins(conn, [founds(a), joins(b, a), founds(c)])
        record_merges(conn, [Merge(c.id, a.id, 0.3)], NOON + 3 * HOUR)
        events = events_after(conn, 0, 10)
        assert [(event.kind, event.story_id, event.item_id) for event in events] == [
            (StoryEventKind.NEW_STORY, a.id, a.id),
            (StoryEventKind.ITEM_JOINED, a.id, b.id),
            (StoryEventKind.NEW_STORY, c.id, c.id),
            (StoryEventKind.STORIES_MERGED, a.id, None),
        ]
        assert events_after(conn, events[1].number, 1) == [events[2]]
        assert last_event_number(conn) == events[-1].number


def test_a_reader_of_the_log_remembers_its_place(engine):
    with engine.begin() as conn:
        assert (cursor(conn, "alerts"), last_event_number(conn)) == (0, 0)
        set_cursor(conn, "alerts", 7)
        set_cursor(conn, "alerts", 9)
        assert cursor(conn, "alerts") == 9


def test_the_window_holds_whole_stories_that_are_live(engine):
    with engine.begin() as conn:
        a, b, c, d = an_archive(conn, "a", "b", "c", "d")
        record_joins(conn, [founds(a), founds(b), founds(c), joins(d, b)])
        record_merges(conn, [Merge(c.id, b.id, 0.3)], NOON + 3 * HOUR)
        newest = window_members(conn, window=timedelta(0), window_items=1)
        recent = window_members(conn, window=3 * HOUR, window_items=1)
    assert newest == [(b, b.id), (c, b.id), (d, b.id)]
    assert recent == [(a, a.id), *newest]


def test_the_window_of_an_empty_archive_is_empty(engine):
    with engine.begin() as conn:
        assert window_members(conn, window=HOUR, window_items=10) == []
        assert stories_as_of(conn, since=NOON, at=NOON + HOUR) == ()


def test_a_lease_has_one_holder_until_it_ends(engine):
    with engine.begin() as conn:
        assert take_lease(conn, "clusterer", "one", now=NOON, until=NOON + HOUR)
        assert take_lease(conn, "clusterer", "one", now=NOON, until=NOON + HOUR)
        assert not take_lease(conn, "clusterer", "two", now=NOON, until=NOON + HOUR)
        assert take_lease(conn, "another", "two", now=NOON, until=NOON + HOUR)
        assert take_lease(conn, "clusterer", "two", now=NOON + HOUR, until=NOON + 2 * HOUR)
        release_lease(conn, "clusterer", "one")
        assert not take_lease(conn, "clusterer", "one", now=NOON + HOUR, until=NOON + 2 * HOUR)
        release_lease(conn, "clusterer", "two")
        assert take_lease(conn, "clusterer", "one", now=NOON + HOUR, until=NOON + 2 * HOUR)
