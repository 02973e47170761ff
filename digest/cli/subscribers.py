"""`digest subscribers`: who reads what, and how."""

import json
from itertools import chain, islice

import click
from rich.console import Console
from rich.table import Table

from digest.app import App
from digest.cli import with_app
from digest.cli.subscriber_files import export, import_
from digest.errors import NotFound
from digest.model import Subscriber, Subscription
from digest.pipeline.slots import local_date
from digest.services import address_changes, bounces, personal_data, preferences
from digest.services import subscribers as service
from digest.services.addresses import normalise_address
from digest.storage import subscriber_batches
from digest.storage.engine import read_only

LEFT = "{email} has left {newsletter}. If they asked to come back: digest subscribers add --again {email}"


@click.group()
def subscribers() -> None:
    """Add, list, show, change, import, export and erase subscribers."""


@subscribers.command()
@click.argument("email")
@click.option("--newsletter", metavar="SLUG", help="Newsletter to subscribe to [the only one].")
@click.option("--again", is_flag=True, help="Also where the reader has left: they asked to come back.")
@with_app
def add(app: App, email: str, newsletter: str | None, again: bool) -> None:
    """Subscribe EMAIL without asking it to confirm: you vouch for its consent. Adding twice changes nothing."""
    slug = _chosen(app, newsletter)
    with app.engine.begin() as conn:
        done = service.subscribe(conn, slug, email, "operator", app.clock.now(), again=again)
    address = done.subscription.subscriber.email
    if done.subscription.state == "left":
        raise click.ClickException(LEFT.format(email=address, newsletter=slug))
    click.echo(f"{address} {'now reads' if done.changed else 'reads already'} {slug}")
    with read_only(app.engine) as conn:
        if reason := bounces.suppressed(conn, address):
            click.echo(f"but gets no mail ({reason}); if that is over: digest bounces suppressions remove {address}")


@subscribers.command("list")
@click.option("--newsletter", metavar="SLUG", help="Only the readers of one newsletter.")
@click.option("--state", type=click.Choice(["active", "pending", "left"]), help="Only those in one state.")
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True, help="Most rows.")
@with_app
def list_(app: App, newsletter: str | None, state: str | None, limit: int) -> None:
    """List subscriptions, one a row, oldest first. For all of many: digest subscribers export."""
    slug = _chosen(app, newsletter) if newsletter else None
    table = Table("address", "newsletter", "state", "consent", "since")
    with read_only(app.engine) as conn:
        total = subscriber_batches.count(conn, slug, state)
        for row in islice(chain.from_iterable(subscriber_batches.pages(conn, slug, state)), limit):
            table.add_row(row.subscriber.email, row.newsletter, row.state, row.subscriber.consent_source,
                          f"{row.created_at:%Y-%m-%d}")
    if not total:
        click.echo("No subscribers yet. Add one: digest subscribers add reader@example.org")
        return
    Console().print(table)
    if total > limit:
        click.echo(f"and {total - limit:,} more: digest subscribers export")


@subscribers.command()
@click.argument("email")
@click.option("--json", "as_json", is_flag=True, help="All that is stored, as the reader's own export has it.")
@with_app
def show(app: App, email: str, as_json: bool) -> None:
    """Show what EMAIL reads, how, and what was mailed to it."""
    with read_only(app.engine) as conn:
        found = personal_data.gather(conn, service.known(conn, email))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    click.echo(f"{found['address']}, since {found['since'][:10]}; consent: {found['consent']}")
    if found["suppressed"]:
        click.echo(f"  gets no mail: {found['suppressed']}")
    for own in found["subscriptions"]:
        chosen = ", ".join(f"{name} {own[name]}" for name in preferences.NAMES if own[name])
        click.echo(f"  {own['newsletter']}: {own['state']} since {own['changed'][:10]}; {chosen}")
    for rule in found["alert_rules"]:
        click.echo(f"  alert {rule['name']}: {rule['state']}; {rule['query']}")
    sent = [mail for mail in found["mails"] if mail["sent"]]
    last = f", the last on {sent[-1]['sent'][:16]}: {sent[-1]['subject']}" if sent else ""
    click.echo(f"  {len(sent)} mails sent{last}")


@subscribers.command("set")
@click.argument("email")
@click.option("--newsletter", metavar="SLUG", help="Newsletter whose preferences change [the only one].")
@click.option("--frequency", help="daily, weekdays or weekly.")
@click.option("--paused-until", metavar="DAY", help="No edition of an earlier day; \"\" ends the pause.")
@click.option("--hour", metavar="HH:MM", help="Hour on the reader's clock; \"\" is at release.")
@click.option("--zone", metavar="ZONE", help="The reader's zone; \"\" is the newsletter's.")
@click.option("--language", metavar="CODE", help="Language of headings and dates; \"\" is the newsletter's.")
@click.option("--read", metavar="CODES", help="Languages of stories, such as en,ru; \"\" is all.")
@click.option("--hidden-sections", metavar="KEYS", help="Sections left out, such as brief,topic-sport; \"\" is none.")
@click.option("--format", "format", help="html or text.")
@click.option("--address", metavar="NEW", help="New address: you vouch that it is theirs.")
@with_app
def set_(app: App, /, email: str, newsletter: str | None, address: str | None, **options: str | None) -> None:
    """Change how EMAIL reads a newsletter, or its address. What is not named stays."""
    words = {name: value for name, value in options.items() if value is not None}
    if not words and address is None:
        raise click.UsageError("nothing to set: name what should change, such as --frequency weekly")
    with app.engine.begin() as conn:
        subscriber = service.known(conn, email)
        if words:
            slug = _chosen(app, newsletter)
            own = next((s for s in service.subscriptions_of(conn, subscriber) if s.newsletter == slug), None)
            if own is None:
                raise NotFound("subscription", f"{subscriber.email} to {slug}", hint="see: digest subscribers show")
            own = preferences.store(conn, own.id, _wanted(app, own, words))
            told = ", ".join(f"{name} {value}" for name, value in preferences.in_words(own).items() if value)
            click.echo(f"{subscriber.email} reads {slug}: {told}")
        if address is not None:
            new = normalise_address(address)
            address_changes.replace_address(conn, subscriber, new, app.clock.now())
            click.echo(f"{subscriber.email} is now {new}")


@subscribers.command()
@click.argument("email")
@with_app
def remove(app: App, email: str) -> None:
    """End all subscriptions of EMAIL. Its alert rules stay: see digest alerts remove."""
    with app.engine.begin() as conn:
        ended = service.remove(conn, email, app.clock.now())
    names = ", ".join(subscription.newsletter for subscription in ended)
    click.echo(f"{email} no longer reads {names}" if ended else f"{email} reads nothing")


@subscribers.command()
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_app
def erase(app: App, email: str, yes: bool) -> None:
    """Erase all that is stored of EMAIL: subscriptions, alerts, what was mailed to it. Cannot be undone."""
    with read_only(app.engine) as conn:
        subscriber: Subscriber = service.known(conn, email)
    if not yes:
        click.confirm(f"Erase {subscriber.email} for good?", abort=True)
    with app.engine.begin() as conn:
        personal_data.erase(conn, subscriber, app.clock.now())
    click.echo(f"{subscriber.email} is erased")


subscribers.add_command(import_)
subscribers.add_command(export)


def _wanted(app: App, own: Subscription, words: dict[str, str]) -> preferences.Wanted:
    newsletter = app.configuration.newsletters[own.newsletter]
    offered = preferences.choices(newsletter, app.configuration, newsletter.language)
    today = local_date(newsletter, app.clock.now())
    return preferences.changed(preferences.wanted(own), words, offered, today)


def _chosen(app: App, newsletter: str | None) -> str:
    """The newsletter named, else the only one. Raises NotFound that lists them."""
    known = tuple(app.configuration.newsletters)
    if newsletter in known:
        return str(newsletter)
    if newsletter is None and len(known) == 1:
        return known[0]
    if newsletter is None and known:
        raise click.UsageError(f"which newsletter? give --newsletter: {', '.join(known)}")
    raise NotFound("newsletter", newsletter or "", known, "make one: digest init")
