"""`digest poll`."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from digest.app import App
from digest.cli import with_app
from digest.errors import NotFound, SendRefused
from digest.model import Feed
from digest.services.articles import in_words
from digest.services.cycle import CycleReport
from digest.services.feeds import PollOutcome

GOOD = frozenset({"ok", "unchanged", "not_modified"})


@click.command()
@click.argument("newsletter", required=False)
@click.option("--all", "everything", is_flag=True, help="Poll feeds that are not due, too.")
@with_app
def poll(app: App, newsletter: str | None, everything: bool) -> None:
    """Poll the feeds that are due, or those of NEWSLETTER, and print what came of each.

    New items are put into stories and alert rules are tried on them; alerts that fire are mailed.
    """
    feeds = feeds_of(app, newsletter)
    if not feeds:
        raise click.ClickException("no feeds are configured; add some to config/sources/ or run digest init")
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Polling", total=len(feeds))
        report = asyncio.run(_run(app, feeds, everything, lambda outcome: progress.advance(task)))
    print_report(Console(), report, total=len(feeds))
    if report.alerts:
        _mail_alerts(app, Console())


def feeds_of(app: App, newsletter: str | None) -> Sequence[Feed]:
    """The feeds of a newsletter, or all. Raises NotFound for an unknown newsletter."""
    if newsletter is None:
        return app.configuration.feeds
    known = app.configuration.newsletters
    if newsletter not in known:
        raise NotFound("newsletter", newsletter, tuple(known))
    return app.configuration.feeds_of(known[newsletter])


def print_report(console: Console, report: CycleReport, *, total: int) -> None:
    """A table of outcomes, failures last, and one line on items, stories and alerts."""
    outcomes = report.outcomes
    if outcomes:
        console.print(outcome_table(outcomes))
    failed = sum(outcome.failed for outcome in outcomes)
    new = sum(outcome.new for outcome in outcomes)
    waiting = total - len(outcomes)
    console.print(
        f"{len(outcomes)} of {total} feeds polled, {failed} failed, {new} new items, "
        f"{report.tick.stories} new stories, {report.alerts} alerts."
        + (f" {waiting} not due yet (--all polls them too)." if waiting else ""))
    if report.pages.outcomes:
        console.print(f"Pages of new items: {in_words(report.pages.outcomes)}.")


def outcome_table(outcomes: Sequence[PollOutcome]) -> Table:
    """One row a feed; the address stands where a source has several feeds."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("source")
    table.add_column("outcome")
    for name in ("entries", "new", "changed", "undated", "backlog"):
        table.add_column(name, justify="right")
    table.add_column("detail", overflow="fold")
    feeds_by_source = Counter(outcome.feed.source.slug for outcome in outcomes)
    for outcome in sorted(outcomes, key=lambda o: (o.outcome not in GOOD, o.feed.source.name.casefold(), o.feed.url)):
        several = feeds_by_source[outcome.feed.source.slug] > 1 or outcome.failed
        colour = "red" if outcome.failed else "green" if outcome.outcome in GOOD else "yellow"
        numbers = (outcome.entries, outcome.new, outcome.changed, outcome.undated, outcome.backlog)
        detail = " ".join(part for part in (outcome.feed.url if several else "", outcome.detail) if part)
        table.add_row(escape(outcome.feed.source.name), f"[{colour}]{outcome.outcome}[/]",
                      *(str(number) if number else "" for number in numbers), escape(detail))
    return table


async def _run(app: App, feeds: Sequence[Feed], everything: bool,
               on_outcome: Callable[[PollOutcome], None]) -> CycleReport:
    async with app.cycle() as cycle:
        return await cycle.run(feeds, configuration=app.configuration, zone=app.zone, everything=everything,
                               on_outcome=on_outcome)


def _mail_alerts(app: App, console: Console) -> None:
    """Sends what is due; where mail may not leave, says why and leaves it in the ledger."""
    try:
        sent = asyncio.run(app.send_due())
    except SendRefused as refusal:
        console.print(f"[yellow]{escape(str(refusal))}[/]")
        return
    error = f" {escape(sent.error)}" if sent.error else ""
    console.print(f"{sent.sent} mails sent, {sent.remaining} waiting.{error}")
