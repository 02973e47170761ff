"""Slots that are made, caught up or skipped, whatever the pauses of the machine."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import Engine, insert

from digest.model import Period
from digest.services.slots import list_skipped, to_make
from digest.storage.editions import insert_edition
from digest.storage.engine import read_only
from digest.storage.schema import newsletters
from tests.pipeline.worlds import newsletter

SEVEN = datetime(2023, 3, 20, 1, tzinfo=UTC)  # 07:00 in Almaty on Monday, 20 March
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEWS = newsletter(send_time=time(7), max_lateness_hours=30)
WEEKLY = newsletter(send_time=time(7), weekly={"day": "sun", "send_time": "08:00"})


@pytest.fixture
def world(sqlite_engine: Engine) -> Iterator[Engine]:
    with sqlite_engine.begin() as conn:
        conn.execute(insert(newsletters), [{"slug": "kazakhstan", "name": "Kazakhstan News"}])
    yield sqlite_engine


def make(engine: Engine, day: date, period: Period = Period.DAILY) -> None:
    with engine.begin() as conn:
        insert_edition(conn, newsletter="kazakhstan", date=day, cutoff_at=SEVEN, built_at=SEVEN, config_version=1,
                       view_text="{}", view_sha256="0" * 64, templates={}, stories=[], period=period)


def notes(engine: Engine) -> list[tuple[int, str]]:
    with read_only(engine) as conn:
        return [(slot.date.day, slot.note) for slot in reversed(list_skipped(conn, "kazakhstan"))]


def test_a_due_slot_is_made_until_it_has_its_edition(world: Engine) -> None:
    assert [slot.date for slot in to_make(world, NEWS, SEVEN)] == [date(2023, 3, 20)]
    make(world, date(2023, 3, 20))
    assert to_make(world, NEWS, SEVEN + HOUR) == ()
    assert [slot.date for slot in to_make(world, NEWS, SEVEN + DAY)] == [date(2023, 3, 21)]


def test_missed_slots_are_caught_up_or_skipped_with_a_note(world: Engine) -> None:
    make(world, date(2023, 3, 16))
    now = SEVEN + 2 * HOUR
    for _ in range(2):  # as after a restart
        assert [slot.date.day for slot in to_make(world, NEWS, now)] == [19, 20]
        assert notes(world) == [(17, "no edition within 30 h of its release: nothing was running"),
                                (18, "no edition within 30 h of its release: nothing was running")]


def test_a_note_says_why_an_edition_was_never_made(world: Engine) -> None:
    make(world, date(2023, 3, 19))
    assert to_make(world, NEWS, SEVEN + 31 * HOUR, lambda slot: f"no story on {slot.date}")[0].date.day == 21
    assert notes(world) == [(20, "no edition within 30 h of its release: no story on 2023-03-20")]


def test_a_new_newsletter_has_missed_nothing(world: Engine) -> None:
    strict = newsletter(send_time=time(7), max_lateness_hours=1)
    assert to_make(world, strict, SEVEN + 5 * HOUR) == ()
    assert notes(world) == []


def test_the_week_has_slots_of_its_own(world: Engine) -> None:
    sunday = SEVEN - DAY + 2 * HOUR
    assert [(slot.period, slot.date.day) for slot in to_make(world, WEEKLY, sunday)] == [
        (Period.DAILY, 19), (Period.WEEKLY, 19)]
    make(world, date(2023, 3, 19), Period.WEEKLY)
    assert [slot.period for slot in to_make(world, WEEKLY, sunday)] == [Period.DAILY]
