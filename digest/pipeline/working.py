"""The working set of a draft: every ranked story in each of its copies, frozen as it stood at the cut-off.

The desk arranges these and nothing else: what is seen later waits in the pending tray until an editor takes it.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from digest.model import Item
from digest.pipeline.compose import Composed, story_view
from digest.pipeline.excerpt import LEAD, OTHER
from digest.pipeline.pool import EditionInputs
from digest.pipeline.rank import Ranked
from digest.pipeline.view import StoryView, build


@dataclass(frozen=True, slots=True)
class Copy:
    """One telling of a story that could be shown. `story` is as a section shows it; the lead has a longer excerpt."""

    item: str  # item id
    source: str  # slug
    name: str  # of the source
    story: StoryView
    lead_excerpt: str


@dataclass(frozen=True, slots=True)
class WorkingStory:
    """A story at the desk. `home` is the section that it belongs to; the first copy is the one that was chosen."""

    id: str
    home: str
    families: tuple[str, ...]
    copies: tuple[Copy, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A section of the newsletter, whether the draft has stories for it or not."""

    key: str
    kind: str
    title: str


@dataclass(frozen=True)
class WorkingSet:
    """Sections in their order, and stories best first."""

    sections: tuple[Heading, ...]
    stories: tuple[WorkingStory, ...]

    @cached_property
    def by_id(self) -> Mapping[str, WorkingStory]:
        return {story.id: story for story in self.stories}

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> "WorkingSet":
        """The set that `to_json` wrote. Raises KeyError or ValueError on other text."""
        value: WorkingSet = build(WorkingSet, json.loads(text))
        return value


def working_set(composed: Composed, inputs: EditionInputs) -> WorkingSet:
    """Everything that the desk may arrange of an edition: the stories of its view, in rank order."""
    sections = tuple(Heading(s.key, s.kind, s.title) for s in composed.headings)
    shown = {story.id for story in composed.view.all_stories}
    return WorkingSet(sections, tuple(
        _story(ranked, composed.homes[ranked.id], inputs) for ranked in composed.ranked.values() if ranked.id in shown))


def story_to_value(story: WorkingStory) -> dict[str, Any]:
    """A story as a JSON value, for the action that takes it into a draft."""
    return dataclasses.asdict(story)


def story_from_value(value: Any) -> WorkingStory:
    """The story of `story_to_value`."""
    story: WorkingStory = build(WorkingStory, value)
    return story


def _story(ranked: Ranked, home: str, inputs: EditionInputs) -> WorkingStory:
    copies = tuple(_copy(ranked, item, inputs) for item in _tellings(ranked))
    return WorkingStory(ranked.id, home, tuple(sorted(ranked.candidate.families)), copies)


def _tellings(ranked: Ranked) -> Iterator[Item]:
    """The copy that was chosen, then the other counted ones that have a page of their own, earliest first."""
    shown = ranked.candidate.shown
    yield shown
    others = (item for item in ranked.candidate.counted if item.url and item.id != shown.id)
    yield from sorted(others, key=lambda item: (item.sorted_at, item.id))


def _copy(ranked: Ranked, item: Item, inputs: EditionInputs) -> Copy:
    told = replace(ranked, candidate=replace(ranked.candidate, shown=item))
    source = item.feed.source
    return Copy(item.id, source.slug, source.name, story_view(told, inputs, OTHER),
                story_view(told, inputs, LEAD).excerpt)
