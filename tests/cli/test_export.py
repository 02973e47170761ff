"""digest export, and the commands that look back at released editions."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from digest.app import open_app
from digest.cli import cli
from digest.pipeline.view import sha256, to_json
from digest.resources import template_texts
from digest.services.editions import renderer_of
from digest.services.variants import freeze
from digest.storage.editions import insert_edition
from tests.pipeline import views

AT = datetime(2023, 3, 20, 1, 0, tzinfo=UTC)


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """One released edition, of 20 March 2023, with its default variant."""
    texts = {
        "newsletters/kazakhstan.toml":
            'name = "Kazakhstan News"\nregion = "Kazakhstan"\nzone = "Asia/Almaty"\nsources = ["herald"]\n',
        "sources/all.toml": '[[sources]]\nslug = "herald"\nname = "Herald"\n[[sources.feeds]]\n'
                            'url = "https://herald.example/rss"\nregion = "Kazakhstan"\n',
    }
    for name, text in texts.items():
        path = tmp_path / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    view = replace(views.EDITION, site_url="")
    with open_app(str(tmp_path)) as app:
        message = renderer_of(template_texts(None), app.settings).message(view)
        with app.engine.begin() as conn:
            edition_id = insert_edition(
                conn, newsletter="kazakhstan", date=date(2023, 3, 20), cutoff_at=AT, built_at=AT, config_version=1,
                view_text=to_json(view), view_sha256=sha256(view), templates=template_texts(None), stories=[],
                state="sent")
            assert edition_id is not None
            freeze(conn, edition_id, "default", message, app.configuration.newsletters["kazakhstan"])
    return tmp_path


def run(instance: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--instance", str(instance), *arguments])


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_archive_is_written_twice_with_equal_bytes(instance: Path) -> None:
    result = run(instance, "export", str(instance / "one"))
    assert result.exit_code == 0 and "Wrote 7 files" in result.output
    run(instance, "export", str(instance / "two"))
    assert files(instance / "one") == files(instance / "two")
    assert "kazakhstan/2023-03-20/index.html" in files(instance / "one")


def test_a_folder_with_files_is_refused_unless_forced(instance: Path) -> None:
    folder = instance / "site"
    folder.mkdir()
    (folder / "mine.txt").write_text("keep")
    refused = run(instance, "export", str(folder))
    assert refused.exit_code == 1 and "is not empty" in refused.output
    assert set(files(folder)) == {"mine.txt"}
    assert run(instance, "export", str(folder), "--force").exit_code == 0
    assert files(folder)["mine.txt"] == b"keep" and "index.html" in files(folder)


def test_a_rebuild_says_whether_the_bytes_are_equal(instance: Path) -> None:
    result = run(instance, "editions", "rebuild", "kazakhstan/2023-03-20")
    assert result.exit_code == 0 and "Equal" in result.output and "html" in result.output
    with open_app(str(instance)) as app, app.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE messages SET html = 'changed'")
    changed = run(instance, "editions", "rebuild", "kazakhstan/2023-03-20")
    assert changed.exit_code == 1 and "Different" in changed.output
    assert "no released edition" in str(run(instance, "editions", "rebuild", "kazakhstan/2023-03-21").exception)


def test_a_replay_of_days_is_a_diff_in_the_terminal_and_as_a_page(instance: Path) -> None:
    other, page = instance / "other.toml", instance / "diff.html"
    days = ("--from", "2023-03-20", "--to", "2023-03-20")
    result = run(instance, "editions", "replay", "kazakhstan", *days, "--html", str(page))
    assert result.exit_code == 0, result.output
    assert views.EDITION.lead is not None
    assert f"− lead: {views.EDITION.lead.headline}" in result.output and "1 day: 1 other leads" in result.output
    assert views.EDITION.lead.headline in page.read_text(encoding="utf-8")
    other.write_text("[weights]\ncoverage = 9.0\n")
    equal = run(instance, "editions", "replay", "kazakhstan", *days, "--with", str(other))
    assert equal.exit_code == 0 and "nothing differs" in equal.output
