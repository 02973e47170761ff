"""The docs are held to the code: every command and setting is described, every described command runs."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from digest.cli import COMMANDS, cli
from digest.settings import Section, Settings

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DOCS = "\n".join(page.read_text() for page in PAGES)
GUIDES = "\n".join((ROOT / "docs" / f"{role}.md").read_text() for role in ("editor", "analyst", "operator"))


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("command", [" ".join(path) for path in _commands(cli)])
def test_every_command_is_documented(command: str) -> None:
    assert f"digest {command}" in GUIDES


WRITTEN = sorted({m.group(1) for m in re.finditer(r"`digest(?: --instance \S+)? ([a-z]+)", DOCS)})


@pytest.mark.parametrize("name", WRITTEN)
def test_every_documented_command_exists(name: str) -> None:
    assert name in COMMANDS
    assert CliRunner().invoke(cli, [name, "--help"]).exit_code == 0


def _settings() -> Iterator[str]:
    for section, field in Settings.model_fields.items():
        kind = field.annotation
        assert isinstance(kind, type) and issubclass(kind, Section)
        yield from (f"{section}.{key}" for key in kind.model_fields)


@pytest.mark.parametrize("setting", list(_settings()))
def test_every_setting_is_documented(setting: str) -> None:
    section, key = setting.split(".")
    assert f"`{section}.{key}`" in GUIDES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_work(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []
