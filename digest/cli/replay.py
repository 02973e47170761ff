"""`digest replay`: what the pipeline would have made of a recorded archive."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from digest.app import ArchiveApp, open_archive
from digest.services.replay import ReplayReport
from digest.services.replay import replay as run_replay

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("archive", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--newsletter", "newsletter_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A newsletter document whose sources are outlets; without it all outlets are one newsletter.")
@click.option("--alerts", "alerts_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="RULES",
              help="Alert rules, as in config/alerts/: what they would have told goes to OUT/alerts.jsonl.")
@click.option("--from", "first", type=DAY, help="First day whose edition is written [the archive's first].")
@click.option("--to", "last", type=DAY, help="Last day whose edition is written; the replay ends after it.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("var/replay"), show_default=True)
def replay(
    archive: Path, newsletter_file: Path | None, alerts_file: Path | None, first: datetime | None,
    last: datetime | None, out: Path,
) -> None:
    """Run the recorded ARCHIVE through the whole pipeline, one edition a day.

    Polls as the scheduler would have, under a simulated clock and a throw-away database, and writes
    OUT/YYYY-MM-DD/edition.{html,txt,json} and OUT/stories.jsonl. The archive's format is in docs/archives.md.
    """
    root = click.get_current_context().find_root().obj
    with open_archive(root, archive, newsletter_file, alerts_file) as app:
        report = _run(app, out, first, last)
    _show(report, out)


def _run(app: ArchiveApp, out: Path, first: datetime | None, last: datetime | None) -> ReplayReport:
    start = app.archive.first
    end = datetime.combine(app.archive.last.date(), time.max, tzinfo=UTC)
    if last is not None:
        end = min(end, datetime.combine(last.date(), time.max, tzinfo=UTC) + timedelta(days=1))
    with Progress(transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task("Replaying", total=(end - start).total_seconds())

        async def work() -> ReplayReport:
            async with app.cycle() as cycle:
                return await run_replay(
                    cycle, app.clock, app.configuration, out, start=start, end=end,
                    first=first.date() if first else None, last=last.date() if last else None,
                    on_progress=lambda at: progress.update(task, completed=(at - start).total_seconds()))

        return asyncio.run(work())


def _show(report: ReplayReport, out: Path) -> None:
    table = Table("Day", "Chosen", "All", "Sources", "Lead")
    for edition in report.editions:
        view = edition.view
        chosen = len(view.all_stories) - len(view.rest)
        lead = view.lead
        table.add_row(view.date, str(chosen), str(len(view.all_stories)), str(lead.sources) if lead else "",
                      lead.headline if lead else view.empty_reason or "no lead")
    console = Console()
    console.print(table)
    console.print(f"{report.polls} polls, {report.items} items, {report.stories} stories, {report.alerts} alerts; "
                  f"written to {out}")
