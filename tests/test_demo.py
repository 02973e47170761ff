"""The demo's instance: one anchor a day, the package's configuration."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.demo import anchor_of, prepare
from digest.errors import NotFound

ANCHOR = datetime(2026, 3, 10, 9, 30, 15, tzinfo=UTC)


def test_a_run_keeps_the_anchor_for_its_day_and_the_next_day_begins_afresh(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    assert prepare(root, ANCHOR) == ANCHOR
    (root / "var").mkdir()
    (root / "var" / "digest.sqlite3").write_bytes(b"x")
    (root / "notes.txt").write_text("mine")
    assert prepare(root, ANCHOR + timedelta(hours=5)) == ANCHOR
    assert (root / "var" / "digest.sqlite3").exists()
    tomorrow = ANCHOR + timedelta(days=1)
    assert prepare(root, tomorrow, keep=True) == ANCHOR
    assert (root / "var" / "digest.sqlite3").exists()
    assert prepare(root, tomorrow) == tomorrow
    assert not (root / "var").exists()
    assert (root / "notes.txt").read_text() == "mine"


def test_the_instance_takes_the_configuration_of_the_package(tmp_path: Path) -> None:
    prepare(tmp_path, ANCHOR)
    path = tmp_path / "config" / "sources" / "demo.toml"
    original = path.read_text()
    path.write_text("changed")
    prepare(tmp_path, ANCHOR)
    assert path.read_text() == original
    assert (tmp_path / "config" / "newsletters" / "kazakhstan.toml").exists()
    assert (tmp_path / "config" / "digest.toml").exists()


def test_a_folder_without_a_run_has_no_anchor(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        anchor_of(tmp_path)
    prepare(tmp_path, ANCHOR)
    assert anchor_of(tmp_path) == ANCHOR
