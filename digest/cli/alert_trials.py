"""`digest alerts test`: what a query would have matched."""

import json
from datetime import datetime, timedelta

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from digest.alert_rules import AlertSpec
from digest.app import App
from digest.cli import with_app
from digest.cli.alert_options import read_query
from digest.cli.search import instant
from digest.query.quote import marked
from digest.services import alert_trials as service


@click.command()
@click.argument("query")
@click.option("--since", callback=instant, default="30d", show_default=True, metavar="TIME",
              help="A time ago (36h, 30d, 4w) or a day.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@with_app
def test(app: App, query: str, since: timedelta | datetime, as_json: bool) -> None:
    """Show what QUERY would have found and told, had a rule asked for it. Nothing is stored or mailed."""
    read_query(query, app.configuration.names)
    now = app.clock.now()
    begin = now - since if isinstance(since, timedelta) else since
    trial = service.try_rule(app.engine, AlertSpec(query=query), app.configuration, since=begin, now=now,
                             zone=app.zone)
    if as_json:
        click.echo(json.dumps(_trial_json(query, trial), ensure_ascii=False, indent=2))
    else:
        _print_trial(trial)


def _print_trial(trial: service.Trial) -> None:
    console = Console(highlight=False)
    days = (trial.until - trial.since) / timedelta(days=1)
    console.print(f"[bold]{escape(trial.canonical)}[/bold], last {days:g} days")
    if not trial.searched:
        console.print("The archive has no items of these days. Poll first: digest poll")
        return
    alerts, stories = _counted(trial.alerts, "alert", "alerts"), _counted(trial.stories, "story", "stories")
    console.print(f"{trial.items} of {trial.searched} items match, in {stories}: [bold]{alerts}[/bold], "
                  f"{trial.alerts_a_day:.1f} a day")
    if trial.items:
        _print_days(console, trial)
        _print_samples(console, trial)


def _print_days(console: Console, trial: service.Trial) -> None:
    table = Table("day (UTC)", "items", "alerts", "")
    most = max(1, *(one.items for one in trial.days))
    for one in trial.days:
        table.add_row(one.day.isoformat(), str(one.items), str(one.alerts), "█" * round(30 * one.items / most))
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


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _trial_json(query: str, trial: service.Trial) -> dict[str, object]:
    return {
        "query": query, "canonical": trial.canonical, "since": trial.since.isoformat(),
        "until": trial.until.isoformat(), "searched": trial.searched, "items": trial.items, "stories": trial.stories,
        "alerts": trial.alerts, "mails": trial.mails,
        "days": [{"date": one.day.isoformat(), "items": one.items, "alerts": one.alerts} for one in trial.days],
        "samples": [
            {"title": s.item.title, "url": s.item.url, "source": s.item.feed.source.name, "language": s.item.language,
             "time": s.item.sorted_at.isoformat(), "backlog": s.item.backlog, "story": s.story_id,
             "sentence": s.quote.sentence, "words": list(s.quote.words)}
            for s in trial.samples
        ],
    }
