"""`digest stories`: list stories, say why items are in them, merge and split them, export and rebuild them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import TextIO
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.progress import Progress

from digest.app import App
from digest.cli import story_pages, with_app
from digest.cli.desk import by_option
from digest.model import Story
from digest.services import story_edits, story_rebuild
from digest.services import story_reports as reports
from digest.storage.engine import read_only
from digest.storage.story_lists import find_items, find_story

story_argument = click.argument("story", metavar="STORY")
json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")
since_option = click.option("--since", "days", type=click.IntRange(1, 3650), default=1, show_default=True,
                            metavar="DAYS", help="Stories with an item first seen in so many days.")
day_option = click.option("--day", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD",
                          help="Stories with an item first seen on this day, in the first newsletter's zone.")


@click.group()
def stories() -> None:
    """List stories, say why items are in them, merge and split them, export and rebuild them.

    STORY and ITEM are ids as `list` and `show` print them; the beginning of one is enough where it is the only one.
    """


@stories.command("list")
@since_option
@day_option
@click.option("--largest", is_flag=True, help="Those that most sources tell first [the newest first].")
@click.option("--limit", default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line, for programs.")
@with_app
def list_stories(app: App, days: int, day: datetime | None, largest: bool, limit: int, as_json: bool) -> None:
    """List the stories of the last days, or of one day."""
    since, until = _span(app, days, day)
    with read_only(app.engine) as conn:
        found = reports.listed(conn, since, until, largest=largest)
    if as_json:
        for story in found[:limit]:
            click.echo(json.dumps(reports.story_json(story), ensure_ascii=False))
    elif not found:
        click.echo("No stories of these days. Poll first: digest poll")
    else:
        story_pages.print_list(Console(highlight=False), found, limit)


@stories.command()
@story_argument
@json_option
@with_app
def show(app: App, story: str, as_json: bool) -> None:
    """Show a story's items, languages, first publisher, originating agency and reprints."""
    with read_only(app.engine) as conn:
        found = reports.report(conn, find_story(conn, story))
    if as_json:
        click.echo(json.dumps(reports.report_json(found), ensure_ascii=False, indent=2))
    else:
        story_pages.print_story(Console(highlight=False), found)


@stories.command()
@story_argument
@json_option
@with_app
def why(app: App, story: str, as_json: bool) -> None:
    """Say why each item is in a story: the points of its score, the words it shares, merges and editors' acts."""
    with read_only(app.engine) as conn:
        found = reports.report(conn, find_story(conn, story), app.configuration.names)
    if as_json:
        click.echo(json.dumps(reports.report_json(found), ensure_ascii=False, indent=2))
    else:
        story_pages.print_why(Console(highlight=False), found)


@stories.command()
@click.argument("one", metavar="STORY")
@click.argument("other", metavar="STORY")
@by_option
@with_app
def merge(app: App, one: str, other: str, by: str) -> None:
    """Make one story of two, for good; the older keeps its id, and the other's leads to it."""
    with app.engine.begin() as conn:
        ids = [find_story(conn, one), find_story(conn, other)]
        younger = {story_id: reports.report(conn, story_id).story for story_id in ids}
        edit = story_edits.merge(conn, *ids, author=by, now=app.clock.now(), holder=app.holder)
    click.echo(f"{edit.other_id} is part of {edit.story_id} now.")
    click.echo(_undo_merge(edit.story_id, younger[edit.other_id]))


@stories.command()
@story_argument
@click.argument("items", metavar="ITEM...", nargs=-1, required=True)
@by_option
@with_app
def split(app: App, story: str, items: Sequence[str], by: str) -> None:
    """Make a story of their own of some items of a story; both stay apart from then on.

    The part with the story's first item keeps its id.
    """
    with app.engine.begin() as conn:
        found = reports.report(conn, find_story(conn, story)).story
        chosen = find_items(conn, [item.id for item in found.items], items)
        edit = story_edits.split(conn, found.id, chosen, author=by, now=app.clock.now(), holder=app.holder)
    click.echo(f"{len(edit.items)} of {len(found.items)} items of {edit.story_id} are story {edit.other_id} now.")
    click.echo(f"Undo it: digest stories merge {edit.story_id} {edit.other_id}")


@stories.command()
@since_option
@day_option
@click.option("--out", type=click.File("w", encoding="utf-8", lazy=True), default="-", help="Write to this file.")
@with_app
def export(app: App, days: int, day: datetime | None, out: TextIO) -> None:
    """Write the items of stories as JSON lines; `cluster` is the story of each."""
    since, until = _span(app, days, day)
    with read_only(app.engine) as conn:
        for line in reports.export_lines(conn, since, until):
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


@stories.command()
@click.option("--dry-run", is_flag=True, help="Say what would differ; write nothing.")
@json_option
@with_app
def rebuild(app: App, dry_run: bool, as_json: bool) -> None:
    """Make all stories anew from the items, editors' merges and splits included.

    Where this version of the program decides as the one that made them, nothing changes. Nothing is assigned
    meanwhile; stopped half-way, it has changed nothing.
    """
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Rebuilding", total=None)
        found = story_rebuild.rebuild(app.engine, app.clock, app.holder, names=app.configuration.names, dry_run=dry_run,
                                      on_progress=lambda done, of: bar.update(task, completed=done, total=of))
    if as_json:
        click.echo(json.dumps(story_pages.rebuilt_json(found)))
    else:
        story_pages.print_rebuilt(Console(highlight=False), found)


def _span(app: App, days: int, day: datetime | None) -> tuple[datetime, datetime]:
    """The span (since, until] that was asked for."""
    now = app.clock.now()
    if day is None:
        return now - timedelta(days=days), now
    zone = ZoneInfo(app.zone)
    midnights = (datetime.combine(date, time(), zone).astimezone(UTC)
                 for date in (day.date(), day.date() + timedelta(days=1)))
    since, until = (instant - timedelta(microseconds=1) for instant in midnights)
    return since, until


def _undo_merge(story_id: str, younger: Story) -> str:
    return f"Undo it: digest stories split {story_id} {' '.join(item.id for item in younger.items)}"
