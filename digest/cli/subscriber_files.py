"""`digest subscribers import` and `export`: subscribers from and to CSV files."""

import csv
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from digest.app import App
from digest.cli import with_app
from digest.pipeline.subscriber_rows import COLUMNS, decoded, read_table, written
from digest.services import imports
from digest.services.imports import OUTCOMES, REFUSED, Outcome, Plan
from digest.services.newsletters import chosen
from digest.storage.engine import read_only

SHOWN = 20  # refused rows on the terminal; a report has them all


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--consent", default="", metavar="WORDS", help="Where the readers' consent comes from; unless the file "
              "has a column for it.")
@click.option("--newsletter", metavar="SLUG", help="Newsletter of rows that name none [the only one].")
@click.option("--again", is_flag=True, help="Also who has left: they asked to come back.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write what became of each row into a CSV file.")
@click.option("--dry-run", is_flag=True, help="Look at everything, store nothing.")
@with_app
def import_(app: App, file: Path, consent: str, newsletter: str | None, again: bool, report: Path | None,
            dry_run: bool) -> None:
    """Subscribe the addresses of a CSV FILE.

    Columns, of which only email is needed: email, newsletter, state (active or left), consent, since, frequency,
    paused_until, hour, zone, language, read, hidden_sections, format. Importing twice changes nothing.
    """
    with _lines(file) as lines, _writer(report) as note:
        table = read_table(decoded(lines))
        if not consent and "consent" not in table.columns:
            raise click.UsageError("say where the readers' consent comes from: --consent \"sign-up form of ...\"")
        if table.ignored:
            click.echo(f"columns left out: {', '.join(table.ignored)}", err=True)
        slug = newsletter or ("" if "newsletter" in table.columns else chosen(app.configuration, None).slug)
        plan = Plan(app.configuration, app.settings.sign_up, consent, chosen(app.configuration, slug).slug if slug
                    else "", again, dry_run)
        counts, refused = _counted(imports.take(app.engine, table.rows, plan, app.clock.now()), note)
    _summary(counts, refused, dry_run)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), default="-")
@click.option("--newsletter", metavar="SLUG", help="Only the subscriptions to one newsletter.")
@click.option("--state", type=click.Choice(["active", "pending", "left"]), help="Only those in one state.")
@with_app
def export(app: App, file: Path, newsletter: str | None, state: str | None) -> None:
    """Write all subscriptions as CSV into FILE, or to the terminal. `digest subscribers import` reads it back."""
    slug = chosen(app.configuration, newsletter).slug if newsletter else None
    count = 0
    with _written(file) as stream, read_only(app.engine) as conn:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for values in imports.give(conn, slug, state):
            writer.writerow(written(values))
            count += 1
    click.echo(f"{count:,} subscriptions", err=True)


@contextmanager
def _lines(file: Path) -> Iterator[Iterable[bytes]]:
    """The lines of a file, with a bar that follows how much of it was read; on a terminal alone."""
    columns = ("[progress.description]{task.description}", BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with file.open("rb") as stream, Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Importing", total=file.stat().st_size)
        yield _followed(stream, lambda size: progress.advance(task, size))


def _followed(stream: IO[bytes], advance: Callable[[int], None]) -> Iterator[bytes]:
    for line in stream:
        advance(len(line))
        yield line


@contextmanager
def _writer(report: Path | None) -> Iterator[Callable[[Outcome], None]]:
    """What writes outcomes into a report; nothing where there is none."""
    if report is None:
        yield lambda outcome: None
        return
    with report.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("row", "email", "newsletter", "outcome", "reason"))
        yield lambda o: writer.writerow((o.number, o.email, o.newsletter, o.outcome, o.reason))


@contextmanager
def _written(file: Path) -> Iterator[IO[str]]:
    if str(file) == "-":
        yield sys.stdout
        return
    with file.open("w", encoding="utf-8", newline="") as stream:
        yield stream


def _counted(outcomes: Iterable[Outcome], note: Callable[[Outcome], None]) -> tuple[Counter[str], list[Outcome]]:
    """Notes all outcomes and counts them; and the first that were refused."""
    counts: Counter[str] = Counter()
    refused: list[Outcome] = []
    for outcome in outcomes:
        note(outcome)
        counts[outcome.outcome] += 1
        if outcome.outcome == REFUSED and len(refused) < SHOWN:
            refused.append(outcome)
    return counts, refused


def _summary(counts: Counter[str], refused: list[Outcome], dry_run: bool) -> None:
    for row in refused:
        click.echo(f"row {row.number}: {row.email or '(no address)'} refused: {row.reason}", err=True)
    if counts[REFUSED] > SHOWN:
        click.echo(f"and {counts[REFUSED] - SHOWN:,} more refused; --report FILE lists them all", err=True)
    told = ", ".join(f"{counts[name]:,} {name}" for name in OUTCOMES if counts[name])
    click.echo(f"{counts.total():,} rows: {told or 'nothing in them'}{' (dry run: nothing is stored)' * dry_run}")
