"""What `digest stories` prints of one story, and of a rebuild."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from digest.model import Item, Story
from digest.pipeline.credit import credit
from digest.pipeline.joins import WhyJoined
from digest.pipeline.story_edits import StoryEdit
from digest.services.story_rebuild import Rebuilt
from digest.services.story_reports import StoryReport

MOVED_SHOWN = 20


def print_list(console: Console, found: Sequence[Story], limit: int) -> None:
    """Two lines a story: its title; how many tell it, since when, and who did first."""
    for story in found[:limit]:
        told = credit(story)
        first = told.first.feed.source.name + (f" ({told.agency})" if told.agency else "")
        _two_lines(console, story.id, story.items[0].title, ", ".join((
            f"{_plural(len(story.items), 'item')} of {_plural(len(story.families), 'source')}", _languages(story),
            f"last seen {story.items[-1].first_seen_at:%m-%d %H:%M} UTC", f"first by {first}")))
    if len(found) > limit:
        console.print(f"{limit} of {len(found)} stories: --limit shows more.")


def print_story(console: Console, found: StoryReport) -> None:
    """The story, who told it first, and its items in the order in which they were seen."""
    story, told = found.story, credit(found.story)
    console.print(f"[bold]{escape(story.items[0].title)}[/bold]\nstory {story.id}")
    console.print(f"First published by {escape(told.first.feed.source.name)}, {told.at:%Y-%m-%d %H:%M} UTC"
                  + (f"; agency: {escape(told.agency)}" if told.agency else ""))
    independent = _plural(len(story.families), "independent source")
    reprints = f", {_plural(len(story.reprints), 'reprint')}" if story.reprints else ""
    console.print(f"{_plural(len(story.items), 'item')} of {independent}{reprints}, in "
                  f"{_languages(story)}\n")
    _print_items(console, found)
    for edit in found.edits:
        console.print(escape(edit_words(edit)), soft_wrap=True)
    console.print(f"\nWhy: digest stories why {story.id}")


def print_why(console: Console, found: StoryReport) -> None:
    """Every join with its points, every merge, every act of an editor, in the order of time."""
    console.print(f"[bold]{escape(found.story.items[0].title)}[/bold]\nstory {found.story.id}")
    for why in found.joins:
        console.print("\n" + "\n".join(escape(line) for line in _join_lines(why, found)), soft_wrap=True)
    for one in found.merges:
        if one.edit is None:
            console.print(f"\n{one.at:%Y-%m-%d %H:%M} UTC  story {one.alias} merged into {one.story_id} "
                          f"with {one.similarity:.2f} points", soft_wrap=True)
    for edit in found.edits:
        console.print("\n" + escape(edit_words(edit)), soft_wrap=True)


def edit_words(edit: StoryEdit) -> str:
    """An editor's act in a line."""
    return f"{edit.at:%Y-%m-%d %H:%M} UTC  {edit.author} {edit.words}"


def print_rebuilt(console: Console, found: Rebuilt) -> None:
    """What a rebuild came to."""
    console.print(f"{found.items} items, {found.stories} stories, {_plural(found.edits, 'act')} of editors.")
    if found.equal:
        console.print("Every item has the story that it had: nothing to write.")
        return
    verb = "have" if found.written else "would have"
    console.print(f"{_plural(len(found.moved), 'item')} {verb} another story, {found.explained} another score, "
                  f"{found.aliases} aliases and {found.apart} pairs kept apart differ.")
    for moved in found.moved[:MOVED_SHOWN]:
        console.print(f"  {moved.item_id}: {moved.before} → {moved.after}")
    if len(found.moved) > MOVED_SHOWN:
        console.print(f"  and {len(found.moved) - MOVED_SHOWN} more (--json lists all)")


def rebuilt_json(found: Rebuilt) -> dict[str, Any]:
    """The same for programs."""
    return {"items": found.items, "stories": found.stories, "edits": found.edits, "explained": found.explained,
            "aliases": found.aliases, "apart": found.apart, "written": found.written, "equal": found.equal,
            "moved": [{"item": one.item_id, "before": one.before, "after": one.after} for one in found.moved]}


def _print_items(console: Console, found: StoryReport) -> None:
    originals = {why.join.item_id: why.join.reprint_of for why in found.joins}
    for item in found.story.items:
        original = originals.get(item.id)
        words = [item.feed.source.name, item.agency and f"agency {item.agency}", item.language,
                 f"published {_published(item)}", f"seen {item.first_seen_at:%m-%d %H:%M} UTC",
                 original and f"reprint of {original}"]
        _two_lines(console, item.id, item.title, ", ".join(word for word in words if word))


def _two_lines(console: Console, id_: str, title: str, more: str) -> None:
    console.print(f"{id_}  [bold]{escape(title)}[/bold]\n{' ' * len(id_)}  {escape(more)}", soft_wrap=True)


def _languages(story: Story) -> str:
    return " ".join(sorted({item.language for item in story.items}))


def _join_lines(why: WhyJoined, found: StoryReport) -> Iterator[str]:
    join, item = why.join, why.item
    yield f"{join.at:%Y-%m-%d %H:%M} UTC  {item.id}  {item.feed.source.name}: {item.title}"
    if join.story_id == item.id:
        yield "  founded the story" if item.id == found.story.id else "  founded a story of its own"
    else:
        points = " ".join(f"{value:+.2f} {name}" for name, value in why.points)
        yield f"  joined {join.story_id} with {join.score:.2f} points: {points}"
    if why.shared:
        yield f"  shares: {', '.join(why.shared)}"
    if join.reprint_of:
        yield f"  repeats the text of {join.reprint_of}"
    if item.id in found.moved:
        yield f"  an editor moved it from {join.story_id}"


def _published(item: Item) -> str:
    return f"{item.published_at:%m-%d %H:%M}" if item.published_at else "unknown"


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
