"""`digest deliveries`: what became of each mail, and what a person has to decide."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from digest.app import App
from digest.cli import with_app
from digest.cli.desk import by_option
from digest.model import DeliveryState
from digest.notify.targets import shown
from digest.services import deliveries as service
from digest.storage import ledger_rows
from digest.storage.engine import read_only
from digest.storage.ledger_rows import LedgerRow

STATES = tuple(state.value for state in DeliveryState)
OPEN = tuple(state for state in DeliveryState if state is not DeliveryState.SENT)
UNCERTAIN_MEANS = ("The server's answer to these mails was lost: nobody can know whether they arrived, and none is "
                   "sent again by itself.\nLook into the server's log for the Message-ID (list --json shows it), then\n"
                   "  digest deliveries resolve ID... --arrived    it stands in the log\n"
                   "  digest deliveries resolve ID... --again      it does not: send it (some may come twice)")

subject_option = click.option("--subject", metavar="SUBJECT", help="All of one subject, as `list` shows it.")
ids_argument = click.argument("ids", metavar="[ID]...", nargs=-1, type=int)


@click.group()
def deliveries() -> None:
    """Say what became of each mail; settle what is in doubt.

    A delivery is one message for one reader: queued, sending, then sent, deferred (tried again later), failed (refused
    for good or unwanted) or uncertain (the server's answer was lost).
    """


@deliveries.command("list")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only these [all but sent].")
@subject_option
@click.option("--to", "target", metavar="ADDRESS", help="Only those for one address.")
@click.option("--limit", default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line, with Message-ID and holder.")
@with_app
def list_deliveries(
    app: App, states: tuple[str, ...], subject: str | None, target: str | None, limit: int, as_json: bool
) -> None:
    """Count each subject's deliveries, and list those that were not sent."""
    chosen = tuple(DeliveryState(state) for state in states) or (() if target else OPEN)
    with read_only(app.engine) as conn:
        rows = ledger_rows.rows(conn, states=chosen, subject=subject, target=target, limit=limit)
        counts = {} if as_json or target else ledger_rows.counts(conn, subject)
    if as_json:
        for row in rows:
            click.echo(json.dumps(asdict(row), default=_plain, ensure_ascii=False))
        return
    console = Console()
    if counts:
        console.print(_counts(counts))
    elif not rows:
        click.echo("No deliveries yet.")
    if rows:
        console.print(_rows(rows))
        if len(rows) == limit:
            click.echo(f"The newest {limit}: --limit shows more.")


@deliveries.command()
@click.option("--limit", default=50, show_default=True)
@with_app
def stuck(app: App, limit: int) -> None:
    """List deliveries that do not go on by themselves, or are late, and what to do. Exit code 1 where there are any."""
    with read_only(app.engine) as conn:
        found = service.stuck(conn, app.holders(), app.clock.now(), limit=limit)
    if not found:
        click.echo("Nothing is stuck.")
        return
    table = Table(Column("id", justify="right"), Column("state", no_wrap=True), "to", "subject", "why", "what to do",
                  box=None, pad_edge=False)
    for one in found:
        cells = (one.row.state.value, shown(one.row.channel, one.row.target), one.row.subject, one.why, one.advice)
        table.add_row(str(one.row.id), *map(escape, cells))
    Console().print(table)
    if any(one.row.state is DeliveryState.UNCERTAIN for one in found):
        click.echo(UNCERTAIN_MEANS)
    raise SystemExit(1)


@deliveries.command()
@ids_argument
@subject_option
@click.option("--arrived/--again", default=None, help="They arrived; or they did not, and are sent once more.")
@by_option
@with_app
def resolve(app: App, ids: tuple[int, ...], subject: str | None, arrived: bool | None, by: str) -> None:
    """Settle uncertain deliveries: they arrived, or are to be sent again."""
    if arrived is None:
        raise click.UsageError("say --arrived or --again.\n" + UNCERTAIN_MEANS)
    with app.engine.begin() as conn:
        chosen = _chosen(ids, subject, () if subject is None else ledger_rows.ids_in(
            conn, subject, (DeliveryState.UNCERTAIN,)))
        changed = service.resolve(conn, chosen, arrived=arrived, by=by, now=app.clock.now())
    _say(chosen, changed, "called sent" if arrived else "sent again by the next run", "uncertain")


@deliveries.command()
@ids_argument
@subject_option
@by_option
@with_app
def retry(app: App, ids: tuple[int, ...], subject: str | None, by: str) -> None:
    """Try failed or deferred deliveries again now, as after a fault of ours was mended."""
    with app.engine.begin() as conn:
        chosen = _chosen(ids, subject, () if subject is None else ledger_rows.ids_in(conn, subject, service.RETRIED))
        changed = service.retry(conn, chosen, by=by, now=app.clock.now())
    _say(chosen, changed, "tried again by the next run", "failed or deferred")


def _chosen(ids: Sequence[int], subject: str | None, of_subject: Sequence[int]) -> list[int]:
    """The deliveries that a command is about. Raises UsageError where it names none."""
    if not ids and subject is None:
        raise click.UsageError("name deliveries by ID, or all of a --subject")
    return [*ids, *of_subject]


def _say(chosen: Sequence[int], changed: set[int], what: str, wanted: str) -> None:
    click.echo(f"{len(changed)} {'delivery' if len(changed) == 1 else 'deliveries'} {what}.")
    if left := sorted(set(chosen) - changed):
        click.echo(f"Not {wanted}, left as they are: {', '.join(map(str, left))}")


def _counts(counts: dict[str, dict[DeliveryState, int]]) -> Table:
    table = Table("subject", *(Column(state, justify="right") for state in STATES), box=None, pad_edge=False)
    for subject, states in counts.items():
        table.add_row(escape(subject), *(str(states.get(state, "")) for state in DeliveryState))
    return table


def _rows(rows: Sequence[LedgerRow]) -> Table:
    table = Table(Column("id", justify="right"), Column("state", no_wrap=True), "to", "subject",
                  Column("tried", justify="right"), Column("when (UTC)", no_wrap=True), "last answer",
                  box=None, pad_edge=False)
    for row in rows:
        target = shown(row.channel, row.target)
        table.add_row(str(row.id), row.state.value, escape(target), escape(row.subject), str(row.attempts),
                      _when(row), escape(row.last_error or ""))
    return table


def _when(row: LedgerRow) -> str:
    """When it was sent, is tried next, or was tried last."""
    if row.state in (DeliveryState.QUEUED, DeliveryState.DEFERRED):
        return f"next {row.next_attempt_at:%m-%d %H:%M}"
    at = row.sent_at or row.attempted_at
    return f"{at:%m-%d %H:%M}" if at else ""


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
