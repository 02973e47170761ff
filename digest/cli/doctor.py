"""`digest doctor`: what is wrong with the set-up, and the DNS records that its mail needs."""

import asyncio
import sys
from collections.abc import Iterable

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from digest.app import App, open_app
from digest.cli import quiet_logs
from digest.errors import DigestError
from digest.mail.dns import Dns
from digest.services import doctor as service
from digest.services import sender_records
from digest.services.doctor import Check
from digest.services.sender_records import Record, Sending
from digest.settings import Instance, load_settings

COLOURS = {"ok": "green", "warning": "yellow", "waiting": "yellow", "unknown": "yellow",
           "fault": "red", "missing": "red", "wrong": "red"}
FAULTS = frozenset({"fault", "missing", "wrong"})


@click.command()
@click.option("--ip", "addresses", multiple=True, metavar="ADDRESS",
              help="An address that mail leaves from [those of the SMTP server]; may be given several times.")
@click.option("--nameserver", default="", metavar="ADDRESS[:PORT]", help="Ask this name server [the system's].")
@click.option("--no-dns", is_flag=True, help="Ask nothing of DNS.")
@click.pass_context
def doctor(ctx: click.Context, addresses: tuple[str, ...], nameserver: str, no_dns: bool) -> None:
    """Check the set-up: configuration, database, clock, time zones, SMTP servers, and the DNS records of your mail.

    Prints each record that DNS lacks as a line of a zone file. Sends no mail and changes nothing. Ends with exit code 1
    where something is wrong.
    """
    quiet_logs()
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    try:
        dns = Dns(nameserver)
    except (ValueError, OSError) as error:
        raise click.BadParameter(f"{nameserver!r}: {error}", param_hint="--nameserver") from error
    instance = Instance.locate(ctx.find_root().obj)
    checks = list(service.documents(instance))
    records: list[Record] = []
    try:
        checks += service.database(instance.database_url(load_settings(instance)), instance.var)
        if not _faulty(checks):
            with open_app(str(instance.root)) as app:
                checks += _checks(app)
                records = [] if no_dns else _records(app, dns, addresses, checks)
    except DigestError as error:
        checks += [Check("configuration", "fault", str(error))] if not _faulty(checks) else []
    _print_checks(console, checks)
    _print_records(console, records)
    raise SystemExit(1 if _faulty((*checks, *records)) else 0)


def _checks(app: App) -> Iterable[Check]:
    yield service.clock(app.engine, app.clock.now())
    yield from service.zones(app.configuration, app.clock.now())
    yield service.permission(app.settings)
    yield service.dkim_keys(app.instance, app.settings)
    yield from asyncio.run(service.mail_servers(app.settings))


def _faulty(found: Iterable[Check | Record]) -> bool:
    return any(each.state in FAULTS for each in found)


def _records(app: App, dns: Dns, addresses: tuple[str, ...], checks: list[Check]) -> list[Record]:
    sending = service.sending(app.instance, app.settings, app.configuration, dns, addresses)
    if sending is None:
        checks.append(Check("DNS records", "warning", "mail has no domain of its own yet",
                            "set site.url, or mail.sender, in digest.toml"))
        return []
    checks.append(Check("DNS records", "ok", _in_words(sending)))
    return list(sender_records.check(sending, dns))


def _in_words(sending: Sending) -> str:
    by = f"include:{sending.relay}" if sending.relay else ", ".join(sending.addresses) or "an address not known here"
    back = sending.bounce_domain or "the sender's own address"
    return f"mail from {', '.join(sending.from_domains)} by {by}; bounces to {back}"


def _print_checks(console: Console, checks: Iterable[Check]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for check in checks:
        said = escape(check.said) + (f"\n[dim]{escape(check.advice)}[/]" if check.advice else "")
        table.add_row(check.what, f"[{COLOURS[check.state]}]{check.state}[/]", said)
    console.print(table)


def _print_records(console: Console, records: Iterable[Record]) -> None:
    for record in records:
        why = f" [dim]{escape(record.why)}[/]" if record.why else ""
        console.print(f"\n[bold]{record.kind}[/] {record.name}: [{COLOURS[record.state]}]{record.state}[/]{why}",
                      soft_wrap=True)
        for found in record.found or (() if record.state == "unknown" else ("nothing",)):
            console.print(f"  DNS says  {escape(found)}", soft_wrap=True)
        if record.wanted:
            console.print(f"  set       {escape(record.wanted)}", soft_wrap=True)
