"""Handled slots on both databases."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Connection, Engine, insert

from digest.model import Period
from digest.storage import slots
from digest.storage.editions import insert_edition
from digest.storage.schema import newsletters
from digest.storage.slots import SkippedSlot

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
FIRST = date(2023, 3, 1)


@pytest.fixture
def conn(engine: Engine) -> Connection:
    with engine.begin() as connection:
        connection.execute(insert(newsletters), [{"slug": "kazakhstan", "name": "Kazakhstan News"},
                                                 {"slug": "uzbekistan", "name": "Uzbekistan News"}])
        yield connection  # type: ignore[misc]


def make(conn: Connection, day: int, period: Period = Period.DAILY) -> None:
    insert_edition(conn, newsletter="kazakhstan", date=date(2023, 3, day), cutoff_at=NOW, built_at=NOW,
                   config_version=1, view_text="{}", view_sha256="0" * 64, templates={}, stories=[], period=period)


def days(conn: Connection, period: Period = Period.DAILY, newsletter: str = "kazakhstan") -> list[int]:
    return sorted(day.day for day in slots.handled_days(conn, newsletter, period, FIRST))


def test_an_edition_or_a_note_handles_a_slot_of_its_period(conn: Connection) -> None:
    make(conn, 18)
    make(conn, 19, Period.WEEKLY)
    assert slots.skip(conn, "kazakhstan", Period.DAILY, date(2023, 3, 19), "the machine was off", NOW)
    slots.skip(conn, "kazakhstan", Period.DAILY, date(2023, 2, 1), "long ago", NOW)
    assert days(conn) == [18, 19] and days(conn, Period.WEEKLY) == [19]
    assert days(conn, newsletter="uzbekistan") == []


def test_a_slot_is_skipped_once(conn: Connection) -> None:
    assert slots.skip(conn, "kazakhstan", Period.DAILY, date(2023, 3, 19), "the machine was off", NOW)
    assert not slots.skip(conn, "kazakhstan", Period.DAILY, date(2023, 3, 19), "another note", NOW)
    assert slots.skipped(conn, "kazakhstan") == [
        SkippedSlot("kazakhstan", Period.DAILY, date(2023, 3, 19), "the machine was off", NOW)]


def test_a_skipped_slot_that_got_its_edition_by_hand_is_not_listed(conn: Connection) -> None:
    for day in (17, 18, 19):
        slots.skip(conn, "kazakhstan", Period.DAILY, date(2023, 3, day), "off", NOW)
    make(conn, 18)
    make(conn, 19, Period.WEEKLY)
    assert [slot.date.day for slot in slots.skipped(conn, "kazakhstan")] == [19, 17]
    assert [slot.date.day for slot in slots.skipped(conn, "kazakhstan", limit=1)] == [19]
