"""Trials of alert rules: what they would have found and told."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from digest.alert_rules import AlertSpec
from digest.model import Block
from digest.services import alert_trials
from digest.services.alert_trials import Trial
from digest.services.alerts import FireReport
from tests.services.alert_worlds import DAY, LATER, NOON, NOWHERE, World


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)


def tried(world: World, query: str, days: int = 30, **spec: Any) -> Trial:
    return alert_trials.try_rule(world.engine, AlertSpec(query=query, **spec), NOWHERE, since=LATER - days * DAY,
                                 now=world.now)


def test_a_query_is_tried_on_the_archive(world: World) -> None:
    story = world.arrive("Gas prices rise", backlog=True, body=(Block("p", "The gas is cheap."),))
    world.arrive("Gas prices", story=story.id, published_at=NOON - DAY)
    world.arrive("Gas undated", published_at=None)
    world.arrive("Bread")
    world.arrive("Gas of last year", published_at=NOON - 400 * DAY)
    world.arrive("Gas to come", first_seen_at=LATER + DAY, published_at=LATER + DAY)
    trial = tried(world, "gas")
    assert (trial.searched, trial.items, trial.backlog, trial.stories) == (4, 3, 1, 2)
    assert [(one.day, one.items) for one in trial.days] == [(date(2026, 2, 16), 1), (date(2026, 2, 17), 2)]
    assert [sample.item.title for sample in trial.samples] == ["Gas undated", "Gas prices rise", "Gas prices"]
    assert trial.samples[1].quote.sentence == "The gas is cheap." and trial.samples[1].story_id == story.id
    assert trial.alerts == 3  # the one of last year came in later than with its feed's first poll
    assert world.fire() == FireReport(0, 0)
