"""Byte budget: an edition whose HTML is too long for mail readers leaves its last stories to the page of all stories.

The longest section gives its last story first; of equally long ones, the one furthest down. The story at the top of
the mail stays. Pure: what a view's mail weighs is asked of a function.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from digest.model import Fate
from digest.pipeline.arrange import REST
from digest.pipeline.compose import Composed, first_look
from digest.pipeline.view import EditionView, StoryView

Size = Callable[[EditionView], int]  # bytes of the HTML that a view is mailed as


def fit(composed: Composed, budget_bytes: int, size: Size) -> Composed:
    """The edition with a view within `budget_bytes`, and the fates of what was moved out of its mail."""
    view = trim(composed.view, budget_bytes, size)
    if view is composed.view:
        return composed
    mailed = {story.id for story in view.mailed}
    fate = Fate("byte budget", f"the mail would be longer than {budget_bytes:,} bytes with it", REST)
    moved = [story.id for story in composed.view.mailed if story.id not in mailed]
    fates = {item.id: fate for story_id in moved for item in composed.ranked[story_id].candidate.open_items}
    return replace(composed, view=view, fates={**composed.fates, **fates})


def trim(view: EditionView, budget_bytes: int, size: Size, last: Collection[str] = ()) -> EditionView:
    """The view with as few stories moved from the mail to `rest` as its budget needs; itself where it fits.

    Stories whose ids are in `last` leave after all others. Weighs a view of n stories about log2(n) times. A single
    story is never moved, however long it is.
    """
    if size(view) <= budget_bytes:
        return view
    order = sorted(_leaving(view), key=lambda story_id: story_id in last)
    low, high = 1, len(order)  # so many have to go, at least and at most
    while low < high:
        middle = (low + high) // 2
        if size(_without(view, order[:middle])) <= budget_bytes:
            high = middle
        else:
            low = middle + 1
    return _without(view, order[:high]) if order else view


def _leaving(view: EditionView) -> Iterator[str]:
    """The ids of the stories that may leave the mail, in the order in which they leave it."""
    left = [list(section.stories) for section in view.sections]
    if view.lead is None and left:
        left[0] = left[0][1:]
    while any(left):
        longest = max(range(len(left)), key=lambda n: (len(left[n]), n))
        yield left[longest].pop().id


def _without(view: EditionView, moved: Sequence[str]) -> EditionView:
    """The view with these stories in `rest`, in the order of their scores."""
    gone = frozenset(moved)
    sections = tuple(
        replace(section, stories=kept) for section in view.sections
        if (kept := tuple(story for story in section.stories if story.id not in gone)))
    rest = sorted((*(story for story in view.mailed if story.id in gone), *view.rest), key=_by_score)
    return first_look(replace(view, sections=sections, rest=tuple(rest), trimmed=view.trimmed + len(gone)))


def _by_score(story: StoryView) -> float:
    return -story.score
