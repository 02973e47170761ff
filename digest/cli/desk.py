"""`digest editions`: the desk, where drafts are arranged, approved and corrected."""

import asyncio
import getpass
from typing import Any

import click
from rich.console import Console

from digest.app import App
from digest.cli import backtest, drafts, with_app
from digest.cli.lint import read_name
from digest.documents import Newsletter
from digest.pipeline.desk import resolve
from digest.resources import template_texts
from digest.services import corrections, desk, newsletters, slots
from digest.services import editions as service
from digest.storage import editions as storage
from digest.storage.editions import EditionRow
from digest.storage.engine import read_only


def _somebody() -> str:
    """The account that runs the command, for the log."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in a container
        return "operator"


edition_argument = click.argument("edition", metavar="EDITION")
story_argument = click.argument("story", metavar="STORY")
by_option = click.option("--by", default=_somebody, metavar="NAME", help="Who does it, for the log [your account].")


@click.group()
def editions() -> None:
    """Arrange, approve, correct and list editions.

    EDITION is NEWSLETTER/YYYY-MM-DD or NEWSLETTER/YYYY-MM-DD/weekly; a NEWSLETTER alone means its newest open one.
    STORY is the beginning of a story's id, as `show` lists it.
    """


editions.add_command(backtest.rebuild)
editions.add_command(backtest.replay_days)


@editions.command("list")
@click.argument("newsletter", required=False)
@click.option("--limit", default=14, show_default=True)
@with_app
def list_editions(app: App, newsletter: str | None, limit: int) -> None:
    """List editions with their states, and the slots that have none."""
    chosen = newsletters.chosen(app.configuration, newsletter)
    with read_only(app.engine) as conn:
        rows = storage.editions_of(conn, chosen.slug, limit, period=None)
        skipped = slots.list_skipped(conn, chosen.slug, limit)
    if rows or skipped:
        drafts.print_list(Console(), rows, skipped)
    else:
        click.echo(f"No editions yet: digest editions build {chosen.slug} makes a draft of today's.")


@editions.command()
@edition_argument
@with_app
def build(app: App, edition: str) -> None:
    """Build the draft of a day (a NEWSLETTER alone: of today), where the day has no edition yet."""
    slug, day, period = read_name(edition)
    chosen = newsletters.chosen(app.configuration, slug)
    built = service.build(app.engine, app.configuration, chosen, app.settings, _templates(app), now=app.clock.now(),
                          date=day, period=period)
    if built.edition is None:
        click.echo(f"Not built: {built.view.empty_reason}")
        return
    if not built.created:
        click.echo(f"{built.edition.name} was built before.")
    _show(app, built.edition)


@editions.command()
@edition_argument
@click.argument("story", required=False, metavar="[STORY]")
@with_app
def show(app: App, edition: str, story: str | None) -> None:
    """Show an edition's state, stories and log; of one STORY, the copies that could be shown."""
    found, _ = _find(app, edition, closed=True)
    if story is None:
        _show(app, found)
        return
    with read_only(app.engine) as conn:
        pool = desk.copies_of(conn, found)
    id_ = resolve(story, tuple(pool))
    shown = next((s for s in found.view.all_stories if s.id == id_), None)
    drafts.print_copies(Console(), pool[id_], shown)


@editions.command()
@edition_argument
@with_app
def pending(app: App, edition: str) -> None:
    """List what came too late for the draft: `take` puts a story into it."""
    found, newsletter = _find(app, edition)
    with read_only(app.engine) as conn:
        waiting = desk.pending(conn, app.configuration, newsletter, app.settings, found, now=app.clock.now())
    drafts.print_waiting(Console(), waiting)


@editions.command()
@edition_argument
@story_argument
@click.option("--section", help="On top of this section [as the lead].")
@by_option
@with_app
def pin(app: App, edition: str, story: str, section: str | None, by: str) -> None:
    """Put a story on top: of the edition, or of a section."""
    _change(app, edition, "pin", by, story=story, section=section)


@editions.command()
@edition_argument
@story_argument
@click.option("--reason", required=True, help="Why, for the log.")
@by_option
@with_app
def drop(app: App, edition: str, story: str, reason: str, by: str) -> None:
    """Leave a story out. Where it led, the next best leads."""
    _change(app, edition, "drop", by, story=story, reason=reason)


@editions.command()
@edition_argument
@story_argument
@click.argument("section")
@click.option("--position", type=click.IntRange(min=1), help="From 1 [last].")
@by_option
@with_app
def move(app: App, edition: str, story: str, section: str, position: int | None, by: str) -> None:
    """Move a story to a SECTION: its key, its topic's slug or its title; lead; or rest (not in the mail)."""
    _change(app, edition, "move", by, story=story, section=section, position=position)


@editions.command()
@edition_argument
@story_argument
@click.argument("copy", metavar="SOURCE|ITEM")
@by_option
@with_app
def copy(app: App, edition: str, story: str, copy: str, by: str) -> None:
    """Show another outlet's copy of a story; `show EDITION STORY` lists them."""
    _change(app, edition, "copy", by, story=story, item=copy)


@editions.command()
@edition_argument
@story_argument
@click.option("--headline", help="Shown in place of the source's.")
@click.option("--excerpt", help='Shown in place of the source\'s; "" shows none.')
@by_option
@with_app
def edit(app: App, edition: str, story: str, headline: str | None, excerpt: str | None, by: str) -> None:
    """Change the headline or the excerpt of a story; the original headline is kept."""
    _change(app, edition, "edit", by, story=story, headline=headline, excerpt=excerpt)


@editions.command()
@edition_argument
@story_argument
@click.argument("text")
@by_option
@with_app
def note(app: App, edition: str, story: str, text: str, by: str) -> None:
    """Add an editor's note to a story; an empty TEXT takes it away."""
    _change(app, edition, "note", by, story=story, text=text)


@editions.command()
@edition_argument
@story_argument
@click.option("--section", help="Where to [where it belongs].")
@by_option
@with_app
def take(app: App, edition: str, story: str, section: str | None, by: str) -> None:
    """Take a story from the pending tray, or a dropped one, into the draft."""
    found, newsletter = _find(app, edition)
    changed = desk.take(app.engine, app.configuration, newsletter, app.settings, found, story, section, actor=by,
                        now=app.clock.now())
    _say(app, found, changed)


@editions.command()
@edition_argument
@by_option
@with_app
def undo(app: App, edition: str, by: str) -> None:
    """Undo the last change that stands."""
    found, _ = _find(app, edition)
    changed, action = desk.undo(app.engine, found, actor=by, now=app.clock.now())
    click.echo(f"Undone: {action.kind} of {action.at:%Y-%m-%d %H:%M} UTC by {action.actor}.")
    _say(app, found, changed)


@editions.command()
@edition_argument
@click.option("--sha", metavar="HASH", help="Refuse unless the view is the one you looked at, as `show` printed it.")
@click.option("--despite-errors", is_flag=True, help="Also where digest lint finds errors.")
@by_option
@with_app
def approve(app: App, edition: str, sha: str | None, despite_errors: bool, by: str) -> None:
    """Approve a draft as it stands: it goes at its release. A later change needs approval again."""
    found, newsletter = _find(app, edition)
    approval = desk.approve(app.engine, found, newsletter, app.settings, _templates(app), actor=by,
                            now=app.clock.now(), seen=sha, despite_errors=despite_errors)
    row = approval.edition
    if approval.given:
        click.echo(f"Approved {row.name}: {row.view_sha256}")
        if row.release_at and row.release_at > app.clock.now():
            click.echo(f"It goes at {row.release_at:%Y-%m-%d %H:%M} UTC.")
        else:
            command = f"digest send {row.newsletter} --date {row.date}"
            click.echo(f"Its release has come: digest serve sends it, or {command}")
    else:
        click.echo(f"{row.name} was approved by {row.approved_by} before, with the same view.")


@editions.command()
@edition_argument
@click.option("--reason", required=True, help="Why, for the log.")
@by_option
@with_app
def cancel(app: App, edition: str, reason: str, by: str) -> None:
    """Never send this edition; its stories may stand in the next."""
    found, _ = _find(app, edition)
    desk.close(app.engine, found, "cancelled", reason, actor=by, now=app.clock.now())
    click.echo(f"Cancelled {found.name}.")


@editions.command()
@edition_argument
@with_app
def diff(app: App, edition: str) -> None:
    """Say what the desk changed since the draft was built."""
    found, _ = _find(app, edition, closed=True)
    with read_only(app.engine) as conn:
        changes, pool = desk.differences(conn, found), desk.copies_of(conn, found)
    drafts.print_changes(Console(), changes, drafts.ids_of(found, pool))


@editions.command()
@edition_argument
@click.option("--text", required=True, help="What was wrong and what is right.")
@click.option("--story", metavar="STORY", help="The story it is about [the whole edition].")
@click.option("--mail", is_flag=True, help="Mail it to everybody whom the edition reached.")
@by_option
@with_app
def correct(app: App, edition: str, text: str, story: str | None, mail: bool, by: str) -> None:
    """Put a dated correction on a released edition's page; the edition as it was sent does not change."""
    found, newsletter = _find(app, edition, closed=True)
    renderer = service.renderer_of(_templates(app), app.settings)
    corrected = corrections.correct(app.engine, found, newsletter, app.settings, renderer, text=text, story=story,
                                    mail=mail, actor=by, now=app.clock.now())
    click.echo(f"Corrected on the page of {found.name}.")
    if mail:
        report = asyncio.run(app.send_due(subject=corrected.subject))
        click.echo(f"queued {corrected.queued}, sent {report.sent}, failed {report.failed}, waiting {report.remaining}")


def _templates(app: App) -> dict[str, str]:
    return template_texts(app.instance.templates)


def _find(app: App, name: str, *, closed: bool = False) -> tuple[EditionRow, Newsletter]:
    slug, day, period = read_name(name)
    newsletter = newsletters.chosen(app.configuration, slug)
    with read_only(app.engine) as conn:
        return desk.find(conn, (slug, day, period), closed=closed), newsletter


def _change(app: App, name: str, kind: str, by: str, **words: Any) -> None:
    found, _ = _find(app, name)
    _say(app, found, desk.change(app.engine, found, kind, words, actor=by, now=app.clock.now()))


def _say(app: App, before: EditionRow, after: EditionRow) -> None:
    """What a command changed, and whether the edition needs approval again."""
    with read_only(app.engine) as conn:
        pool = desk.copies_of(conn, after)
    drafts.print_changes(Console(), desk.between(before, after), drafts.ids_of(after, pool))
    if (left := after.view.trimmed - before.view.trimmed) > 0:
        click.echo(f"Left to the page of all stories, to keep the mail within its bytes: {left}.")
    if before.state == "approved":
        click.echo(f"It was approved by {before.approved_by}: it is a draft again and needs approval.")


def _show(app: App, edition: EditionRow) -> None:
    with read_only(app.engine) as conn:
        pool, log = desk.copies_of(conn, edition), desk.log_of(conn, edition)
    drafts.print_draft(Console(), edition, pool, log)
