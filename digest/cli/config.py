"""`digest check` and `digest config`: is the configuration right, what changed, what was it then."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from digest.app import SystemClock
from digest.documents import Configuration
from digest.doubts import find_doubts
from digest.services import config as service
from digest.settings import Instance, load_settings
from digest.storage.engine import open_engine
from digest.storage.migrate import migrate


@click.command()
def check() -> None:
    """Check the configuration documents; say what is in them, what is wrong and where.

    Every mistake is told with file, line and key. The database is not touched. Ends with exit code 1 where
    something is wrong; doubts alone end with 0.
    """
    instance = _instance()
    mistakes, configuration = service.check(instance)
    for mistake in mistakes:
        click.echo(f"error: {mistake}", err=True)
    if mistakes or configuration is None:
        raise SystemExit(1)
    for doubt in find_doubts(configuration):
        click.echo(f"doubt: config/{doubt}", err=True)
    Console().print(_contents(configuration))
    feeds, sources = len(configuration.feeds), len(configuration.sources)
    click.echo(f"{_count(len(configuration.newsletters), 'newsletter')}, {_count(sources, 'source')}, "
               f"{_count(feeds, 'feed')}, {_count(len(configuration.gazetteer.regions), 'region')}, "
               f"{_count(len(configuration.names), 'name')}: no mistakes.")
    if not configuration.newsletters:
        click.echo(f"There is no newsletter in {instance.config / 'newsletters'}; `digest init` makes one.")


@click.group()
def config() -> None:
    """Compare, list and export configuration versions.

    The documents in config/ are the configuration. Every command imports them into the database when they have
    changed, as a new version; an edit made by another machine on the same database reaches the files likewise.
    """


@config.command()
@click.option("--take", type=click.Choice(["files", "database"]), help="Settle it: this side is right.")
def diff(take: service.Side | None) -> None:
    """Show what the files change against the database's newest version.

    Lines with - are in the database, lines with + in the files. Where both have changed since they were last equal,
    nothing is overwritten until you say which side to take.
    """
    with _database() as (instance, engine):
        difference = service.difference(engine, instance)
        click.echo(difference or "Files and database are equal.")
        if take is None:
            return
        configuration = service.sync(engine, instance, SystemClock().now(), take=take)
        click.echo(f"Took the {take}: version {configuration.version} is in force.")


@config.command("log")
def log_() -> None:
    """List the imported versions, newest first."""
    with _database() as (_, engine):
        versions = service.versions(engine)
    if not versions:
        click.echo("No version was imported yet.")
        return
    table = Table("version", "imported (UTC)", "by", "documents")
    for version in versions:
        table.add_row(str(version.number), f"{version.at:%Y-%m-%d %H:%M:%S}", version.author, "\n".join(version.paths))
    Console().print(table)


@config.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--version", type=int, help="Which version; the newest where not given.")
def export(folder: Path, version: int | None) -> None:
    """Write the documents of a version into FOLDER, which must be new or empty."""
    with _database() as (_, engine):
        number, documents = service.export(engine, folder, version)
    click.echo(f"Version {number}: {_count(documents, 'document')} written to {folder}.")


def _instance() -> Instance:
    instance: str | None = click.get_current_context().find_root().obj
    return Instance.locate(instance)


@contextmanager
def _database() -> Iterator[tuple[Instance, Engine]]:
    """The instance and its database without importing the files: these commands work where that is refused."""
    instance = _instance()
    engine = open_engine(instance.database_url(load_settings(instance)))
    try:
        migrate(engine)
        yield instance, engine
    finally:
        engine.dispose()


def _contents(configuration: Configuration) -> Table:
    table = Table("newsletter", "name", "region", "send time", "feeds", "topics")
    for newsletter in configuration.newsletters.values():
        sent = f"{newsletter.send_time:%H:%M} {newsletter.zone}"
        table.add_row(newsletter.slug, newsletter.name, newsletter.region, sent,
                      str(len(configuration.feeds_of(newsletter))), str(len(newsletter.topics)))
    return table


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
