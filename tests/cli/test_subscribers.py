"""`digest subscribers`, as a command."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from digest.cli import cli
from digest.errors import DigestError
from digest.services import bounces, subscribers
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


def test_a_long_list_says_how_much_more_there_is(instance: Path) -> None:
    for name in ("anna", "boris", "clara"):
        digest(instance, "add", f"{name}@example.org")
    digest(instance, "remove", "anna@example.org")
    listed = digest(instance, "list", "--limit", "2").stdout
    assert "boris@example.org" in listed and "clara" not in listed and "and 1 more: digest subscribers export" in listed
    left = digest(instance, "list", "--state", "left").stdout
    assert "anna@example.org" in left and "boris" not in left and "more" not in left


def test_who_is_suppressed_is_added_with_a_warning(instance: Path) -> None:
    digest(instance, "add", "reader@example.org")
    engine = open_engine(f"sqlite:///{instance / 'var' / 'digest.sqlite3'}")
    with engine.begin() as conn:
        bounces.suppress(conn, "reader@example.org", "asked by letter", datetime(2023, 3, 20, tzinfo=UTC))
    engine.dispose()
    assert "but gets no mail (operator: asked by letter)" in digest(instance, "add", "reader@example.org").stdout
    assert "gets no mail: operator: asked by letter" in digest(instance, "show", "reader@example.org").stdout


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


def test_preferences_are_set_and_shown(instance: Path) -> None:
    digest(instance, "add", "reader@example.org")
    done = digest(instance, "set", "reader@example.org", "--frequency", "weekly", "--hour", "07:30", "--zone",
                  "Europe/Berlin", "--hidden-sections", "brief")
    assert done.stdout == ("reader@example.org reads steppe: frequency weekly, hour 07:30, zone Europe/Berlin, "
                           "hidden_sections brief, format html\n")
    shown = digest(instance, "show", "Reader@example.org").stdout
    assert "consent: operator" in shown and "steppe: active" in shown and "hour 07:30" in shown
    assert json.loads(digest(instance, "show", "reader@example.org", "--json").stdout)["consent"] == "operator"
    assert digest(instance, "set", "reader@example.org").exit_code == 2
    refused = digest(instance, "set", "reader@example.org", "--hour", "noon")
    assert isinstance(refused.exception, DigestError) and "Write the hour like 07:30." in str(refused.exception)
    nobody = digest(instance, "set", "nobody@example.org", "--hour", "07:30")
    assert isinstance(nobody.exception, DigestError) and "no subscriber" in str(nobody.exception)


def test_an_address_is_replaced_and_a_reader_erased(instance: Path) -> None:
    digest(instance, "add", "reader@example.org")
    moved = digest(instance, "set", "reader@example.org", "--address", "new@example.org")
    assert moved.stdout == "reader@example.org is now new@example.org\n"
    assert digest(instance, "set", "new@example.org", "--address", "New@example.org").exit_code == 0
    assert "new@example.org" in digest(instance, "list").stdout
    arguments = ["--instance", str(instance), "subscribers", "erase", "new@example.org"]
    asked = CliRunner().invoke(cli, arguments, input="n\n")
    assert asked.exit_code == 1 and "new@example.org" in digest(instance, "list").stdout
    assert digest(instance, "erase", "new@example.org", "--yes").stdout == "new@example.org is erased\n"
    assert digest(instance, "list").stdout.startswith("No subscribers yet")


def test_a_file_is_imported_with_a_report_and_exported(instance: Path, tmp_path: Path) -> None:
    file, report, out = tmp_path / "in.csv", tmp_path / "report.csv", tmp_path / "out.csv"
    file.write_text("email,name,hour\na@x.org,Anna,07:30\nnobody,,\nb@mailinator.com,,\n")
    assert digest(instance, "import", str(file)).exit_code == 2  # no consent
    done = digest(instance, "import", str(file), "--consent", "paper forms", "--report", str(report))
    assert done.stdout == "3 rows: 1 added, 2 refused\n"
    assert "columns left out: name" in done.stderr and "row 3: nobody refused: An address has one @" in done.stderr
    assert report.read_text().splitlines()[:2] == ["row,email,newsletter,outcome,reason", "2,a@x.org,steppe,added,"]
    again = digest(instance, "import", str(file), "--consent", "x", "--dry-run").stdout
    assert again == "3 rows: 1 known, 2 refused (dry run: nothing is stored)\n"
    assert digest(instance, "export", str(out), "--state", "active").stderr == "1 subscriptions\n"
    assert out.read_text().splitlines()[1].startswith("a@x.org,steppe,active,paper forms,")
    assert digest(instance, "export").stdout == out.read_text()
    assert digest(instance, "import", str(out)).stdout == "1 rows: 1 known\n"


def test_with_several_newsletters_an_import_names_one(instance: Path, tmp_path: Path) -> None:
    (instance / "config" / "newsletters" / "sea.toml").write_text(TWO)
    file = tmp_path / "in.csv"
    file.write_text("a@x.org\n")
    refused = digest(instance, "import", str(file), "--consent", "x")
    assert isinstance(refused.exception, DigestError) and "known: sea, steppe" in str(refused.exception)
    assert "1 added" in digest(instance, "import", str(file), "--consent", "x", "--newsletter", "sea").stdout
    file.write_text("email,newsletter\nb@x.org,steppe\nc@x.org,\n")
    found = digest(instance, "import", str(file), "--consent", "x")
    assert found.stdout == "2 rows: 1 added, 1 refused\n" and "no newsletter ''" in found.stderr
