"""What holds of stories whatever arrives when, in whatever process, and whatever an editor does in between."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, event, select, update

from digest.errors import ActionRefused
from digest.model import Item
from digest.pipeline.story_edits import followed
from digest.services import story_edits
from digest.services.stories import StoryClusterer
from digest.services.story_rebuild import rebuild
from digest.storage.engine import open_engine, read_only
from digest.storage.items import store
from digest.storage.schema import metadata, story_aliases, story_items
from digest.storage.stories import stories_as_of, story_of
from tests.pipeline.stream import EVENTS, START, news, told
from tests.storage.worlds import add_feed

HOUR = timedelta(hours=1)
COPIES = [news("lake-herald", EVENTS[name][0][1] + " (update)", EVENTS[name][0][2]) for name in EVENTS]
STREAM = [item for name in EVENTS for item in told(name)] + COPIES
SETTINGS = settings(max_examples=7, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class Step:
    """One hour: what a poll brings, in which order; how many of it wait for a later tick; whether a new process ticks;
    what an editor does then.
    """

    arrivals: tuple[int, ...]
    waiting: int
    restart: bool
    act: str
    picks: tuple[int, int]


steps = st.lists(st.integers(0, 5), min_size=len(STREAM), max_size=len(STREAM)).flatmap(lambda hours: st.tuples(*(
    st.builds(Step, st.permutations([n for n, own in enumerate(hours) if own == hour]).map(tuple), st.integers(0, 2),
              st.booleans(),
              st.sampled_from(["", "merge", "split", "revise"]), st.tuples(st.integers(0, 20), st.integers(0, 20)))
    for hour in range(6))))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('stories')}/test.sqlite3")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    metadata.create_all(engine)
    yield engine
    engine.dispose()


class Clock:
    def now(self) -> datetime:
        return START + 100 * HOUR


def wipe(engine: Engine) -> None:
    with engine.begin() as conn:
        for table in reversed(metadata.sorted_tables):
            conn.execute(delete(table))


def arrive(engine: Engine, items: Sequence[Item], at: datetime) -> None:
    with engine.begin() as conn:
        for item in items:
            add_feed(conn, item.feed)
            store(conn, item.feed, [replace(item, first_seen_at=at)], at)


def act(engine: Engine, step: Step, at: datetime) -> None:
    """What the editor does; nothing where there is nothing to do it to."""
    with engine.begin() as conn:
        stories = stories_as_of(conn, since=START - HOUR, at=at)
        if not stories:
            return
        one, other = (stories[pick % len(stories)] for pick in step.picks)
        ids = [item.id for item in one.items]
        try:
            if step.act == "merge":
                story_edits.merge(conn, one.id, other.id, author="ann", now=at, holder="desk")
            elif step.act == "split":
                story_edits.split(conn, one.id, ids[:1 + step.picks[1] % len(ids)][-2:], author="ann", now=at,
                                  holder="desk")
            elif step.act == "revise":
                store(conn, one.items[0].feed, [replace(one.items[0], title="Quite another title")], at)
        except ActionRefused:
            pass


def live(engine: Engine, hours: Sequence[Step]) -> None:
    """Six hours of an instance."""
    wipe(engine)
    clusterer = StoryClusterer(engine)
    for hour, step in enumerate(hours):
        at = START + hour * HOUR
        arrive(engine, [STREAM[number] for number in step.arrivals], at)
        if step.restart:
            clusterer = StoryClusterer(engine)
        clusterer.tick(at, "test", waiting=[STREAM[number].id for number in step.arrivals[:step.waiting]])
        act(engine, step, at + HOUR / 2)
    clusterer.tick(START + len(hours) * HOUR, "test")


def tables(engine: Engine) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    with read_only(engine) as conn:
        joins = [tuple(row) for row in conn.execute(select(story_items).order_by(story_items.c.item_id))]
        return joins, [tuple(row) for row in conn.execute(select(story_aliases).order_by(story_aliases.c.alias))]


@SETTINGS
@given(steps)
def test_a_rebuild_gives_what_was_decided_online(engine: Engine, hours: tuple[Step, ...]) -> None:
    live(engine, hours)
    online = tables(engine)
    assert rebuild(engine, Clock(), "test", dry_run=True).equal
    with engine.begin() as conn:
        conn.execute(update(story_items).values(story_id=online[0][0][1]))
        conn.execute(delete(story_aliases))
    roots = {row[1] for row in online[0]} - {row[0] for row in online[1]}
    assert rebuild(engine, Clock(), "test").stories == len(roots)
    assert tables(engine) == online


@SETTINGS
@given(steps)
def test_an_item_has_one_story_and_every_id_leads_to_the_story_of_its_item(
    engine: Engine, hours: tuple[Step, ...]
) -> None:
    live(engine, hours)
    joins, aliases = tables(engine)
    with read_only(engine) as conn:
        stories = stories_as_of(conn, since=START - HOUR, at=Clock().now())
        placed = [item.id for story in stories for item in story.items]
        assert sorted(placed) == sorted(item.id for item in STREAM)
        leads_to = {item.id: story.id for story in stories for item in story.items}
        assert {item_id: story_of(conn, item_id) for item_id in leads_to} == leads_to
    steps_of = {alias: story_id for alias, story_id, *_ in aliases}
    assert all(row[0] == row[1] or leads_to[row[0]] == leads_to[row[1]] for row in joins)
    for alias in steps_of:
        seen = {alias}
        while (target := steps_of.get(alias)) is not None:
            assert target not in seen
            assert target in leads_to
            seen.add(target)
            alias = target
        assert followed(min(seen), steps_of) == alias == leads_to[min(seen)]


@SETTINGS
@given(steps)
def test_stories_that_an_editor_parted_stay_apart(engine: Engine, hours: tuple[Step, ...]) -> None:
    wipe(engine)
    clusterer, parted = StoryClusterer(engine), []
    for hour, step in enumerate(hours):
        at = START + hour * HOUR
        arrive(engine, [STREAM[number] for number in step.arrivals], at)
        clusterer = StoryClusterer(engine) if step.restart else clusterer
        clusterer.tick(at, "test")
        with engine.begin() as conn:
            large = [story for story in stories_as_of(conn, since=START - HOUR, at=at) if len(story.items) > 1]
            if large and step.act == "split":
                story = large[step.picks[0] % len(large)]
                edit = story_edits.split(conn, story.id, [story.items[-1].id], author="ann", now=at + HOUR / 2,
                                         holder="desk")
                parted.append((edit.story_id, edit.other_id))
    with read_only(engine) as conn:
        assert all(story_of(conn, one) != story_of(conn, other) for one, other in parted)


@SETTINGS
@given(st.permutations(STREAM))
def test_the_order_of_arrival_inside_one_poll_does_not_matter(engine: Engine, stream: list[Item]) -> None:
    wipe(engine)
    arrive(engine, stream, START)
    StoryClusterer(engine).tick(START, "test")
    shuffled = tables(engine)
    wipe(engine)
    arrive(engine, STREAM, START)
    StoryClusterer(engine).tick(START, "test")
    assert tables(engine) == shuffled


@SETTINGS
@given(steps)
def test_the_points_of_a_join_add_up_to_its_score(engine: Engine, hours: tuple[Step, ...]) -> None:
    live(engine, [replace(step, act="") for step in hours])
    with read_only(engine) as conn:
        for row in conn.execute(select(story_items)):
            points = sum(json.loads(row.features).values())
            assert points == pytest.approx(row.score, abs=1e-9)
            assert (row.item_id == row.story_id) == (row.features == "{}")
