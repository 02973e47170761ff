"""An edition and its reasons, printed to a terminal."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from digest.documents import Newsletter
from digest.model import Part
from digest.pipeline.view import EditionView, PartView, StoryView
from digest.pipeline.wording import Wording
from digest.services.fates import Reason
from digest.services.releases import Release
from digest.storage.editions import EditionRow

MANY_READERS = 2000  # from so many on a bar shows how far queueing is
REST_SHOWN = 5  # stories below the cut that the terminal lists


def print_overview(console: Console, view: EditionView, edition: EditionRow | None) -> None:
    """The masthead, the lead with its score, the sections, the inclusion rule and who is shown how often."""
    wording = Wording(view.language)
    console.print(f"[bold]{escape(view.name)}[/] · {wording.long_date(view.date)} ({view.zone})")
    if edition:
        console.print(f"{standing(edition)}; shown as it was stored.")
    print_lead(console, view)
    if view.all_stories:
        console.print(_sections(view))
        console.print(f"All {len(view.all_stories)} stories; {view.minutes} min to read. {_diversity(view)}")
    if view.missing_sources:
        share = f"{len(view.missing_sources)} of {view.source_count} sources"
        console.print(f"Missing, not read of late ({share}): {escape(', '.join(view.missing_sources))}")
    console.print(escape(view.rule))


def standing(edition: EditionRow) -> str:
    """An edition's state in words: "Approved 2023-03-20 01:40 UTC by anna, sent", "Draft of 2023-03-20 01:00 UTC"."""
    if edition.approved_at:
        return f"Approved {edition.approved_at:%Y-%m-%d %H:%M} UTC by {edition.approved_by}, {edition.state}"
    note = f": {edition.note}" if edition.note else ""
    return f"{edition.state.capitalize()}, built {edition.built_at:%Y-%m-%d %H:%M} UTC{note}"


def print_lead(console: Console, view: EditionView) -> None:
    """The lead with the parts of its score; nothing where there is none."""
    if view.lead:
        console.print(f"\n[bold]{escape(view.lead.headline)}[/]")
        console.print(escape(story_line(view.lead, Wording(view.language))))
        console.print(_parts("Why it leads", view.lead.parts, view.lead.score))


def print_built(console: Console, release: Release) -> None:
    """One line on what an edition is and whether it was made just now."""
    view = release.built.view
    when = "approved before" if not release.approved else "built and approved" if release.built.created else "approved"
    console.print(f"[bold]{escape(view.name)}[/] {view.date}: {when}, {len(view.all_stories)} stories, "
                  f"subject “{escape(view.subject)}”")


@contextmanager
def queueing_bar() -> Iterator[Callable[[int, int], None]]:
    """What shows how far the queueing of a large edition is; on a terminal alone."""
    columns = ("[progress.description]{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Queueing for readers", total=None, visible=False)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, visible=total >= MANY_READERS)

        yield show


def print_reason(console: Console, reason: Reason, newsletter: Newsletter) -> None:
    """What became of one item, in words."""
    item, fate = reason.item, reason.fate
    console.print(f"[bold]{escape(item.title)}[/]")
    published = f"published {item.published_at:%Y-%m-%d %H:%M} UTC" if item.published_at else "undated"
    console.print(f"{escape(item.feed.source.name)} · {item.language} · {published} · "
                  f"first seen {item.first_seen_at:%Y-%m-%d %H:%M} UTC")
    place = f" ({fate.section})" if fate.section else ""
    console.print(f"{escape(newsletter.name)} {reason.date}: [bold]{escape(fate.gate)}[/]{place}: {escape(fate.why)}")
    if reason.story_id:
        console.print(f"Story {reason.story_id}")
    if reason.region:
        console.print(f"Region {escape(reason.region)}")
    if reason.needed:
        console.print(f"To be in the mail it would have taken {escape(reason.needed)}.")
    if reason.score:
        console.print(_parts("Score", reason.score.parts, reason.score.total))


def story_line(story: StoryView, wording: Wording) -> str:
    """Credit, place, time and sources of a story on one line."""
    credit = f"{story.credit} via {story.via}" if story.via else story.credit
    also = f"also in {', '.join(c.name for c in story.also_in)}" if story.also_in else ""
    return " · ".join(part for part in (credit, story.place, wording.story_time(story), also) if part)


def _parts(title: str, parts: Iterable[Part] | Iterable[PartView], total: float) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, show_header=False)
    table.add_column("part")
    table.add_column("points", justify="right")
    table.add_column("why")
    for part in parts:
        table.add_row(part.name, f"{part.value:+.2f}", escape(part.why))
    table.add_row("[bold]total[/]", f"[bold]{total:+.2f}[/]", "")
    return table


def _sections(view: EditionView) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("section")
    table.add_column("score", justify="right")
    table.add_column("story")
    table.add_column("credit")
    beyond = ("Not in the mail", view.rest[:REST_SHOWN])
    for title, stories in (*((s.title, s.stories) for s in view.sections), beyond):
        for number, story in enumerate(stories):
            table.add_row(escape(title) if number == 0 else "", f"{story.score:+.2f}", escape(story.headline),
                          escape(story.via or story.credit))
    if len(view.rest) > REST_SHOWN:
        table.add_row("", "", f"and {len(view.rest) - REST_SHOWN} more", "")
    return table


def _diversity(view: EditionView) -> str:
    """How many sources the mail shows, and the one shown most."""
    mailed = view.all_stories[: len(view.all_stories) - len(view.rest)]
    if not mailed:
        return "None of them is in the mail."
    counts = Counter(story.via or story.credit for story in mailed)
    name, most = min(counts.items(), key=lambda c: (-c[1], c[0]))
    return f"{len(mailed)} in the mail from {len(counts)} sources, most from {name} ({most})."
