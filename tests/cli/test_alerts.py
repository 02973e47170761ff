"""`digest alerts`, as commands."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from digest.cli import cli
from digest.documents import Configuration, Gazetteer
from digest.errors import DigestError
from digest.model import Join
from digest.services.alerts import Context, fire
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
    assert "1 of 2 items match, in 1 story: 1 alert in 1 mail," in shown.stdout
    assert "A [bold] *gas* deal." in shown.stdout and "Steppe Post" in shown.stdout
    trial = json.loads(digest(instance, "test", "gas", "--since", "1", "--json").stdout)
    assert (trial["searched"], trial["items"], trial["stories"], trial["alerts"]) == (1, 1, 1, 1)
    assert trial["samples"][0]["words"] == ["gas"] and trial["days"][0]["items"] == 1
    assert "0 of 2 items match" in digest(instance, "test", "coal").stdout


def test_an_archive_without_items_says_so(tmp_path: Path) -> None:
    assert "digest poll" in digest(tmp_path, "test", "gas").stdout


def test_a_rule_is_shown_with_its_policy_and_the_versions_that_were(tmp_path: Path) -> None:
    digest(tmp_path, "add", "gas", "--query", "gas", "--to", "ana@example.org", "--to", "bek@example.org",
           "--quiet", "22:00-07:00", "--quiet-pass", "families>=4 AND gas", "--language", "en", "--language", "ru")
    edited = digest(tmp_path, "edit", "gas", "--quiet", "none", "--ceiling", "7", "--language", "none")
    assert "now version 2" in edited.stdout and "ceiling: 50 → 7" in edited.stdout
    assert "says so already" in digest(tmp_path, "edit", "gas", "--ceiling", "7").stdout
    shown = " ".join(digest(tmp_path, "show", "gas").stdout.split())
    for part in ("gas, version 2, active", "ceiling: 7", "to ana@example.org (mail)", "to bek@example.org (mail)",
                 "quiet: 22:00-07:00, passes: families>=4 AND gas → none", "languages: en, ru → none", "No alert yet"):
        assert part in shown, part


@pytest.mark.parametrize(("options", "said"), [
    (("--source", "nowhere"), "there is no 'nowhere' among the sources"), (("--zone", "Astana"), "IANA"),
    (("--quiet", "22:00"), "22:00-07:00"), (("--quiet-pass", "gas"), "--quiet-pass needs --quiet"),
    (("--ceiling", "-1"), "ceiling"), (("--hour", "7"), "time of day")])
def test_what_a_rule_may_not_say_is_told_with_its_name(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    result = digest(tmp_path, "add", "gas", "--query", "gas", "--to", "ana@example.org", *options)
    assert result.exit_code == 2 and said in result.stderr
    assert "No alert rules" in digest(tmp_path, "list").stdout


def test_rules_go_out_as_a_document_and_come_back(tmp_path: Path) -> None:
    digest(tmp_path, "add", "gas", "--query", "gas", "--to", "ana@example.org", "--cadence", "daily", "--hour", "18:30",
           "--quiet", "22:00-07:00")
    digest(tmp_path, "add", "desk", "--query", '"oil pipeline"', "--to", "bek@example.org", "--desk")
    document = tmp_path / "rules.toml"
    document.write_text(digest(tmp_path, "export").stdout)
    assert digest(tmp_path, "import", str(document)).stdout == "0 added, 0 changed, 2 unchanged\n"
    other = tmp_path / "other"
    other.mkdir()
    assert digest(other, "import", str(document)).stdout == "2 added, 0 changed, 0 unchanged\n"
    assert digest(other, "export").stdout.count("ana@example.org") == 1
    assert "18:30" in digest(other, "show", "gas").stdout and "22:00-07:00" in digest(other, "show", "gas").stdout
    assert digest(other, "export", "desk").stdout.count("[[alerts]]") == 1


def test_a_rule_of_a_document_is_edited_there(tmp_path: Path) -> None:
    (tmp_path / "config" / "alerts").mkdir(parents=True)
    (tmp_path / "config" / "alerts" / "desk.toml").write_text('[[alerts]]\nname = "gas"\nquery = "gas"\n')
    assert "desk" in digest(tmp_path, "list").stdout
    for command in (("edit", "gas", "--ceiling", "1"), ("remove", "gas")):
        assert "config/alerts/desk.toml" in str(digest(tmp_path, *command).exception)


def test_the_log_says_why_when_and_what_became_of_it(instance: Path) -> None:
    digest(instance, "add", "gas", "--query", "gas", "--to", "ana@example.org", "--cadence", "daily")
    engine = open_engine(Instance(instance).database_url(Settings()))
    now, feed = datetime.now(UTC), a_feed()
    item = an_item(feed, "3", title="Gas again", first_seen_at=now)
    with engine.begin() as conn:
        items.store(conn, feed, [item], now)
        stories.record_joins(conn, [Join(item.id, item.id, now, 1.0)])
    fire(engine, Context(Settings(), Configuration({}, {}, (), Gazetteer({}))), now)
    engine.dispose()
    [line] = [json.loads(text) for text in digest(instance, "log", "gas", "--json").stdout.splitlines()]
    assert (line["rule"], line["version"], line["why"], line["held_by"]) == ("gas", 1, ["first"], "cadence")
    assert line["targets"] == ["mail:ana@example.org waiting"] and line["story"] == item.id
    assert digest(instance, "log", "--csv").stdout.splitlines()[1].count("Gas again") == 1
    assert "first" in digest(instance, "log").stdout
    assert "“Gas again” is flagged" in digest(instance, "flag", item.id).stdout
    assert "no story" in str(digest(instance, "flag", "nothing").exception)
