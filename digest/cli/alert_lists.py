"""`digest alerts list`, `show` and `log`: what rules there are, what they did, and what became of each alert."""

import csv
import json
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from digest.alert_rules import Alert
from digest.app import App
from digest.cli import with_app
from digest.cli.alert_options import difference, in_words
from digest.notify.targets import shown
from digest.services import alert_rules as service
from digest.services import alert_standings
from digest.services.alert_standings import RuleStanding
from digest.storage import alert_rules as rule_storage
from digest.storage import alerts as storage
from digest.storage.engine import read_only

LOG_LIMIT = 50
LOG_FIELDS = ("at", "rule", "version", "story", "item", "why", "sentence", "release_at", "held_by", "targets")


@click.command("list")
@with_app
def list_rules(app: App) -> None:
    """List the rules, with the number of their alerts and how long they have been silent."""
    with read_only(app.engine) as conn:
        rules = rule_storage.rules(conn, "active", "paused")
        found = alert_standings.of_rules(conn, rules, app.configuration.feeds, app.clock.now())
    if not found:
        click.echo('No alert rules. Make one: digest alerts add NAME --query "words" --to EMAIL')
        return
    table = Table("name", "query", "to", "state", "alerts", "stories", "useful", "last")
    for one in found:
        rule, counts = one.rule, one.counts
        last = f"{counts.last:%Y-%m-%d %H:%M} UTC" if counts else "never"
        table.add_row(
            escape(rule.name), escape(rule.query), escape(rule.owner_name), rule.state,
            str(counts.alerts if counts else 0), str(counts.stories if counts else 0), _useful(one),
            last + (f"\n[yellow]silent {one.silent_days} days[/]" if one.is_silent else ""))
    Console().print(table)


@click.command()
@click.argument("name")
@with_app
def show(app: App, name: str) -> None:
    """Show a rule: what it says, its versions, whom it tells, what it did, and whether its silence is odd."""
    with read_only(app.engine) as conn:
        rule = service.find(conn, name)
        (one,) = alert_standings.of_rules(conn, [rule], app.configuration.feeds, app.clock.now())
        versions = rule_storage.versions_of(conn, rule.id)
    console = Console(highlight=False)
    console.print(f"[bold]{escape(rule.name)}[/], version {rule.version}, {rule.state}\n{escape(rule.query)}")
    for key, value in in_words(rule.spec):
        console.print(f"  {key}: {escape(value)}")
    for channel in one.channels:
        state = "" if channel.state == "active" else f", {channel.state}"
        console.print(f"  to {escape(shown(channel.kind, channel.target))} ({channel.kind}{state})")
    console.print(f"Owner: {escape(rule.owner_name)}. Made {rule.created_at:%Y-%m-%d %H:%M} UTC ({rule.origin}); "
                  f"fires on what is first seen since {rule.since:%Y-%m-%d %H:%M} UTC.")
    _print_standing(console, one)
    for newer, older in pairwise(versions):
        console.print(f"Version {newer.number}, {newer.at:%Y-%m-%d %H:%M} UTC, {escape(newer.author)}")
        for line in difference(older.spec, newer.spec):
            console.print(f"  {escape(line)}")


def _print_standing(console: Console, one: RuleStanding) -> None:
    if one.counts is None:
        console.print(f"No alert yet, in {one.silent_days} days.")
    else:
        counts = one.counts
        console.print(f"{counts.alerts} alerts of {counts.stories} stories; {counts.useful} marked useful, "
                      f"{counts.not_useful} not; last {counts.last:%Y-%m-%d %H:%M} UTC, {one.silent_days} days ago.")
    if one.is_silent:
        console.print(f"[yellow]Silent for {one.silent_days} days; it usually tells something every "
                      f"{one.usual_gap_days:g} days. Is it the topic, or a feed?[/]")
        console.print(f"  Feeds in its scope: {one.feeds_well} well, {len(one.feeds_in_trouble)} in trouble")
        for feed in one.feeds_in_trouble:
            console.print(f"  {escape(feed.feed.source.name)}: {feed.health.value}. {escape(feed.why)}")


@click.command()
@click.argument("name", required=False)
@click.option("--since", "days", type=click.IntRange(1, 3650), metavar="DAYS", help="Only of the last DAYS days.")
@click.option("--limit", type=click.IntRange(1), default=LOG_LIMIT, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
@click.option("--csv", "as_csv", is_flag=True, help="For spreadsheets.")
@with_app
def log(app: App, name: str | None, days: int | None, limit: int, as_json: bool, as_csv: bool) -> None:
    """Say of each alert (of the rule NAME) why it was given, when it was told, and what became of it; newest first."""
    since = app.clock.now() - timedelta(days=days) if days else None
    with read_only(app.engine) as conn:
        rule_id = service.find(conn, name).id if name else None
        found = storage.log(conn, rule_id=rule_id, since=since, limit=limit)
        fates = storage.fates(conn, [alert.id for alert, _ in found])
    lines = [_line(alert, rule, fates.get(alert.id, [])) for alert, rule in found]
    if as_json:
        for line in lines:
            click.echo(json.dumps(line, ensure_ascii=False))
    elif as_csv:
        writer = csv.DictWriter(sys.stdout, LOG_FIELDS)
        writer.writeheader()
        writer.writerows({key: "; ".join(map(str, value)) if isinstance(value, list) else value
                          for key, value in line.items()} for line in lines)
    else:
        _print_log(lines)


def _line(alert: Alert, rule: str, fates: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    return {"at": _iso(alert.at), "rule": rule, "version": alert.version, "story": alert.story_id,
            "item": alert.item_id, "why": [str(trigger) for trigger in alert.why], "sentence": alert.sentence,
            "release_at": _iso(alert.release_at), "held_by": alert.held_by,
            "targets": [f"{channel}:{shown(channel, target)} {state}" for channel, target, state in fates]}


def _print_log(lines: Sequence[dict[str, Any]]) -> None:
    table = Table("at (UTC)", "rule", "why", "sentence", "told")
    for line in lines:
        held = f"{line['release_at'][:16]} ({line['held_by']})\n" if line["held_by"] else ""
        table.add_row(line["at"][:16].replace("T", " "), escape(f"{line['rule']} v{line['version']}"),
                      escape("\n".join(line["why"])), escape(line["sentence"]),
                      escape(held + "\n".join(line["targets"]) or "nobody"))
    Console().print(table)


def _useful(one: RuleStanding) -> str:
    counts = one.counts
    return f"{counts.useful} of {counts.useful + counts.not_useful}" if counts and (
        counts.useful or counts.not_useful) else ""


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
