"""The engine keeps instants aware, takes the write lock at once, and the schema matches its migrations."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import StatementError

from digest.storage.engine import read_only
from digest.storage.migrate import migrate, revision_of
from digest.storage.schema import config_versions, cursors, metadata

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_instants_come_back_aware_and_in_utc(engine: Engine) -> None:
    almaty = NOON.astimezone(timezone(timedelta(hours=5)))
    with engine.begin() as connection:
        connection.execute(insert(config_versions).values(version=1, author="editor", at=almaty))
        at = connection.execute(select(config_versions.c.at)).scalar_one()
    assert at == NOON
    assert at.utcoffset() == timedelta(0)


def test_naive_instants_are_refused(engine: Engine) -> None:
    with pytest.raises(StatementError, match="naive datetime"), engine.begin() as connection:
        connection.execute(insert(config_versions).values(version=1, author="editor", at=NOON.replace(tzinfo=None)))


def test_no_update_of_two_writers_is_lost(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(cursors).values(name="counter", position=0))

    def count_up() -> None:
        for _ in range(20):
            with engine.begin() as connection:
                row = select(cursors.c.position).with_for_update()
                value = connection.execute(row).scalar_one()
                connection.execute(update(cursors).values(position=value + 1))

    threads = [threading.Thread(target=count_up) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with read_only(engine) as connection:
        assert connection.execute(select(cursors.c.position)).scalar_one() == 60


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    before = revision_of(engine)
    migrate(engine)
    assert revision_of(engine) == before is not None


def test_the_migrations_make_the_schema(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={
            "compare_type": True, "compare_server_default": False,
            "include_name": lambda name, kind, _: kind != "table" or not name.startswith("search_index")})
        assert compare_metadata(context, metadata) == []
