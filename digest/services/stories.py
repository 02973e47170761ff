"""The cluster tick: every unassigned item gets a story, by one process at a time."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from digest.pipeline.cluster import Clusterer
from digest.pipeline.cluster_document import batches
from digest.pipeline.cluster_index import WINDOW, WINDOW_ITEMS
from digest.storage.engine import read_only
from digest.storage.items import has_unassigned, unassigned_items
from digest.storage.leases import release_lease, take_lease
from digest.storage.stories import last_change, record_joins, record_merges, window_members
from digest.storage.story_edits import apart
from digest.text.names import NO_NAMES, Names

LEASE = timedelta(minutes=5)
CLUSTERER = "clusterer"  # the lease of who writes stories


@dataclass(frozen=True, slots=True)
class TickReport:
    """What one tick did: items assigned, stories founded, stories merged into older ones. All 0: nothing to do."""

    assigned: int = 0
    stories: int = 0
    merged: int = 0


class StoryClusterer:
    """Assigns items to stories and keeps the live window in memory from tick to tick.

    The tables are the truth: at the first tick, after an error, and when another process assigned items
    since, the window is read from them. Use one object from one thread at a time. `names` gives the gazetteer's names
    as they are configured at the time of a tick.
    """

    def __init__(self, engine: Engine, names: Callable[[], Names] = lambda: NO_NAMES) -> None:
        self._engine = engine
        self._names = names
        self._known = NO_NAMES  # the names that the window was made with
        self._clusterer: Clusterer | None = None
        self._event_number = -1  # of the newest event that the window knows of

    def tick(self, now: datetime, holder: str, waiting: Collection[str] = ()) -> TickReport:
        """Assigns all unassigned items in one transaction, backlog too; running it again changes nothing.

        Items whose ids are in `waiting` are left for a later tick: their text is still to come. Does nothing where
        there is no item, or where another holder has the lease: that one will do it.
        """
        with read_only(self._engine) as conn:
            if not has_unassigned(conn):
                return TickReport()
        try:
            with self._engine.begin() as conn:
                if not take_lease(conn, CLUSTERER, holder, now=now, until=now + LEASE):
                    return TickReport()
                report, number = self._assign(conn, now, waiting)
                release_lease(conn, CLUSTERER, holder)
        except BaseException:
            self._clusterer = None  # it is ahead of the tables
            raise
        self._event_number = number
        return report

    def _assign(self, conn: Connection, now: datetime, waiting: Collection[str]) -> tuple[TickReport, int]:
        """What was done, and the number of the newest event afterwards."""
        items = unassigned_items(conn, waiting)
        if not items:
            return TickReport(), self._event_number
        clusterer = self._current(conn)
        founded = merged = 0
        for batch in batches(items):
            assignment = clusterer.assign(batch, now)
            record_joins(conn, assignment.joins)
            record_merges(conn, assignment.merges, now)
            founded += sum(join.item_id == join.story_id for join in assignment.joins)
            merged += len(assignment.merges)
        return TickReport(len(items), founded, merged), last_change(conn)

    def _current(self, conn: Connection) -> Clusterer:
        """The clusterer with the window of the tables, read again only where another process wrote to them."""
        names = self._names()
        if self._clusterer is None or names is not self._known or last_change(conn) != self._event_number:
            self._clusterer, self._known = Clusterer(names), names
            members = window_members(conn, window=WINDOW, window_items=WINDOW_ITEMS)
            self._clusterer.restore(members, apart(conn).pairs())
        return self._clusterer
