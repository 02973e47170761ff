"""`digest alerts`, as commands."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from digest.cli import cli
from digest.errors import DigestError
from digest.model import Join
from digest.settings import Instance, Settings
from digest.storage import items, stories
from digest.storage.engine import open_engine
from tests.storage.worlds import a_feed, add_feed, an_item


def digest(instance: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--instance", str(instance), "alerts", *arguments])


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """An instance that has seen two items, one of them two days old."""
    assert digest(tmp_path, "list").exit_code == 0
    feed, now = a_feed(), datetime.now(UTC)
    news = [
        an_item(feed, "1", title="Gas prices rise", summary="A [bold] gas deal.", published_at=now, first_seen_at=now),
        an_item(feed, "2", title="Bread", published_at=now - timedelta(days=2), first_seen_at=now),
    ]
    engine = open_engine(Instance(tmp_path).database_url(Settings()))
    with engine.begin() as conn:
        add_feed(conn, feed)
        items.store(conn, feed, news, now)
        stories.record_joins(conn, [Join(item.id, item.id, now, 1.0) for item in news])
    engine.dispose()
    return tmp_path


def test_a_rule_is_added_listed_paused_resumed_and_removed(tmp_path: Path) -> None:
    added = digest(tmp_path, "add", "gas", "--query", 'gas OR "oil pipeline"', "--to", "Ana@Example.org")
    assert added.exit_code == 0
    assert 'gas: gas OR "oil pipeline"' in added.stdout and "ana@example.org" in added.stdout
    listed = " ".join(digest(tmp_path, "list").stdout.split())
    assert re.search(r"gas .*active.* 0 .* 0 .*never", listed)
    assert "paused" in digest(tmp_path, "pause", "gas").stdout and "paused" in digest(tmp_path, "list").stdout
    assert "active" in digest(tmp_path, "resume", "gas").stdout
    assert digest(tmp_path, "remove", "gas").exit_code == 0
    assert "No alert rules" in digest(tmp_path, "list").stdout


def test_a_mistake_is_shown_under_its_place(tmp_path: Path) -> None:
    result = digest(tmp_path, "add", "gas", "--query", "gas OR OR oil", "--to", "ana@example.org")
    assert isinstance(result.exception, DigestError)
    assert result.stderr == "  gas OR OR oil\n         ^\n"
    long = digest(tmp_path, "test", "gas " * 50 + "OR OR oil").stderr.splitlines()
    assert len(long[0]) <= 74 and long[0][long[1].index("^"):].startswith("OR oil")
    assert digest(tmp_path, "test", "(" + "gas " * 50).stderr.splitlines()[1] == "  ^"


def test_a_query_is_tried_without_storing_anything(instance: Path) -> None:
    shown = digest(instance, "test", "gas")
    assert "1 of 2 items match" in shown.stdout and "1 alert," in shown.stdout
    assert "A [bold] *gas* deal." in shown.stdout and "Steppe Post" in shown.stdout
    trial = json.loads(digest(instance, "test", "gas", "--since", "1", "--json").stdout)
    assert (trial["searched"], trial["items"], trial["alerts"], trial["since_days"]) == (1, 1, 1, 1)
    assert trial["samples"][0]["words"] == ["gas"] and trial["days"][0]["items"] == 1
    assert "0 of 2 items match" in digest(instance, "test", "coal").stdout


def test_an_archive_without_items_says_so(tmp_path: Path) -> None:
    assert "digest poll" in digest(tmp_path, "test", "gas").stdout
