"""`digest preview`, `digest send` and `digest why`."""

import asyncio
import getpass
import webbrowser
from collections.abc import Callable
from datetime import UTC, datetime
from datetime import date as Date
from pathlib import Path

import click
from rich.console import Console

from digest.app import App
from digest.cli import with_app
from digest.cli.lint import print_findings
from digest.cli.overview import print_built, print_overview, print_reason, queueing_bar
from digest.documents import Newsletter
from digest.errors import NotFound
from digest.model import DeliveryState, Period
from digest.pipeline.slots import due_slot
from digest.pipeline.thin import decide
from digest.pipeline.variants import DEFAULT, Variant, read_variant
from digest.resources import template_texts
from digest.services import deliveries, editions, envelopes, fates, leaving, newsletters, releases, variants
from digest.services.addresses import normalise_address
from digest.services.editions import Preview
from digest.services.lint import check
from digest.services.variants import Look
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


def _variant(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> Variant | None:
    try:
        return None if value is None else read_variant(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


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
@click.option("--variant", "named", callback=_variant, metavar="WORDS",
              help='Show a variant: "text", "in ru", "without more,topic-work", "reading en", "since 2023-03-19".')
@click.option("--to", "recipient", metavar="ADDRESS", help="Mail these bytes to one address, as a test.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@click.option("--open", "open_it", is_flag=True, help="Open the HTML in a browser.")
@with_app
def preview(
    app: App, newsletter: str | None, date: Date | None, weekly: bool, now: datetime | None, kind: str | None,
    reader: str | None, named: Variant | None, recipient: str | None, out: Path | None, open_it: bool,
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
    look = _look(app, chosen, shown, reader, named)
    view = look.view
    if view.empty_reason:
        click.echo(f"The edition is empty: {view.empty_reason}", err=True)
    elif not look.mailed:
        click.echo("This variant has no story: its readers get no mail.", err=True)
    if kind and out is None:
        click.echo(_rendered(app, chosen, shown, look, kind, recipient or reader), nl=False)
    else:
        form = kind or SUFFIXES.get(out.suffix if out else "", "html" if look.message.html else "text")
        ending = {"text": "txt"}.get(form, form)
        path = out or app.instance.var / "preview" / f"{view.path.strip('/').replace('/', '-')}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_rendered(app, chosen, shown, look, form, recipient or reader))
        print_overview(Console(), view, shown.edition)
        if look.variant != DEFAULT:
            click.echo(f"Variant: {look.variant.name}")
        if shown.edition is None and not view.empty_reason:
            click.echo(f"At its release: {decide(shown.view, chosen)}")
        print_findings(Console(), check(
            shown.view, editions.renderer_of(shown.templates, app.settings), chosen, app.settings))
        click.echo(f"Written to {path}")
        if open_it:
            webbrowser.open(path.resolve().as_uri())
    if recipient:
        _mail_test(app, chosen, look, recipient)


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
    """Build the edition of a day once, and mail it to every reader who wants it.

    Readers with an hour of their own get it then, by digest serve. A draft at the desk goes as the newsletter's policy
    says of one that nobody approved: it is sent, or held until somebody approves it (here with --approve). Run again,
    it sends nothing twice: it mails only those who have not got it. The weekly edition goes to weekly readers.
    """
    chosen = newsletters.chosen(app.configuration, newsletter)
    deliveries.check_may_send(app.settings)
    _poll_at_first(app, chosen)
    instant = now or app.clock.now()
    period = _period(chosen, weekly)
    if weekly and date is None:
        date, _ = due_slot(chosen, instant, period)
    with queueing_bar() as bar:
        release = releases.release(
            app.engine, app.configuration, chosen, app.settings, template_texts(app.instance.templates),
            now=instant, date=date, period=period, approve_as=getpass.getuser() if approve else None, on_progress=bar)
    edition, queued = release.built.edition, release.queued
    if edition is None or queued is None:
        click.echo(f"Not sent: the edition of {release.built.view.date} is {release.outcome}: {release.reason}")
        if edition and release.outcome == "held":
            click.echo(f"Look at it and approve it: digest editions show {edition.name}")
        return
    print_built(Console(), release)
    report = asyncio.run(app.send_due(subject=edition.subject))
    counts = releases.settle(app.engine, edition)
    if not queued.new and not queued.known:
        click.echo(f"No reader wants this edition: digest subscribers add EMAIL --newsletter {chosen.slug}")
    elif not queued.new and not report.sent:
        click.echo(f"Nothing sent twice: {_readers(queued.known)} in the ledger already.")
    click.echo(f"sent {report.sent}, deferred {report.deferred}, failed {report.failed}, "
               f"uncertain {report.uncertain}, waiting {report.remaining}")
    if (later := counts.get(DeliveryState.QUEUED, 0) - report.remaining) > 0:
        click.echo(f"{later} at an hour of the reader's own: digest serve sends them then.")
    if queued.without:
        click.echo(f"{queued.without} not mailed: their readers hide every story of it, or read other languages.")
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
        reasons = fates.why(
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
            await cycle.run(feeds, configuration=app.configuration, zone=app.zone)

    asyncio.run(run())


def _look(app: App, newsletter: Newsletter, shown: Preview, reader: str | None, named: Variant | None) -> Look:
    """The variant to show: the named one, else that of a reader, else the edition as it is."""
    renderer = editions.renderer_of(shown.templates, app.settings)
    with read_only(app.engine) as conn:
        variant = named or DEFAULT
        if reader is not None and named is None:
            subscription = subscription_of(conn, normalise_address(reader), newsletter.slug)
            if subscription is None:
                raise NotFound("subscriber", reader, hint=f"digest subscribers list shows who reads {newsletter.name}")
            variant = variants.of_reader(conn, newsletter, shown.view, subscription)
        return variants.look_at(conn, shown.view, variant, renderer)


def _rendered(
    app: App, newsletter: Newsletter, shown: Preview, look: Look, kind: str, recipient: str | None
) -> bytes:
    """The bytes of one form; equal views give equal bytes."""
    renderer = editions.renderer_of(shown.templates, app.settings)
    view, message = look.view, look.message
    forms: dict[str, Callable[[], str]] = {
        "html": lambda: editions.specimen(message.html, view),
        "text": lambda: editions.specimen(message.text, view),
        "json": lambda: renderer.json(view, look.since),
    }
    if kind in forms:
        return forms[kind]().encode()
    cutoff = datetime.fromisoformat(view.cutoff)
    draft = envelopes.draft(variants.with_sender(message, newsletter), target=recipient or NOBODY,
                             settings=app.settings, now=cutoff)
    reason = leaving.signed_up(newsletter.name, view.language)
    standing = leaving.Standing(reason, newsletter.slug, newsletter.name)
    return envelopes.envelope(draft, standing, settings=app.settings, signer=app.signer(), now=cutoff,
                               keys=app.dkim_keys).data


def _mail_test(app: App, newsletter: Newsletter, look: Look, recipient: str) -> None:
    address = normalise_address(recipient)
    now = app.clock.now()
    subject = f"test:{look.view.newsletter}/{look.view.date}/{now.isoformat()}"
    with app.engine.begin() as conn:
        deliveries.queue(
            conn, subject=subject, channel=envelopes.MAIL, target=address,
            message=variants.with_sender(look.message, newsletter), unsubscribe=leaving.TEST, due_at=now, now=now)
    report = asyncio.run(app.send_due(subject=subject))
    place = "" if app.settings.smtp.by_name else f" (no SMTP server is set: look into {app.instance.outbox})"
    click.echo(f"Test mail to {address}: {'sent' if report.sent else report.error or 'waiting'}{place}", err=True)


def _readers(count: int) -> str:
    return f"{count} reader{' stands' if count == 1 else 's stand'}"
