from datetime import UTC, datetime, timedelta

import pytest

from digest.pipeline.schedule import Bounds, Rhythm, backoff, interval_of, next_poll, usual_gap

NOW = datetime(2026, 2, 17, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BOUNDS = Bounds(30 * MINUTE, 10 * MINUTE)


@pytest.mark.parametrize(("gap", "silence", "hint", "interval"), [
    (None, None, None, 30 * MINUTE),  # nothing is known
    (40 * MINUTE, 0 * DAY, None, 20 * MINUTE),  # half its usual gap
    (2 * MINUTE, 0 * DAY, None, 10 * MINUTE),  # not more often than the shortest
    (9 * HOUR, 0 * DAY, None, HOUR),  # with news of late, at least hourly
    (40 * MINUTE, 7 * DAY, None, 40 * MINUTE),
    (9 * HOUR, 14 * DAY, None, 4 * HOUR),
    (40 * MINUTE, 30 * DAY, None, DAY),
    (None, 8 * DAY, None, HOUR),
    (40 * MINUTE, 0 * DAY, HOUR, HOUR),  # not more often than it asks
    (40 * MINUTE, 0 * DAY, 5 * MINUTE, 20 * MINUTE),
    (40 * MINUTE, 0 * DAY, 3 * DAY, 6 * HOUR),  # but no news waits for days
])
def test_the_interval_follows_rhythm_silence_and_what_is_asked(
    gap: timedelta | None, silence: timedelta | None, hint: timedelta | None, interval: timedelta
) -> None:
    rhythm = Rhythm(gap, hint, NOW - silence if silence is not None else None)
    assert interval_of(rhythm, BOUNDS, NOW) == interval


def test_an_interval_of_its_own_goes_before_everything() -> None:
    assert interval_of(Rhythm(9 * HOUR, 6 * HOUR, NOW - 60 * DAY), BOUNDS, NOW, 5 * MINUTE) == 5 * MINUTE


def test_the_usual_gap_is_the_median_of_the_newest_items() -> None:
    old = [NOW - 400 * DAY - n * DAY for n in range(30)]
    assert usual_gap([NOW - n * HOUR for n in range(20)] + old) == HOUR
    assert usual_gap([NOW, NOW, NOW - HOUR, None, NOW - 3 * HOUR]) == 1.5 * HOUR  # one instant counts once
    assert usual_gap([NOW, NOW - HOUR, None]) is None


def test_failures_lengthen_the_interval_and_never_end_it() -> None:
    assert [backoff(n, 30 * MINUTE) // (30 * MINUTE) for n in range(7)] == [1, 1, 1, 2, 4, 8, 16]
    assert backoff(1000, 30 * MINUTE) == DAY


def test_feeds_do_not_stay_in_step() -> None:
    times = {next_poll(f"feed-{n}", NOW, HOUR) for n in range(50)}
    assert len(times) > 30 and all(54 * MINUTE <= time - NOW <= 66 * MINUTE for time in times)
    assert next_poll("feed-1", NOW, HOUR) == next_poll("feed-1", NOW, HOUR)
