"""Who told a story first, and whose copy it is.

The first publisher is the source of the item that can be shown to be the oldest: a bare date counts as the end of its
day, an undated item from its first sight. The originating agency is the one that the first publisher's copy credits
(byline, dateline or credit line); else the one that two copies or half of them credit.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from digest.model import Item, Story
from digest.pipeline.pool import told_at

COPIES = 2  # that credit an agency, where the first publisher's does not


@dataclass(frozen=True, slots=True)
class Credit:
    """`first` is the item of the first publisher; `at` the latest instant at which it can have been published."""

    first: Item
    at: datetime
    agency: str | None  # as it is shown, None where nobody is credited


def credit(story: Story) -> Credit:
    """The first publisher and the originating agency of a story."""
    first = min(story.items, key=lambda item: (told_at(item), item.id in story.reprints, item.first_seen_at, item.id))
    return Credit(first, told_at(first), first.agency or _credited(story))


def _credited(story: Story) -> str | None:
    counts = Counter(item.agency for item in story.items if item.agency)
    if not counts:
        return None
    agency, copies = counts.most_common(1)[0]
    return agency if copies >= COPIES or copies * 2 >= len(story.items) else None
