"""bench.crash, in short: kill -9 and SIGTERM of `digest serve` on both databases, judged by smtp-sink's dumps.

`make accept` runs it at the size that the product is held to.
"""

import re
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, make_url, text

from bench.crash import main
from bench.sink import program


@pytest.fixture(autouse=True)
def postfix() -> None:
    try:
        program("smtp-sink")
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture
def database(postgresql_url: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    server = make_url(postgresql_url)
    name = f"crash_{uuid.uuid4().hex[:12]}"
    admin = create_engine(server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    yield server.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    admin.dispose()


def last_line(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    code = main(list(arguments))
    printed = capsys.readouterr().out
    assert code == 0, printed
    return printed.splitlines()[-1]


def test_kill_9_on_sqlite(capsys: pytest.CaptureFixture[str]) -> None:
    line = last_line(capsys, "--recipients", "600", "--kills", "3")
    assert re.fullmatch(r"lost 0, duplicate 0, uncertain \d+", line)


def test_kill_9_of_one_of_two_on_postgresql(capsys: pytest.CaptureFixture[str], database: str) -> None:
    line = last_line(capsys, "--recipients", "600", "--kills", "3", "--database", database)
    assert re.fullmatch(r"lost 0, duplicate 0, uncertain \d+", line)


def test_sigterm_leaves_nothing_uncertain(capsys: pytest.CaptureFixture[str]) -> None:
    line = last_line(capsys, "--recipients", "600", "--kills", "3", "--signal", "TERM")
    assert line == "lost 0, duplicate 0, uncertain 0"


WHOLE = {"KILL": r"lost 0, duplicate 0, uncertain \d+", "TERM": "lost 0, duplicate 0, uncertain 0"}


@pytest.mark.accept
@pytest.mark.parametrize("how", ["KILL", "TERM"])
def test_the_whole_on_sqlite(capsys: pytest.CaptureFixture[str], how: str) -> None:
    line = last_line(capsys, "--signal", how)
    assert re.fullmatch(WHOLE[how], line)


@pytest.mark.accept
@pytest.mark.parametrize("how", ["KILL", "TERM"])
def test_the_whole_on_postgresql(capsys: pytest.CaptureFixture[str], database: str, how: str) -> None:
    line = last_line(capsys, "--signal", how, "--database", database)
    assert re.fullmatch(WHOLE[how], line)
