"""`digest topics`, as commands."""

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
from tests.storage.worlds import a_feed, an_item

NEWSLETTER = """
name = "Steppe News"
region = "Kazakhstan"
send_time = "00:00"
sources = ["steppe-post"]
[[topics]]
slug = "energy"
title = "Energy"
titles = { ru = "Энергия" }
query = "gas OR oil"
"""
SOURCES = """
[[sources]]
slug = "steppe-post"
name = "Steppe Post"
[[sources.feeds]]
url = "https://steppe-post.example/feed"
region = "Kazakhstan"
language = "en"
"""


def digest(instance: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--instance", str(instance), "topics", *arguments])


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """An instance with three stories of the hours before yesterday's edition, two of them about energy."""
    for folder, text in (("newsletters/steppe.toml", NEWSLETTER), ("sources/steppe.toml", SOURCES)):
        path = tmp_path / "config" / folder
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    assert digest(tmp_path, "list").exit_code == 0
    feed = a_feed(region="Kazakhstan", language="en")
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    news = [an_item(feed, str(n), title=title, published_at=at, first_seen_at=at)
            for n, title in enumerate(("Gas prices rise", "Oil field found", "Bread is baked"))
            if (at := midnight - timedelta(hours=3 + n))]
    engine = open_engine(Instance(tmp_path).database_url(Settings()))
    for item in news:
        with engine.begin() as conn:
            items.store(conn, feed, [item], item.first_seen_at)
            stories.record_joins(conn, [Join(item.id, item.id, item.first_seen_at, 1.0)])
    engine.dispose()
    return tmp_path


def test_topics_are_listed_with_what_they_matched(instance: Path) -> None:
    listed = json.loads(digest(instance, "list", "--json").stdout)
    assert (listed["newsletter"], listed["stories"], len(listed["topics"])) == ("steppe", 3, 1)
    assert (listed["topics"][0]["slug"], listed["topics"][0]["matched"], listed["topics"][0]["claimed"]) == (
        "energy", 2, 2)
    out = digest(instance, "list", "steppe", "--days", "3").stdout
    assert "3 stories of the last 3 days, 1 of them claimed by no topic" in out


def test_a_topic_or_a_query_is_tried(instance: Path) -> None:
    out = digest(instance, "test", "energy", "--limit", "1").stdout
    assert "gas OR oil" in out and "2 of 3 stories of the last 7 days match" in out
    assert "1 of 1  Gas prices rise (Steppe Post, story " in out and "and 1 more: --limit" in out
    found = json.loads(digest(instance, "test", "bread", "--json").stdout)
    assert (found["matched"], found["claimed"], [s["title"] for s in found["samples"]]) == (1, 1, ["Bread is baked"])
    mistake = digest(instance, "test", "gas OR OR oil")
    assert isinstance(mistake.exception, DigestError) and mistake.stderr.startswith("  gas OR OR oil\n         ^\n")


def test_a_change_is_shown_by_what_enters_leaves_and_moves(instance: Path) -> None:
    heavier = digest(instance, "diff", "energy", "--query", "bread", "--weight", "3").stdout
    assert "+ lead: Bread is baked" in heavier and "− lead: Gas prices rise" in heavier
    assert "energy: query bread, weight 3.0" in heavier
    without = digest(instance, "diff", "energy", "--without").stdout
    assert "Oil field found (Energy → Latest from Kazakhstan)" in without
    new = digest(instance, "diff", "food", "--query", "bread", "--days", "2").stdout
    assert "Bread is baked (Latest from Kazakhstan → Food)" in new
    assert "nothing differs" in digest(instance, "diff", "energy", "--weight", "1").stdout


def test_a_change_must_be_named(instance: Path) -> None:
    assert "Say what is to change" in digest(instance, "diff", "energy").stderr
    assert "Say what is to change" in digest(instance, "diff", "energy", "--without", "--cap", "1").stderr
    assert isinstance(digest(instance, "diff", "unknown", "--without").exception, DigestError)
