"""`digest alerts channel`: where a rule's alerts go beside mail."""

import asyncio
import secrets

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from digest.alert_rules import CHAT, FEED, WEBHOOK, Channel
from digest.app import App
from digest.cli import with_app
from digest.errors import DeliveryError
from digest.notify.targets import shown
from digest.ports import Parcel
from digest.services import alert_channels as service
from digest.services import alert_rules
from digest.storage import alert_channels as storage
from digest.storage import alert_rules as rule_storage
from digest.storage.engine import read_only

TEST_BODY = '{"version": 1, "type": "test", "stories": []}'


@click.group()
def channel() -> None:
    """Tell alerts to webhooks, chat services and Atom feeds."""


@channel.command()
@click.argument("rule")
@click.option("--webhook", metavar="URL", help="POSTs a signed JSON object to URL.")
@click.option("--chat", metavar="URL", help="An address of apprise, such as tgram://TOKEN/CHAT or ntfys://HOST/TOPIC.")
@click.option("--feed", is_flag=True, help="Makes an Atom feed at an address that cannot be guessed.")
@with_app
def add(app: App, rule: str, webhook: str | None, chat: str | None, feed: bool) -> None:
    """Tell the alerts of RULE there too. A webhook's secret and a feed's address are shown once."""
    wanted = [(kind, target) for kind, target in ((WEBHOOK, webhook), (CHAT, chat), (FEED, "" if feed else None))
              if target is not None]
    if len(wanted) != 1:
        raise click.UsageError("Give one of --webhook URL, --chat URL and --feed.")
    with app.engine.begin() as conn:
        made, is_new = service.add(conn, rule, *wanted[0], app.clock.now())
    click.echo(f"Channel {made.id} of {rule}: {made.kind} {shown(made.kind, made.target)}"
               + ("" if is_new else f" was there already ({made.state})"))
    if made.kind == FEED:
        click.echo(f"  {service.feed_url(made, app.settings)}\n"
                   "Who knows this address can read it. It is not shown again.")
    elif made.kind == WEBHOOK and is_new:
        click.echo(f"  secret: {app.webhook_secret(made.target)}\n"
                   "It signs what is sent (Standard Webhooks). It is not shown again.")


@channel.command(name="list")
@click.argument("rule", required=False)
@with_app
def list_channels(app: App, rule: str | None) -> None:
    """Show channels, of RULE or of all rules, and what went to them."""
    with read_only(app.engine) as conn:
        rules = [alert_rules.find(conn, rule)] if rule else rule_storage.rules(conn, "active", "paused")
        found = service.of_rules(conn, rules)
    if not found:
        click.echo("No channels but mail. Add one: digest alerts channel add RULE --webhook URL")
        return
    table = Table("id", "rule", "kind", "target", "state", "sent", "waiting", "failed", "uncertain", "last error")
    for one in found:
        counts = (one.record.sent, one.record.waiting, one.record.failed, one.record.uncertain)
        table.add_row(str(one.channel.id), escape(one.rule.name), one.channel.kind, escape(one.shown),
                      one.channel.state, *map(str, counts), escape(one.record.error))
    Console().print(table)


@channel.command()
@click.argument("channel_id", type=int, metavar="ID")
@with_app
def pause(app: App, channel_id: int) -> None:
    """Tell nothing there until it is resumed; what comes meanwhile is not caught up."""
    _set(app, channel_id, "paused")


@channel.command()
@click.argument("channel_id", type=int, metavar="ID")
@with_app
def resume(app: App, channel_id: int) -> None:
    """Tell alerts there again, from now on."""
    _set(app, channel_id, "active")


@channel.command()
@click.argument("channel_id", type=int, metavar="ID")
@with_app
def remove(app: App, channel_id: int) -> None:
    """End a channel; the address of a feed shows nothing any more."""
    with app.engine.begin() as conn:
        found = service.find(conn, channel_id)
        storage.remove(conn, found.id)
    click.echo(f"Channel {channel_id} is removed.")


@channel.command()
@click.argument("channel_id", type=int, metavar="ID")
@with_app
def test(app: App, channel_id: int) -> None:
    """Tell a channel something now, and say what it answered. It stands in no ledger."""
    with read_only(app.engine) as conn:
        found = service.find(conn, channel_id)
    if found.kind == FEED:
        raise click.UsageError("A feed is asked for: open its address.")
    try:
        asyncio.run(_tell(app, found))
    except DeliveryError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Channel {channel_id} took it.")


def _set(app: App, channel_id: int, state: str) -> None:
    with app.engine.begin() as conn:
        found = service.find(conn, channel_id)
        storage.set_state(conn, found.id, state)
    click.echo(f"Channel {channel_id} is {state}.")


async def _tell(app: App, found: Channel) -> None:
    async def ready() -> None:
        """Nothing is recorded."""

    notifier, title = app.notifier(), f"A test of {app.settings.site.name}"
    parcel = Parcel(found.kind, found.target, shown(found.kind, found.target), f"test-{secrets.token_hex(8)}", title,
                    TEST_BODY if found.kind == WEBHOOK else title)
    try:
        await notifier.send(parcel, ready)
    finally:
        await notifier.close()
