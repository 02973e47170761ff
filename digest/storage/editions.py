"""Editions: frozen views with their templates and messages, and which stories were mailed in them.

An edition is (newsletter, period, date in the newsletter's zone), draft → approved → sending → sent, or skipped or
cancelled. Once it is sending, its row is never rewritten but for the state; `storage.desk` changes it until then.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, or_, select, update

from digest.model import Period
from digest.pipeline.pool import Mailed
from digest.pipeline.thin import MERGED, SKIPPED
from digest.pipeline.view import EditionView, from_json
from digest.storage.schema import (
    edition_messages,
    edition_stories,
    editions,
    items,
    poll_attempts,
    story_aliases,
    story_items,
)
from digest.storage.upsert import insert_ignore

REST = "rest"  # section of stories that stand on the page of all stories and in no mail
REMEMBERED = timedelta(days=60)  # how long a mailed story stays known as mailed
CHUNK = 500  # ids in one statement
LIVE = ("draft", "approved", "sending", "sent")  # states of what readers get, or will
RELEASED = ("sending", "sent")

COLUMNS = tuple(column for column in editions.c if column.name not in ("base_view", "pool"))  # the desk reads these


@dataclass(frozen=True, slots=True)
class EditionRow:
    """One stored edition. `view_text` is the canonical JSON whose SHA-256 was approved."""

    id: int
    newsletter: str
    period: str
    date: Date
    state: str
    cutoff_at: datetime
    built_at: datetime
    config_version: int
    view_text: str
    view_sha256: str
    templates: Mapping[str, str]
    release_at: datetime | None
    approved_at: datetime | None  # None: nobody has, or it was changed since
    approved_by: str | None
    note: str | None  # why it was skipped, cancelled or held
    queued_at: datetime | None = None  # None: not all of its readers stand in the ledger

    @property
    def view(self) -> EditionView:
        return from_json(self.view_text)

    @property
    def subject(self) -> str:
        """The subject of its deliveries in the ledger."""
        return f"edition:{self.name}"

    @property
    def name(self) -> str:
        """As commands write it: "kazakhstan/2023-03-20", "kazakhstan/2023-03-19/weekly"."""
        return edition_name(self.newsletter, self.date, Period(self.period))


@dataclass(frozen=True, slots=True)
class PlacedStory:
    """Where a story stood in an edition (position 0 is the lead), and who had told it by then."""

    story_id: str
    position: int
    section: str
    families: frozenset[str]


def edition_name(newsletter: str, date: Date, period: Period) -> str:
    """The name of an edition, whether there is one or not."""
    return f"{newsletter}/{date.isoformat()}" + ("/weekly" if period is Period.WEEKLY else "")


def insert_edition(
    conn: Connection, *, newsletter: str, date: Date, cutoff_at: datetime, built_at: datetime, config_version: int,
    view_text: str, view_sha256: str, templates: Mapping[str, str], stories: Sequence[PlacedStory],
    period: Period = Period.DAILY, state: str = "approved", pool_text: str | None = None,
    release_at: datetime | None = None, approved_by: str | None = None, note: str | None = None,
) -> int | None:
    """Stores an edition with its stories; its id, or None where the day has one of this period already."""
    row = {
        "newsletter": newsletter, "period": period, "date": date.isoformat(), "state": state,
        "cutoff_at": cutoff_at, "built_at": built_at, "config_version": config_version, "view": view_text,
        "view_sha256": view_sha256, "templates": templates_text(templates), "release_at": release_at,
        "approved_at": built_at if approved_by else None, "approved_by": approved_by, "note": note,
        "base_view": view_text, "pool": pool_text,
    }
    inserted = insert_ignore(conn, editions, [row])
    if not inserted:
        return None
    edition_id = int(inserted[0].id)
    place_stories(conn, edition_id, stories)
    return edition_id


def place_stories(conn: Connection, edition_id: int, stories: Sequence[PlacedStory]) -> None:
    """Says where each story stands, in place of what was said before."""
    conn.execute(delete(edition_stories).where(edition_stories.c.edition_id == edition_id))
    insert_ignore(conn, edition_stories, [{
        "edition_id": edition_id, "story_id": story.story_id, "position": story.position, "section": story.section,
        "families": json.dumps(sorted(story.families), ensure_ascii=False),
    } for story in stories])


def templates_text(templates: Mapping[str, str]) -> str:
    """Templates as their column holds them."""
    return json.dumps(dict(templates), ensure_ascii=False, sort_keys=True)


def edition_of(
    conn: Connection, newsletter: str, date: Date, period: Period = Period.DAILY
) -> EditionRow | None:
    """The stored edition of a day; None where there is none."""
    row = conn.execute(_of(newsletter, period).where(editions.c.date == date.isoformat())).one_or_none()
    return read_edition(row) if row else None


def edition_before(
    conn: Connection, newsletter: str, date: Date, *, cutoff: datetime, period: Period = Period.DAILY
) -> EditionRow | None:
    """The newest edition of an earlier day whose cut-off is earlier than `cutoff`; None for the first.

    One that was cancelled or came too late does not count: its stories may stand in the next. One that was skipped as
    too thin does.
    """
    counts = or_(editions.c.state.in_(LIVE), and_(editions.c.state == "skipped", editions.c.note.startswith(SKIPPED)))
    earlier = and_(editions.c.date < date.isoformat(), editions.c.cutoff_at < cutoff, counts)
    row = conn.execute(
        _of(newsletter, period).where(earlier).order_by(editions.c.date.desc()).limit(1)).one_or_none()
    return read_edition(row) if row else None


def merged_before(
    conn: Connection, newsletter: str, date: Date, *, cutoff: datetime, since: datetime | None
) -> list[tuple[Date, datetime]]:
    """Day and cut-off of the daily editions whose stories wait for the one of `date`, oldest first.

    `since` is the cut-off of the last edition that counts; None where there is none.
    """
    merged = _of(newsletter, Period.DAILY).where(
        editions.c.date < date.isoformat(), editions.c.cutoff_at < cutoff, editions.c.state == "skipped",
        editions.c.note.startswith(MERGED))
    if since is not None:
        merged = merged.where(editions.c.cutoff_at > since)
    return [(Date.fromisoformat(row.date), row.cutoff_at) for row in conn.execute(merged.order_by(editions.c.date))]


def editions_of(
    conn: Connection, newsletter: str, limit: int = 30, period: Period | None = Period.DAILY,
    states: Collection[str] | None = None,
) -> list[EditionRow]:
    """The newest editions, newest first; of one period (None: of both) and in some states (None: in any)."""
    newest = _of(newsletter, period) if states is None else _of(newsletter, period).where(editions.c.state.in_(states))
    order = (editions.c.date.desc(), editions.c.period.desc())
    return [read_edition(row) for row in conn.execute(newest.order_by(*order).limit(limit))]


def move(conn: Connection, edition_id: int, state: str, *, since: str) -> bool:
    """Moves an edition from state `since` to `state`; False where it is elsewhere already."""
    statement = update(editions).where(editions.c.id == edition_id, editions.c.state == since).values(state=state)
    return conn.execute(statement.returning(editions.c.id)).one_or_none() is not None


def mark_queued(conn: Connection, edition_id: int, at: datetime) -> None:
    """Records that all readers of an edition stand in the ledger; the first time stays. Idempotent."""
    first = and_(editions.c.id == edition_id, editions.c.queued_at.is_(None))
    conn.execute(update(editions).where(first).values(queued_at=at))


def mark_sent(conn: Connection, edition_id: int) -> bool:
    """Ends the sending of an edition whose readers are all queued; False where it is not that far, or ended."""
    complete = and_(editions.c.id == edition_id, editions.c.state == "sending", editions.c.queued_at.is_not(None))
    return conn.execute(
        update(editions).where(complete).values(state="sent").returning(editions.c.id)).one_or_none() is not None


def half_queued(conn: Connection, newsletter: str) -> list[EditionRow]:
    """Editions that are being sent though not all of their readers stand in the ledger, as after a crash."""
    half = _of(newsletter, None).where(editions.c.state == "sending", editions.c.queued_at.is_(None))
    return [read_edition(row) for row in conn.execute(half.order_by(editions.c.date))]


def add_message(
    conn: Connection, edition_id: int, variant: str, message_id: str, sha256: str | None = None
) -> None:
    """Names the stored message that readers of a variant get, and the hash of its text before anything personal is
    filled in. Idempotent; the first one stays.
    """
    insert_ignore(conn, edition_messages, [
        {"edition_id": edition_id, "variant": variant, "message_id": message_id, "sha256": sha256}])


def variants_of(conn: Connection, edition_id: int) -> dict[str, tuple[str, str | None]]:
    """The stored message's id and the hash of each variant that was rendered."""
    rows = conn.execute(select(edition_messages).where(edition_messages.c.edition_id == edition_id))
    return {row.variant: (row.message_id, row.sha256) for row in rows}


def message_id_of(conn: Connection, edition_id: int, variant: str) -> str | None:
    """The id of a variant's stored message; None where nobody has needed it yet."""
    condition = and_(edition_messages.c.edition_id == edition_id, edition_messages.c.variant == variant)
    return conn.execute(select(edition_messages.c.message_id).where(condition)).scalar_one_or_none()


def mailed_stories(
    conn: Connection, newsletter: str, *, before: Date, cutoff: datetime, period: Period = Period.DAILY
) -> dict[str, Mailed]:
    """The last mailed place of each story of the newsletter's earlier editions, by the story's id as of `cutoff`.

    Stories of the page of all stories were not mailed. Stories that were merged since are one: all who had told
    either of them count.
    """
    columns = (editions.c.date, editions.c.cutoff_at, edition_stories.c.story_id, edition_stories.c.families)
    rows = conn.execute(
        select(*columns).join(editions, editions.c.id == edition_stories.c.edition_id)
        .where(editions.c.newsletter == newsletter, editions.c.period == period, editions.c.date < before.isoformat(),
               editions.c.state.in_(LIVE),
               editions.c.date >= (before - REMEMBERED).isoformat(), edition_stories.c.section != REST)
        .order_by(editions.c.date, edition_stories.c.position)).all()
    ids = resolved_ids(conn, {row.story_id for row in rows}, cutoff)
    mailed: dict[str, Mailed] = {}
    for row in rows:
        story_id = ids[row.story_id]
        told = frozenset(json.loads(row.families))
        known = mailed[story_id].families if story_id in mailed else frozenset()
        mailed[story_id] = Mailed(row.date, told | known, row.cutoff_at)
    return mailed


def count_seen(conn: Connection, feed_ids: Collection[str], at: datetime) -> int:
    """How many items of these feeds had been seen by `at`."""
    condition = and_(items.c.feed_id.in_(feed_ids), items.c.first_seen_at <= at)
    return int(conn.execute(select(func.count()).select_from(items).where(condition)).scalar_one())


def joined_late(conn: Connection, since: datetime, at: datetime) -> dict[str, datetime]:
    """Items first seen by `since` that got their story only after it, by `at`: id -> first sight.

    An edition cut off at `since` could not have them.
    """
    late = and_(story_items.c.joined_at > since, story_items.c.joined_at <= at, items.c.first_seen_at <= since)
    rows = conn.execute(
        select(items.c.id, items.c.first_seen_at).join(story_items, story_items.c.item_id == items.c.id).where(late))
    return {row.id: row.first_seen_at for row in rows}


def last_outcomes(conn: Connection, feed_ids: Collection[str], at: datetime) -> dict[str, str]:
    """The outcome of each feed's last poll by `at`; feeds that were never polled are left out."""
    newest = (
        select(func.max(poll_attempts.c.id))
        .where(poll_attempts.c.feed_id.in_(feed_ids), poll_attempts.c.at <= at).group_by(poll_attempts.c.feed_id)
    )
    rows = conn.execute(select(poll_attempts.c.feed_id, poll_attempts.c.outcome).where(poll_attempts.c.id.in_(newest)))
    return {row.feed_id: row.outcome for row in rows}


def had_outcomes(conn: Connection, feed_ids: Collection[str], outcomes: Collection[str], *, since: datetime,
                 at: datetime) -> set[str]:
    """Those of `feed_ids` that had a poll with one of `outcomes` from `since` to `at`, as far as polls are kept."""
    polls = select(poll_attempts.c.feed_id).distinct().where(
        poll_attempts.c.feed_id.in_(feed_ids), poll_attempts.c.outcome.in_(outcomes),
        poll_attempts.c.at >= since, poll_attempts.c.at <= at)
    return set(conn.execute(polls).scalars())


def resolved_ids(conn: Connection, ids: Collection[str], at: datetime) -> dict[str, str]:
    """The id that each story has as of `at`, merges followed."""
    resolved = {story_id: story_id for story_id in ids}
    open_ids = set(ids)
    while open_ids:
        moved: dict[str, str] = {}
        for chunk in _chunks(sorted(open_ids)):
            condition = and_(story_aliases.c.alias.in_(chunk), story_aliases.c.at <= at)
            moved |= {row.alias: row.story_id for row in conn.execute(select(story_aliases).where(condition))}
        resolved = {story_id: moved.get(now, now) for story_id, now in resolved.items()}
        open_ids = set(moved.values())
    return resolved


def _of(newsletter: str, period: Period | None) -> Any:
    own = select(*COLUMNS).where(editions.c.newsletter == newsletter)
    return own if period is None else own.where(editions.c.period == period)


def read_edition(row: Row[Any]) -> EditionRow:
    """The edition of a row of COLUMNS."""
    return EditionRow(
        id=row.id, newsletter=row.newsletter, period=row.period, date=Date.fromisoformat(row.date), state=row.state,
        cutoff_at=row.cutoff_at, built_at=row.built_at, config_version=row.config_version, view_text=row.view,
        view_sha256=row.view_sha256, templates=json.loads(row.templates), release_at=row.release_at,
        approved_at=row.approved_at, approved_by=row.approved_by, note=row.note, queued_at=row.queued_at)


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start:start + CHUNK] for start in range(0, len(ids), CHUNK)]
