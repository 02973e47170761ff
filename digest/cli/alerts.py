"""`digest alerts`: add, change, pause, resume and remove keyword alert rules."""

import shlex
from typing import Any

import click

from digest.alert_rules import DESK, AlertRule
from digest.app import App
from digest.cli import with_app
from digest.cli.alert_channels import channel
from digest.cli.alert_files import export, import_rules
from digest.cli.alert_lists import list_rules, log, show
from digest.cli.alert_options import checked, difference, in_words, policy_options, values_of
from digest.cli.alert_trials import test
from digest.cli.query_text import read_query
from digest.services import alert_rules as service


@click.group()
def alerts() -> None:
    """Add, try, tune and list keyword alert rules."""


@alerts.command()
@click.argument("name")
@click.option("--query", required=True, help='Words, "phrases", AND, OR, NOT, brackets; see docs/queries.md.')
@click.option("--to", "emails", required=True, multiple=True, metavar="EMAIL",
              help="Who gets the alerts; of several, the first owns the rule.")
@click.option("--desk", is_flag=True, help="The rule is the desk's; who stops it stops only their own copy.")
@policy_options
@with_app
def add(app: App, /, name: str, query: str, emails: tuple[str, ...], desk: bool, **options: Any) -> None:
    """Mail EMAIL when a story matches: once for each story, from now on.

    With this command you state that EMAIL agreed to get these alerts.
    """
    tree = read_query(query, app.configuration.names)
    spec = checked(app.configuration, {"query": query, **values_of(options)})
    owner, others = (None, emails) if desk else (emails[0], emails[1:])
    with app.engine.begin() as conn:
        rule = service.add(conn, name, spec, owner, app.clock.now(), to=others)
    click.echo(f"{rule.name}: {tree}")
    for key, value in in_words(rule.spec):
        click.echo(f"  {key}: {value}")
    whom = f"{', '.join(others)} for the desk" if desk else rule.owner_name
    click.echo(f"Mails {whom} about stories that match, from the next poll on ({rule.state}).")
    click.echo(f"What it would have matched lately: digest alerts test {shlex.quote(query)}")


@alerts.command()
@click.argument("name")
@click.option("--query", help="Another query; it fires on nothing that is there already.")
@policy_options
@with_app
def edit(app: App, /, name: str, query: str | None, **options: Any) -> None:
    """Change a rule. Each change is a version; earlier ones are kept.

    --region none, --quiet none and the like take a setting back.
    """
    if query is not None:
        read_query(query, app.configuration.names)
    with app.engine.begin() as conn:
        before = service.find(conn, name)
        values = {**values_of(options, before.spec), **({"query": query} if query is not None else {})}
        checked(app.configuration, {**before.spec.model_dump(), **values})
        rule = service.edit(conn, name, values, service.OPERATOR, app.clock.now())
    if rule.version == before.version:
        click.echo(f"{rule.name} says so already (version {rule.version}).")
        return
    click.echo(f"{rule.name} is now version {rule.version}:")
    for line in difference(before.spec, rule.spec):
        click.echo(f"  {line}")


@alerts.command()
@click.argument("name")
@with_app
def pause(app: App, name: str) -> None:
    """Stop a rule until it is resumed; what happens meanwhile is not caught up."""
    with app.engine.begin() as conn:
        rule = service.pause(conn, name, app.clock.now())
    click.echo(f"{rule.name} is paused. Go on: digest alerts resume {shlex.quote(rule.name)}")


@alerts.command()
@click.argument("name")
@with_app
def resume(app: App, name: str) -> None:
    """Make a paused rule fire again, from now on."""
    with app.engine.begin() as conn:
        rule = service.resume(conn, name, app.clock.now())
    click.echo(f"{rule.name} is active.")


@alerts.command()
@click.argument("name")
@with_app
def remove(app: App, name: str) -> None:
    """End a rule for good; its name is free again."""
    with app.engine.begin() as conn:
        rule = service.remove(conn, name)
    click.echo(f"{rule.name} is removed; {_whom(rule)} more alerts of it.")


@alerts.command()
@click.argument("story_id", metavar="STORY")
@with_app
def flag(app: App, story_id: str) -> None:
    """Say that a story develops: rules with --story develops that told of it tell again."""
    with app.engine.begin() as conn:
        title = service.flag_story(conn, story_id, app.clock.now())
    click.echo(f"“{title}” is flagged; rules that told of it and follow it tell again at the next poll.")


for command in (list_rules, show, log, test, export, import_rules, channel):
    alerts.add_command(command)


def _whom(rule: AlertRule) -> str:
    return "nobody gets" if rule.owner_name == DESK else f"{rule.owner_name} gets no"
