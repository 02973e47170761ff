"""`digest alerts test`: what a query would have matched."""

import json
from datetime import timedelta

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from digest.app import App
from digest.cli import with_app
from digest.cli.alert_options import read_query
from digest.query.quote import marked
from digest.query.tree import Query
from digest.services import alert_trials as service

SINCE_DAYS = 30


@click.command()
@click.argument("query")
@click.option("--since", "days", type=click.IntRange(1, 3650), default=SINCE_DAYS, show_default=True, metavar="DAYS")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@with_app
def test(app: App, query: str, days: int, as_json: bool) -> None:
    """Show what QUERY would have matched in the archive. Nothing is stored or mailed."""
    tree = read_query(query, app.configuration.names)
    now = app.clock.now()
    trial = service.try_query(app.engine, query, now - timedelta(days=days), now)
    if as_json:
        click.echo(json.dumps(_trial_json(query, tree, days, trial), ensure_ascii=False, indent=2))
    else:
        _print_trial(tree, days, trial)


def _print_trial(tree: Query, days: int, trial: service.Trial) -> None:
    console = Console(highlight=False)
    console.print(f"[bold]{escape(str(tree))}[/bold], last {days} days")
    if not trial.searched:
        console.print("The archive has no items of these days. Poll first: digest poll")
        return
    plural = "alert" if trial.stories == 1 else "alerts"
    console.print(f"{trial.items} of {trial.searched} items match; one alert for each story: "
                  f"[bold]{trial.stories} {plural}[/bold], {trial.stories / days:.1f} a day")
    if trial.items:
        _print_days(console, trial)
        _print_samples(console, trial)


def _print_days(console: Console, trial: service.Trial) -> None:
    table = Table("day (UTC)", "items", "")
    most = max(number for _, number in trial.days)
    for day, number in trial.days:
        table.add_row(day.isoformat(), str(number), "█" * max(1, round(30 * number / most)))
    console.print(table)


def _print_samples(console: Console, trial: service.Trial) -> None:
    for sample in trial.samples:
        item, pieces = sample.item, marked(sample.quote.sentence, sample.quote.words)
        console.print(f"\n[bold]{escape(item.title)}[/bold]\n{escape(item.feed.source.name)} · "
                      f"{item.sorted_at:%Y-%m-%d %H:%M} UTC{' · backlog' if item.backlog else ''}")
        console.print("".join(f"[bold]*{escape(p.text)}*[/bold]" if p.marked else escape(p.text) for p in pieces))
        if item.url:
            console.print(escape(item.url), soft_wrap=True)
    if trial.items > len(trial.samples):
        console.print(f"\nand {trial.items - len(trial.samples)} more")


def _trial_json(query: str, tree: Query, days: int, trial: service.Trial) -> dict[str, object]:
    return {
        "query": query, "canonical": str(tree), "since_days": days, "searched": trial.searched,
        "items": trial.items, "alerts": trial.stories,
        "days": [{"date": day.isoformat(), "items": number} for day, number in trial.days],
        "samples": [
            {"title": s.item.title, "url": s.item.url, "source": s.item.feed.source.name, "language": s.item.language,
             "time": s.item.sorted_at.isoformat(), "backlog": s.item.backlog, "story": s.story_id,
             "sentence": s.quote.sentence, "words": list(s.quote.words)}
            for s in trial.samples
        ],
    }
