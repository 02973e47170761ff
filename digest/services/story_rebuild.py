"""Rebuild of the stories: every tick and every edit again, from the items and the log of editors' acts.

    items in the order of their ticks ─▶ clusterer ┐
    editors' merges and splits, at their times     ┴▶ book ─▶ compared with the tables ─▶ written in one transaction

Where the program decides as it did, the outcome is what the tables say, and nothing is written.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from sqlalchemy import Engine

from digest.errors import ActionRefused
from digest.model import Item
from digest.pipeline.cluster import Clusterer
from digest.pipeline.cluster_document import batches
from digest.pipeline.cluster_index import WINDOW, WINDOW_ITEMS
from digest.pipeline.story_book import Arrival, StoryBook
from digest.pipeline.story_edits import StoryEdit
from digest.ports import Clock
from digest.services.stories import CLUSTERER, LEASE
from digest.storage import story_edits as edit_storage
from digest.storage import story_rebuild as storage
from digest.storage.engine import read_only
from digest.storage.items import items_as_joined
from digest.storage.leases import release_lease, take_lease
from digest.text.names import NO_NAMES, Names

ITEMS_AT_A_TIME = 1000


@dataclass(frozen=True, slots=True)
class Moved:
    """An item whose story would be another one."""

    item_id: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found. `explained`: joins whose score or features differ, wherever the item stands."""

    items: int
    stories: int
    edits: int
    moved: tuple[Moved, ...]
    explained: int
    aliases: int  # that differ
    apart: int  # pairs of stories kept apart that differ
    written: bool = False

    @property
    def equal(self) -> bool:
        return not (self.moved or self.explained or self.aliases or self.apart)


def rebuild(engine: Engine, clock: Clock, holder: str, *, names: Names = NO_NAMES, dry_run: bool = False,
            on_progress: Callable[[int, int], None] | None = None) -> Rebuilt:
    """Makes all stories anew and writes them where they differ; with `dry_run` only says what would differ.

    Nothing is assigned meanwhile; a process that is killed has changed nothing. `on_progress` gets the number of
    items done and of all. Raises ActionRefused where somebody else rebuilds or assigns.
    """
    holder = f"{holder}/rebuild"
    if dry_run:
        return _compared(engine, _Replay(engine, names, lambda: None, on_progress))
    _hold(engine, clock, holder)
    try:
        replay = _Replay(engine, names, lambda: _hold(engine, clock, holder), on_progress)
        found = _compared(engine, replay)
        if found.equal:
            return found
        changed = sorted({story_id for moved in found.moved for story_id in (moved.before, moved.after)})
        with engine.begin() as conn:
            now = clock.now()
            if not take_lease(conn, CLUSTERER, holder, now=now, until=now + LEASE):
                raise ActionRefused("another process assigns stories", "run the rebuild again")
            storage.replace_stories(conn, replay.book, changed or [next(iter(replay.book.joins))], now)
        return replace(found, written=True)
    finally:
        with engine.begin() as conn:
            release_lease(conn, CLUSTERER, holder)


def _hold(engine: Engine, clock: Clock, holder: str) -> None:
    now = clock.now()
    with engine.begin() as conn:
        if not take_lease(conn, CLUSTERER, holder, now=now, until=now + LEASE):
            raise ActionRefused("another process assigns or rebuilds stories", "try again when that is done")


class _Replay:
    """One run through all ticks and edits; `book` is what came of it."""

    def __init__(
        self, engine: Engine, names: Names, hold: Callable[[], None], on_progress: Callable[[int, int], None] | None
    ):
        self._engine, self._names, self._hold, self._on_progress = engine, names, hold, on_progress
        with read_only(engine) as conn:
            self.arrivals = storage.arrivals(conn)
            self.edits = edit_storage.edits(conn)
        self.book = StoryBook()
        self._clusterer = Clusterer(self._names)
        self._done = 0
        waiting = list(self.edits)
        for chunk in _chunks(self.arrivals):
            for at, tick in self._ticks(chunk):
                waiting = self._edit([edit for edit in waiting if edit.at < at], waiting)
                self._tick(tick, at)
        self._edit(waiting, waiting, restore=False)

    def _ticks(self, chunk: Sequence[Arrival]) -> Iterator[tuple[datetime, list[Item]]]:
        with read_only(self._engine) as conn:
            items = items_as_joined(conn, [one.item_id for one in chunk])
        for at, tick in groupby(chunk, key=lambda one: one.joined_at):
            yield at, [items[one.item_id] for one in tick]
        self._hold()
        if self._on_progress:
            self._on_progress(self._done, len(self.arrivals))

    def _tick(self, items: Sequence[Item], at: datetime) -> None:
        for batch in batches(items):
            self.book.assign(self._clusterer.assign(batch, at), at)
        self._done += len(items)

    def _edit(self, due: Sequence[StoryEdit], waiting: Sequence[StoryEdit], *, restore: bool = True) -> list[StoryEdit]:
        """Applies the edits that are due; returns those that still wait."""
        for edit in due:
            self.book.edit(edit)
        if due and restore:
            self._restore()
        return list(waiting[len(due):])

    def _restore(self) -> None:
        """What a process does that finds an edit in the log."""
        members = self.book.live(self.arrivals[:self._done], WINDOW, WINDOW_ITEMS)
        with read_only(self._engine) as conn:
            items = items_as_joined(conn, [item_id for item_id, _ in members])
        self._clusterer = Clusterer(self._names)
        self._clusterer.restore(((items[item_id], story_id) for item_id, story_id in members), self.book.apart.pairs())


def _compared(engine: Engine, replay: _Replay) -> Rebuilt:
    book = replay.book
    before = StoryBook()
    explained = 0
    with read_only(engine) as conn:
        before.aliases = storage.stored_aliases(conn)
        apart = len(edit_storage.apart(conn).pairs() ^ book.apart.pairs())
        for join in storage.stored_joins(conn):
            before.joins[join.item_id] = join
            explained += join.item_id in book.joins and join != book.joins[join.item_id]
    moved = [Moved(id_, old, new) for id_ in book.joins if (old := before.root(id_)) != (new := book.root(id_))]
    aliases = len(before.aliases.items() ^ book.aliases.items())
    stories = {book.root(item_id) for item_id in book.joins}
    return Rebuilt(len(book.joins), len(stories), len(replay.edits), tuple(moved), explained, aliases, apart)


def _chunks(arrivals: Sequence[Arrival]) -> Iterator[Sequence[Arrival]]:
    """Runs of about 1,000 arrivals that end where a tick ends."""
    start = 0
    while start < len(arrivals):
        end = min(start + ITEMS_AT_A_TIME, len(arrivals))
        while end < len(arrivals) and arrivals[end].joined_at == arrivals[end - 1].joined_at:
            end += 1
        yield arrivals[start:end]
        start = end
