"""`digest subscribers`, as a command."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from digest.cli import cli
from digest.errors import DigestError
from digest.services import subscribers
from digest.storage.engine import open_engine

ONE = 'name = "Steppe News"\nregion = "Steppe"\nregions = ["Steppe"]\n'
TWO = 'name = "Sea News"\nregion = "Sea"\nregions = ["Sea"]\n'


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    folder = tmp_path / "i" / "config" / "newsletters"
    folder.mkdir(parents=True)
    (folder / "steppe.toml").write_text(ONE)
    return tmp_path / "i"


def digest(instance: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--instance", str(instance), "subscribers", *arguments])


def test_a_reader_is_added_listed_and_removed(instance: Path) -> None:
    assert digest(instance, "list").stdout.startswith("No subscribers yet")
    assert digest(instance, "add", "Reader@example.org").stdout == "reader@example.org now reads steppe\n"
    assert digest(instance, "add", "reader@example.org").stdout == "reader@example.org reads already steppe\n"
    listed = digest(instance, "list").stdout
    assert all(word in listed for word in ("reader@example.org", "steppe", "active", "operator"))
    assert digest(instance, "remove", "reader@example.org").stdout == "reader@example.org no longer reads steppe\n"
    assert digest(instance, "remove", "reader@example.org").stdout == "reader@example.org reads nothing\n"


def test_who_left_needs_again(instance: Path) -> None:
    digest(instance, "add", "reader@example.org")
    digest(instance, "remove", "reader@example.org")
    refused = digest(instance, "add", "reader@example.org")
    assert refused.exit_code == 1 and "has left steppe" in refused.stderr and "--again" in refused.stderr
    assert digest(instance, "add", "--again", "reader@example.org").exit_code == 0
    engine = open_engine(f"sqlite:///{instance / 'var' / 'digest.sqlite3'}")
    with engine.begin() as conn:
        assert [s.state for s in subscribers.active_subscriptions(conn, "steppe")] == ["active"]
    engine.dispose()


def test_with_several_newsletters_one_is_named(instance: Path) -> None:
    (instance / "config" / "newsletters" / "sea.toml").write_text(TWO)
    refused = digest(instance, "add", "reader@example.org")
    assert refused.exit_code == 2 and "give --newsletter: sea, steppe" in refused.stderr
    assert digest(instance, "add", "reader@example.org", "--newsletter", "sea").exit_code == 0
    unknown = digest(instance, "add", "reader@example.org", "--newsletter", "moon")
    assert isinstance(unknown.exception, DigestError) and "known: sea, steppe" in str(unknown.exception)
    assert "steppe" not in digest(instance, "list", "--newsletter", "sea").stdout


@pytest.mark.parametrize("address", ["nobody", "a b@example.org"])
def test_a_bad_address_is_refused(instance: Path, address: str) -> None:
    refused = digest(instance, "add", address)
    assert isinstance(refused.exception, DigestError) and "cannot be used" in str(refused.exception)
