"""`digest demo`: the whole chain on a made-up region, in an instance of its own."""

import asyncio
from datetime import UTC, timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from digest.app import App
from digest.cli import quiet_logs
from digest.cli.overview import print_lead
from digest.demo import QUERY, DemoReport, demo_app, demo_root, run


@click.command()
@click.pass_context
def demo(ctx: click.Context) -> None:
    """Run the whole chain on a made-up region.

    Polls bundled feeds over HTTP on this machine, makes stories, builds and mails today's edition and fires a keyword
    alert, all below var/demo of the instance. Mail goes to files; nothing leaves this machine. A second run on the
    same day (in UTC) sends nothing twice; a new day begins afresh.
    """
    quiet_logs()
    console = Console()
    with demo_app(demo_root(ctx.find_root().obj)) as app:
        report = asyncio.run(_run(app, console))
        _print(console, app, report)


async def _run(app: App, console: Console) -> DemoReport:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Polling the demo region's feeds", total=len(app.configuration.feeds))
        return await run(app, lambda _outcome: progress.advance(task))


def _print(console: Console, app: App, report: DemoReport) -> None:
    console.print(_feeds(report))
    console.print(_chain(report))
    print_lead(console, report.view)
    console.print()
    _print_paths(console, app, report)
    if not report.created and not report.sent.sent:
        next_day = report.anchor.astimezone(UTC).date() + timedelta(days=1)
        console.print(f"[bold]Nothing was sent: this edition and its alert were mailed before.[/] "
                      f"The demo begins afresh on {next_day} (UTC).")
    console.print("Next:")
    console.print("  digest serve --demo    look at it in a browser")
    console.print("  digest init            make a digest of your own region")


def _feeds(report: DemoReport) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("source", "outcome", "entries", "new"):
        table.add_column(name, justify="right" if name in {"entries", "new"} else "left")
    table.add_column("remark")
    for outcome in report.outcomes:
        colour = "red" if outcome.failed else "green" if outcome.outcome in {"ok", "not_modified"} else "yellow"
        table.add_row(escape(outcome.feed.source.name), f"[{colour}]{outcome.outcome}[/]", _number(outcome.entries),
                      _number(outcome.new), escape(outcome.detail))
    return table


def _number(value: int) -> str:
    return str(value) if value else "–"


def _chain(report: DemoReport) -> Table:
    """The way of the data in numbers."""
    view, sent = report.view, report.sent
    mailed = len(view.all_stories) - len(view.rest)
    table = Table(box=None, pad_edge=False, show_header=False, title="\nToday's edition", title_justify="left")
    table.add_column(style="bold")
    table.add_column()
    failed = sum(outcome.failed for outcome in report.outcomes)
    table.add_row("feeds", f"{len(report.outcomes)} polled, {failed} failed")
    table.add_row("items", f"{report.items} stored, {report.tick.assigned} of them new in this run")
    table.add_row("stories", f"{report.stories}, made from {report.items} items")
    table.add_row("chosen", f"{mailed} stories in the mail, {len(view.all_stories)} on the page of all")
    table.add_row("alerts", f"{report.alerts} fired now for “{escape(QUERY)}”")
    known = f"; {report.queued.known} readers had the edition before" if report.queued.known else ""
    table.add_row("mails", f"{sent.sent} sent now{known}")
    return table


def _print_paths(console: Console, app: App, report: DemoReport) -> None:
    console.print("Files:")
    for path in report.files:
        console.print(f"  {escape(_shown(path))}", soft_wrap=True)
    mails = len(list(app.instance.outbox.glob("*.eml")))
    console.print(f"  {escape(_shown(app.instance.outbox))}/ holds {mails} mails", soft_wrap=True)
    console.print(f"  digest --instance {escape(_shown(app.instance.root))} … works on this instance", soft_wrap=True)


def _shown(path: Path) -> str:
    """The path relative to the working directory where it lies below it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
