from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from digest.pipeline.health import Condition, Health, Move, gone_reason, health_of, is_settled, patience, seen_move

NOW = datetime(2026, 2, 17, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WELL = Condition(last_polled_at=NOW, last_success_at=NOW, error_count=0, newest_at=NOW - HOUR, gap=HOUR)


@pytest.mark.parametrize(("changes", "health"), [
    ({}, Health.HEALTHY),
    ({"last_polled_at": None, "newest_at": None}, Health.NEW),
    ({"error_count": 2}, Health.HEALTHY),
    ({"error_count": 3}, Health.FAILING),
    ({"error_count": 9, "last_success_at": NOW - 6 * DAY}, Health.FAILING),
    ({"error_count": 9, "last_success_at": NOW - 7 * DAY}, Health.STALE),
    ({"newest_at": NOW - 8 * DAY}, Health.STALE),  # it answers, and brings nothing new
    ({"newest_at": NOW - 8 * DAY, "gap": 2 * DAY}, Health.HEALTHY),  # it never brought much
    ({"newest_at": None}, Health.STALE),
    ({"suspended_at": NOW, "error_count": 9}, Health.SUSPENDED),
    ({"suspended_at": NOW, "paused_at": NOW}, Health.PAUSED),
    ({"merged_into": "x"}, Health.MERGED),
])
def test_the_state_of_a_feed(changes: dict[str, Any], health: Health) -> None:
    assert health_of(replace(WELL, **changes), NOW) is health


def test_patience_is_a_week_or_eight_gaps_and_not_for_ever() -> None:
    assert [patience(gap) for gap in (None, HOUR, 5 * DAY, 100 * DAY)] == [7 * DAY, 7 * DAY, 40 * DAY, 90 * DAY]


@pytest.mark.parametrize(("status", "age", "is_gone"), [
    (410, 0 * DAY, True), (404, 13 * DAY, False), (404, 14 * DAY, True), (500, 90 * DAY, False),
    (None, 90 * DAY, False),
])
def test_only_what_its_server_says_is_gone_is_gone(status: int | None, age: timedelta, is_gone: bool) -> None:
    assert (gone_reason(status, NOW - age, NOW) is not None) == is_gone


def test_a_move_is_believed_after_three_polls_over_a_day() -> None:
    move: Move | None = None
    believed = []
    for hours in (0, 1, 2, 23, 24):
        move = seen_move(move, "https://new.example/", NOW + hours * HOUR)
        believed.append(is_settled(move, NOW + hours * HOUR))
    assert believed == [False, False, False, False, True]
    assert not is_settled(seen_move(seen_move(None, "a", NOW), "a", NOW + 2 * DAY), NOW + 2 * DAY)  # two polls


def test_another_target_or_none_begins_anew() -> None:
    move = seen_move(seen_move(None, "a", NOW), "a", NOW + DAY)
    assert seen_move(move, "b", NOW + DAY) == Move("b", NOW + DAY, 1)
    assert seen_move(move, None, NOW) is None
