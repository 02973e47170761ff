"""The archive on both databases."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Connection, Engine, insert, update

from digest.model import Period
from digest.storage import archive
from digest.storage.editions import insert_edition
from digest.storage.schema import editions, newsletters

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)


@pytest.fixture
def conn(engine: Engine) -> Connection:
    """Dailies of 17 to 20 March, a weekly one of the 19th, a draft of the 21st."""
    with engine.begin() as connection:
        connection.execute(insert(newsletters), [{"slug": "kazakhstan", "name": "Kazakhstan News"},
                                                 {"slug": "uzbekistan", "name": "Uzbekistan News"}])
        for day, period in [*((day, Period.DAILY) for day in range(17, 22)), (19, Period.WEEKLY)]:
            insert_edition(connection, newsletter="kazakhstan", date=date(2023, 3, day), cutoff_at=NOW, built_at=NOW,
                           config_version=1, view_text="{}", view_sha256="0" * 64, templates={}, stories=[],
                           period=period, state="sent")
        connection.execute(update(editions).where(editions.c.date == "2023-03-21").values(state="draft"))
        yield connection  # type: ignore[misc]


def days(conn: Connection, before: int | None = None, limit: int | None = None) -> list[str]:
    found = archive.archive_days(
        conn, "kazakhstan", before=date(2023, 3, before) if before else None, limit=limit)
    return [f"{day.date.day}{'w' if day.period is Period.WEEKLY else ''}" for day in found]


def test_the_newest_comes_first_and_no_draft(conn: Connection) -> None:
    assert days(conn) == ["20", "19w", "19", "18", "17"]
    assert archive.archive_days(conn, "uzbekistan") == []
    assert archive.archived_newsletters(conn) == ["kazakhstan"]


def test_a_page_never_parts_the_editions_of_a_day(conn: Connection) -> None:
    assert days(conn, limit=1) == ["20"]
    assert days(conn, limit=2) == ["20", "19w", "19"]
    assert days(conn, before=19, limit=2) == ["18", "17"]
    assert days(conn, before=17) == []


def test_a_draft_has_no_page(conn: Connection) -> None:
    assert archive.archived(conn, "kazakhstan", date(2023, 3, 21), Period.DAILY) is None
    assert archive.archived(conn, "kazakhstan", date(2023, 3, 20), Period.WEEKLY) is None
    week = archive.archived(conn, "kazakhstan", date(2023, 3, 19), Period.WEEKLY)
    assert week is not None and week.name == "kazakhstan/2023-03-19/weekly"


def test_an_editions_address_is_that_of_its_view(conn: Connection) -> None:
    assert [day.path for day in archive.archive_days(conn, "kazakhstan", limit=2)] == [
        "/kazakhstan/2023-03-20/", "/kazakhstan/2023-03-19/weekly/", "/kazakhstan/2023-03-19/"]
