"""Versions of the configuration documents, and the rows that mirror the newest one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from digest.documents import Configuration
from digest.storage.schema import agencies, config_documents, config_versions, feeds, newsletters, sources, topics


@dataclass(frozen=True, slots=True)
class ConfigVersion:
    """One import of documents; `paths` are those that changed in it."""

    number: int
    author: str
    at: datetime
    paths: tuple[str, ...]


def newest_version(conn: Connection) -> int:
    """The number of the newest version; 0 where nothing was imported yet."""
    return conn.execute(select(func.max(config_versions.c.version))).scalar_one() or 0


def texts_at(conn: Connection, version: int) -> dict[str, str]:
    """The documents of a version by path; {} for version 0."""
    newest = (
        select(config_documents.c.path, func.max(config_documents.c.version).label("version"))
        .where(config_documents.c.version <= version)
        .group_by(config_documents.c.path)
        .subquery()
    )
    same = and_(config_documents.c.path == newest.c.path, config_documents.c.version == newest.c.version)
    rows = conn.execute(
        select(config_documents.c.path, config_documents.c.text)
        .join(newest, same)
        .where(config_documents.c.text.is_not(None))
        .order_by(config_documents.c.path)
    )
    return {row.path: row.text for row in rows}


def versions(conn: Connection) -> list[ConfigVersion]:
    """All versions, newest first."""
    paths: dict[int, list[str]] = {}
    for row in conn.execute(select(config_documents.c.version, config_documents.c.path).order_by("path")):
        paths.setdefault(row.version, []).append(row.path)
    rows = conn.execute(select(config_versions).order_by(config_versions.c.version.desc()))
    return [ConfigVersion(row.version, row.author, row.at, tuple(paths.get(row.version, ()))) for row in rows]


def add_version(conn: Connection, number: int, author: str, now: datetime, changed: Mapping[str, str | None]) -> bool:
    """Stores version `number` with the documents that changed in it; a text of None says that one was removed.

    Returns False, having stored nothing, where another process stored that number first.
    """
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    version = dialect.insert(config_versions).values(version=number, author=author, at=now)
    if conn.execute(version.on_conflict_do_nothing().returning(config_versions.c.version)).first() is None:
        return False
    rows = [{"path": path, "version": number, "text": text} for path, text in sorted(changed.items())]
    if rows:
        conn.execute(insert(config_documents), rows)
    return True


def mirror(conn: Connection, configuration: Configuration, now: datetime) -> None:
    """Makes the rows of sources, feeds, newsletters and topics say what `configuration` says.

    A row that left the documents gets retired_at, one that came back loses it; poll state is not touched.
    Idempotent.
    """
    mirror_owners(conn, configuration, now)
    _mirror_table(conn, feeds, [
        {"id": f.id, "url": f.url, "source": f.source.slug, "region": f.region, "language": f.language,
         "body": str(f.body)} for f in configuration.feeds
    ], now)
    _mirror_table(conn, newsletters, [
        {"slug": n.slug, "name": n.name} for n in configuration.newsletters.values()
    ], now)
    _mirror_table(conn, topics, [
        {"newsletter": n.slug, "slug": t.slug, "title": t.title, "query": t.query, "weight": t.weight}
        for n in configuration.newsletters.values() for t in n.topics
    ], now)


def mirror_owners(conn: Connection, configuration: Configuration, now: datetime) -> None:
    """Makes the rows of sources and agencies say whose they are. Idempotent."""
    _mirror_table(conn, sources, [
        {"slug": s.slug, "name": s.name, "family": s.family, "tier": s.tier} for s in configuration.sources.values()
    ], now)
    conn.execute(delete(agencies))
    if rows := [{"name": name, "family": family} for name, family in configuration.agencies.items()]:
        conn.execute(insert(agencies), rows)


def are_owners_known(conn: Connection, configuration: Configuration) -> bool:
    """Whether the rows say what `configuration` does: not after an upgrade that knows other families."""
    current = select(sources.c.slug, sources.c.family).where(sources.c.retired_at.is_(None))
    owners = {row.slug: row.family for row in conn.execute(current)}
    credits = {row.name: row.family for row in conn.execute(select(agencies))}
    return credits == configuration.agencies and owners == {s.slug: s.family for s in configuration.sources.values()}


def _mirror_table(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    keys = tuple(column.name for column in table.primary_key.columns)
    wanted = {tuple(row[key] for key in keys): {**row, "retired_at": None} for row in rows}
    stored = {tuple(row[key] for key in keys): row for row in conn.execute(select(table)).mappings()}
    new = [row for key, row in wanted.items() if key not in stored]
    if new:
        conn.execute(insert(table), new)
    for key, row in stored.items():
        values = wanted.get(key, {"retired_at": row["retired_at"] or now})
        changed = {name: value for name, value in values.items() if row[name] != value}
        if changed:
            same = and_(*(table.c[name] == part for name, part in zip(keys, key, strict=True)))
            conn.execute(update(table).where(same).values(**changed))
