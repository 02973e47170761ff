"""Editions at the desk, printed to a terminal: list, overview, copies, pending tray, log, differences."""

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from digest.cli.overview import standing
from digest.pipeline.changes import Change
from digest.pipeline.desk import short_ids
from digest.pipeline.view import EditionView, StoryView
from digest.pipeline.wording import Wording
from digest.pipeline.working import WorkingStory
from digest.services.desk import Waiting
from digest.storage.desk import ActionRow
from digest.storage.editions import EditionRow, edition_name
from digest.storage.slots import SkippedSlot

SHOWN_HASH = 12  # digits of a hash that a terminal shows
REST_SHOWN = 15  # stories outside the mail that the overview lists
SILENT = ("working",)  # parts of an action that the log leaves out


def print_list(console: Console, rows: Sequence[EditionRow], skipped: Sequence[SkippedSlot]) -> None:
    """A line an edition, and one for each slot that has none."""
    table = Table(Column("edition", no_wrap=True), Column("state", no_wrap=True), "stories", "approved",
                  "subject or note", box=None, pad_edge=False)
    lines = [(row.date, row.period, _line(row)) for row in rows]
    for slot in skipped:
        name = edition_name(slot.newsletter, slot.date, slot.period)
        lines.append((slot.date, slot.period, (name, "skipped", "", "", slot.note)))
    for _, _, line in sorted(lines, key=lambda entry: (entry[0], entry[1]), reverse=True):
        table.add_row(*(escape(cell) for cell in line))
    console.print(table)


def print_draft(
    console: Console, edition: EditionRow, pool: Mapping[str, WorkingStory], log: Sequence[ActionRow]
) -> None:
    """The edition's state and hash, every story with its short id, what was dropped, and the log."""
    view, ids = edition.view, ids_of(edition, pool)
    console.print(f"[bold]{escape(view.name)}[/] · {Wording(view.language).long_date(view.date)} · {edition.name}")
    release = f", release {edition.release_at:%Y-%m-%d %H:%M} UTC" if edition.release_at else ""
    console.print(f"{escape(standing(edition))}{release}; view {edition.view_sha256[:SHOWN_HASH]}")
    console.print(f"Subject: {escape(view.subject)}", soft_wrap=True)
    console.print(_stories(view, ids, pool))
    placed = {story.id for story in view.all_stories}
    if out := [story for story in pool.values() if story.id not in placed]:
        console.print("Dropped: " + "; ".join(
            f"{ids[s.id]} {escape(s.copies[0].story.headline)}" for s in out), soft_wrap=True)
    if log:
        console.print(_log(log, ids))
    if edition.state == "draft":
        console.print(f"Approve it: digest editions approve {edition.name} --sha {edition.view_sha256[:SHOWN_HASH]}",
                      soft_wrap=True)


def print_copies(console: Console, story: WorkingStory, shown: StoryView | None) -> None:
    """Every copy of a story that could be shown."""
    table = Table("", "source", "item", "headline", "excerpt", box=None, pad_edge=False)
    for copy in story.copies:
        mark = "shown" if shown and copy.story.url == shown.url else ""
        table.add_row(mark, escape(copy.source), copy.item[:6], escape(copy.story.headline), escape(copy.story.excerpt))
    console.print(table)


def print_waiting(console: Console, waiting: Sequence[Waiting]) -> None:
    """The pending tray."""
    ids = short_ids([w.story.id for w in waiting])
    table = Table("id", "section", "score", "headline", "credit", box=None, pad_edge=False)
    for entry in waiting:
        shown = entry.story.copies[0].story
        table.add_row(ids[entry.story.id], entry.section, f"{shown.score:+.2f}", escape(shown.headline),
                      escape(shown.via or shown.credit))
    console.print(table if waiting else "Nothing new since the draft was built.")


def print_changes(console: Console, changes: Iterable[Change], ids: Mapping[str, str]) -> None:
    """What the desk changed, a line each."""
    found = list(changes)
    for change in found:
        story = f"{ids.get(change.story_id, change.story_id)} {escape(change.headline)}: " if change.story_id else ""
        console.print(f"[bold]{change.what}[/] {story}[red]{escape(change.before or '—')}[/] → "
                      f"[green]{escape(change.after or '—')}[/]", soft_wrap=True, highlight=False)
    if not found:
        console.print("As it was built.")


def ids_of(edition: EditionRow, pool: Mapping[str, WorkingStory]) -> dict[str, str]:
    """Short ids of every story of the edition and of its working set."""
    return short_ids([*pool, *(story.id for story in edition.view.all_stories)])


def _line(row: EditionRow) -> tuple[str, str, str, str, str]:
    view = row.view
    approved = f"{row.approved_at:%m-%d %H:%M} {row.approved_by}" if row.approved_at else ""
    return row.name, row.state, str(len(view.all_stories)), approved, row.note or view.subject


def _stories(view: EditionView, ids: Mapping[str, str], pool: Mapping[str, WorkingStory]) -> Table:
    table = Table("place", "id", "score", "story", "credit", "copies", box=None, pad_edge=False)
    lead = [("lead", (view.lead,))] if view.lead else []
    sections = [(f"{s.key.removeprefix('topic-')} · {s.title}", s.stories) for s in view.sections]
    for title, stories in (*lead, *sections, ("rest · not in the mail", view.rest[:REST_SHOWN])):
        for number, story in enumerate(stories):
            copies = len(pool[story.id].copies) if story.id in pool else 1
            table.add_row(escape(title) if number == 0 else "", ids[story.id], f"{story.score:+.2f}", _headline(story),
                          escape(story.via or story.credit), str(copies) if copies > 1 else "")
    if len(view.rest) > REST_SHOWN:
        table.add_row("", "", "", f"and {len(view.rest) - REST_SHOWN} more", "", "")
    return table


def _headline(story: StoryView) -> str:
    was = f" [dim](was: {escape(story.original_headline)})[/]" if story.original_headline else ""
    note = f" [dim](note: {escape(story.note)})[/]" if story.note else ""
    return escape(story.headline) + was + note


def _log(log: Sequence[ActionRow], ids: Mapping[str, str]) -> Table:
    table = Table("at (UTC)", "who", "what", "", box=None, pad_edge=False)
    for row in log:
        what = f"[strike]{row.kind}[/] undone" if row.undone_at else row.kind
        parts = {**row.payload, **({"story": ids.get(row.payload["story"], row.payload["story"])}
                                   if row.payload.get("story") else {})}
        told = ", ".join(f"{name} {value}" for name, value in parts.items() if name not in SILENT and value is not None)
        table.add_row(f"{row.at:%m-%d %H:%M}", escape(row.actor), what, escape(told))
    return table
