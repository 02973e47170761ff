"""`digest editions rebuild` and `digest editions replay`: past editions, rendered again or made otherwise."""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from digest.app import App
from digest.cli import with_app
from digest.cli.lint import read_name
from digest.errors import NotFound
from digest.pipeline.comparison import DayComparison, Step, Told, totals
from digest.pipeline.render import Renderer
from digest.resources import template_texts
from digest.services import archive, editions, newsletters
from digest.services.backtest import backtest, changed
from digest.services.rebuild import Rebuilt
from digest.services.rebuild import rebuild as run_rebuild
from digest.storage.engine import read_only

DAY = click.DateTime(["%Y-%m-%d"])
SHORT_HASH = 12


@click.command()
@click.argument("edition", metavar="EDITION")
@with_app
def rebuild(app: App, edition: str) -> None:
    """Render a stored edition again and compare it, byte for byte, with what was frozen.

    EDITION is NEWSLETTER/YYYY-MM-DD or NEWSLETTER/YYYY-MM-DD/weekly. Every variant that was rendered is compared. The
    exit code is 1 where anything differs.
    """
    slug, day, period = read_name(edition)
    if day is None:
        raise NotFound("edition", edition, hint="name its day: NEWSLETTER/YYYY-MM-DD")
    with read_only(app.engine) as conn:
        stored = archive.archived(conn, slug, day, period)
        if stored is None:
            raise NotFound("released edition", edition, hint=f"digest editions list {slug} shows them")
        found = run_rebuild(conn, stored, app.settings)
    print_rebuilt(Console(), found)
    if not found.equal:
        sys.exit(1)


@click.command("replay")
@click.argument("newsletter")
@click.option("--from", "first", required=True, type=DAY, help="First day.")
@click.option("--to", "last", required=True, type=DAY, help="Last day.")
@click.option("--with", "other", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A TOML file with the newsletter's keys that are to differ.")
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="Write the comparison here too.")
@with_app
def replay_days(
    app: App, newsletter: str, first: datetime, last: datetime, other: Path | None, page: Path | None
) -> None:
    """Compare past editions with what other settings would have made of the same days.

    With --with, the settings in force stand beside those with the keys of that file; without, the editions as they were
    released beside what the settings in force make now. Each side remembers what it would have mailed the days before.
    Nothing is stored, nobody is mailed.
    """
    chosen = newsletters.chosen(app.configuration, newsletter)
    changes = changed(chosen, str(other), other.read_text(encoding="utf-8")) if other else None
    templates = template_texts(app.instance.templates)
    with read_only(app.engine) as conn:
        days = backtest(conn, app.configuration, chosen, changes, app.settings, templates, first=first.date(),
                        last=last.date(), now=app.clock.now())
    sides = ("settings in force", other.name) if other else ("as released", "settings in force")
    print_comparison(Console(), days, sides)
    if page:
        page.write_text(comparison_page(editions.renderer_of(templates, app.settings), chosen.name, days, sides),
                        encoding="utf-8")
        click.echo(f"Written to {page}")


def print_rebuilt(console: Console, found: Rebuilt) -> None:
    """A line for the view and for each part of each variant, with its hashes."""
    table = Table("Variant", "Part", "Outcome", "Stored", "Now")
    table.add_row("", "view", _outcome(found.view == found.approved), found.approved[:SHORT_HASH],
                  found.view[:SHORT_HASH])
    for part in found.parts:
        table.add_row(escape(part.variant), part.part, _outcome(part.equal), part.stored[:SHORT_HASH] or "gone",
                      part.rebuilt[:SHORT_HASH])
    console.print(table)
    console.print("Equal: the stored edition gives the very bytes that were frozen." if found.equal
                  else "Different: the stored edition no longer gives what was frozen.")


def print_comparison(console: Console, days: Sequence[DayComparison], sides: tuple[str, str]) -> None:
    """Each day's differences, and what they come to."""
    console.print(f"[dim]−[/] {escape(sides[0])}    [dim]+[/] {escape(sides[1])}")
    for day in days:
        _print_day(console, day)
    sums = totals(days)
    console.print(f"\n{sums.days} day{'' if sums.days == 1 else 's'}: {sums.leads} other leads, "
                  f"{sums.added} stories added, {sums.dropped} dropped, "
                  f"{sums.moved} moved; repeated {sums.repeated_before} before, {sums.repeated_after} after")


def comparison_page(
    renderer: Renderer, name: str, days: Sequence[DayComparison], sides: tuple[str, str]
) -> str:
    """The comparison as one page that needs no other file."""
    return renderer.render("web/backtest.html", title=name, days=days, sides=sides, totals=totals(days),
                           stylesheet=renderer.templates["web/site.css"])


def _print_day(console: Console, day: DayComparison) -> None:
    console.print(f"\n[bold]{day.date}[/]" + (" [dim]nothing differs[/]" if day.equal else ""), highlight=False)
    lines = [f"  lead: {escape(day.lead_after)}"]
    if day.lead_changed:
        lines = [f"[red]− lead: {escape(day.lead_before)}[/]", f"[green]+ lead: {escape(day.lead_after)}[/]"]
    lines += [f"[green]+ {_step(step)}[/]{_why(step)}" for step in day.added]
    lines += [f"[red]− {_step(step)}[/]{_why(step)}" for step in day.dropped]
    lines += [f"[yellow]~ {_step(step)}[/]" for step in day.moved]
    lines += [f"[cyan]↻ {escape(told.headline)}[/] (repeated{side})" for told, side in _repeated(day)]
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)


def _repeated(day: DayComparison) -> list[tuple[Told, str]]:
    """Stories that come again, and on which side where it is not both."""
    before, after = ({told.id for told in side} for side in (day.repeated_before, day.repeated_after))
    return [*((told, "" if told.id in before else " on the second side alone") for told in day.repeated_after),
            *((told, " on the first side alone") for told in day.repeated_before if told.id not in after)]


def _step(step: Step) -> str:
    place = f"{step.before} → {step.after}" if step.before and step.after else step.before or step.after
    return escape(f"{step.headline} ({place})")


def _why(step: Step) -> str:
    return f" [dim]{escape(step.why)}[/]" if step.why else ""


def _outcome(equal: bool) -> str:
    return "[green]equal[/]" if equal else "[red]different[/]"
