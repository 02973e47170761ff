"""`digest search`, as a command."""

import json
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
    return CliRunner().invoke(cli, ["--instance", str(instance), "search", *arguments])


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """An instance that has seen an item of today and one of 40 days ago, which is backlog."""
    assert digest(tmp_path, "anything").exit_code == 0
    feed, now = a_feed(), datetime.now(UTC)
    news = [
        an_item(feed, "1", title="Gas prices rise", summary="A [bold] gas deal.", published_at=now, first_seen_at=now),
        an_item(feed, "2", title="Gas prices fall", published_at=now - timedelta(days=40), first_seen_at=now,
                backlog=True),
    ]
    engine = open_engine(Instance(tmp_path).database_url(Settings()))
    with engine.begin() as conn:
        add_feed(conn, feed)
        items.store(conn, feed, news, now)
        stories.record_joins(conn, [Join(news[0].id, news[0].id, now, 1.0)])
    engine.dispose()
    return tmp_path


def test_it_shows_days_and_sentences_with_their_words_marked(instance: Path) -> None:
    out = digest(instance, "gas deal").stdout
    assert "gas AND deal" in out and "1 item matches" in out
    assert f"{datetime.now(UTC):%Y-%m-%d}" in out and "· story " in out
    assert "A [bold] *gas* *deal*." in out
    assert "Nothing matches" in digest(instance, "uranium").stdout
    both = digest(instance, "price", "--since", "8w", "--limit", "1").stdout
    assert "2 items match" in both and "and 1 more: --limit" in both and "backlog" not in both


def test_programs_get_the_same(instance: Path) -> None:
    found = json.loads(digest(instance, "price", "--since", "2000-01-01", "--json").stdout)
    assert (found["query"], found["total"], found["exact"], len(found["days"])) == ("price", 2, True, 2)
    newer, older = found["items"]
    assert (newer["title"], newer["words"], newer["source"]) == ("Gas prices rise", ["prices"], "steppe-post")
    assert newer["story"] == newer["id"] and older["story"] is None and older["backlog"]
    earlier = json.loads(digest(instance, "price", "--since", "50", "--until", "24h", "--json").stdout)
    assert [item["title"] for item in earlier["items"]] == ["Gas prices fall"]


def test_regions_are_those_that_rules_see(tmp_path: Path) -> None:
    """A place name in the text says the region; what lies in it is of the wider one too."""
    assert digest(tmp_path, "anything").exit_code == 0
    feed, now = a_feed(), datetime.now(UTC)
    item = an_item(feed, "1", title="Gas prices rise in Kazakhstan", published_at=now, first_seen_at=now)
    engine = open_engine(Instance(tmp_path).database_url(Settings()))
    with engine.begin() as conn:
        add_feed(conn, feed)
        items.store(conn, feed, [item], now)
    engine.dispose()
    for query in ("region:Kazakhstan", 'gas region:"Central Asia"'):
        assert json.loads(digest(tmp_path, query, "--json").stdout)["total"] == 1, query
    assert json.loads(digest(tmp_path, "gas region:Mongolia", "--json").stdout)["total"] == 0


def test_mistakes_are_told(tmp_path: Path) -> None:
    result = digest(tmp_path, "gas OR OR oil")
    assert isinstance(result.exception, DigestError) and "  gas OR OR oil\n         ^\n" in result.stderr
    assert "Give a query" in digest(tmp_path).stderr
    assert "neither a time ago" in digest(tmp_path, "gas", "--since", "soon").stderr


def test_the_index_can_be_made_anew(instance: Path) -> None:
    assert "2 items are indexed" in digest(instance, "--reindex").stderr
    assert "1 item matches" in digest(instance, "deal", "--reindex").stdout
