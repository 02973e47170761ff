"""Releases on the wall clock, through the nights when clocks change."""

from datetime import UTC, date, datetime, time

import pytest

from digest.pipeline.slots import due_slot, next_release, release_of
from tests.pipeline.worlds import newsletter


@pytest.mark.parametrize(("zone", "day", "wall", "expected"), [
    ("Asia/Almaty", date(2023, 3, 20), time(7), "2023-03-20T01:00"),  # +06 then
    ("Asia/Almaty", date(2024, 3, 20), time(7), "2024-03-20T02:00"),  # +05 since March 2024
    ("Europe/Berlin", date(2024, 3, 31), time(2, 30), "2024-03-31T01:00"),  # skipped: the first instant after it
    ("Europe/Berlin", date(2024, 10, 27), time(2, 30), "2024-10-27T00:30"),  # shown twice: the first
    ("Australia/Lord_Howe", date(2024, 10, 6), time(2, 15), "2024-10-05T15:30"),  # a gap of half an hour
    ("Africa/Cairo", date(2024, 4, 26), time(0, 0), "2024-04-25T22:00"),  # no midnight on that day
])
def test_release_of_a_day(zone: str, day: date, wall: time, expected: str) -> None:
    released = release_of(newsletter(zone=zone, send_time=wall), day)
    assert released == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_next_release_is_later_than_now() -> None:
    daily = newsletter(send_time=time(7))
    seven = datetime(2023, 3, 20, 1, tzinfo=UTC)
    assert next_release(daily, datetime(2023, 3, 20, 0, 59, tzinfo=UTC)) == seven
    assert next_release(daily, seven) == datetime(2023, 3, 21, 1, tzinfo=UTC)


def test_days_off_are_skipped() -> None:
    weekdays = newsletter(days=("mon", "tue", "wed", "thu", "fri"))
    friday_noon = datetime(2023, 3, 17, 12, tzinfo=UTC)
    assert next_release(weekdays, friday_noon) == datetime(2023, 3, 20, 1, tzinfo=UTC)
    sunday = datetime(2023, 3, 19, 12, tzinfo=UTC)
    assert due_slot(weekdays, sunday) == (date(2023, 3, 17), datetime(2023, 3, 17, 1, tzinfo=UTC))


def test_due_slot_is_the_newest_release_that_has_come() -> None:
    daily = newsletter(send_time=time(7))
    assert due_slot(daily, datetime(2023, 3, 20, 1, tzinfo=UTC))[0] == date(2023, 3, 20)
    assert due_slot(daily, datetime(2023, 3, 20, 0, 59, tzinfo=UTC))[0] == date(2023, 3, 19)
