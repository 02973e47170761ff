"""When alerts are told: cadence, cool-down, ceiling, quiet hours, and the nights on which clocks change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.alert_rules import AlertSpec, QuietHours
from digest.documents import Newsletter
from digest.model import Frequency, Preferences, Subscriber, Subscription
from digest.pipeline.alert_timing import CADENCE, CEILING, COOL_DOWN, QUIET, Pace, Told, next_digest, quiet_end, told_at

BERLIN, ALMATY, KATHMANDU = "Europe/Berlin", "Asia/Almaty", "Asia/Kathmandu"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def told(at: str, zone: str = "UTC", pace: Pace | None = None, passes: bool = False, digest_at: datetime | None = None,
         **spec: Any) -> tuple[str, str]:
    found = told_at(AlertSpec(query="gas", **spec), utc(at), pace or Pace(), zone, passes=passes, digest_at=digest_at)
    return found.at.strftime("%Y-%m-%dT%H:%M"), found.held_by


def quiet(start: str, end: str) -> dict[str, str]:
    return {"start": start, "end": end}


@pytest.mark.parametrize(("zone", "at", "expected"), [
    ("UTC", "2026-02-17T12:00", ("2026-02-17T12:00", "")),
    ("UTC", "2026-02-17T12:01", ("2026-02-17T13:00", CADENCE)),
    (KATHMANDU, "2026-02-17T12:01", ("2026-02-17T12:15", CADENCE)),  # UTC+5:45
])
def test_hourly_bundles_go_at_the_full_hour_of_the_zone(zone: str, at: str, expected: tuple[str, str]) -> None:
    assert told(at, zone, cadence="hourly") == expected


@pytest.mark.parametrize(("at", "expected"), [
    ("2026-02-17T05:59", "2026-02-17T06:00"),
    ("2026-02-17T06:00", "2026-02-17T06:00"),
    ("2026-02-17T06:01", "2026-02-18T06:00"),
    ("2026-03-29T00:30", "2026-03-29T05:00"),  # the clock goes on at 01:00 UTC
])
def test_daily_bundles_go_at_the_hour_of_the_zone(at: str, expected: str) -> None:
    assert told(at, BERLIN, cadence="daily", hour="07:00")[0] == expected


def test_with_the_digest_is_when_it_comes_and_daily_without_one() -> None:
    due = utc("2026-02-17T14:00")
    assert told("2026-02-17T12:00", digest_at=due, cadence="digest") == ("2026-02-17T14:00", CADENCE)
    assert told("2026-02-17T12:00", cadence="digest", hour="13:00") == ("2026-02-17T13:00", CADENCE)


@pytest.mark.parametrize(("at", "end"), [
    ("2026-02-17T20:59", None), ("2026-02-17T21:00", "2026-02-18T06:00"), ("2026-02-18T02:00", "2026-02-18T06:00"),
    ("2026-02-18T05:59", "2026-02-18T06:00"), ("2026-02-18T06:00", None),
    ("2026-03-29T00:59", "2026-03-29T05:00"),  # a night of seven hours
    ("2026-10-25T00:30", "2026-10-25T06:00"),  # and one of nine
])
def test_quiet_hours_may_go_over_midnight_and_over_nights_of_other_lengths(at: str, end: str | None) -> None:
    found = quiet_end(QuietHours.model_validate(quiet("22:00", "07:00")), utc(at), BERLIN)
    assert found == (utc(end) if end else None)


@pytest.mark.parametrize(("span", "at", "end"), [
    (("01:00", "02:30"), "2026-03-29T00:30", "2026-03-29T01:00"),  # 02:30 is skipped: quiet until the gap's end
    (("02:30", "05:00"), "2026-03-29T00:59", None),  # 02:30 is skipped: quiet from the gap's end on
    (("02:30", "05:00"), "2026-03-29T01:00", "2026-03-29T03:00"),
    (("00:00", "02:30"), "2026-10-25T01:00", "2026-10-25T01:30"),  # 02:30 comes twice: quiet until the second
    (("02:30", "04:00"), "2026-10-25T00:45", "2026-10-25T03:00"),  # from the first
    (("12:00", "13:00"), "2026-02-17T11:30", "2026-02-17T12:00"),
])
def test_ends_of_quiet_hours_that_the_clock_skips_or_shows_twice(
    span: tuple[str, str], at: str, end: str | None
) -> None:
    found = quiet_end(QuietHours.model_validate(quiet(*span)), utc(at), BERLIN)
    assert found == (utc(end) if end else None)


def test_quiet_hours_hold_and_some_stories_pass() -> None:
    night = quiet("22:00", "07:00")
    assert told("2026-02-17T23:00", quiet=night) == ("2026-02-18T07:00", QUIET)
    assert told("2026-02-17T23:00", quiet=night, passes=True) == ("2026-02-17T23:00", "")
    assert told("2026-02-17T21:30", quiet=night, cadence="hourly") == ("2026-02-18T07:00", QUIET)
    assert told("2026-02-17T21:30", quiet=night) == ("2026-02-17T21:30", "")


def test_a_cool_down_holds_until_it_is_over_and_what_comes_meanwhile_goes_along() -> None:
    pace = Pace(last=utc("2026-02-17T12:00"))
    assert told("2026-02-17T12:10", pace=pace, cool_down_minutes=60) == ("2026-02-17T13:00", COOL_DOWN)
    assert told("2026-02-17T13:00", pace=pace, cool_down_minutes=60) == ("2026-02-17T13:00", "")
    pending = Pace(last=utc("2026-02-17T13:00"))
    assert told("2026-02-17T12:20", pace=pending, cool_down_minutes=60) == ("2026-02-17T13:00", COOL_DOWN)


def test_a_ceiling_holds_the_rest_of_a_day_until_the_next_one_in_the_zone() -> None:
    pace = Pace()
    for _ in range(2):
        pace.note(Told(utc("2026-02-17T19:30")), ALMATY)  # 00:30 of the 18th there
    assert told("2026-02-17T20:00", ALMATY, pace, ceiling=2) == ("2026-02-18T19:00", CEILING)
    assert told("2026-02-17T18:00", ALMATY, pace, ceiling=2) == ("2026-02-17T18:00", "")
    assert told("2026-02-17T20:00", ALMATY, pace, ceiling=0) == ("2026-02-17T20:00", "")
    assert told("2026-02-17T20:00", ALMATY, pace, ceiling=2, quiet=quiet("23:00", "07:00")) == (
        "2026-02-19T02:00", CEILING)
    pace.note(Told(utc("2026-02-18T19:00"), CEILING), ALMATY)  # what a ceiling held counts on no day
    assert told("2026-02-18T19:30", ALMATY, pace, ceiling=2) == ("2026-02-18T19:30", "")


@given(at=st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: utc("2025-01-01") + timedelta(minutes=minutes)),
       start=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
       end=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
       zone=st.sampled_from([BERLIN, ALMATY, "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca"]),
       cadence=st.sampled_from(["now", "hourly", "daily"]))
def test_nothing_is_told_early_in_quiet_hours_or_more_than_two_days_late(
    at: datetime, start: Any, end: Any, zone: str, cadence: str
) -> None:
    if start == end:
        return
    spec = AlertSpec.model_validate({"query": "gas", "cadence": cadence, "quiet": {"start": start, "end": end}})
    assert spec.quiet is not None
    found = told_at(spec, at, Pace(), zone)
    assert at <= found.at <= at + timedelta(days=2, hours=3)
    assert quiet_end(spec.quiet, found.at, zone) is None
    assert bool(found.held_by) == (found.at > at)


def test_the_next_digest_is_the_earliest_copy_that_the_reader_gets() -> None:
    newsletters = {slug: Newsletter.model_validate(
        {"slug": slug, "name": slug, "region": "Kazakhstan", "zone": "UTC", "send_time": hour, "sources": ["post"],
         "weekly": {"day": "sun", "send_time": "08:00"}}) for slug, hour in (("one", "07:00"), ("two", "05:00"))}

    def reads(newsletter: str, state: str = "active", **wanted: Any) -> Subscription:
        at = utc("2026-01-01")
        return Subscription(1, Subscriber(1, "a@x.org", "operator", at), newsletter, state, at, (),
                            Preferences(**wanted))

    tuesday = utc("2026-02-17T12:00")
    assert next_digest([reads("one"), reads("two")], newsletters, tuesday) == utc("2026-02-18T05:00")
    assert next_digest([reads("one", hour="18:30", zone="UTC")], newsletters, tuesday) == utc("2026-02-17T18:30")
    assert next_digest([reads("one", frequency=Frequency.WEEKLY)], newsletters, tuesday) == utc("2026-02-22T08:00")
    assert next_digest([reads("one", state="left"), reads("gone")], newsletters, tuesday) is None
