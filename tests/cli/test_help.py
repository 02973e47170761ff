"""The command line as a whole: quick help, every command loads, errors of the product end in words."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from digest.cli import COMMANDS, cli

HEAVY = ("sqlalchemy", "pydantic", "aiohttp", "fastapi", "jinja2", "rich", "feedparser")


def test_help_loads_no_command() -> None:
    code = "import sys, digest.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\nprint(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.splitlines()[-1].split())
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_is_for(command: str) -> None:
    result = CliRunner().invoke(cli, [command, "--help"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_an_unknown_command_is_named() -> None:
    result = CliRunner().invoke(cli, ["pole"])
    assert result.exit_code == 2
    assert "No such command 'pole'" in result.output


def test_an_error_of_the_product_ends_with_its_words(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "digest.toml").write_text("[site]\nurl = 'ftp://example.org'\n")
    result = subprocess.run([sys.executable, "-m", "digest", "--instance", str(tmp_path), "check"],
                            capture_output=True, text=True)
    assert result.returncode == 1
    assert "digest.toml:2: site.url: must begin with http:// or https://" in result.stderr
    assert "Traceback" not in result.stderr
