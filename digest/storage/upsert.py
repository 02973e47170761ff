"""Inserts that give way to rows already there, the same on SQLite and PostgreSQL."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Row, Select, Table
from sqlalchemy.dialects import postgresql, sqlite

_Binder = Callable[[Sequence[Mapping[str, Any]]], list[tuple[Any, ...]]]


def insert_ignore(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> Sequence[Row[Any]]:
    """Inserts those of `rows` that break no unique key; returns the primary keys of the rows inserted.

    All rows name the same columns. The keys come in no particular order.
    """
    if not rows:
        return []
    statement = _insert(conn.dialect.name, table).on_conflict_do_nothing().returning(*table.primary_key.columns)
    return conn.execute(statement, [dict(row) for row in rows]).all()


def insert_quietly(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts those of `rows` that break no unique key; faster than `insert_ignore`.

    All rows name the same columns; those that they do not name have defaults of the database.
    """
    if not rows:
        return
    if conn.dialect.name == "sqlite":
        statement, bound = _plain_insert(table, tuple(rows[0]), conn.dialect)
        conn.exec_driver_sql(statement, bound(rows))
    else:
        conn.execute(_insert(conn.dialect.name, table).on_conflict_do_nothing(), [dict(row) for row in rows])


@lru_cache(32)
def _plain_insert(table: Table, names: tuple[str, ...], dialect: Dialect) -> tuple[str, _Binder]:
    """An INSERT as the driver takes it, and what makes its values of rows: at half the cost of SQLAlchemy's way."""
    compiled = sqlite.insert(table).on_conflict_do_nothing().compile(dialect=dialect, column_keys=list(names))
    order = list(compiled.positiontup or ())
    processors = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in order]

    def bound(rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        columns = (map(itemgetter(name), rows) for name in order)
        return list(zip(*(map(process, column) if process else column
                          for process, column in zip(processors, columns, strict=True)), strict=True))

    return str(compiled), bound


def upsert(
    conn: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    keys: Sequence[str] | None = None,
    update: Sequence[str] | None = None,
) -> None:
    """Inserts `rows`; where `keys` (default: the primary key) are taken, sets the columns `update` instead.

    `update` defaults to all other columns that the rows name. All rows name the same columns.
    """
    if not rows:
        return
    names = list(keys or [column.name for column in table.primary_key.columns])
    columns = [name for name in rows[0] if name not in names] if update is None else list(update)
    statement = _insert(conn.dialect.name, table)
    if columns:
        values = {name: statement.excluded[name] for name in columns}
        statement = statement.on_conflict_do_update(index_elements=names, set_=values)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=names)
    conn.execute(statement, [dict(row) for row in rows])


def upsert_from(conn: Connection, table: Table, names: Sequence[str], query: Select[Any],
                parameters: Mapping[str, Any]) -> None:
    """`upsert` of the rows that a query gives, without carrying them here and back. `names` are its columns in `table`.

    The query is stated once and for all, with `parameters`; it has a WHERE, without which SQLite reads ON CONFLICT as
    part of a join.
    """
    conn.execute(_upsert_from(conn.dialect.name, table, tuple(names), query), dict(parameters))


@lru_cache(32)
def _upsert_from(dialect: str, table: Table, names: tuple[str, ...], query: Select[Any]) -> Any:
    keys = [column.name for column in table.primary_key.columns]
    statement = _insert(dialect, table).from_select(list(names), query)
    values = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=values)


def _insert(dialect: str, table: Table) -> Any:
    """The dialect's INSERT, which alone knows ON CONFLICT."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
