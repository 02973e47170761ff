"""Live engine = dry run = replay: the same alerts, whenever and in however many goes the events are looked at."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from digest.alert_rules import AlertRule, AlertSpec
from digest.pipeline.alert_matching import KnownRule, RuleSet
from digest.pipeline.alert_policy import Firing, Surroundings
from digest.query import parse_query
from digest.services import search
from digest.services.alert_events import dry_run
from digest.services.alert_trials import fire
from digest.services.alerts import AlertEngine, Context
from digest.storage import alert_rules as rule_storage
from digest.storage.engine import open_engine, read_only
from digest.storage.migrate import migrate
from digest.text.names import NO_NAMES
from tests.services.alert_worlds import HOUR, NOWHERE, SETTINGS, World
from tests.storage.worlds import NOON, a_feed

WORDS = ("gas", "oil", "bread", "dam", "rail")
FEEDS = tuple(a_feed(f"Post {number}") for number in range(5))
Told = tuple[str, str, str, tuple[str, ...], datetime, datetime, str, str]


@dataclass(frozen=True)
class Arrival:
    words: tuple[str, ...]
    feed: int
    language: str
    story: int | None  # of the items so far; None founds one
    backlog: bool


@dataclass(frozen=True)
class Tick:
    arrivals: tuple[Arrival, ...]
    merge: tuple[int, int] | None
    flag: int | None
    hours: float


TEXTS = st.lists(st.sampled_from((*WORDS, "12 dead", "30 houses", "Berik Aliyev")), min_size=1, max_size=5)
ARRIVALS = st.builds(
    Arrival, TEXTS.map(tuple), st.integers(0, 4), st.sampled_from(["en", "en", "ru"]), st.none() | st.integers(0, 30),
    st.sampled_from([False] * 9 + [True]))
TICKS = st.lists(st.builds(Tick, st.lists(ARRIVALS, max_size=4).map(tuple),
                           st.none() | st.none() | st.tuples(st.integers(0, 30), st.integers(0, 30)),
                           st.none() | st.none() | st.integers(0, 30), st.sampled_from([0.2, 1.0, 7.0])),
                 min_size=1, max_size=7)
TERMS = st.sampled_from((*WORDS, '"gas oil"', "title:dam", "gas NEAR/2 rail", "SENT(oil AND bread)", "bre*"))
ITEM_QUERIES = st.recursive(
    TERMS, lambda inner: st.builds("({} AND {})".format, inner, inner) | st.builds("({} OR {})".format, inner, inner)
    | st.builds("({} AND NOT dam)".format, inner), max_leaves=4)
QUERIES = ITEM_QUERIES | st.builds("{} AND {}".format, ITEM_QUERIES, st.sampled_from(
    ["sources>=2", "families>=2", "rate>2x"]))
SPECS = st.builds(
    lambda query, story, cadence, quiet, cool, ceiling, families: AlertSpec.model_validate({
        "query": query, "story": story, "cadence": cadence, "quiet": quiet, "cool_down_minutes": cool,
        "ceiling": ceiling, "families": families, "zone": "Asia/Almaty"}),
    QUERIES, st.sampled_from(["once", "develops", "every-item"]), st.sampled_from(["now", "now", "hourly", "daily"]),
    st.sampled_from([None, {"start": "20:00", "end": "06:00", "passes": "gas AND families>=2"}]),
    st.sampled_from([0, 90]), st.sampled_from([0, 1, 3]), st.integers(1, 3))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, to be copied."""
    path = tmp_path_factory.mktemp("alerts") / "empty.sqlite3"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@contextmanager
def a_world(template: Path, specs: Sequence[AlertSpec]) -> Iterator[World]:
    copy = template.with_name("copy.sqlite3")
    for suffix in ("", "-wal", "-shm"):
        copy.with_name(copy.name + suffix).unlink(missing_ok=True)
    shutil.copy(template, copy)
    engine = open_engine(f"sqlite:///{copy}")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    world = World(engine)
    for number, spec in enumerate(specs):
        world.rule(f"rule {number}", **spec.model_dump())
    try:
        yield world
    finally:
        engine.dispose()


def happen(world: World, tick: Tick, items: list[Any], stories: list[str]) -> None:
    """Writes what a tick holds; stories that were merged take no more part."""
    world.now += tick.hours * HOUR
    for one in tick.arrivals:
        story = stories[one.story % len(stories)] if one.story is not None and stories else None
        text = " ".join(one.words)
        item = world.arrive(text.capitalize(), FEEDS[one.feed], story=story, language=one.language,
                            backlog=one.backlog, summary=f"Here is {text}. And rail.")
        items.append(item)
        if story is None:
            stories.append(item.id)
    if tick.merge and len(stories) > 1:
        alias, into = (stories[number % len(stories)] for number in tick.merge)
        if alias != into:
            world.merge(alias, into)
            stories.remove(alias)
    if tick.flag is not None and stories:
        world.flag(stories[tick.flag % len(stories)])


def stored(world: World, names: dict[int, str]) -> list[Told]:
    return sorted((names[alert.rule_id], alert.story_id, alert.item_id, tuple(map(str, alert.why)), alert.at,
                   alert.release_at, alert.held_by, alert.sentence) for alert in world.alerts())


def of_trial(firings: Sequence[Firing]) -> list[Told]:
    return sorted((one.rule.name, one.story.id, one.item.id, tuple(map(str, one.why)), one.at, one.told.at,
                   one.told.held_by, one.quote.sentence) for one in firings)


def rules_of(world: World) -> list[AlertRule]:
    with read_only(world.engine) as conn:
        return rule_storage.rules(conn, "active")


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ticks=TICKS, specs=st.lists(SPECS, min_size=1, max_size=4), stops=st.sets(st.integers(0, 6)))
def test_live_engine_dry_run_and_replay_tell_the_same(
    template: Path, ticks: list[Tick], specs: list[AlertSpec], stops: set[int]
) -> None:
    check(template, ticks, specs, stops)


@pytest.mark.accept
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ticks=TICKS, specs=st.lists(SPECS, min_size=1, max_size=4), stops=st.sets(st.integers(0, 6)))
def test_they_tell_the_same_of_many_archives(
    template: Path, ticks: list[Tick], specs: list[AlertSpec], stops: set[int]
) -> None:
    check(template, ticks, specs, stops)


def check(template: Path, ticks: list[Tick], specs: list[AlertSpec], stops: set[int]) -> None:
    """Live: after every tick. Late: at some ticks alone, each time by a new process. Dry run: never, all in memory."""
    told: dict[str, list[Told]] = {}
    for way in ("live", "late"):
        with a_world(template, specs) as world:
            items, stories = list[Any](), list[str]()
            for number, tick in enumerate(ticks):
                happen(world, tick, items, stories)
                if way == "live":
                    world.fire(HOUR / 60)
                else:
                    world.now += HOUR / 60
                    if number in stops:
                        AlertEngine(world.engine).fire(Context(SETTINGS, NOWHERE), world.now)
            world.fire(HOUR)
            rules = rules_of(world)
            told[way] = stored(world, {rule.id: rule.name for rule in rules})
            with read_only(world.engine) as conn:
                told[f"{way}, dry"] = of_trial(dry_run(conn, RuleSet(rules, NOWHERE), Surroundings("UTC", NO_NAMES)))
            told[f"{way}, tried"] = tried(world, rules)
    for way, own in told.items():
        assert own == told["live"], way


def tried(world: World, rules: Sequence[AlertRule]) -> list[Told]:
    """What a trial of each rule by itself says, which reads no more than it must."""
    search.index(world.engine)
    firings: list[Firing] = []
    for rule in rules:
        with read_only(world.engine) as conn:
            firings += fire(conn, KnownRule(rule, NOWHERE), parse_query(rule.query), (NOON - HOUR, world.now),
                            Surroundings("UTC", NO_NAMES)).firings
    return of_trial(firings)


def test_the_worlds_are_rich_enough_to_tell_something(template: Path) -> None:
    tick = Tick((Arrival(("gas", "oil"), 0, "en", None, False), Arrival(("gas",), 1, "ru", 0, False)), None, None, 1.0)
    more = Tick((Arrival(("gas", "12 dead"), 2, "en", 0, False),), None, 0, 1.0)
    with a_world(template, [AlertSpec(query="gas", story="develops")]) as world:
        items, stories = list[Any](), list[str]()
        for one in (tick, more):
            happen(world, one, items, stories)
            world.fire()
        assert [list(map(str, alert.why)) for alert in world.alerts()] == [
            ["first"], ["new figure: 12 dead", "editor's flag"]]
