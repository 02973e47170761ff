"""What the database says of itself, for `digest doctor`."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from digest.storage.engine import open_engine
from digest.storage.migrate import revision_of
from digest.storage.schema import deliveries, items


def server_time(conn: Connection) -> datetime | None:
    """The clock of the database's server; None on SQLite, which has none of its own."""
    if conn.dialect.name != "postgresql":
        return None
    now: datetime = conn.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now


@dataclass(frozen=True, slots=True)
class Found:
    """What an address of a database leads to. `trouble`: why it cannot be written; "" where it can."""

    place: str  # without the password
    dialect: str = ""
    version: str = ""  # of its program
    schema: str = "not made yet"
    trouble: str = ""


def look(url: str) -> Found:
    """What stands at an address. Never raises; makes nothing but the folder and the empty file of SQLite."""
    try:
        engine = open_engine(url)
    except (SQLAlchemyError, ImportError, OSError) as error:
        return Found(url.partition("@")[2] or url, trouble=str(error))
    found = Found(engine.url.render_as_string(hide_password=True), engine.dialect.name)
    try:
        version, trouble = _written(engine)
        return replace(found, version=version, trouble=trouble, schema=revision_of(engine) or found.schema)
    except SQLAlchemyError as error:
        return replace(found, trouble=" ".join(str(error.__cause__ or error).split())[:300])
    finally:
        engine.dispose()


def newest_instant(conn: Connection) -> datetime | None:
    """The latest instant at which anything was written by the clock; None in an empty database."""
    known = [conn.execute(select(func.max(column))).scalar() for column in (
        items.c.first_seen_at, deliveries.c.queued_at, deliveries.c.sent_at)]
    return max((at for at in known if at is not None), default=None)


def _written(engine: Engine) -> tuple[str, str]:
    """The version of the database's program, and why it cannot be written; writes nothing new."""
    with engine.begin() as conn:
        if conn.dialect.name != "sqlite":
            read_only = conn.execute(text("SHOW transaction_read_only")).scalar_one() == "on"
            return str(conn.execute(text("SHOW server_version")).scalar_one()), "it is read-only" if read_only else ""
        held = int(conn.execute(text("PRAGMA user_version")).scalar_one())
        conn.execute(text(f"PRAGMA user_version = {held}"))
        return str(conn.execute(text("SELECT sqlite_version()")).scalar_one()), ""
