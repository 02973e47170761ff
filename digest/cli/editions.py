"""`digest preview`, `digest send` and `digest why`."""

import asyncio
import getpass
import webbrowser
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from datetime import date as Date
from pathlib import Path

import click
from rich.console import Console

from digest.app import App
from digest.cli import with_app
from digest.cli.lint import print_findings
from digest.cli.overview import print_built, print_overview, print_reason
from digest.documents import Newsletter
from digest.errors import NotFound
from digest.model import Message, Period
from digest.pipeline.render import without_sections
from digest.pipeline.slots import due_slot
from digest.pipeline.thin import decide
from digest.pipeline.view import EditionView
from digest.resources import template_texts
from digest.services import deliveries, editions, leaving, newsletters, releases
from digest.services.addresses import normalise_address
from digest.services.editions import Preview
from digest.services.lint import check
from digest.storage.engine import read_only
from digest.storage.feeds import never_polled
from digest.storage.subscribers import subscription_of

FORMATS = ("html", "text", "json", "eml")
SUFFIXES = {".html": "html", ".txt": "text", ".json": "json", ".eml": "eml"}
NOBODY = "reader@example.org"  # To of a preview's .eml where nobody is named


def _instant(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    """An ISO 8601 instant; one without an offset is in UTC."""
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no ISO 8601 instant such as 2023-03-20T02:00Z") from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _day(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> Date | None:
    if value is None:
        return None
    try:
        return Date.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no day such as 2023-03-20") from None


date_option = click.option(
    "--date", callback=_day, metavar="YYYY-MM-DD", help="Day of the edition in its zone [today].")


weekly_option = click.option("--weekly", is_flag=True, help="The weekly edition [the daily one].")


@click.command()
@click.argument("newsletter", required=False)
@date_option
@weekly_option
@click.option("--now", callback=_instant, metavar="ISO", help="Make it as it would have been made at this instant.")
@click.option("--format", "kind", type=click.Choice(FORMATS), help="Print the edition in this form.")
@click.option("--as", "reader", metavar="EMAIL", help="Show the variant of one subscriber.")
@click.option("--to", "recipient", metavar="ADDRESS", help="Mail these bytes to one address, as a test.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@click.option("--open", "open_it", is_flag=True, help="Open the HTML in a browser.")
@with_app
def preview(
    app: App, newsletter: str | None, date: Date | None, weekly: bool, now: datetime | None, kind: str | None,
    reader: str | None, recipient: str | None, out: Path | None, open_it: bool,
) -> None:
    """Show an edition as it would be sent, with the reasons; store nothing, mail no reader.

    NEWSLETTER may be left out where there is only one. A day that has its edition shows that edition.
    """
    chosen = newsletters.chosen(app.configuration, newsletter)
    _poll_at_first(app, chosen)
    period, instant = _period(chosen, weekly), now or app.clock.now()
    if weekly and date is None:
        date = newsletters.week_at_hand(chosen, instant)
    shown = _preview(app, chosen, instant, date, period)
    view = without_sections(shown.view, _hidden_sections(app, chosen, reader))
    if view.empty_reason:
        click.echo(f"The edition is empty: {view.empty_reason}", err=True)
    if kind and out is None:
        click.echo(_rendered(app, chosen, shown, view, kind, recipient or reader), nl=False)
    else:
        form = kind or SUFFIXES.get(out.suffix if out else "", "html")
        path = out or app.instance.var / "preview" / f"{view.path.strip('/').replace('/', '-')}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_rendered(app, chosen, shown, view, form, recipient or reader))
        print_overview(Console(), view, shown.edition)
        if shown.edition is None and not view.empty_reason:
            click.echo(f"At its release: {decide(shown.view, chosen)}")
        print_findings(Console(), check(
            shown.view, editions.renderer_of(shown.templates, app.settings), chosen, app.settings))
        click.echo(f"Written to {path}")
        if open_it:
            webbrowser.open(path.resolve().as_uri())
    if recipient:
        _mail_test(app, chosen, shown, view, recipient)


@click.command()
@click.argument("newsletter")
@date_option
@weekly_option
@click.option("--approve", is_flag=True, help="Approve a draft that waits for an editor, as you.")
@click.option("--now", callback=_instant, hidden=True)
@with_app
def send(
    app: App, newsletter: str, date: Date | None, weekly: bool, approve: bool, now: datetime | None
) -> None:
    """Build the edition of a day once, and mail it to every active subscriber.

    A draft at the desk goes as the newsletter's policy says of one that nobody approved: it is sent, or held until
    somebody approves it (here with --approve). Run again, it sends nothing twice: it mails only those who have not
    got it. A weekly edition is mailed by this command alone; by itself it is only published.
    """
    chosen = newsletters.chosen(app.configuration, newsletter)
    deliveries.check_may_send(app.settings)
    _poll_at_first(app, chosen)
    instant = now or app.clock.now()
    period = _period(chosen, weekly)
    if weekly and date is None:
        date, _ = due_slot(chosen, instant, period)
    release = releases.release(
        app.engine, app.configuration, chosen, app.settings, template_texts(app.instance.templates),
        now=instant, date=date, period=period, approve_as=getpass.getuser() if approve else None)
    if release.outcome == "published" and release.built.edition:
        release = replace(release, queued=releases.queue_deliveries(
            app.engine, release.built.edition, chosen, app.settings, now=instant))
    edition, queued = release.built.edition, release.queued
    if edition is None or queued is None:
        click.echo(f"Not sent: the edition of {release.built.view.date} is {release.outcome}: {release.reason}")
        if edition and release.outcome == "held":
            click.echo(f"Look at it and approve it: digest editions show {edition.name}")
        return
    print_built(Console(), release)
    report = asyncio.run(app.send_due(subject=edition.subject))
    releases.settle(app.engine, edition)
    if not queued.new and not queued.known:
        click.echo(f"No active subscribers yet: digest subscribers add EMAIL --newsletter {chosen.slug}")
    elif not queued.new and not report.sent:
        click.echo(f"Nothing sent twice: {_readers(queued.known)} in the ledger already.")
    click.echo(f"sent {report.sent}, deferred {report.deferred}, failed {report.failed}, "
               f"uncertain {report.uncertain}, waiting {report.remaining}")
    if report.error:
        click.echo(f"Last error: {report.error}", err=True)


@click.command()
@click.argument("url")
@click.option("--newsletter", help="Where there are several.")
@date_option
@click.option("--now", callback=_instant, metavar="ISO", help="As of this instant.")
@with_app
def why(app: App, url: str, newsletter: str | None, date: Date | None, now: datetime | None) -> None:
    """Say what became of the item at URL: its place or the gate at which it fell, and its story's score."""
    chosen = newsletters.chosen(app.configuration, newsletter)
    with read_only(app.engine) as conn:
        reasons = editions.why(
            conn, app.configuration, chosen, app.settings, template_texts(app.instance.templates), url,
            now=now or app.clock.now(), date=date)
    if not reasons:
        raise NotFound("item with the address", url, hint="no poll has seen it; give the address as its feed does")
    for reason in reasons:
        print_reason(Console(), reason, chosen)


def _period(newsletter: Newsletter, weekly: bool) -> Period:
    """The period asked for. Raises NotFound where the newsletter has no weekly edition."""
    if weekly and newsletter.weekly is None:
        raise NotFound("weekly edition of", newsletter.slug,
                       hint=f"add a [weekly] table to config/newsletters/{newsletter.slug}.toml")
    return Period.WEEKLY if weekly else Period.DAILY


def _preview(app: App, newsletter: Newsletter, now: datetime, date: Date | None, period: Period) -> Preview:
    with read_only(app.engine) as conn:
        return editions.preview(conn, app.configuration, newsletter, app.settings,
                                template_texts(app.instance.templates), now=now, date=date, period=period)


def _poll_at_first(app: App, newsletter: Newsletter) -> None:
    """Polls the newsletter's feeds where none of them was ever polled, and says so."""
    feeds = app.configuration.feeds_of(newsletter)
    with read_only(app.engine) as conn:
        if not feeds or not never_polled(conn, [feed.id for feed in feeds]):
            return
    click.echo(f"Never polled: polling {len(feeds)} feeds first.", err=True)

    async def run() -> None:
        async with app.cycle() as cycle:
            await cycle.run(feeds, zone=app.zone)

    asyncio.run(run())


def _hidden_sections(app: App, newsletter: Newsletter, reader: str | None) -> tuple[str, ...]:
    if reader is None:
        return ()
    with read_only(app.engine) as conn:
        subscription = subscription_of(conn, normalise_address(reader), newsletter.slug)
    if subscription is None:
        raise NotFound("subscriber", reader, hint=f"digest subscribers list shows who reads {newsletter.name}")
    return subscription.hidden_sections


def _rendered(
    app: App, newsletter: Newsletter, shown: Preview, view: EditionView, kind: str, recipient: str | None
) -> bytes:
    """The bytes of one form; equal views give equal bytes."""
    renderer = editions.renderer_of(shown.templates, app.settings)
    forms: dict[str, Callable[[], str]] = {
        "html": lambda: editions.specimen(renderer.html(view), view),
        "text": lambda: editions.specimen(renderer.text(view), view),
        "json": lambda: renderer.json(view),
    }
    if kind in forms:
        return forms[kind]().encode()
    cutoff = datetime.fromisoformat(view.cutoff)
    draft = deliveries.draft(_message(shown, view, newsletter, app), target=recipient or NOBODY,
                             settings=app.settings, now=cutoff)
    reason = leaving.signed_up(newsletter.name, newsletter.language)
    standing = leaving.Standing(reason, newsletter.slug, newsletter.name)
    return deliveries.envelope(draft, standing, settings=app.settings, signer=app.signer(), now=cutoff,
                               keys=app.dkim_keys).data


def _message(shown: Preview, view: EditionView, newsletter: Newsletter, app: App) -> Message:
    renderer = editions.renderer_of(shown.templates, app.settings)
    return editions.with_sender(renderer.message(view), newsletter)


def _mail_test(app: App, newsletter: Newsletter, shown: Preview, view: EditionView, recipient: str) -> None:
    address = normalise_address(recipient)
    now = app.clock.now()
    subject = f"test:{view.newsletter}/{view.date}/{now.isoformat()}"
    with app.engine.begin() as conn:
        deliveries.queue(
            conn, subject=subject, channel=deliveries.MAIL, target=address,
            message=_message(shown, view, newsletter, app), unsubscribe=leaving.TEST, due_at=now, now=now)
    report = asyncio.run(app.send_due(subject=subject))
    place = "" if app.settings.smtp.host else f" (no SMTP server is set: look into {app.instance.outbox})"
    click.echo(f"Test mail to {address}: {'sent' if report.sent else report.error or 'waiting'}{place}", err=True)


def _readers(count: int) -> str:
    return f"{count} reader{' stands' if count == 1 else 's stand'}"
