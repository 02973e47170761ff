"""Files and database are kept equal; what moved on both sides is never overwritten unasked."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from digest.documents import Configuration
from digest.errors import ConfigConflict, ConfigError, NotFound
from digest.services import config
from digest.settings import Instance
from digest.storage import schema

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
NEWS = 'name = "Steppe News"  # the masthead\nregion = "Steppe"\nregions = ["Steppe"]\n'
FEED = "https://h.example/rss"
SOURCES = f'[[sources]]\nslug = "herald"\nname = "Herald"\nfeeds = [{{ url = "{FEED}", region = "Steppe" }}]\n'


def make_instance(root: Path, **texts: str) -> Instance:
    instance = Instance(root)
    write(instance, **(texts or {"newsletters": NEWS, "sources": SOURCES}))
    return instance


def write(instance: Instance, **texts: str) -> None:
    for folder, text in texts.items():
        path = instance.config / folder / "steppe.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def name_in(configuration: Configuration) -> str:
    return configuration.newsletters["steppe"].name


def renamed(name: str) -> str:
    return NEWS.replace("Steppe News", name)


def test_the_first_sync_imports_and_the_next_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    instance = make_instance(tmp_path / "a")
    first = config.sync(engine, instance, NOW)
    again = config.sync(engine, instance, LATER)
    assert (first.version, name_in(first)) == (1, "Steppe News")
    assert again is first
    assert [(v.number, v.author, v.at) for v in config.versions(engine)] == [(1, "files", NOW)]
    with engine.begin() as conn:
        assert conn.execute(select(schema.feeds.c.url)).scalars().all() == ["https://h.example/rss"]


def test_an_empty_instance_has_an_empty_configuration(engine: Engine, tmp_path: Path) -> None:
    configuration = config.sync(engine, Instance(tmp_path / "a"), NOW)
    assert (configuration.version, dict(configuration.newsletters)) == (0, {})
    assert configuration.gazetteer.inside("Kazakhstan", "Central Asia")


def test_changed_files_become_a_new_version(engine: Engine, tmp_path: Path) -> None:
    instance = make_instance(tmp_path / "a")
    config.sync(engine, instance, NOW)
    write(instance, newsletters=renamed("Steppe Daily"))
    assert "-name = \"Steppe News\"" in config.difference(engine, instance)
    configuration = config.sync(engine, instance, LATER, author="anna")
    assert (configuration.version, name_in(configuration)) == (2, "Steppe Daily")
    assert config.difference(engine, instance) == ""
    assert config.versions(engine)[0].paths == ("newsletters/steppe.toml",)


def test_wrong_files_leave_the_old_version_in_force(engine: Engine, tmp_path: Path) -> None:
    instance = make_instance(tmp_path / "a")
    good = config.sync(engine, instance, NOW)
    write(instance, newsletters=NEWS + 'zone = "Nowhere"\n')
    with pytest.raises(ConfigError) as caught:
        config.sync(engine, instance, LATER)
    assert Path(caught.value.path) == instance.config / "newsletters" / "steppe.toml"
    assert (caught.value.line, caught.value.key) == (4, "zone")
    assert config.keep_or_sync(engine, instance, LATER, good) is good
    assert config.sync_or_last(engine, instance, LATER) == good
    write(instance, newsletters=renamed("Mended"))
    assert name_in(config.keep_or_sync(engine, instance, LATER, good)) == "Mended"


def test_wrong_files_without_an_older_version_are_refused_even_where_work_must_go_on(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    instance = make_instance(tmp_path / "a", newsletters="nonsense")
    with pytest.raises(ConfigError):
        config.sync_or_last(sqlite_engine, instance, NOW)


def test_an_edit_of_another_instance_reaches_the_files(engine: Engine, tmp_path: Path) -> None:
    here, there = make_instance(tmp_path / "a"), make_instance(tmp_path / "b")
    write(here, gazetteer='[[regions]]\nname = "Steppe"\n')
    write(there, gazetteer='[[regions]]\nname = "Steppe"\n')
    config.sync(engine, here, NOW)
    assert config.sync(engine, there, NOW).version == 1
    write(there, newsletters=renamed("Edited there"))
    (there.config / "gazetteer" / "steppe.toml").unlink()
    config.sync(engine, there, LATER)
    assert name_in(config.sync(engine, here, LATER)) == "Edited there"
    assert config.read_files(here) == config.read_files(there)
    assert "# the masthead" in (here.config / "newsletters" / "steppe.toml").read_text()


def both_moved(engine: Engine, tmp_path: Path) -> Instance:
    here, there = make_instance(tmp_path / "a"), make_instance(tmp_path / "b")
    config.sync(engine, here, NOW)
    config.sync(engine, there, NOW)
    write(there, newsletters=renamed("There"))
    config.sync(engine, there, NOW)
    write(here, newsletters=renamed("Here"))
    return here


def test_both_moved_is_refused_and_nothing_is_lost(engine: Engine, tmp_path: Path) -> None:
    here = both_moved(engine, tmp_path)
    with pytest.raises(ConfigConflict, match=r"digest config diff.*--take files.*--take database"):
        config.sync(engine, here, LATER)
    difference = config.difference(engine, here)
    assert '-name = "There"' in difference and '+name = "Here"' in difference
    assert len(config.versions(engine)) == 2


@pytest.mark.parametrize(("take", "name", "version"), [("files", "Here", 3), ("database", "There", 2)])
def test_a_conflict_is_settled_for_one_side(
    engine: Engine, tmp_path: Path, take: config.Side, name: str, version: int
) -> None:
    here = both_moved(engine, tmp_path)
    taken = config.sync(engine, here, LATER, take=take)
    assert (name_in(taken), taken.version) == (name, version)
    assert config.sync(engine, here, LATER) == taken
    assert f'name = "{name}"' in (here.config / "newsletters" / "steppe.toml").read_text()


def test_files_written_half_way_before_a_crash_are_finished(engine: Engine, tmp_path: Path) -> None:
    here, there = make_instance(tmp_path / "a"), make_instance(tmp_path / "b")
    config.sync(engine, here, NOW)
    config.sync(engine, there, NOW)
    write(there, newsletters=renamed("There"), sources=SOURCES.replace('"Herald"', '"The Herald"'))
    config.sync(engine, there, NOW)
    write(here, newsletters=renamed("There"))  # the first of the two files was written
    assert config.sync(engine, here, LATER).sources["herald"].name == "The Herald"
    assert config.read_files(here) == config.read_files(there)


def test_a_lost_state_file_is_rebuilt_from_the_history(engine: Engine, tmp_path: Path) -> None:
    instance = make_instance(tmp_path / "a")
    config.sync(engine, instance, NOW)
    (instance.var / "config-version").unlink()
    write(instance, newsletters=renamed("New"))
    with pytest.raises(ConfigConflict):  # nothing says that these files follow version 1
        config.sync(engine, instance, LATER)
    write(instance, newsletters=NEWS)
    assert config.sync(engine, instance, LATER).version == 1
    assert json.loads((instance.var / "config-version").read_text())["version"] == 1


def test_a_folder_without_documents_joins_an_older_database(engine: Engine, tmp_path: Path) -> None:
    config.sync(engine, make_instance(tmp_path / "a"), NOW)
    joined = Instance(tmp_path / "b")
    assert name_in(config.sync(engine, joined, LATER)) == "Steppe News"
    assert (joined.config / "sources" / "steppe.toml").read_text() == SOURCES


def test_two_processes_importing_at_once_make_one_version(engine: Engine, tmp_path: Path) -> None:
    instances = [make_instance(tmp_path / name) for name in "abcd"]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda instance: config.sync(engine, instance, NOW), instances))
    assert [configuration.version for configuration in found] == [1] * 4
    assert len(config.versions(engine)) == 1


def test_a_version_is_exported_as_it_was(sqlite_engine: Engine, tmp_path: Path) -> None:
    instance = make_instance(tmp_path / "a")
    config.sync(sqlite_engine, instance, NOW)
    write(instance, newsletters=renamed("Second"))
    config.sync(sqlite_engine, instance, LATER)
    assert config.export(sqlite_engine, tmp_path / "out", 1) == (1, 2)
    assert (tmp_path / "out" / "newsletters" / "steppe.toml").read_text() == NEWS
    with pytest.raises(ConfigError, match="not empty"):
        config.export(sqlite_engine, tmp_path / "out")
    with pytest.raises(NotFound, match="newest is 2"):
        config.export(sqlite_engine, tmp_path / "other", 3)


def test_a_file_that_is_not_utf_8_is_told_with_its_line(sqlite_engine: Engine, tmp_path: Path) -> None:
    instance = make_instance(tmp_path / "a")
    (instance.config / "newsletters" / "steppe.toml").write_bytes(b'name = "A"\n# caf\xe9\n')
    with pytest.raises(ConfigError) as caught:
        config.sync(sqlite_engine, instance, NOW)
    assert caught.value.line == 2
