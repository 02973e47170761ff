"""`digest alerts channel`: secrets are shown once, and what is wrong is said."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from digest.cli import cli
from digest.errors import DigestError
from digest.notify.webhook import signature
from tests.notify_server import receiving


def digest(instance: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--instance", str(instance), "alerts", *arguments])


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "digest.toml").write_text('[polling]\nallow = ["127.0.0.1"]\n')
    assert digest(tmp_path, "add", "gas", "--query", "gas", "--to", "ana@example.org").exit_code == 0
    return tmp_path


def test_the_secret_of_a_webhook_is_shown_once_and_signs_a_test(rule: Path) -> None:
    with receiving(204, 500) as receiver:
        made = digest(rule, "channel", "add", "gas", "--webhook", f"{receiver.url}?key=hidden")
        found = re.search(r"whsec_\S+", made.stdout)
        assert found and "Channel 2 of gas: webhook" in made.stdout and "hidden" not in made.stdout
        again = digest(rule, "channel", "add", "gas", "--webhook", f"{receiver.url}?key=hidden")
        assert "was there already (active)" in again.stdout and "whsec_" not in again.stdout
        listed = digest(rule, "channel", "list").stdout + digest(rule, "show", "gas").stdout
        assert "webhook" in listed and "hidden" not in listed and "whsec_" not in listed
        assert "took it" in digest(rule, "channel", "test", "2").stdout
        _, headers, body = receiver.got[0]
        assert headers["webhook-signature"] == signature(
            found[0], headers["webhook-id"], int(headers["webhook-timestamp"]), body)
        refused = digest(rule, "channel", "test", "2")
        assert refused.exit_code == 1 and "answered 500" in refused.output and "hidden" not in refused.output


def test_channels_are_paused_resumed_and_removed(rule: Path) -> None:
    made = digest(rule, "channel", "add", "gas", "--feed").stdout
    assert re.search(r"/alerts/feed/[\w-]{32}\.atom", made) and "not shown again" in made
    for command, said in (("pause", "paused"), ("resume", "active"), ("remove", "removed")):
        assert f"Channel 2 is {said}." in digest(rule, "channel", command, "2").stdout
    assert "No channels but mail" in digest(rule, "channel", "list", "gas").stdout


@pytest.mark.parametrize("options", [(), ("--feed", "--webhook", "https://example.org/")])
def test_one_kind_is_asked_for(rule: Path, options: tuple[str, ...]) -> None:
    result = digest(rule, "channel", "add", "gas", *options)
    assert result.exit_code == 2 and "Give one of" in result.output


@pytest.mark.parametrize("arguments", [
    ("add", "oil", "--feed"), ("add", "gas", "--webhook", "ftp://example.org"), ("add", "gas", "--chat", "json://x"),
    ("pause", "1"), ("remove", "99"), ("test", "1"), ("list", "oil")])
def test_what_is_not_there_is_named(rule: Path, arguments: tuple[str, ...]) -> None:
    assert isinstance(digest(rule, "channel", *arguments).exception, DigestError)
