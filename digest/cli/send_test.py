"""`digest send-test`: one mail by the way that all mail takes."""

import asyncio
import sys
from email.utils import parseaddr
from typing import Any

import click

from digest.app import App
from digest.cli import with_app
from digest.model import Message
from digest.pipeline.render import Renderer
from digest.resources import template_texts
from digest.services import deliveries, envelopes, leaving
from digest.services.addresses import normalise_address
from digest.services.envelopes import base_url, default_sender
from digest.storage.deliveries import deliveries_of
from digest.storage.engine import read_only


@click.command("send-test")
@click.argument("address")
@with_app
def send_test(app: App, address: str) -> None:
    """Send one test mail to ADDRESS by the servers that are set, and say what became of it.

    It takes the way of every mail: ledger, servers, signatures, return path. It is of no newsletter, and its
    unsubscribe link ends nothing. Ends with exit code 1 where no server took it.
    """
    target, now = normalise_address(address), app.clock.now()
    subject = f"test:send/{now.isoformat()}"
    with app.engine.begin() as conn:
        deliveries.queue(conn, subject=subject, channel=envelopes.MAIL, target=target, message=_message(app),
                         unsubscribe=leaving.TEST, due_at=now, now=now)
    report = asyncio.run(app.send_due(subject=subject))
    with read_only(app.engine) as conn:
        (row,) = deliveries_of(conn, subject)
    mail = app.settings.mail
    sender = parseaddr(default_sender(app.settings, ""))[1]
    click.echo(f"To          {row.target}")
    click.echo(f"From        {sender}")
    click.echo(f"Return path {f'{mail.bounce_user}+…@{mail.bounce_domain}' if mail.bounce_domain else sender}")
    click.echo(f"Message-ID  <{row.message_id}>")
    click.echo(f"Signed by   {', '.join(key.selector for key in app.dkim_keys) or 'no key of this instance'}")
    click.echo(f"State       {row.state}{f': {row.last_error}' if row.last_error else ''}")
    if report.sent and not app.settings.smtp.by_name:
        click.echo(f"No SMTP server is set: it stands in {app.instance.outbox}")
    if not report.sent:
        click.echo("digest doctor says what is wrong with the set-up.", err=True)
        sys.exit(1)


def _message(app: App) -> Message:
    site = app.settings.site
    renderer = Renderer(template_texts(app.instance.templates), base=base_url(app.settings))
    values: dict[str, Any] = {
        "site": site.name, "sender": parseaddr(default_sender(app.settings, ""))[1],
        "at": f"{app.clock.now():%Y-%m-%d %H:%M:%S} UTC", "postal_address": site.postal_address}
    return Message(f"A test mail of {site.name}", renderer.mail_html("email/test.html", **values),
                   renderer.render("email/test.txt", **values), {"Content-Language": "en"})
