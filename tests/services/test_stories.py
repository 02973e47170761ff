from collections.abc import Iterable
from datetime import timedelta
from itertools import chain

import pytest
from sqlalchemy import Engine, delete, select

from digest.model import Item
from digest.services.stories import LEASE, StoryClusterer, TickReport
from digest.storage.items import store
from digest.storage.leases import take_lease
from digest.storage.schema import items, items_without_story, story_aliases, story_events, story_items
from digest.storage.stories import events_after, stories_as_of, story_of
from tests.pipeline.stream import EVENTS, START, told
from tests.storage.worlds import add_feed

DAY = timedelta(days=1)


def arrive(engine: Engine, stream: Iterable[Item]) -> None:
    with engine.begin() as conn:
        for item in stream:
            add_feed(conn, item.feed)
            store(conn, item.feed, [item], item.first_seen_at)


def tables(engine: Engine) -> list[tuple[object, ...]]:
    """Who is in which story since when, merges followed, with scores."""
    with engine.begin() as conn:
        rows = conn.execute(select(story_items).order_by(story_items.c.item_id)).all()
        return [(row.item_id, story_of(conn, row.item_id), row.score, row.features) for row in rows]


def three_polls(engine: Engine, clusterers: list[StoryClusterer]) -> None:
    """The events of the stream in three polls; each poll is ticked by the next of `clusterers`."""
    names = list(EVENTS)
    polls = [told(names[0])[:2] + told(names[1])[:1],
             told(names[0], hours=5)[2:] + told(names[2], hours=5),
             told(names[1], hours=30)[1:] + told(names[3], hours=30)]
    for number, poll in enumerate(polls):
        arrive(engine, poll)
        clusterers[number % len(clusterers)].tick(poll[0].first_seen_at, f"holder {number}")


def test_a_tick_gives_every_item_a_story(engine):
    stream = list(chain.from_iterable(told(event) for event in EVENTS))
    arrive(engine, stream)
    assert StoryClusterer(engine).tick(START, "me") == TickReport(len(stream), len(EVENTS), 0)
    with engine.begin() as conn:
        stories = stories_as_of(conn, since=START - DAY, at=START)
        assert sorted(len(story.items) for story in stories) == sorted(len(outlets) for outlets in EVENTS.values())
        assert len(events_after(conn, 0, 100)) == len(stream)


def test_a_second_tick_changes_nothing(sqlite_engine):
    clusterer = StoryClusterer(sqlite_engine)
    three_polls(sqlite_engine, [clusterer])
    before = tables(sqlite_engine)
    assert clusterer.tick(START + DAY, "me") == TickReport(0, 0, 0)
    assert tables(sqlite_engine) == before


def test_a_restart_at_every_tick_gives_the_same_stories(engine):
    three_polls(engine, [StoryClusterer(engine) for _ in range(3)])
    restarted = tables(engine)
    wipe(engine)
    rebuild(engine)
    assert tables(engine) == restarted


def test_two_processes_that_take_turns_decide_as_one(sqlite_engine):
    three_polls(sqlite_engine, [StoryClusterer(sqlite_engine), StoryClusterer(sqlite_engine)])
    taking_turns = tables(sqlite_engine)
    wipe(sqlite_engine)
    rebuild(sqlite_engine)
    assert tables(sqlite_engine) == taking_turns


def test_a_rebuild_gives_the_same_ids(engine):
    three_polls(engine, [StoryClusterer(engine)])
    before = tables(engine)
    wipe(engine)
    rebuild(engine)
    assert tables(engine) == before


def test_nothing_is_assigned_while_another_holds_the_lease(engine):
    arrive(engine, told("dam"))
    with engine.begin() as conn:
        take_lease(conn, "clusterer", "other", now=START, until=START + LEASE)
    clusterer = StoryClusterer(engine)
    assert clusterer.tick(START, "me") == TickReport(0, 0, 0)
    assert clusterer.tick(START + LEASE, "me").assigned == len(told("dam"))


def test_the_lease_is_free_after_a_tick(sqlite_engine):
    arrive(sqlite_engine, told("dam"))
    StoryClusterer(sqlite_engine).tick(START, "one")
    arrive(sqlite_engine, told("metro"))
    assert StoryClusterer(sqlite_engine).tick(START, "two").assigned == len(told("metro"))


def test_a_tick_that_failed_leaves_no_trace_and_can_be_repeated(sqlite_engine):
    clusterer = StoryClusterer(sqlite_engine)
    arrive(sqlite_engine, told("dam"))
    with sqlite_engine.begin() as conn:
        conn.exec_driver_sql("CREATE TRIGGER broken BEFORE INSERT ON story_events "
                             "BEGIN SELECT RAISE(FAIL, 'full'); END")
    with pytest.raises(Exception, match="full"):
        clusterer.tick(START, "me")
    assert tables(sqlite_engine) == []
    with sqlite_engine.begin() as conn:
        conn.exec_driver_sql("DROP TRIGGER broken")
    assert clusterer.tick(START, "me") == TickReport(len(told("dam")), 1, 0)


def wipe(engine: Engine) -> None:
    with engine.begin() as conn:
        for table in (story_items, story_aliases, story_events):
            conn.execute(delete(table))
        conn.execute(items_without_story.insert().from_select(["item_id"], select(items.c.id)))


def rebuild(engine: Engine) -> None:
    """One tick over everything, as after losing the stories."""
    StoryClusterer(engine).tick(START + DAY, "rebuild")
