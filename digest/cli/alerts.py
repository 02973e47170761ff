"""`digest alerts`: add, try, list, pause, resume and remove keyword alert rules."""

import json
import shlex
from datetime import timedelta

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from digest.app import App
from digest.cli import with_app
from digest.errors import QueryError
from digest.query import parse_query
from digest.query.quote import marked
from digest.query.tree import Query
from digest.services import alerts as service
from digest.storage import alerts as storage
from digest.storage.engine import read_only

SINCE_DAYS = 30


@click.group()
def alerts() -> None:
    """Add, try and list keyword alert rules."""


@alerts.command()
@click.argument("name")
@click.option("--query", required=True, help='Words, "phrases", AND, OR, NOT, brackets.')
@click.option("--to", "email", required=True, metavar="EMAIL", help="Who gets the alerts.")
@with_app
def add(app: App, name: str, query: str, email: str) -> None:
    """Mail EMAIL when a story matches: once for each story, from now on.

    With this command you state that EMAIL agreed to get these alerts.
    """
    tree = _read(query)
    with app.engine.begin() as conn:
        rule = service.add(conn, name, query, email, app.clock.now())
    click.echo(f"{rule.name}: {tree}")
    click.echo(f"Mails {rule.owner.email} once for each story that matches, from the next poll on ({rule.state}).")
    click.echo(f"What it would have matched lately: digest alerts test {shlex.quote(query)}")


@alerts.command("list")
@with_app
def list_rules(app: App) -> None:
    """List the rules, with the number of their alerts."""
    with read_only(app.engine) as conn:
        rules, counts = storage.rules(conn, "active", "paused"), storage.counts(conn)
    if not rules:
        click.echo('No alert rules. Make one: digest alerts add NAME --query "words" --to EMAIL')
        return
    table = Table("name", "query", "to", "state", "since", "alerts", "last")
    for rule in rules:
        number, last = counts.get(rule.id, (0, None))
        table.add_row(escape(rule.name), escape(rule.query), escape(rule.owner.email), rule.state,
                      f"{rule.created_at:%Y-%m-%d}", str(number), f"{last:%Y-%m-%d %H:%M} UTC" if last else "never")
    Console().print(table)


@alerts.command()
@click.argument("name")
@with_app
def pause(app: App, name: str) -> None:
    """Stop a rule until it is resumed; what happens meanwhile is not caught up."""
    with app.engine.begin() as conn:
        rule = service.pause(conn, name)
    click.echo(f"{rule.name} is paused. Go on: digest alerts resume {shlex.quote(rule.name)}")


@alerts.command()
@click.argument("name")
@with_app
def resume(app: App, name: str) -> None:
    """Make a paused rule fire again, from now on."""
    with app.engine.begin() as conn:
        rule = service.resume(conn, name)
    click.echo(f"{rule.name} is active.")


@alerts.command()
@click.argument("name")
@with_app
def remove(app: App, name: str) -> None:
    """End a rule for good; its name is free again."""
    with app.engine.begin() as conn:
        rule = service.remove(conn, name)
    click.echo(f"{rule.name} is removed; {rule.owner.email} gets no more alerts of it.")


@alerts.command()
@click.argument("query")
@click.option("--since", "days", type=click.IntRange(1, 3650), default=SINCE_DAYS, show_default=True, metavar="DAYS")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@with_app
def test(app: App, query: str, days: int, as_json: bool) -> None:
    """Show what QUERY would have matched in the archive. Nothing is stored or mailed."""
    tree = _read(query)
    now = app.clock.now()
    trial = service.try_query(app.engine, query, now - timedelta(days=days), now)
    if as_json:
        click.echo(json.dumps(_trial_json(query, tree, days, trial), ensure_ascii=False, indent=2))
    else:
        _print_trial(tree, days, trial)


def _read(query: str) -> Query:
    """The tree of a query; a mistake is shown under its place."""
    try:
        return parse_query(query)
    except QueryError as error:
        line, column = _window(query, error.position)
        click.echo(f"  {line}\n  {' ' * column}^", err=True)
        raise


def _window(query: str, position: int) -> tuple[str, int]:
    """The part of a query round a position as one line of at most 72 characters, and the position in it."""
    start = max(0, position - 60)
    line = "".join(character if character.isprintable() else " " for character in query[start:start + 72])
    return line, min(position, len(query)) - start if position - start <= len(line) else len(line)


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
