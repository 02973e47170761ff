"""`digest topics`: what topics match, and what a change would have done to the editions of the last days."""

import json
from datetime import timedelta
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from digest.app import App
from digest.cli import with_app
from digest.cli.backtest import print_comparison
from digest.cli.query_text import read_query
from digest.documents import Newsletter
from digest.pipeline.slots import local_date
from digest.resources import template_texts
from digest.services import newsletters
from digest.services import topics as service
from digest.services.backtest import backtest
from digest.storage.engine import read_only

DAYS = 7
SHOWN = 20

for_newsletter = click.option("--newsletter", metavar="NEWSLETTER", help="Which, where there are several.")
for_days = click.option("--days", type=click.IntRange(1, 365), default=DAYS, show_default=True, help="How far back.")
as_json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.group()
def topics() -> None:
    """Show what topics match, and what a change would do. Nothing is stored or mailed."""


@topics.command("list")
@click.argument("newsletter", required=False)
@for_days
@as_json_option
@with_app
def list_topics(app: App, newsletter: str | None, days: int, as_json: bool) -> None:
    """List a newsletter's topics with their settings and how many stories of the last days they matched."""
    chosen = newsletters.chosen(app.configuration, newsletter)
    with read_only(app.engine) as conn:
        found, stories = service.uses(conn, app.configuration, chosen, now=app.clock.now(), days=days)
    if as_json:
        click.echo(json.dumps({"newsletter": chosen.slug, "days": days, "stories": stories,
                               "topics": [_use_json(use) for use in found]}, ensure_ascii=False, indent=2))
    elif not found:
        click.echo(f"{chosen.name} has no topics: [[topics]] in config/newsletters/{chosen.slug}.toml")
    else:
        _print_uses(chosen, found, stories, days)


@topics.command()
@click.argument("query", metavar="TOPIC|QUERY")
@for_newsletter
@for_days
@click.option("--limit", type=click.IntRange(0, 1000), default=SHOWN, show_default=True, help="Stories shown.")
@as_json_option
@with_app
def test(app: App, query: str, newsletter: str | None, days: int, limit: int, as_json: bool) -> None:
    """Show the stories of the last days that a topic or a query matches, by share of their items."""
    chosen = newsletters.chosen(app.configuration, newsletter)
    known = next((topic.query for topic in chosen.topics if topic.slug == query), None)
    if known is None:
        read_query(query, app.configuration.names)
    with read_only(app.engine) as conn:
        trial = service.try_query(conn, app.configuration, chosen, known or query, now=app.clock.now(), days=days)
    if as_json:
        click.echo(json.dumps(_trial_json(trial, days, limit), ensure_ascii=False, indent=2))
    else:
        _print_trial(trial, days, limit)


@topics.command()
@click.argument("topic")
@click.option("--weight", type=click.FloatRange(-3, 3), help="Another weight.")
@click.option("--query", help="Another query.")
@click.option("--limit", type=click.IntRange(0, 50), help="Another limit of its section.")
@click.option("--cap", type=click.IntRange(0), help="Another cap.")
@click.option("--floor", type=click.IntRange(0, 50), help="Another floor.")
@click.option("--without", is_flag=True, help="Without the topic.")
@for_newsletter
@for_days
@with_app
def diff(app: App, /, topic: str, without: bool, newsletter: str | None, days: int, **given: Any) -> None:
    """Make the editions of the last days with and without a change: what enters, leaves and moves.

    A TOPIC that there is not yet is tried as a new one, with --query. Each side remembers what it would have mailed.
    """
    chosen = newsletters.chosen(app.configuration, newsletter)
    changes = {key: value for key, value in given.items() if value is not None}
    if bool(changes) == without:
        raise click.UsageError("Say what is to change (--weight, --query, --limit, --cap, --floor), or --without.")
    if "query" in changes:
        read_query(changes["query"], app.configuration.names)
    other = service.without_topic(chosen, topic) if without else service.with_topic(chosen, topic, changes)
    now = app.clock.now()
    last = local_date(chosen, now)
    with read_only(app.engine) as conn:
        compared = backtest(conn, app.configuration, chosen, other, app.settings,
                            template_texts(app.instance.templates), first=last - timedelta(days=days), last=last,
                            now=now)
    said = "without it" if without else ", ".join(f"{key} {value}" for key, value in changes.items())
    print_comparison(Console(), compared, ("settings in force", f"{topic}: {said}"))


def _print_uses(newsletter: Newsletter, found: tuple[service.TopicUse, ...], stories: int, days: int) -> None:
    table = Table("topic", "title", "weight", "limit", "floor", "cap", "matched", "claimed", "a day")
    for use in found:
        topic = use.topic
        titles = "; ".join((topic.title, *(f"{code}: {title}" for code, title in topic.titles.items())))
        cap = topic.cap or newsletter.caps.topic
        table.add_row(topic.slug, escape(titles), f"{topic.weight:+g}", str(topic.limit), str(topic.floor or ""),
                      str(cap or "none"), str(use.matched), str(use.claimed), f"{use.claimed / days:.1f}")
    console = Console(highlight=False)
    console.print(table)
    claimed = sum(use.claimed for use in found)
    console.print(f"{stories} stories of the last {days} days, {stories - claimed} of them claimed by no topic")


def _print_trial(trial: service.TopicTrial, days: int, limit: int) -> None:
    console = Console(highlight=False)
    matched = len(trial.matched)
    console.print(f"[bold]{escape(' '.join(trial.query.split()))}[/bold]\n{matched} of {trial.stories} stories of the "
                  f"last {days} days match; it claims {trial.claimed} of them, {trial.claimed / days:.1f} a day")
    if trial.per_day:
        table, most = Table("day (UTC)", "stories", ""), max(trial.per_day.values())
        for day, number in trial.per_day.items():
            table.add_row(day.isoformat(), str(number), "█" * max(1, round(30 * number / most)))
        console.print(table)
    for one in trial.matched[:limit]:
        place = f"{one.shown.feed.source.name}, story {one.story.id}{'' if one.claims else ', too few to claim it'}"
        console.print(f"{one.matching} of {one.of}  {escape(one.shown.title)} [dim]({escape(place)})[/dim]",
                      soft_wrap=True)
    if matched > limit:
        console.print(f"and {matched - limit} more: --limit")


def _use_json(use: service.TopicUse) -> dict[str, object]:
    return {**use.topic.model_dump(), "matched": use.matched, "claimed": use.claimed}


def _trial_json(trial: service.TopicTrial, days: int, limit: int) -> dict[str, object]:
    return {
        "query": trial.query, "days": days, "stories": trial.stories, "matched": len(trial.matched),
        "claimed": trial.claimed, "per_day": [{"date": d.isoformat(), "stories": n} for d, n in trial.per_day.items()],
        "samples": [{"story": one.story.id, "title": one.shown.title, "url": one.shown.url,
                     "source": one.shown.feed.source.slug, "matching": one.matching, "of": one.of,
                     "claims": one.claims} for one in trial.matched[:limit]],
    }
