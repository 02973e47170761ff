"""What an editor did to stories, and the stories as they were before."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine

from digest.errors import ActionRefused
from digest.model import Item, StoryEventKind
from digest.pipeline.cluster import Merge
from digest.pipeline.story_edits import EditKind
from digest.services import story_edits as service
from digest.services.stories import CLUSTERER, StoryClusterer
from digest.storage import story_edits as storage
from digest.storage.items import store
from digest.storage.leases import take_lease
from digest.storage.stories import (
    events_after,
    record_joins,
    record_merges,
    stories_as_of,
    story_by_id,
    story_of,
    window_members,
)
from tests.storage.test_stories import an_archive, founds, joins
from tests.storage.worlds import NOON, an_item

HOUR = timedelta(hours=1)


def split(conn: Connection, story: Item, *items: Item, hours: int) -> str:
    return service.split(conn, story_of(conn, story.id) or "", [item.id for item in items], author="ann",
                         now=NOON + hours * HOUR, holder="desk").other_id


def merge(conn: Connection, one: Item, other: Item, *, hours: int) -> str:
    return service.merge(conn, story_of(conn, one.id) or "", story_of(conn, other.id) or "", author="bob",
                         now=NOON + hours * HOUR, holder="desk").story_id


def test_a_split_counts_from_its_time_on(engine: Engine) -> None:
    with engine.begin() as conn:
        a, b, c = an_archive(conn, "a", "b", "c")
        record_joins(conn, [founds(a), joins(b, a), joins(c, a)])
        assert split(conn, a, b, hours=5) == b.id
        assert [story_by_id(conn, item.id).items for item in (a, b)] == [(a, c), (b,)]
        assert story_by_id(conn, a.id, at=NOON + 4 * HOUR).items == (a, b, c)
        assert story_of(conn, b.id, NOON + 4 * HOUR) == a.id
        early, late = (stories_as_of(conn, since=NOON, at=NOON + hours * HOUR) for hours in (4, 5))
        assert [story.items for story in early] == [(a, b, c)]
        assert {story.id: story.items for story in late} == {a.id: (a, c), b.id: (b,)}
        assert [event.kind for event in events_after(conn, 3, 9)] == [StoryEventKind.STORY_SPLIT]


def test_what_was_merged_before_a_split_is_read_back_too(engine: Engine) -> None:
    with engine.begin() as conn:
        a, b, c, d = an_archive(conn, "a", "b", "c", "d")
        record_joins(conn, [founds(a), founds(b), joins(c, b), joins(d, a)])
        record_merges(conn, [Merge(b.id, a.id, 0.4)], NOON + 4 * HOUR)
        assert split(conn, a, b, d, hours=6) == b.id
        assert story_by_id(conn, b.id).items == (b, d)
        assert story_by_id(conn, a.id).items == (a, c)
        assert story_by_id(conn, b.id, at=NOON + 5 * HOUR).items == (a, b, c, d)
        assert story_by_id(conn, b.id, at=NOON + 3 * HOUR).items == (b, c)
        assert merge(conn, b, a, hours=8) == a.id
        assert story_by_id(conn, b.id).items == (a, b, c, d)
        assert story_by_id(conn, b.id, at=NOON + 7 * HOUR).items == (b, d)
        assert [(edit.kind, edit.author) for edit in storage.edits(conn)] == [
            (EditKind.SPLIT, "ann"), (EditKind.MERGE, "bob")]
        assert storage.edits_of(conn, [b.id]) == storage.edits(conn)
        assert storage.first_places(conn, [a.id, c.id, d.id]) == {c.id: b.id, d.id: a.id}


def test_parted_stories_are_apart_until_they_are_merged(engine: Engine) -> None:
    with engine.begin() as conn:
        a, b, c = an_archive(conn, "a", "b", "c")
        record_joins(conn, [founds(a), joins(b, a), joins(c, a)])
        split(conn, a, b, hours=4)
        split(conn, a, c, hours=5)
        assert storage.apart(conn).pairs() == {tuple(sorted(pair)) for pair in
                                               ((a.id, b.id), (a.id, c.id), (b.id, c.id))}
        merge(conn, b, c, hours=6)
        assert storage.apart(conn).pairs() == {tuple(sorted((a.id, b.id)))}


def test_a_restored_window_has_the_text_of_the_join(engine: Engine) -> None:
    with engine.begin() as conn:
        a, = an_archive(conn, "a")
        record_joins(conn, [founds(a)])
        store(conn, a.feed, [an_item(a.feed, "a", title="Quite another title")], NOON + 3 * HOUR)
        (restored, _), = window_members(conn, window=HOUR, window_items=1)
        assert (restored.title, story_by_id(conn, a.id).items[0].title) == (a.title, "Quite another title")


def test_nothing_is_edited_or_assigned_while_stories_are_rebuilt(engine: Engine) -> None:
    with engine.begin() as conn:
        a, b, _ = an_archive(conn, "a", "b", "c")
        record_joins(conn, [founds(a), joins(b, a)])
        take_lease(conn, CLUSTERER, "desk/rebuild", now=NOON, until=NOON + 9 * HOUR)
    with engine.begin() as conn, pytest.raises(ActionRefused, match="are being rebuilt"):
        split(conn, a, b, hours=5)
    assert StoryClusterer(engine).tick(NOON + 5 * HOUR, "desk").assigned == 0
    assert StoryClusterer(engine).tick(NOON + 9 * HOUR, "desk").assigned == 1
