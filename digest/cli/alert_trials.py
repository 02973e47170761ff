"""`digest alerts test`: what a rule would have found and told, and why it finds an item or does not."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from digest.alert_rules import AlertRule, AlertSpec
from digest.app import App
from digest.cli import with_app
from digest.cli.alert_options import checked, in_words, policy_options, values_of
from digest.cli.alert_reasons import explanation_json, print_explanation
from digest.cli.query_text import read_query
from digest.cli.search import instant
from digest.model import Item
from digest.query.quote import marked
from digest.services import alert_explanations
from digest.services import alert_rules as rule_service
from digest.services import alert_trials as service
from digest.storage import alert_rules as rule_storage
from digest.storage.engine import read_only

MOST_COMPARED = 1_000  # newest rules whose overlap is looked for


@click.command()
@click.argument("query", required=False)
@click.option("--since", callback=instant, default="30d", show_default=True, metavar="TIME",
              help="A time ago (36h, 30d, 4w) or a day.")
@click.option("--rule", "name", metavar="NAME", help="What is not said otherwise is as in this rule.")
@click.option("--explain", "reference", metavar="ITEM", help="Why it finds this item, by its address or id, or not.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@policy_options
@with_app
def test(app: App, /, query: str | None, since: timedelta | datetime, name: str | None, reference: str | None,
         as_json: bool, **options: Any) -> None:
    """Show what a rule with QUERY would have found and told. Nothing is stored or mailed.

    Options say what the rule would, as in `digest alerts add`.
    """
    spec, besides = _rule(app, query, name, options)
    now = app.clock.now()
    begin = now - since if isinstance(since, timedelta) else since
    span: dict[str, Any] = {"since": begin, "now": now, "zone": app.zone}
    if reference is not None:
        found = alert_explanations.explain_item(app.engine, spec, app.configuration, reference, **span)
        click.echo(_as_text(explanation_json(found))) if as_json else print_explanation(found)
        return
    trial = service.try_rule(app.engine, spec, app.configuration, besides=besides, **span)
    if as_json:
        click.echo(_as_text(_trial_json(spec, trial)))
    else:
        _print_trial(spec, trial)


def _rule(app: App, query: str | None, name: str | None, options: dict[str, Any]) -> tuple[AlertSpec, list[AlertRule]]:
    """What is to be tried, and the rules that it is compared with."""
    if query is None and name is None:
        raise click.UsageError("Give a query, or --rule NAME.")
    with read_only(app.engine) as conn:
        rule = rule_service.find(conn, name) if name is not None else None
        others = rule_storage.rules(conn, "active")[-MOST_COMPARED:]
    before = rule.spec if rule else None
    if query is not None:
        read_query(query, app.configuration.names)
    values = {**(before.model_dump() if before else {}), **values_of(options, before),
              **({"query": query} if query is not None else {})}
    return checked(app.configuration, values), [one for one in others if rule is None or one.id != rule.id]


def _print_trial(spec: AlertSpec, trial: service.Trial) -> None:
    console = Console(highlight=False)
    days = (trial.until - trial.since) / timedelta(days=1)
    console.print(f"[bold]{escape(trial.canonical)}[/bold]\nAn item {escape(trial.in_words)}.")
    for key, value in in_words(spec):
        console.print(f"  {key}: {escape(value)}")
    if not trial.searched:
        console.print("The archive has no items of these days. Poll first: digest poll")
        return
    stories, alerts, mails = (_counted(trial.stories, "story", "stories"), _counted(trial.alerts, "alert", "alerts"),
                              _counted(trial.mails, "mail", "mails"))
    least = "" if trial.exact else "at least "
    console.print(f"Last {days:g} days: {least}{trial.items} of {trial.searched} items match, in {stories}: "
                  f"[bold]{alerts}[/bold] in {mails}, {trial.alerts_a_day:.1f} a day")
    if 0 < trial.backlog < trial.items:
        console.print(f"{trial.backlog} of the items were old when their feeds were first read: they alert nobody")
    for warning in trial.warnings:
        console.print(f"[yellow]![/] {escape(str(warning))}")
    if trial.items:
        _print_days(console, trial)
        shown = ", ".join(f"{source.name} {number}" for source, number in trial.sources)
        console.print(f"Loudest: {escape(shown)}")
        _print_samples(console, trial)
    _print_near_misses(console, trial)


def _print_days(console: Console, trial: service.Trial) -> None:
    table = Table("day (UTC)", "items", "alerts", "")
    most = max(1, *(one.items for one in trial.days))
    for one in trial.days:
        table.add_row(one.day.isoformat(), str(one.items), str(one.alerts), "█" * round(30 * one.items / most))
    console.print(table)


def _print_samples(console: Console, trial: service.Trial) -> None:
    for sample in trial.samples:
        item, pieces = sample.item, marked(sample.quote.sentence, sample.quote.words)
        console.print(f"\n[bold]{escape(item.title)}[/bold]\n{_credit(item)}")
        console.print("".join(f"[bold]*{escape(p.text)}*[/bold]" if p.marked else escape(p.text) for p in pieces))
        if item.url:
            console.print(escape(item.url), soft_wrap=True)
    if trial.items > len(trial.samples):
        console.print(f"\nand {trial.items - len(trial.samples)} more: digest search")


def _print_near_misses(console: Console, trial: service.Trial) -> None:
    if trial.near_misses:
        console.print("\n[bold]One clause short[/bold]")
    for miss in trial.near_misses:
        number = f"{miss.total}{'' if miss.exact else ' or more'} {'item' if miss.total == 1 else 'items'}"
        console.print(f"{escape(miss.clause)}: {number}, each {escape(miss.why)}")
        for item in miss.items:
            console.print(f"  {escape(item.title)}\n  {_credit(item)}")


def _credit(item: Item) -> str:
    return (f"{escape(item.feed.source.name)} · {item.sorted_at:%Y-%m-%d %H:%M} UTC"
            f"{' · backlog' if item.backlog else ''}")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _trial_json(spec: AlertSpec, trial: service.Trial) -> dict[str, object]:
    return {
        "query": spec.query, "canonical": trial.canonical, "in_words": trial.in_words,
        "rule": spec.model_dump(mode="json", exclude_defaults=True), "since": trial.since.isoformat(),
        "until": trial.until.isoformat(), "searched": trial.searched, "items": trial.items, "backlog": trial.backlog,
        "stories": trial.stories, "alerts": trial.alerts, "mails": trial.mails, "exact": trial.exact,
        "days": [{"date": one.day.isoformat(), "items": one.items, "alerts": one.alerts} for one in trial.days],
        "sources": [{"source": source.slug, "name": source.name, "items": number} for source, number in trial.sources],
        "samples": [{**_item_json(s.item), "story": s.story_id, "sentence": s.quote.sentence,
                     "words": list(s.quote.words)} for s in trial.samples],
        "near_misses": [{"clause": miss.clause, "why": miss.why, "total": miss.total, "exact": miss.exact,
                         "items": _items_json(miss.items)} for miss in trial.near_misses],
        "warnings": [{"kind": one.kind, "message": one.message, "hint": one.hint} for one in trial.warnings],
    }


def _items_json(items: Sequence[Item]) -> list[dict[str, object]]:
    return [_item_json(item) for item in items]


def _item_json(item: Item) -> dict[str, object]:
    return {"id": item.id, "title": item.title, "url": item.url, "source": item.feed.source.name,
            "language": item.language, "time": item.sorted_at.isoformat(), "backlog": item.backlog}


def _as_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
