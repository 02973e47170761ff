"""What conditions of a query ask of a story: how many sources and owners tell it, and how fast it grows. Pure."""

from datetime import datetime, timedelta

from digest.model import Story
from digest.query.conditions import StoryFacts

RATE_HOURS = timedelta(hours=3)  # the span whose items are compared with what came before it
LEAST_ITEMS = 3  # in that span; fewer are no rate


def facts_of(story: Story, at: datetime) -> StoryFacts:
    """The facts of a story as it stands at an instant. A reprint counts as a source, not as an independent owner."""
    return StoryFacts(len({item.feed.source.slug for item in story.items}), len(story.families), rate(story, at))


def rate(story: Story, at: datetime) -> float:
    """How many times faster items join the story than before: those of the last three hours against the mean of three
    hours from its first item on.

    0 where fewer than three came in them, or none before them: it has no usual pace yet.
    """
    since = at - RATE_HOURS
    recent = sum(item.first_seen_at > since for item in story.items)
    before = len(story.items) - recent
    if recent < LEAST_ITEMS or not before:
        return 0.0
    spans = (since - story.items[0].first_seen_at) / RATE_HOURS
    return recent / (before / max(spans, 1.0))
