"""Items and stories as they were at an instant: asked of the tables each time, or read once for a whole trial."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from digest.model import Item, Story
from digest.storage.alert_trials import Alias, Annals, Filed
from digest.storage.items import items_by_id
from digest.storage.stories import family_of, roots_of, stories_by_id


class StoriesThen(Protocol):
    """What the engine asks of the archive. Ids that lead to nothing are left out of items and stories."""

    def items(self, ids: Iterable[str], at: datetime) -> dict[str, Item]:
        """Items by id with the texts that they had."""
        ...

    def roots(self, story_ids: Iterable[str], at: datetime) -> dict[str, str]:
        """The story that each was part of; itself where it was not merged."""
        ...

    def families(self, roots: Iterable[str], at: datetime) -> dict[str, str]:
        """Each of `roots`, and each story that was part of one, with its root."""
        ...

    def stories(self, roots: Iterable[str], at: datetime) -> dict[str, Story]:
        """Whole stories by their roots."""
        ...


class StoredStories:
    """What the tables say."""

    def __init__(self, conn: Connection):
        self._conn = conn

    def items(self, ids: Iterable[str], at: datetime) -> dict[str, Item]:
        return items_by_id(self._conn, ids, at=at)

    def roots(self, story_ids: Iterable[str], at: datetime) -> dict[str, str]:
        return roots_of(self._conn, story_ids, at)

    def families(self, roots: Iterable[str], at: datetime) -> dict[str, str]:
        return family_of(self._conn, roots, at)

    def stories(self, roots: Iterable[str], at: datetime) -> dict[str, Story]:
        return stories_by_id(self._conn, roots, at=at)


class LoadedStories:
    """What the annals of some stories say; of their items those of `items` alone, as they are now.

    `revised_at` says since when those are as they are that were rewritten; how they were before is asked of the tables.
    """

    def __init__(self, conn: Connection, annals: Annals, items: Mapping[str, Item],
                 revised_at: Mapping[str, datetime]):
        self._conn, self._items, self._revised_at = conn, items, revised_at
        self._of_story: dict[str, list[Filed]] = {}
        self._of_alias: dict[str, list[Alias]] = {}
        self._into: dict[str, list[Alias]] = {}
        for filed in annals.filed:
            if filed.item_id in items:
                self._of_story.setdefault(filed.story_id, []).append(filed)
        for alias in annals.aliases:
            self._of_alias.setdefault(alias.alias, []).append(alias)
            self._into.setdefault(alias.story_id, []).append(alias)

    def stories_of(self, at: datetime) -> dict[str, str]:
        """The story of each item, merges followed; items without one are left out."""
        return {one.item_id: self._root(one.story_id, at)
                for filed in self._of_story.values() for one in filed if _holds(one, at)}

    def items(self, ids: Iterable[str], at: datetime) -> dict[str, Item]:
        return {id_: item for id_ in ids if (item := self._item(id_, at)) is not None}

    def roots(self, story_ids: Iterable[str], at: datetime) -> dict[str, str]:
        return {story_id: self._root(story_id, at) for story_id in story_ids}

    def families(self, roots: Iterable[str], at: datetime) -> dict[str, str]:
        return {name: root for root in roots for name in self._family(root, at)}

    def stories(self, roots: Iterable[str], at: datetime) -> dict[str, Story]:
        found = {root: self._story(root, at) for root in roots}
        return {root: story for root, story in found.items() if story.items}

    def _item(self, id_: str, at: datetime) -> Item | None:
        item = self._items.get(id_)
        if item is None or item.first_seen_at > at:
            return None
        revised_at = self._revised_at.get(id_)
        return item if revised_at is None or revised_at <= at else items_by_id(self._conn, [id_], at=at).get(id_)

    def _root(self, story_id: str, at: datetime) -> str:
        while (held := next((one for one in self._of_alias.get(story_id, ()) if _holds(one, at)), None)) is not None:
            story_id = held.story_id
        return story_id

    def _family(self, root: str, at: datetime) -> list[str]:
        names = [root]
        for name in names:
            names += [one.alias for one in self._into.get(name, ()) if _holds(one, at)]
        return names

    def _story(self, root: str, at: datetime) -> Story:
        filed = [one for name in self._family(root, at) for one in self._of_story.get(name, ()) if _holds(one, at)]
        items = [item for one in filed if (item := self._item(one.item_id, at)) is not None]
        return Story(root, tuple(sorted(items, key=lambda item: (item.first_seen_at, item.id))),
                     frozenset(one.item_id for one in filed if one.reprint))


def _holds(one: Alias | Filed, at: datetime) -> bool:
    return one.since <= at and (one.until is None or at < one.until)
