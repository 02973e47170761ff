"""What readers say of alerts: the last word counts, and a muted story is told no more, under whatever id it stands."""

import pytest
from sqlalchemy import Engine

from digest.errors import NotFound
from digest.services import alert_answers, personal_data
from digest.services.alert_answers import Answer, Told
from digest.storage import alerts as storage
from digest.storage import subscribers
from digest.storage.engine import read_only
from tests.services.alert_worlds import ANA, World


@pytest.fixture
def world(engine: Engine) -> World:
    found = World(engine)
    found.rule("gas", "gas", others=("ben@example.org",))
    return found


def told(world: World, number: int = 0) -> Told:
    alert = world.alerts()[number]
    with read_only(world.engine) as conn:
        return alert_answers.told(conn, f"alert:{alert.rule_id}", alert.id, world.now)


def say(world: World, said: Answer) -> None:
    found = told(world)
    with world.engine.begin() as conn:
        alert_answers.answer(conn, found, said, world.now)


def test_the_last_word_counts_and_stands_in_the_figures_of_the_rule(world: World) -> None:
    world.arrive("Gas price rises")
    world.fire()
    for said, useful in ((Answer.USEFUL, True), (Answer.NOT_USEFUL, False), (Answer.NOT_USEFUL, False)):
        say(world, said)
        assert told(world).useful is useful
    with read_only(world.engine) as conn:
        counts = storage.counts(conn, [told(world).rule.id])[told(world).rule.id]
    assert (counts.useful, counts.not_useful) == (0, 1)


def test_a_muted_story_is_told_to_others_alone_also_after_a_merge(world: World) -> None:
    world.rule("every", "price", others=("ben@example.org",), story="every-item")
    first = world.arrive("Gas price rises")
    world.fire()
    say(world, Answer.MUTE)
    assert told(world).is_muted
    other = world.arrive("Gas prices up again, price of oil too")
    world.merge(first.id, other.id)
    world.arrive("Gas price: a third day of it", story=other.id)
    world.fire()
    assert {one.target for one in world.queued() if "third day" in one.message.text} == {"ben@example.org"}
    say(world, Answer.UNMUTE)
    assert not told(world).is_muted


def test_what_waits_of_a_muted_story_is_not_told(world: World) -> None:
    world.rule("daily", "price", cadence="daily")
    world.arrive("Gas price rises")
    world.fire()
    before = len(world.queued())
    say(world, Answer.MUTE)
    with read_only(world.engine) as conn:
        assert storage.waiting(conn, "mail", ANA, world.now) == []
    assert before == 2  # what "gas" told its two readers at once


def test_an_alert_of_somebody_else_is_not_found(world: World) -> None:
    world.rule("oil", "oil", "cleo@example.org")
    world.arrive("Gas price rises")
    world.fire()
    (alert,) = world.alerts()
    with read_only(world.engine) as conn, pytest.raises(NotFound):
        alert_answers.told(conn, f"alert:{alert.rule_id + 1}", alert.id, world.now)


def test_a_reader_is_shown_what_they_said(world: World) -> None:
    world.arrive("Gas price rises")
    world.fire()
    say(world, Answer.USEFUL)
    say(world, Answer.MUTE)
    with read_only(world.engine) as conn:
        ana = subscribers.subscriber_by_email(conn, ANA)
        assert ana
        data = personal_data.gather(conn, ana)
    assert [(one["rule"], one["useful"]) for one in data["said_of_alerts"]] == [("gas", True)]
    assert len(data["muted_stories"]) == 1
    with world.engine.begin() as conn:
        personal_data.erase(conn, ana, world.now)
        assert personal_data.gather(conn, ana)["muted_stories"] == []
