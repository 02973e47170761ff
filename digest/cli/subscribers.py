"""`digest subscribers`: add, list and remove readers."""

import click
from rich.console import Console
from rich.table import Table

from digest.app import App
from digest.cli import with_app
from digest.errors import NotFound
from digest.services import subscribers as service
from digest.storage.engine import read_only

LEFT = "{email} has left {newsletter}; add with --again only if they asked to come back"


@click.group()
def subscribers() -> None:
    """Add, list and remove subscribers."""


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


@subscribers.command("list")
@click.option("--newsletter", metavar="SLUG", help="Only the readers of one newsletter.")
@with_app
def list_(app: App, newsletter: str | None) -> None:
    """List subscriptions, one a row."""
    slugs = [_chosen(app, newsletter)] if newsletter else list(app.configuration.newsletters)
    table = Table("address", "newsletter", "state", "consent", "since")
    with read_only(app.engine) as conn:
        for slug in slugs:
            for row in service.subscriptions_to(conn, slug):
                table.add_row(row.subscriber.email, slug, row.state, row.subscriber.consent_source,
                              f"{row.created_at:%Y-%m-%d}")
    if table.row_count:
        Console().print(table)
    else:
        click.echo("No subscribers yet. Add one: digest subscribers add reader@example.org")


@subscribers.command()
@click.argument("email")
@with_app
def remove(app: App, email: str) -> None:
    """End all subscriptions of EMAIL. Its alert rules stay: see digest alerts remove."""
    with app.engine.begin() as conn:
        ended = service.remove(conn, email, app.clock.now())
    names = ", ".join(subscription.newsletter for subscription in ended)
    click.echo(f"{email} no longer reads {names}" if ended else f"{email} reads nothing")


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
