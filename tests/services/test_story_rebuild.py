"""A rebuild of the stories: what was decided online, in one piece or not at all."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, delete, select, update

from digest.errors import ActionRefused
from digest.model import StoryEventKind
from digest.services import story_edits
from digest.services.replay import SimulatedClock
from digest.services.stories import CLUSTERER, LEASE, StoryClusterer
from digest.services.story_rebuild import Moved, rebuild
from digest.storage.items import has_unassigned
from digest.storage.leases import take_lease
from digest.storage.schema import stories_apart, story_aliases, story_events, story_items
from digest.storage.stories import events_after, last_event_number, story_of
from tests.pipeline.stream import START, told
from tests.services.test_stories import arrive, tables

CLOCK = SimulatedClock(START + timedelta(days=2))
DAM, METRO = (sorted(told(name), key=lambda item: (item.feed.id, item.key)) for name in ("dam", "metro"))


def an_instance(engine: Engine) -> None:
    """Two stories, of which an editor took one item each to a story of their own, and merged these."""
    arrive(engine, [*DAM, *METRO])
    StoryClusterer(engine).tick(START, "one")
    with engine.begin() as conn:
        for hours, story in enumerate((DAM, METRO), 1):
            story_edits.split(conn, story[0].id, [story[1].id], author="ann", now=START + timedelta(hours=hours),
                              holder="desk")
        story_edits.merge(conn, DAM[1].id, METRO[1].id, author="ann", now=START + timedelta(hours=3), holder="desk")
    arrive(engine, told("wrestling", hours=5))
    StoryClusterer(engine).tick(START + timedelta(hours=5), "two")


def test_a_rebuild_of_what_is_right_writes_nothing(engine: Engine) -> None:
    an_instance(engine)
    with engine.begin() as conn:
        number = last_event_number(conn)
    done = []
    found = rebuild(engine, CLOCK, "me", on_progress=lambda items, of: done.append((items, of)))
    assert (found.equal, found.written, found.stories, found.edits) == (True, False, 4, 3)
    assert done[-1] == (found.items, found.items)
    with engine.begin() as conn:
        assert last_event_number(conn) == number


def test_a_rebuild_puts_tables_right_and_tells_running_processes(engine: Engine) -> None:
    an_instance(engine)
    before = tables(engine)
    with engine.begin() as conn:
        number = last_event_number(conn)
        conn.execute(update(story_items).where(story_items.c.item_id == DAM[2].id).values(story_id=METRO[0].id))
        conn.execute(delete(story_aliases))
        conn.execute(delete(stories_apart))
    assert Moved(DAM[2].id, METRO[0].id, DAM[0].id) in rebuild(engine, CLOCK, "me", dry_run=True).moved
    assert rebuild(engine, CLOCK, "me").written
    assert tables(engine) == before
    with engine.begin() as conn:
        assert {event.kind for event in events_after(conn, number, 99)} == {StoryEventKind.STORY_REBUILT}
        assert len(conn.execute(select(stories_apart)).all()) == 2
    assert rebuild(engine, CLOCK, "me").equal


def test_a_rebuild_knows_again_who_stays_apart(engine: Engine) -> None:
    an_instance(engine)
    with engine.begin() as conn:
        conn.execute(delete(stories_apart))
    assert rebuild(engine, CLOCK, "me", dry_run=True).apart == 2
    assert rebuild(engine, CLOCK, "me").written
    assert rebuild(engine, CLOCK, "me").equal


def test_items_that_lost_their_story_wait_for_a_new_one(engine: Engine) -> None:
    an_instance(engine)
    with engine.begin() as conn:
        conn.execute(delete(story_items).where(story_items.c.item_id == DAM[2].id))
        conn.execute(update(story_items).values(score=0.0))
        assert not has_unassigned(conn)
    assert rebuild(engine, CLOCK, "me").written
    assert StoryClusterer(engine).tick(CLOCK.now(), "three").assigned == 1
    with engine.begin() as conn:
        assert story_of(conn, DAM[2].id) == DAM[0].id


def test_a_rebuild_that_fails_changes_nothing_and_frees_its_place(sqlite_engine: Engine) -> None:
    an_instance(sqlite_engine)
    with sqlite_engine.begin() as conn:
        conn.execute(update(story_items).values(score=0.0))
        conn.exec_driver_sql("CREATE TRIGGER broken BEFORE INSERT ON stories_apart "
                             "BEGIN SELECT RAISE(FAIL, 'full'); END")
    before = tables(sqlite_engine)
    with pytest.raises(Exception, match="full"):
        rebuild(sqlite_engine, CLOCK, "me")
    assert tables(sqlite_engine) == before
    with sqlite_engine.begin() as conn:
        assert take_lease(conn, CLUSTERER, "other", now=CLOCK.now(), until=CLOCK.now() + LEASE)


def test_two_do_not_rebuild_at_a_time(engine: Engine) -> None:
    an_instance(engine)
    with engine.begin() as conn:
        take_lease(conn, CLUSTERER, "other", now=CLOCK.now(), until=CLOCK.now() + LEASE)
    with pytest.raises(ActionRefused, match="another process"):
        rebuild(engine, CLOCK, "me")
    assert rebuild(engine, CLOCK, "me", dry_run=True).equal  # which only reads


def test_an_archive_without_stories_is_rebuilt_to_none(sqlite_engine: Engine) -> None:
    found = rebuild(sqlite_engine, CLOCK, "me")
    assert (found.items, found.stories, found.equal) == (0, 0, True)
    with sqlite_engine.begin() as conn:
        assert conn.execute(select(story_events)).all() == []
