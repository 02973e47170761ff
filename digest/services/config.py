"""Keeps the documents in config/ and the versions in the database equal.

What happens depends on what moved since this instance last saw both equal (var/config-version):

| files | database | then |
|---|---|---|
| same | same | nothing |
| changed | same | the files are checked and imported as a new version |
| same | changed | another instance edited: its documents are written to the files |
| changed | changed | refused (ConfigConflict) unless the caller says which to take |
"""

import difflib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

import structlog
from sqlalchemy import Connection, Engine

from digest.documents import Configuration, find_mistakes, read_configuration
from digest.errors import ConfigConflict, ConfigError, NotFound
from digest.resources import packaged_config_dir
from digest.services import alert_rules
from digest.settings import Instance, load_settings
from digest.storage import config as storage
from digest.storage.config import ConfigVersion
from digest.storage.engine import read_only

FOLDERS = ("alerts", "gazetteer", "newsletters", "sources")
Side = Literal["files", "database"]
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Seen:
    """The last state in which files and database were equal. version 0: never."""

    version: int
    sha256: str


def sync(
    engine: Engine, instance: Instance, now: datetime, *, author: str = "files", take: Side | None = None
) -> Configuration:
    """The configuration in force, after making files and database equal (see above). Idempotent.

    `author` is stored with a version that is imported. `take` settles a conflict for one side. Costs one
    small query and a hash of the files where nothing moved. Raises ConfigError where a document is wrong
    (nothing is imported, the old version stays in force) and ConfigConflict where both moved.
    """
    files = read_files(instance)
    with read_only(engine) as conn:
        newest = storage.newest_version(conn)
        seen = _read_seen(instance)
        if take is None and seen == _Seen(newest, _sha256(files)):
            return _configuration(instance, files, newest)
        stored = storage.texts_at(conn, newest)
        before = _texts_last_seen(conn, seen, newest, files)
    if files == stored:
        configuration = _configuration(instance, files, newest)
        _write_seen(instance, _Seen(newest, _sha256(files)))
        return configuration
    if _side(instance, take, files, stored, before) == "database":
        return _write_files(instance, files, stored, newest)
    return _import(engine, instance, now, author, files, newest, take)


def keep_or_sync(engine: Engine, instance: Instance, now: datetime, current: Configuration) -> Configuration:
    """`sync`, except that wrong documents leave `current` in force and are logged: for what must not stop."""
    try:
        configuration = sync(engine, instance, now)
    except ConfigError as error:
        _log_once(str(error), current.version)
        return current
    _log_once.cache_clear()
    return configuration


@lru_cache(maxsize=1)
def _log_once(problem: str, version: int) -> None:
    """Logs a problem when it appears, not again at every look while it stays the same."""
    log.error("configuration not imported", problem=problem, version_in_force=version)


def sync_or_last(engine: Engine, instance: Instance, now: datetime) -> Configuration:
    """`sync`, except that wrong documents are logged and the newest version stays in force.

    Raises ConfigError where there is no version yet.
    """
    last = in_force(engine, instance)
    return keep_or_sync(engine, instance, now, last) if last.version else sync(engine, instance, now)


def renew_owners(engine: Engine, configuration: Configuration, now: datetime) -> None:
    """Makes the database say whose sources and agencies are, where the program knows other families than before."""
    with read_only(engine) as conn:
        if storage.are_owners_known(conn, configuration):
            return
    with engine.begin() as conn:
        storage.mirror_owners(conn, configuration, now)


def in_force(engine: Engine, instance: Instance) -> Configuration:
    """The configuration of the database's newest version, whatever the files say."""
    with read_only(engine) as conn:
        newest = storage.newest_version(conn)
        return _configuration(instance, storage.texts_at(conn, newest), newest)


def read_files(instance: Instance) -> dict[str, str]:
    """The documents of an instance by path below config/, such as "newsletters/kazakhstan.toml"."""
    texts: dict[str, str] = {}
    for folder in FOLDERS:
        for path in sorted((instance.config / folder).glob("*.toml")):
            if not path.name.startswith("."):
                texts[f"{folder}/{path.name}"] = _read_text(path)
    return texts


def write_files(instance: Instance, texts: Mapping[str, str]) -> None:
    """Writes documents by path below config/, each whole."""
    for path, text in texts.items():
        _write_text(instance.config / path, text)


def packaged_gazetteer() -> dict[str, str]:
    """The regions, names and families that the package ships; an instance's own documents win by name or slug."""
    folder = packaged_config_dir()
    paths = [*sorted((folder / "gazetteer").glob("*.toml")), folder / "sources" / "families.toml"]
    return {path.relative_to(folder).as_posix(): _read_text(path) for path in paths}


def check(instance: Instance) -> tuple[list[ConfigError], Configuration | None]:
    """All mistakes in digest.toml and the documents, and the configuration where there is none. No database."""
    mistakes: list[ConfigError] = []
    try:
        load_settings(instance)
    except ConfigError as error:
        mistakes.append(ConfigError(_shown(Path(error.path)), error.message, line=error.line, key=error.key,
                                    hint=error.hint))
    texts: dict[str, str] = {}
    try:
        texts = read_files(instance)
    except ConfigError as error:
        mistakes.append(error)
    mistakes += [placed(instance, error) for error in find_mistakes(texts, packaged_gazetteer())]
    return mistakes, None if mistakes else _configuration(instance, texts, 0)


def difference(engine: Engine, instance: Instance) -> str:
    """What the files change against the database's newest version, as a unified diff; "" where they are equal."""
    files = read_files(instance)
    with read_only(engine) as conn:
        newest = storage.newest_version(conn)
        stored = storage.texts_at(conn, newest)
    lines: list[str] = []
    for path in sorted(files.keys() | stored.keys()):
        lines += difflib.unified_diff(
            stored.get(path, "").splitlines(), files.get(path, "").splitlines(),
            f"database/{path}" if path in stored else "/dev/null",
            f"config/{path}" if path in files else "/dev/null",
            f"version {newest}", "", lineterm="")
    return "\n".join(lines)


def versions(engine: Engine) -> list[ConfigVersion]:
    """All imported versions, newest first."""
    with read_only(engine) as conn:
        return storage.versions(conn)


def export(engine: Engine, folder: Path, version: int | None = None) -> tuple[int, int]:
    """Writes the documents of a version (None: the newest) into an empty or new folder.

    Returns the version and the number of documents. Raises NotFound and ConfigError (folder not empty).
    """
    with read_only(engine) as conn:
        newest = storage.newest_version(conn)
        number = newest if version is None else version
        if not 1 <= number <= newest:
            raise NotFound("configuration version", str(number), hint=f"the newest is {newest}; see digest config log")
        texts = storage.texts_at(conn, number)
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(str(folder), "is not empty", hint="name a new folder")
    for path, text in texts.items():
        _write_text(folder / path, text)
    return number, len(texts)


def _texts_last_seen(conn: Connection, seen: _Seen, newest: int, files: Mapping[str, str]) -> dict[str, str]:
    """The documents when files and database were last equal; {} where they never were.

    An instance that was never seen here (a fresh checkout beside an older database) is recognised by its texts.
    """
    if 1 <= seen.version <= newest:
        texts = storage.texts_at(conn, seen.version)
        if _sha256(texts) == seen.sha256:
            return texts
    for number in range(newest, 0, -1):
        if (texts := storage.texts_at(conn, number)) == files:
            return texts
    return {}


def _side(instance: Instance, take: Side | None, files: Mapping[str, str], stored: Mapping[str, str],
          before: Mapping[str, str]) -> Side:
    """Which side is newer. A file that says what either side said does not count as changed.

    So a crash half-way through writing files is finished by the next sync.
    """
    if take is not None:
        return take
    if stored == before:
        return "files"
    moved = [path for path in sorted(files.keys() | before.keys() | stored.keys())
             if files.get(path) not in (before.get(path), stored.get(path))]
    if not moved:
        return "database"
    raise ConfigConflict(
        str(instance.config / moved[0]), "files and database have both changed since they were last equal",
        hint="compare them with `digest config diff`, then settle it with `digest config diff --take files` "
             "or `--take database`")


def _import(engine: Engine, instance: Instance, now: datetime, author: str, files: Mapping[str, str], newest: int,
            take: Side | None) -> Configuration:
    """Imports the files as version newest + 1 in one transaction.

    Where another process was quicker, everything is looked at again: mostly it imported the same files.
    """
    configuration = _configuration(instance, files, newest + 1)
    with engine.begin() as conn:
        stored = storage.texts_at(conn, newest)
        paths = files.keys() | stored.keys()
        changed = {path: files.get(path) for path in paths if files.get(path) != stored.get(path)}
        done = storage.newest_version(conn) == newest and storage.add_version(conn, newest + 1, author, now, changed)
        if done:
            storage.mirror(conn, configuration, now)
            alert_rules.mirror(conn, configuration.alerts, newest + 1, now)
    if not done:
        return sync(engine, instance, now, author=author, take=take)
    _write_seen(instance, _Seen(newest + 1, _sha256(files)))
    return configuration


def _write_files(instance: Instance, files: Mapping[str, str], stored: Mapping[str, str], newest: int) -> Configuration:
    configuration = _configuration(instance, stored, newest)
    for path in sorted(files.keys() | stored.keys()):
        if path not in stored:
            (instance.config / path).unlink(missing_ok=True)
        elif files.get(path) != stored[path]:
            _write_text(instance.config / path, stored[path])
    _write_seen(instance, _Seen(newest, _sha256(stored)))
    return configuration


def _configuration(instance: Instance, texts: Mapping[str, str], version: int) -> Configuration:
    """The documents as values; an error names the file as the operator can open it."""
    try:
        return _parsed(tuple(sorted(texts.items())), tuple(sorted(packaged_gazetteer().items())), version)
    except ConfigError as error:
        raise placed(instance, error) from error


def placed(instance: Instance, error: ConfigError) -> ConfigError:
    """The error with the path of the file, relative to the working directory where it lies below it."""
    path = _shown(instance.config / error.path)
    return ConfigError(path, error.message, line=error.line, key=error.key, hint=error.hint)


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


@lru_cache(maxsize=4)
def _parsed(texts: tuple[tuple[str, str], ...], base: tuple[tuple[str, str], ...], version: int) -> Configuration:
    return read_configuration(dict(texts), dict(base), version)


def _sha256(texts: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(texts.items())).encode()).hexdigest()


def _seen_path(instance: Instance) -> Path:
    return instance.var / "config-version"


def _read_seen(instance: Instance) -> _Seen:
    try:
        values = json.loads(_seen_path(instance).read_text(encoding="utf-8"))
        return _Seen(int(values["version"]), str(values["sha256"]))
    except (OSError, ValueError, KeyError, TypeError):
        return _Seen(0, "")


def _write_seen(instance: Instance, seen: _Seen) -> None:
    if seen != _read_seen(instance):
        _write_text(_seen_path(instance), json.dumps({"version": seen.version, "sha256": seen.sha256}) + "\n")


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigError(str(path), "is not UTF-8 text", line=line, hint="save it as UTF-8") from error


def _write_text(path: Path, text: str) -> None:
    """Writes a file whole: a reader sees the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    os.chmod(name, 0o644)
    os.replace(name, path)
