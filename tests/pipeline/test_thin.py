"""A thin day is sent short, merged or skipped, and readers are told."""

from datetime import date, timedelta

import pytest

from digest.model import Period
from digest.pipeline.compose import compose
from digest.pipeline.pool import fill
from digest.pipeline.thin import MERGED, SKIPPED, decide, notice
from digest.pipeline.view import EditionView
from tests.pipeline.worlds import NOW, inputs, item, newsletter, story

TODAY = date(2023, 3, 20)


def view_of(count: int, **changes: object) -> EditionView:
    return compose(inputs(*(story(item(f"Bread {n}", f"source-{n}")) for n in range(count)), **changes)).view


@pytest.mark.parametrize(("count", "policy", "action", "reason"), [
    (3, "skip", "send", "3 stories, 3 make a day"),
    (2, "send", "send", "thin, 2 stories of 3: sent short"),
    (1, "merge", "merge", f"{MERGED}: 1 story of 3"),
    (2, "skip", "skip", f"{SKIPPED}: 2 stories of 3"),
])
def test_a_policy_decides_of_a_thin_day(count: int, policy: str, action: str, reason: str) -> None:
    decision = decide(view_of(count), newsletter(thin={"policy": policy}))
    assert (decision.action, decision.reason) == (action, reason)
    assert str(decision) == f"{action} ({reason})"


def test_a_week_is_always_sent() -> None:
    assert decide(view_of(1, period=Period.WEEKLY), newsletter(thin={"policy": "skip"})).action == "send"


@pytest.mark.parametrize(("count", "merged", "told"), [
    (3, (), None), (0, (), None), (1, (), "A quiet day: 1 story."),
    (9, (TODAY - timedelta(days=1),), "Yesterday’s stories are in this edition."),
    (9, (date(2023, 3, 17), date(2023, 3, 18)), "The stories of March 17, March 18 are in this edition."),
    (2, (TODAY - timedelta(days=1),), "A quiet day: 2 stories. Yesterday’s stories are in this edition."),
])
def test_readers_are_told_of_what_is_unusual(count: int, merged: tuple[date, ...], told: str | None) -> None:
    assert notice(count, newsletter(), merged, TODAY) == told


def test_the_view_says_it() -> None:
    assert view_of(2).notice == "A quiet day: 2 stories."
    assert view_of(3).notice is None


def test_merged_days_widen_the_window_and_the_age_of_what_may_stand_in_it() -> None:
    old = item("Bread", hours=50, seen=45)
    since = NOW - timedelta(hours=48)
    assert fill(inputs(story(old), since=since)).fates[old.id].gate == "outside the window"
    assert fill(inputs(story(old), since=since, merged=(date(2023, 3, 19),))).candidates
