"""`digest check` and `digest config`, as commands."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from digest.cli import cli

NEWS = 'name = "Steppe News"\nregion = "Steppe"\nregions = ["Steppe"]\nzone = "Asia/Almaty"\n'
FEED = "https://h.example/rss"
SOURCES = f'[[sources]]\nslug = "herald"\nname = "Herald"\nfeeds = [{{ url = "{FEED}", region = "Steppe" }}]\n'


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    write(tmp_path / "i", "newsletters/steppe.toml", NEWS)
    write(tmp_path / "i", "sources/steppe.toml", SOURCES)
    return tmp_path / "i"


def write(instance: Path, path: str, text: str) -> None:
    file = instance / "config" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def digest(instance: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--instance", str(instance), *arguments])


def test_check_counts_what_is_right(instance: Path) -> None:
    result = digest(instance, "check")
    assert result.exit_code == 0
    assert "1 newsletter, 1 source, 1 feed" in result.stdout and "07:00 Asia/Almaty" in result.stdout
    assert not (instance / "var").exists()


def test_check_tells_all_mistakes_and_ends_with_1(instance: Path) -> None:
    write(instance, "newsletters/steppe.toml", NEWS.replace("Asia/Almaty", "Almaty"))
    write(instance, "sources/steppe.toml", SOURCES.replace("https://", ""))
    write(instance, "digest.toml", "[server]\nport = 99999\n")
    result = digest(instance, "check")
    assert result.exit_code == 1
    assert "newsletters/steppe.toml:4: zone: unknown time zone" in result.stderr
    assert "sources/steppe.toml:4: sources.0.feeds.0.url: must be an absolute" in result.stderr
    assert "digest.toml:2: server.port: Input should be less than or equal to 65535" in result.stderr


def test_check_tells_doubts_and_ends_with_0(instance: Path) -> None:
    write(instance, "newsletters/steppe.toml", NEWS.replace('"Steppe"]', '"Stepe"]'))
    result = digest(instance, "check")
    assert result.exit_code == 0
    assert "no feed is of 'Stepe'" in result.stderr


def test_check_of_an_empty_folder_says_how_to_begin(tmp_path: Path) -> None:
    result = digest(tmp_path, "check")
    assert result.exit_code == 0
    assert "digest init" in result.stdout


def test_diff_take_log_and_export_follow_a_change(instance: Path, tmp_path: Path) -> None:
    assert digest(instance, "config", "log").stdout.startswith("No version")
    assert "version 1 is in force" in digest(instance, "config", "diff", "--take", "files").stdout
    write(instance, "newsletters/steppe.toml", NEWS.replace("Steppe News", "Steppe Daily"))
    assert '+name = "Steppe Daily"' in digest(instance, "config", "diff").stdout
    assert "version 2 is in force" in digest(instance, "config", "diff", "--take", "files").stdout
    assert "Files and database are equal." in digest(instance, "config", "diff").stdout
    assert digest(instance, "config", "log").stdout.count("newsletters/steppe.toml") == 2
    result = digest(instance, "config", "export", str(tmp_path / "out"), "--version", "1")
    assert result.stdout == f"Version 1: 2 documents written to {tmp_path / 'out'}.\n"
    assert (tmp_path / "out" / "newsletters" / "steppe.toml").read_text() == NEWS


def test_diff_can_take_the_database(instance: Path) -> None:
    digest(instance, "config", "diff", "--take", "files")
    write(instance, "newsletters/steppe.toml", "nonsense")
    assert digest(instance, "config", "diff", "--take", "database").exit_code == 0
    assert (instance / "config" / "newsletters" / "steppe.toml").read_text() == NEWS
