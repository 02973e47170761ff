"""Releases on the wall clock, through the nights when clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest

from digest.documents import Newsletter
from digest.model import Period
from digest.pipeline.slots import WEEKDAYS, due_slot, next_release, open_slots, release_of
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


QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)
# Four years in each zone, with the changes that break naive clocks.
WALKS = [
    ("Asia/Almaty", 2021),  # UTC+6 becomes UTC+5 at midnight of 1 March 2024: that hour is shown twice
    ("Europe/London", 2022),  # every release of the winter in UTC
    ("America/New_York", 2022),
    ("Australia/Lord_Howe", 2022),  # changes by half an hour
    ("Pacific/Apia", 2009),  # left out 30 December 2011 whole, and took up summer time
]
AWKWARD = [time(0), time(1, 30), time(2, 30), time(23, 59)]


@lru_cache
def days_of(zone: str, first: datetime, last: datetime) -> list[date]:
    """The days that the zone's calendar showed, in order, found by asking every quarter of an hour."""
    days: list[date] = []
    at = first
    while at <= last:
        shown = at.astimezone(ZoneInfo(zone)).date()
        if not days or shown > days[-1]:
            days.append(shown)
        at += QUARTER
    return days


def walk(news: Newsletter, first: datetime, last: datetime, period: Period = Period.DAILY) -> list[date]:
    """The days handled by somebody who looks every quarter of an hour, in the order of their handling."""
    at, handled = first, [due_slot(news, first, period)[0]]
    while at <= last:
        for slot in open_slots(news, handled[-9:], at, period):
            assert slot.release_at <= at < slot.release_at + QUARTER
            handled.append(slot.date)
        at += QUARTER
    return handled[1:]


@pytest.mark.parametrize("wall", AWKWARD, ids=str)
@pytest.mark.parametrize(("zone", "year"), WALKS)
def test_every_slot_of_four_years_comes_once_and_in_order(zone: str, year: int, wall: time) -> None:
    first, last = datetime(year, 1, 1, 12, tzinfo=UTC), datetime(year + 4, 1, 1, 12, tzinfo=UTC)
    news = newsletter(zone=zone, send_time=wall)
    handled = walk(news, first, last)
    expected = [day for day in days_of(zone, first, last) if first < release_of(news, day) <= last]
    assert handled == expected and len(set(handled)) == len(handled) > 1450
    releases = [release_of(news, day) for day in handled]
    assert all(timedelta(hours=22) < b - a < timedelta(hours=26) for a, b in pairwise(releases))


@pytest.mark.parametrize(("zone", "year"), WALKS)
def test_a_weekly_slot_comes_once_a_week(zone: str, year: int) -> None:
    first, last = datetime(year, 1, 1, 12, tzinfo=UTC), datetime(year + 4, 1, 1, 12, tzinfo=UTC)
    news = newsletter(zone=zone, weekly={"day": "sun", "send_time": "02:30"})
    handled = walk(news, first, last, Period.WEEKLY)
    assert len(handled) in {208, 209}
    assert {b - a for a, b in pairwise(handled)} == {7 * DAY}
    assert {WEEKDAYS[day.weekday()] for day in handled} == {"sun"}


def test_a_day_that_the_zone_left_out_has_no_slot() -> None:
    news = newsletter(zone="Pacific/Apia", send_time=time(7))
    assert next_release(news, datetime(2011, 12, 29, 18, tzinfo=UTC)) == datetime(2011, 12, 30, 17, tzinfo=UTC)
    assert due_slot(news, datetime(2011, 12, 30, 12, tzinfo=UTC))[0] == date(2011, 12, 29)


@pytest.mark.parametrize("seed", range(5))
def test_whatever_the_pauses_each_slot_is_handled_once(seed: int) -> None:
    random = Random(seed)
    news = newsletter(zone="Europe/London", send_time=time(1, 30), days=("mon", "wed", "thu", "sun"))
    at = datetime(2023, 1, 1, tzinfo=UTC)
    handled = [due_slot(news, at)[0]]
    while at < datetime(2024, 1, 1, tzinfo=UTC):
        at += timedelta(hours=random.choice([0.25, 1, 9, 40, 200, 900]))
        slots = open_slots(news, random.sample(handled, len(handled)), at)
        assert [slot.date for slot in slots] == sorted(slot.date for slot in slots)
        handled += [slot.date for slot in slots]
    wanted = [handled[0] + n * DAY for n in range((handled[-1] - handled[0]).days + 1)]
    assert handled == [day for day in wanted if WEEKDAYS[day.weekday()] in news.days]


def test_there_is_nothing_to_catch_up_where_nothing_was_ever_handled() -> None:
    news, now = newsletter(send_time=time(7)), datetime(2023, 3, 20, 12, tzinfo=UTC)
    assert [slot.date for slot in open_slots(news, (), now)] == [date(2023, 3, 20)]
    assert [slot.date for slot in open_slots(news, (date(2022, 3, 1),), now)] == [date(2023, 3, 20)]
    assert open_slots(news, (date(2023, 3, 20),), now) == ()
    assert open_slots(news, (date(2023, 3, 25),), now) == ()  # sent ahead of time, at first
    assert open_slots(news, (), now, Period.WEEKLY) == ()  # it has no weekly edition
