"""Rates hold in every window, are used nearly to the full, and survive being written down."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.mail.rates import PERIODS, Record, counted, spacing_seconds, wait_seconds
from digest.settings import Limits

START = 1_700_000_000.0


def send_greedily(limits: Limits, pauses: list[float]) -> list[float]:
    """When mails go that are offered after these pauses, each as soon as it may; the record is read anew each time."""
    now, text, went = START, "", []
    for pause in pauses:
        now += pause
        record = Record.read(text)
        now += wait_seconds(record, limits, now)
        assert wait_seconds(record, limits, now) <= 1e-6  # having waited, it may go
        text = str(counted(Record.read(text), limits, now))
        went.append(now)
    return went


def most_in_a_window(went: list[float], seconds: float) -> int:
    return max(sum(at <= other < at + seconds * (1 - 1e-9) for other in went) for at in went)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(0, 60), st.integers(0, 90),
       st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_no_window_holds_more_than_the_limit(second: int, minute: int, hour: int, pauses: list[float]) -> None:
    went = send_greedily(Limits(per_second=second, per_minute=minute, per_hour=hour), pauses)
    for period, most in (("second", second), ("minute", minute), ("hour", hour)):
        if most:
            assert most_in_a_window(went, PERIODS[period]) <= most


@pytest.mark.parametrize(("limits", "seconds"), [
    (Limits(per_second=14), 1.0), (Limits(per_minute=60), 60.0), (Limits(per_hour=500), 3600.0)])
def test_a_rate_is_used_nearly_to_the_full(limits: Limits, seconds: float) -> None:
    most = max(limits.per_second, limits.per_minute, limits.per_hour)
    went = send_greedily(limits, [0.0] * most * 5)
    assert (went[-1] - went[0]) / seconds <= 5 * 1.1


def test_a_record_stays_short() -> None:
    limits, record = Limits(per_hour=100_000), Record()
    for number in range(5000):
        record = counted(record, limits, START + number)
    assert len(str(record)) < 1000


def test_without_limits_nothing_waits() -> None:
    assert wait_seconds(Record(), Limits(), START) == 0 == spacing_seconds(Limits())
    assert str(counted(Record(), Limits(), START)) == "{}"


def test_a_clock_set_back_never_stops_mail_for_longer_than_a_period() -> None:
    record = counted(Record(), Limits(per_minute=1), START + 86_400)
    assert wait_seconds(record, Limits(per_minute=1), START) <= 60


def test_turns_are_as_far_apart_as_the_slowest_rate_asks() -> None:
    assert spacing_seconds(Limits(per_second=10, per_hour=60)) == 60
