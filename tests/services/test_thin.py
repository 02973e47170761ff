"""Thin days at their release: what is stored, and what the next day takes over."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from digest.documents import Thin
from digest.services import releases
from digest.storage.config import mirror
from tests.services.desks import DATE, RELEASE, Newsroom, documents
from tests.services.test_editions import DAY, GRAIN, HOUR, SETTINGS, STRIKE, TEMPLATES, tell

BREAD = "Bakers raise the price of bread in the capital"


@pytest.fixture
def room(sqlite_engine: Engine) -> Newsroom:
    configuration = documents()
    with sqlite_engine.begin() as conn:
        mirror(conn, configuration, RELEASE - 30 * DAY)
    for source, title, hours in (("herald", STRIKE, 3), ("courier", GRAIN, 20)):
        tell(sqlite_engine, configuration, source, title, RELEASE - hours * HOUR)
    return Newsroom(sqlite_engine, configuration)


def with_policy(room: Newsroom, policy: str) -> Newsroom:
    news = room.news.model_copy(update={"thin": Thin.model_validate({"policy": policy})})
    return replace(room, configuration=replace(room.configuration, newsletters={"kazakhstan": news}))


def released(room: Newsroom, day: int, now: datetime | None = None) -> releases.Release:
    return releases.release(
        room.engine, room.configuration, room.news, SETTINGS, TEMPLATES, now=now or RELEASE + day * DAY,
        date=DATE + timedelta(days=day))


def headlines(release: releases.Release) -> set[str]:
    return {story.headline for story in release.built.view.mailed}


def test_a_thin_day_is_sent_short_and_says_so(room: Newsroom) -> None:
    made = released(with_policy(room, "send"), 0)
    assert made.outcome == "queued" and made.built.view.notice == "A quiet day: 2 stories."


@pytest.mark.parametrize(("policy", "told", "note"), [
    ("merge", {STRIKE, GRAIN, BREAD}, "merged with the next edition: 2 stories of 3"),
    ("skip", {BREAD}, "skipped as too thin: 2 stories of 3"),
])
def test_the_next_day_takes_over_what_is_merged_and_not_what_is_skipped(
    room: Newsroom, policy: str, told: set[str], note: str
) -> None:
    room = with_policy(room, policy)
    first = released(room, 0)
    assert (first.outcome, first.reason, first.queued) == ("closed", f"skipped: {note}", None)
    assert not released(room, 0, RELEASE + HOUR).queued  # it is final
    tell(room.engine, room.configuration, "volna", BREAD, RELEASE + 20 * HOUR)
    second = released(room, 1)
    assert headlines(second) == told
    if policy == "merge":
        assert second.outcome == "queued"
        assert second.built.view.notice == "Yesterday’s stories are in this edition."


def test_days_are_merged_until_there_is_enough(room: Newsroom) -> None:
    room = with_policy(room, "merge")
    assert released(room, 0).outcome == released(room, 1).outcome == "closed"
    tell(room.engine, room.configuration, "volna", BREAD, RELEASE + 44 * HOUR)
    third = released(room, 2)
    assert headlines(third) == {STRIKE, GRAIN, BREAD}
    assert third.built.view.notice == "The stories of March 20, March 21 are in this edition."


def test_somebody_who_approves_a_thin_day_is_obeyed(room: Newsroom) -> None:
    made = releases.release(room.engine, room.configuration, with_policy(room, "skip").news, SETTINGS, TEMPLATES,
                            now=RELEASE, date=DATE, approve_as="anna")
    assert made.outcome == "queued"
