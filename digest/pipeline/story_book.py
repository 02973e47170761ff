"""All stories of an instance as values: what the tables would hold after a run of ticks and edits.

Pure, and in memory: for a rebuild, which goes through everything once and writes the outcome in one piece.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from digest.model import Join
from digest.pipeline.cluster import Assignment
from digest.pipeline.story_edits import Apart, Change, EditKind, Family, StoryEdit, apply_to, merged, split


@dataclass(frozen=True, slots=True)
class Arrival:
    """An item in the order of assignment: when it got its story, and when it was first seen."""

    item_id: str
    joined_at: datetime
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Alias:
    """A former story's id leads to `story_id` since `at`. `edit`: the editor's act; None: the clusterer."""

    story_id: str
    at: datetime
    similarity: float
    edit: int | None = None


@dataclass
class StoryBook:
    """Joins in order of arrival, aliases, and what edits changed. Does not decide who joins what."""

    joins: dict[str, Join] = field(default_factory=dict)  # by item id, under the story they are filed under now
    aliases: dict[str, Alias] = field(default_factory=dict)
    moves: dict[tuple[str, int], tuple[str, datetime]] = field(default_factory=dict)  # item, edit -> story until when
    past: dict[tuple[str, int], tuple[Alias, datetime]] = field(default_factory=dict)  # alias, edit -> held until when
    apart: Apart = field(default_factory=Apart)
    _order: dict[str, int] = field(default_factory=dict, repr=False)  # place in the order of arrival
    _filed: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list), repr=False)
    _led: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set), repr=False)

    def assign(self, assignment: Assignment, at: datetime) -> None:
        """Notes what a tick did."""
        for join in assignment.joins:
            self._order[join.item_id] = len(self.joins)
            self.joins[join.item_id] = join
            self._filed[join.story_id].append(join.item_id)
        for merge in assignment.merges:
            self._lead(merge.alias, Alias(merge.story_id, at, merge.similarity))
            self.apart.merge(merge.alias, merge.story_id)

    def edit(self, edit: StoryEdit) -> None:
        """Applies an editor's act again, as far as the stories still give rise to it."""
        if edit.kind is EditKind.MERGE:
            story_id, other_id = self.root(edit.story_id), self.root(edit.other_id)
            if story_id != other_id:
                older, younger = sorted((story_id, other_id), key=self._age)
                self._change(merged(older, younger), edit)
                apply_to(self.apart, edit.kind, older, younger)
        else:
            self._split(edit)

    def _split(self, edit: StoryEdit) -> None:
        """Parts each story that has items of both sides: more than one where the program groups them otherwise now."""
        left, stayed = ({self.root(item_id) for item_id in side} for side in (edit.items, edit.stayed))
        for story_id in sorted(left & stayed, key=self._age):
            own = {item_id for item_id in edit.items if self.root(item_id) == story_id}
            change = split(self.family(story_id), own)
            self._change(change, edit)
            apply_to(self.apart, edit.kind, change.story_id, change.other_id)
        for one in {self.root(item_id) for item_id in edit.items}:
            for other in {self.root(item_id) for item_id in edit.stayed}:
                self.apart.part(one, other)

    def root(self, item_id: str) -> str:
        """The story of an item, or the one that a story's id leads to."""
        join = self.joins.get(item_id)
        story_id = join.story_id if join else item_id
        while story_id in self.aliases:
            story_id = self.aliases[story_id].story_id
        return story_id

    def family(self, story_id: str) -> Family:
        """A story with all that was merged into it."""
        names = [story_id]
        for name in names:
            names += sorted(self._led[name])
        filed = [(item_id, name) for name in names for item_id in self._filed[name]]
        filed.sort(key=lambda pair: self._age(pair[0]))
        return Family(story_id, tuple(filed), {name: self.aliases[name].story_id for name in names[1:]})

    def live(self, arrived: Sequence[Arrival], window: timedelta, window_items: int) -> list[tuple[str, str]]:
        """Items of live stories with their stories, in order of arrival, as `storage.stories.window_members`."""
        if not arrived:
            return []
        horizon = arrived[-1].first_seen_at - window
        stories = {self.root(one.item_id) for one in arrived[-window_items:]}
        stories |= {self.root(one.item_id) for one in arrived if one.first_seen_at >= horizon}
        placed = ((one.item_id, self.root(one.item_id)) for one in arrived)
        return [(item_id, story_id) for item_id, story_id in placed if story_id in stories]

    def _age(self, item_id: str) -> int:
        return self._order[item_id]

    def _change(self, change: Change, edit: StoryEdit) -> None:
        for item_id, story_id in change.moved:
            join = self.joins[item_id]
            self.moves[item_id, edit.number] = (join.story_id, edit.at)
            self._filed[join.story_id].remove(item_id)
            self._filed[story_id].append(item_id)
            self.joins[item_id] = replace(join, story_id=story_id)
        for alias in change.ended:
            was = self.aliases.pop(alias)
            self._led[was.story_id].discard(alias)
            self.past[alias, edit.number] = (was, edit.at)
        for alias, story_id in change.begun:
            self._lead(alias, Alias(story_id, edit.at, 0.0, edit.number))

    def _lead(self, alias: str, target: Alias) -> None:
        self.aliases[alias] = target
        self._led[target.story_id].add(alias)
