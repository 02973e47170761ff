"""What an edition's editors changed: the difference of two of its views in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from digest.pipeline.arrange import LEAD, REST
from digest.pipeline.view import EditionView, StoryView

PLACES = {LEAD: "lead", REST: "all stories"}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `what` is lead, dropped, taken, moved, headline, excerpt, copy, note or subject."""

    what: str
    story_id: str | None
    headline: str
    before: str
    after: str


def changes(before: EditionView, after: EditionView) -> tuple[Change, ...]:
    """How `after` differs from `before`, in the order of the page; () where they show the same."""
    old, new = dict(_places(before)), dict(_places(after))
    stories = {s.id: s for s in before.all_stories} | {s.id: s for s in after.all_stories}
    found = [*_placed_anew(old, new, _moved_inside(old, new), stories)]
    olds = {story.id: story for story in before.all_stories}
    for story in after.all_stories:
        if story.id in olds:
            found += _told_anew(olds[story.id], story, same_form=old[story.id] == new[story.id])
        elif story.note:
            found.append(Change("note", story.id, story.headline, "", story.note))
    if before.subject != after.subject:
        found.append(Change("subject", None, "", before.subject, after.subject))
    return tuple(found)


def _places(view: EditionView) -> Iterator[tuple[str, str]]:
    """Story id → title of its place."""
    if view.lead:
        yield view.lead.id, PLACES[LEAD]
    for section in view.sections:
        yield from ((story.id, section.title) for story in section.stories)
    yield from ((story.id, PLACES[REST]) for story in view.rest)


def _placed_anew(
    old: dict[str, str], new: dict[str, str], moved: frozenset[str], stories: dict[str, StoryView]
) -> Iterator[Change]:
    for id_ in [*new, *(i for i in old if i not in new)]:
        before, after = old.get(id_, ""), new.get(id_, "")
        if before == after and id_ not in moved:
            continue
        what = "dropped" if not after else "taken" if not before else "lead" if after == PLACES[LEAD] else "moved"
        yield Change(what, id_, stories[id_].headline, _numbered(id_, old), _numbered(id_, new))


def _moved_inside(old: dict[str, str], new: dict[str, str]) -> frozenset[str]:
    """Stories that stand in the section they stood in, but no longer in the order of the others there."""
    moved: set[str] = set()
    for title in set(new.values()):
        stayed = [i for i in old if old[i] == title == new.get(i)]
        order = [i for i in new if i in set(stayed)]
        blocks = SequenceMatcher(None, stayed, order, autojunk=False).get_matching_blocks()
        moved |= set(order) - {order[b.b + n] for b in blocks for n in range(b.size)}
    return frozenset(moved)


def _numbered(id_: str, places: dict[str, str]) -> str:
    """ "Politics 2": the place and the position in it."""
    if id_ not in places:
        return ""
    title = places[id_]
    if title == PLACES[LEAD]:
        return title
    column: Sequence[str] = [i for i, place in places.items() if place == title]
    return f"{title} {column.index(id_) + 1}"


def _told_anew(before: StoryView, after: StoryView, *, same_form: bool) -> Iterator[Change]:
    if before.url != after.url:
        yield Change("copy", after.id, after.headline, before.via or before.credit, after.via or after.credit)
    elif before.excerpt != after.excerpt and same_form:
        yield Change("excerpt", after.id, after.headline, before.excerpt, after.excerpt)
    if after.original_headline is not None and before.headline != after.headline:
        yield Change("headline", after.id, after.headline, after.original_headline, after.headline)
    if before.note != after.note:
        yield Change("note", after.id, after.headline, before.note, after.note)
