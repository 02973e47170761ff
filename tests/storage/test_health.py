"""What the doctor asks the database."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.model import Message
from digest.storage import health
from digest.storage.deliveries import insert as queue
from digest.storage.deliveries import store_message
from digest.storage.engine import read_only
from digest.storage.migrate import revision_of

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_a_database_that_can_be_written_is_named_with_its_schema(engine: Engine) -> None:
    found = health.look(engine.url.render_as_string(hide_password=False))
    assert (found.dialect, found.trouble, found.schema) == (engine.dialect.name, "", revision_of(engine))
    assert found.version[0].isdigit()


def test_the_newest_instant_is_that_of_the_ledger_too(engine: Engine) -> None:
    with engine.begin() as conn:
        assert health.newest_instant(conn) is None
        queue(conn, subject="test:1", channel="mail", target="a@example.org", unsubscribe="test", mail_id="0" * 32,
              message_id=store_message(conn, Message("s", "h", "t")), due_at=NOON, now=NOON)
        assert health.newest_instant(conn) == NOON


def test_only_a_server_has_a_clock_of_its_own(engine: Engine) -> None:
    with read_only(engine) as conn:
        at = health.server_time(conn)
    assert (at is None) == (engine.dialect.name == "sqlite")
    assert at is None or at.tzinfo is not None


@pytest.mark.parametrize("url", [
    "nonsense", "mysql://a@127.0.0.1/b", "postgresql://nobody:secret@127.0.0.1:9/none",
    "sqlite:////proc/none/x.sqlite3"])
def test_what_cannot_be_written_says_why_and_tells_no_password(url: str) -> None:
    found = health.look(url)
    assert found.trouble
    assert "secret" not in f"{found.place} {found.trouble}"


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite3").write_text("a letter, and a long one, to whom it may concern" * 50)
    assert "not a database" in health.look(f"sqlite:///{tmp_path / 'x.sqlite3'}").trouble
