"""Brings a database to the newest schema with Alembic."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, inspect

from digest.storage.engine import read_only


def migrate(engine: Engine, revision: str = "head") -> None:
    """Upgrades the database to `revision`; does nothing where it is there already. Safe in two processes."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7126001)")
        command.upgrade(_config(connection), revision)


def revision_of(engine: Engine) -> str | None:
    """The revision that the database is at; None where it has no schema."""
    with read_only(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", "digest:storage/migrations")
    config.attributes["connection"] = connection
    return config
