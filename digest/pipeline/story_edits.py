"""An editor's word on stories: what a merge or a split changes, and which stories stay apart from then on.

Pure. A story's id is that of its first item, and so leads to the story that holds this item, whatever was merged or
split: ids of former stories are aliases. A split therefore names its new story after the first of its items, and the
part with the story's own first item keeps the id.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digest.errors import ActionRefused


class EditKind(StrEnum):
    MERGE = "merge"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class StoryEdit:
    """What an editor did. `number` counts an instance's edits from 1.

    Merge: the stories of the items `story_id` and `other_id` are one. Split: `items` left the story of `story_id` as
    story `other_id`, and `stayed` are those that it kept: none of these tells the same event as one of those.
    """

    number: int
    kind: EditKind
    at: datetime
    author: str
    story_id: str
    other_id: str
    items: tuple[str, ...] = ()
    stayed: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What was done, after its author's name."""
        if self.kind is EditKind.MERGE:
            return f"merged story {self.other_id} into {self.story_id}"
        items = "1 item" if len(self.items) == 1 else f"{len(self.items)} items"
        return f"split {items} off story {self.story_id} as {self.other_id}"


@dataclass(frozen=True, slots=True)
class Family:
    """A story with all that was merged into it. Items stand in order of arrival."""

    story_id: str
    items: tuple[tuple[str, str], ...]  # item id, the story it is filed under: this one, or one merged into it
    aliases: Mapping[str, str]  # id of a merged story -> the one it was merged into


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit changes. `moved`: items with the story they are filed under now."""

    moved: tuple[tuple[str, str], ...]
    ended: tuple[str, ...]  # aliases that hold no more
    begun: tuple[tuple[str, str], ...]  # aliases that begin, or lead elsewhere from now on
    story_id: str  # what keeps its id
    other_id: str  # merged: the id that is an alias now; split: the new story
    items: tuple[str, ...] = ()  # of the new story
    stayed: tuple[str, ...] = ()  # of the one that it left


def merged(older: str, younger: str) -> Change:
    """The younger of two stories becomes part of the older, whose id is kept. Raises ActionRefused for one story."""
    if older == younger:
        raise ActionRefused(f"both are story {older}")
    return Change((), (), ((younger, older),), older, younger)


def split(family: Family, chosen: Collection[str]) -> Change:
    """The chosen items leave their story; the part with its first item keeps the id.

    Raises ActionRefused where an item is not of the story, or where one part would be empty.
    """
    own = [item_id for item_id, _ in family.items]
    strangers = sorted(set(chosen) - set(own))
    if strangers:
        raise ActionRefused(f"{strangers[0]} is no item of story {family.story_id}",
                            f"digest stories show {family.story_id} lists them")
    if not chosen or len(set(chosen)) == len(own):
        raise ActionRefused(f"a split of story {family.story_id} must leave items on both sides")
    stays = family.story_id in chosen
    leaving = tuple(item_id for item_id in own if (item_id in chosen) is not stays)
    part = dict.fromkeys((*family.aliases, *own), family.story_id) | dict.fromkeys(leaving, leaving[0])
    moved = tuple((item_id, part[item_id]) for item_id, filed in family.items if part[filed] != part[item_id])
    loose = [alias for alias, story_id in family.aliases.items()
             if alias == part[alias] or part[story_id] != part[alias]]
    begun = tuple((alias, part[alias]) for alias in loose if alias != part[alias])
    stayed = tuple(item_id for item_id in own if part[item_id] == family.story_id)
    return Change(moved, tuple(loose), begun, family.story_id, leaving[0], leaving, stayed)


class Apart:
    """Stories that never merge by themselves, in pairs of ids; it follows merges."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()):
        self._others: defaultdict[str, set[str]] = defaultdict(set)
        for one, other in pairs:
            self.part(one, other)

    def __bool__(self) -> bool:
        return any(self._others.values())

    def __contains__(self, pair: tuple[str, str]) -> bool:
        one, other = pair
        return other in self._others.get(one, ())

    def pairs(self) -> frozenset[tuple[str, str]]:
        """Each pair once, the smaller id first."""
        return frozenset((one, other) for one, others in self._others.items() for other in others if one < other)

    def merge(self, alias: str, story_id: str) -> None:
        """What was kept apart from `alias` stays apart from `story_id`; the two are one now."""
        for other in self._others.pop(alias, set()):
            self._others[other].discard(alias)
            if other != story_id:
                self.part(story_id, other)

    def split(self, story_id: str, new_id: str) -> None:
        """The new story stays apart from the one it left, and from all that this one is kept apart from."""
        for other in list(self._others.get(story_id, ())):
            self.part(new_id, other)
        self.part(story_id, new_id)

    def part(self, one: str, other: str) -> None:
        """Two stories stay apart from now on."""
        self._others[one].add(other)
        self._others[other].add(one)


def apply_to(apart: Apart, kind: EditKind, story_id: str, other_id: str) -> None:
    """Notes what an edit of two stories, by their ids before a merge or after a split, says of who stays apart."""
    if kind is EditKind.MERGE:
        apart.merge(other_id, story_id)
    else:
        apart.split(story_id, other_id)


def followed(story_id: str, aliases: Mapping[str, str]) -> str:
    """The story that an id leads to."""
    while story_id in aliases:
        story_id = aliases[story_id]
    return story_id
