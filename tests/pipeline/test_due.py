"""Readers' own hours, through the nights when clocks change; frequency, pauses and what was missed."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from digest.documents import Newsletter
from digest.model import Frequency, Period, Preferences
from digest.pipeline.due import Released, due_at, due_of, missed
from tests.pipeline.worlds import newsletter

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("released", "hour", "zone", "expected"), [
    ("2024-06-03T02:00", None, "Europe/Berlin", "2024-06-03T02:00"),  # at release
    ("2024-06-03T02:00", "04:00", "Europe/Berlin", "2024-06-03T02:00"),  # at that very instant
    ("2024-06-03T02:01", "04:00", "Europe/Berlin", "2024-06-04T02:00"),  # a minute too late: tomorrow
    ("2024-06-03T02:00", "07:00", "America/New_York", "2024-06-03T11:00"),  # Sunday evening there; due on Monday
    ("2024-06-03T02:00", "07:00", "Asia/Kathmandu", "2024-06-04T01:15"),  # UTC+5:45
    ("2024-02-28T02:00", "07:00", "Asia/Almaty", "2024-02-29T01:00"),  # UTC+6 for the last time
    ("2024-02-29T02:00", "07:00", "Asia/Almaty", "2024-03-01T02:00"),  # UTC+5
    ("2024-02-29T12:00", "23:30", "Asia/Almaty", "2024-02-29T17:30"),  # shown twice: the first time
    ("2024-02-29T17:45", "23:30", "Asia/Almaty", "2024-02-29T18:30"),  # released between the two: the second
    ("2024-03-30T12:00", "02:30", "Europe/Berlin", "2024-03-31T01:00"),  # skipped: the first instant after the gap
    ("2024-03-31T01:00", "02:30", "Europe/Berlin", "2024-03-31T01:00"),
    ("2024-03-31T01:01", "02:30", "Europe/Berlin", "2024-04-01T00:30"),
    ("2024-11-03T05:40", "01:30", "America/New_York", "2024-11-03T06:30"),
    ("2024-10-05T12:00", "02:15", "Australia/Lord_Howe", "2024-10-05T15:30"),  # a gap of half an hour
    ("2024-04-06T14:50", "01:45", "Australia/Lord_Howe", "2024-04-06T15:15"),  # half an hour shown twice
    ("2011-12-29T18:00", "07:00", "Pacific/Apia", "2011-12-30T17:00"),  # 30 December was left out
    ("2024-03-30T12:00", "23:30", "America/Nuuk", "2024-03-31T01:00"),  # the gap ends with the day
])
def test_a_copy_is_due_at_the_hour_where_its_reader_is(released: str, hour: str | None, zone: str,
                                                       expected: str) -> None:
    assert due_at(utc(released), hour, zone) == utc(expected)


ZONES = ("Asia/Almaty", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia",
         "Africa/Cairo", "America/Nuuk", "UTC")
CHANGES = ("2011-12-30T10:00", "2024-02-29T18:00", "2024-03-10T07:00", "2024-03-31T01:00", "2024-04-06T15:00",
           "2024-04-25T22:00", "2024-10-05T15:30", "2024-10-27T01:00", "2024-10-31T21:00", "2024-11-03T06:00")


def walked(released: datetime, hour: str, zone: str) -> datetime:
    """The due instant, found by looking at the clock every minute."""
    wall, at = time.fromisoformat(hour), released
    while True:
        shown, before = (t.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for t in (at, at - MINUTE))
        if shown.time() == wall:
            return at
        if MINUTE < shown - before < DAY:  # the clock was set forward; a day left out whole has no hours
            hours = (datetime.combine(day, wall) for day in (before.date(), shown.date()))
            if any(before < hour < shown for hour in hours):
                return at
        at += MINUTE


@pytest.mark.parametrize("zone", ZONES)
def test_it_is_what_a_look_at_the_clock_every_minute_finds(zone: str) -> None:
    random = Random(zone)
    for change in CHANGES:
        for _ in range(8):
            released = utc(change) + random.randint(-40 * 60, 4 * 60) * MINUTE
            near = (utc(change) + random.randint(-120, 120) * MINUTE).astimezone(ZoneInfo(zone))
            hour = f"{near:%H:%M}" if random.random() < 0.7 else f"{random.randrange(24):02}:{random.randrange(60):02}"
            assert due_at(released, hour, zone) == walked(released, hour, zone), (released, hour)


@pytest.mark.parametrize("zone", ZONES)
def test_consecutive_editions_are_due_in_their_order_and_never_before_their_release(zone: str) -> None:
    for hour in ("00:00", "00:30", "01:30", "02:30", "07:00", "23:59"):
        released = utc("2023-12-31T02:00")
        dues = []
        for _ in range(370):
            dues.append(due_at(released, hour, zone))
            assert timedelta() <= dues[-1] - released < timedelta(hours=25)
            released += DAY
        assert dues == sorted(dues)  # two at once where the reader's clock is set back between them


def released(day: str, at: str = "02:00", period: Period = Period.DAILY) -> Released:
    return Released(period, date.fromisoformat(day), utc(f"{day}T{at}"))


NEWS = newsletter()
WEEKS = newsletter(weekly={"day": "sun"})
FRIDAY, SATURDAY, SUNDAY, MONDAY = (released(f"2024-06-{day:02}") for day in (7, 8, 9, 10))
WEEK = released("2024-06-09", period=Period.WEEKLY)


@pytest.mark.parametrize(("frequency", "news", "edition", "wanted"), [
    (Frequency.DAILY, WEEKS, SUNDAY, True),
    (Frequency.DAILY, WEEKS, WEEK, False),
    (Frequency.WEEKDAYS, WEEKS, FRIDAY, True),
    (Frequency.WEEKDAYS, WEEKS, SATURDAY, False),
    (Frequency.WEEKDAYS, WEEKS, WEEK, False),
    (Frequency.WEEKLY, WEEKS, WEEK, True),
    (Frequency.WEEKLY, WEEKS, SUNDAY, False),
    (Frequency.WEEKLY, NEWS, SUNDAY, True),  # no weekly edition: the daily one of the last day
    (Frequency.WEEKLY, NEWS, MONDAY, False),
    (Frequency.WEEKLY, newsletter(days=("mon", "fri")), FRIDAY, True),
])
def test_an_edition_is_due_for_those_who_want_it(frequency: Frequency, news: Newsletter, edition: Released,
                                                 wanted: bool) -> None:
    due = due_of(Preferences(frequency=frequency), news, edition)
    assert due == (edition.at if wanted else None)


def test_weekdays_are_those_of_the_reader() -> None:
    reader = Preferences(frequency=Frequency.WEEKDAYS, hour="20:00", zone="America/New_York")
    due = [due_of(reader, NEWS, edition) for edition in (FRIDAY, SATURDAY, SUNDAY, MONDAY)]
    assert due == [utc("2024-06-08T00:00"), None, None, utc("2024-06-11T00:00")]  # Friday and Monday evening there
    evening = Preferences(frequency=Frequency.WEEKDAYS, hour="21:00", zone="America/New_York")  # the evening before
    assert [due_of(evening, NEWS, edition) is not None for edition in (released("2024-06-08", "01:00"), MONDAY)] == [
        True, True]


def test_nothing_comes_before_a_pause_ends() -> None:
    reader = Preferences(paused_until=date(2024, 6, 9))
    assert [due_of(reader, NEWS, edition) for edition in (FRIDAY, SATURDAY, SUNDAY, MONDAY)] == [
        None, None, SUNDAY.at, MONDAY.at]


def test_a_zone_that_is_not_known_any_more_gives_way_to_the_newsletters() -> None:
    reader = Preferences(hour="08:30", zone="Mars/Olympus")
    assert due_of(reader, NEWS, MONDAY) == utc("2024-06-10T03:30")


def test_missed_is_what_was_wanted_since_the_last_edition_that_came() -> None:
    wanted, joined = (FRIDAY, SATURDAY, SUNDAY), utc("2024-01-01T00:00")
    assert missed(wanted, (FRIDAY,), joined) == (SUNDAY, SATURDAY)
    assert missed(wanted, (SUNDAY,), joined) == ()
    assert missed(wanted, (), joined) == ()  # a new reader has missed nothing
    assert missed((FRIDAY, SATURDAY), (released("2024-06-07", "04:00", Period.WEEKLY),), joined) == (SATURDAY,)
    assert missed(wanted, (released("2024-05-01"),), SUNDAY.at) == (SUNDAY,)  # came back on Sunday
