"""What a story that was left out of the mail would have needed to be in it, in words."""

from collections.abc import Callable, Iterator

from digest.model import Fate
from digest.pipeline.arrange import BRIEF, LEAD
from digest.pipeline.compose import Composed
from digest.pipeline.rank import Ranked
from digest.pipeline.topics import main_topic


def needed(composed: Composed, story_id: str, fate: Fate) -> str | None:
    """The points of the weakest story that stood in its way, and how many it lacks; None where no story did.

    Told for "below the cut" and for caps; the other gates say by themselves what would have opened them. A story that
    equals the weakest one still comes after it where that stands first by its id, so "more than" is what it takes.
    """
    story = composed.ranked.get(story_id)
    if story is None or fate.gate == "chosen":
        return None
    rivals = [rival for key, rival in _mailed(composed) if _is_in_the_way(rival, key, story, composed, fate)]
    if not rivals:
        return None
    weakest = min(rivals, key=lambda rival: rival.score.total)
    lacks = weakest.score.total - story.score.total
    what = f"more than the {weakest.score.total:.2f} points of “{weakest.candidate.shown.title}”"
    if lacks < 0:
        return f"{what}: it has them, but sources take turns and what repeats another story gives way"
    return f"{what}: {lacks:.2f} more than its {story.score.total:.2f}"


def _mailed(composed: Composed) -> Iterator[tuple[str, Ranked]]:
    """Every story of the mail with the key of where it stands."""
    view = composed.view
    if view.lead:
        yield LEAD, composed.ranked[view.lead.id]
    for section in view.sections:
        for story in section.stories:
            yield section.key, composed.ranked[story.id]


def _is_in_the_way(rival: Ranked, key: str, story: Ranked, composed: Composed, fate: Fate) -> bool:
    if fate.gate == "below the cut":
        return key in {composed.homes.get(story.id), BRIEF}
    what_is_capped = _CAPPED.get(fate.gate)
    return what_is_capped is not None and what_is_capped(rival) == what_is_capped(story)


def _topic(story: Ranked) -> str | None:
    topic = main_topic(story.topics)
    return topic.slug if topic else None


_CAPPED: dict[str, Callable[[Ranked], str | None]] = {
    "source cap": lambda story: story.candidate.shown.feed.source.slug,
    "family cap": lambda story: story.candidate.shown.feed.source.family,
    "topic cap": _topic,
    "country cap": lambda story: story.region,
}
