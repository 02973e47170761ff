"""`digest bounces`: what came back of sent mail, and who gets none."""

import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from digest.app import App
from digest.cli import with_app
from digest.errors import AddressRefused
from digest.mail.failures import Failure
from digest.model import Bounce
from digest.services import bounces as service
from digest.services import returns
from digest.services.addresses import normalise_address
from digest.services.returns import Returned, Understood
from digest.storage.engine import read_only

MEANS = {
    "hard": "the mailbox or its host does not exist",
    "soft": "the mailbox exists and takes nothing now",
    "temporary": "a delay, or a failure of servers or the network: says nothing of the mailbox",
    "policy": "our mail or our server was turned away: our problem, never the reader's",
    "unclear": "refused for good without a word on the mailbox",
    "complaint": "the reader called it spam",
    "auto-reply": "an answer of a program, such as a vacation notice",
    "none": "nothing went wrong",
}


@click.group()
def bounces() -> None:
    """Say what came back of sent mail; keep the list of addresses that get none."""


@bounces.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True, exists=True))
@click.option("--to", metavar="ADDRESS", help="The recipient of its envelope, if it is not in the file.")
@with_app
def test(app: App, file: Path, to: str | None) -> None:
    """Say what a mail that came back means, and what would be done about it. Changes nothing; - reads stdin."""
    raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    with read_only(app.engine) as conn:
        found = returns.understand(conn, Returned(raw, "command", to), settings=app.settings, signer=app.signer(),
                                   now=app.clock.now())
    for line in _explained(found):
        click.echo(line)


@bounces.command("list")
@click.option("--address", metavar="EMAIL", help="Only those of one reader.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line.")
@with_app
def list_bounces(app: App, address: str | None, limit: int, as_json: bool) -> None:
    """List what came back, newest first."""
    with read_only(app.engine) as conn:
        rows = service.recent(conn, limit=limit, target=_address(address) if address else None)
    if as_json:
        for row in rows:
            click.echo(json.dumps(asdict(row), default=str, ensure_ascii=False))
    elif rows:
        Console().print(_table(rows))
    else:
        click.echo("Nothing came back.")


@bounces.command()
@with_app
def read(app: App) -> None:
    """Look into the mailbox of [imap] now, as digest serve does by itself."""
    if not app.settings.imap.host:
        raise click.ClickException("no mailbox is set: imap.host in config/digest.toml")
    counts: Counter[str] = Counter()
    while found := app.intake().look():
        counts += found
    click.echo(", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items())) or "nothing new")


@bounces.group()
def suppressions() -> None:
    """List, add and remove addresses that get no mail."""


@suppressions.command("list")
@with_app
def list_suppressions(app: App) -> None:
    """List the addresses that get no mail, newest first, one a line with tabs between day, reason and note."""
    with read_only(app.engine) as conn:
        found = service.suppressions(conn)
    for one in found:
        click.echo(f"{one.target}\t{one.at:%Y-%m-%d}\t{one.reason}\t{one.note}")
    if not found:
        click.echo("No address is suppressed.", err=True)


@suppressions.command()
@click.argument("email")
@click.option("--note", default="", help="Why, for those who come after you.")
@with_app
def add(app: App, email: str, note: str) -> None:
    """Send no more mail to EMAIL, whatever it subscribes to."""
    address = _address(email)
    with app.engine.begin() as conn:
        is_new = service.suppress(conn, address, note, app.clock.now())
    click.echo(f"{address} gets no more mail" if is_new else f"{address} gets no mail already")


@suppressions.command()
@click.argument("email")
@with_app
def remove(app: App, email: str) -> None:
    """Let EMAIL have mail again; what bounced before does not count any more."""
    address = _address(email)
    with app.engine.begin() as conn:
        was_there = service.lift(conn, address, app.clock.now())
    click.echo(f"{address} may have mail again" if was_there else f"{address} is not suppressed")


def _explained(found: Understood) -> list[str]:
    if found.mark is not None:
        return [f"Asks to unsubscribe, with a link that we signed: {found.mark}", "Would end it at once."]
    if found.forged:
        return ["Sent to a return path that this instance never made: forged, or of another instance.",
                "Would be refused."]
    if not found.failures:
        return ["No report of a mail server, no complaint and no unsubscribe mail.", "Would do nothing."]
    lines = [line for failure in found.failures for line in _told(failure)]
    if found.proof is None:
        return [*lines, "Nothing in it proves whose mail it is of: no return path and no link that we signed.",
                "Would be stored and count for nobody."]
    counted = returns.chosen(found.failures, found.proof.target)
    lines.append(f"Of the mail to {found.proof.target}, proved by its {found.proof.by}"
                 + (f" ({found.proof.subject})" if found.proof.subject else ""))
    return [*lines, _would(counted)]


def _told(failure: Failure) -> list[str]:
    codes = " ".join(str(code) for code in (failure.code, failure.enhanced) if code)
    return [
        f"{failure.recipient or 'A recipient that it does not name'}: {failure.kind}, {failure.reason}"
        + (f" ({codes})" if codes else ""),
        f"  {MEANS[failure.kind]}",
        *([f"  because of: {failure.because}"] if failure.because else []),
        *([f"  {' '.join(failure.text.split())[:300]}"] if failure.text.strip() else []),
    ]


def _would(failure: Failure) -> str:
    if failure.kind.value == "complaint":
        return "Would suppress the address at once."
    points = service.POINTS.get(failure.kind, 0.0)
    if not points:
        return "Would be stored and never count."
    return (f"Would count {points:g} of the {service.SUPPRESS_AT:g} points that suppress an address; points halve "
            f"every {service.HALF_LIFE.days} days, and one report a day counts.")


def _table(rows: list[Bounce]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("at", "reader", "kind", "reason", "code", "points", "by"):
        table.add_column(name)
    table.add_column("said", overflow="fold")
    for row in rows:
        code = " ".join(str(part) for part in (row.code, row.enhanced) if part)
        table.add_row(f"{row.at:%Y-%m-%d %H:%M}", escape(row.target or "(not proved)"), row.kind.value, row.reason,
                      code, f"{row.points:g}" if row.points else "", escape(row.origin), escape(row.text[:120]))
    return table


def _address(email: str) -> str:
    """The normal form of an address that may not even be one that we would take."""
    try:
        return normalise_address(email)
    except AddressRefused:
        return email.strip().lower()
