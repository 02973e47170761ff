"""`digest lint` on the demo's edition, good and broken."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from digest.cli import cli
from digest.demo import anchor_of


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance with an approved edition."""
    folder = tmp_path_factory.mktemp("lint")
    assert CliRunner().invoke(cli, ["--instance", str(folder), "demo"]).exit_code == 0
    return folder / "var" / "demo"


def lint(instance: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--instance", str(instance), "lint", *arguments])


def test_the_demos_edition_has_no_error(demo: Path) -> None:
    done = lint(demo, f"kazakhstan/{anchor_of(demo).date()}")
    assert done.exit_code == 0 and "errors 0" in done.output


def test_what_breaks_the_mail_is_told_with_exit_code_1(demo: Path) -> None:
    """The edition of a day to come is planned with the instance's own templates."""
    style = demo / "templates" / "email" / "edition.css"
    style.parent.mkdir(parents=True)
    style.write_text("p, h1, td { color: #bbbbbb; }\n")
    done = lint(demo, "kazakhstan/2099-01-01")
    assert done.exit_code == 1
    assert "error contrast #bbbbbb on" in done.output and "Checked: errors" in done.output


@pytest.mark.parametrize("name", ["kazakhstan/monday", "kazakhstan/2026-01-01/hourly", "nowhere"])
def test_an_edition_that_is_named_wrongly_is_told(demo: Path, name: str) -> None:
    done = lint(demo, name)
    assert done.exit_code != 0 and done.exception is not None
