"""The desk's tables: changes of an edition's view until it is sent, the log of what was done to it, corrections.

A caller that changes an edition holds its row (`hold`) until the end of the transaction; every change of state is one
conditional UPDATE … RETURNING.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, select, update

from digest.model import Period
from digest.storage.editions import COLUMNS, EditionRow, read_edition, templates_text
from digest.storage.schema import edition_actions, edition_corrections, edition_messages, editions

OPEN = ("draft", "approved")  # states in which the desk may change an edition


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One line of an edition's log. `undone_at` is None where it stands."""

    id: int
    at: datetime
    actor: str
    kind: str
    payload: Mapping[str, Any]
    undone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Correction:
    """A dated note on a released edition; `story_id` None: on the edition as a whole."""

    id: int
    at: datetime
    text: str
    story_id: str | None
    mailed: bool


def hold(conn: Connection, edition_id: int) -> EditionRow:
    """The edition, which nobody else can change before the transaction ends."""
    return read_edition(conn.execute(select(*COLUMNS).where(editions.c.id == edition_id).with_for_update()).one())


def newest(conn: Connection, newsletter: str, states: Collection[str]) -> EditionRow | None:
    """The newsletter's newest edition of either period in one of these states; None where there is none."""
    own = and_(editions.c.newsletter == newsletter, editions.c.state.in_(states))
    order = (editions.c.date.desc(), editions.c.built_at.desc(), editions.c.id.desc())
    row = conn.execute(select(*COLUMNS).where(own).order_by(*order).limit(1)).one_or_none()
    return read_edition(row) if row else None


def open_editions(conn: Connection, newsletter: str, period: Period | None = None) -> list[EditionRow]:
    """Drafts and approved editions that wait, oldest first."""
    own = and_(editions.c.newsletter == newsletter, editions.c.state.in_(OPEN))
    if period is not None:
        own = and_(own, editions.c.period == period)
    return [read_edition(row) for row in conn.execute(select(*COLUMNS).where(own).order_by(editions.c.date))]


def frozen_texts(conn: Connection, edition_id: int) -> tuple[str | None, str | None]:
    """The view as it was built and the working set, as JSON; None where they were not stored."""
    row = conn.execute(select(editions.c.base_view, editions.c.pool).where(editions.c.id == edition_id)).one()
    return row.base_view, row.pool


def set_view(conn: Connection, edition_id: int, view_text: str, view_sha256: str) -> bool:
    """Replaces the view of an open edition, which needs approval (again); False where it is not open any more.

    What had been rendered of the view before is forgotten.
    """
    is_open = and_(editions.c.id == edition_id, editions.c.state.in_(OPEN))
    changed = conn.execute(update(editions).where(is_open).values(
        view=view_text, view_sha256=view_sha256, state="draft", approved_at=None, approved_by=None,
    ).returning(editions.c.id)).one_or_none()
    if changed is not None:
        conn.execute(delete(edition_messages).where(edition_messages.c.edition_id == edition_id))
    return changed is not None


def approve(
    conn: Connection, edition_id: int, *, view_sha256: str, templates: Mapping[str, str], by: str, at: datetime
) -> bool:
    """Approves a draft whose view still has this hash; False where it changed or is no draft. One of two wins."""
    seen = and_(editions.c.id == edition_id, editions.c.state == "draft", editions.c.view_sha256 == view_sha256)
    return conn.execute(update(editions).where(seen).values(
        state="approved", approved_at=at, approved_by=by, templates=templates_text(templates), note=None,
    ).returning(editions.c.id)).one_or_none() is not None


def close(conn: Connection, edition_id: int, state: str, note: str) -> bool:
    """Ends an open edition as skipped or cancelled; False where it is not open any more."""
    is_open = and_(editions.c.id == edition_id, editions.c.state.in_(OPEN))
    return conn.execute(update(editions).where(is_open).values(
        state=state, note=note, approved_at=None, approved_by=None,
    ).returning(editions.c.id)).one_or_none() is not None


def set_note(conn: Connection, edition_id: int, note: str) -> bool:
    """Says why a draft waits; False where it says so already or is no draft."""
    waits = and_(editions.c.id == edition_id, editions.c.state == "draft", editions.c.note.is_distinct_from(note))
    changed = conn.execute(update(editions).where(waits).values(note=note).returning(editions.c.id))
    return changed.one_or_none() is not None


def forget_working_set(conn: Connection, edition_id: int) -> None:
    """Drops the working set of an edition that the desk cannot change any more: it is larger than the edition."""
    conn.execute(update(editions).where(editions.c.id == edition_id).values(pool=None))


def log(conn: Connection, edition_id: int, *, at: datetime, actor: str, kind: str, payload: Mapping[str, Any]) -> int:
    """Adds a line to the edition's log; its id."""
    text = json.dumps(dict(payload), ensure_ascii=False, sort_keys=True)
    values = {"edition_id": edition_id, "at": at, "actor": actor, "kind": kind, "payload": text}
    return int(conn.execute(edition_actions.insert().values(values).returning(edition_actions.c.id)).scalar_one())


def reason_to_drop(conn: Connection, edition_id: int, story_id: str) -> str | None:
    """Why the story was dropped, where that stands; None where nobody dropped it."""
    drops = [row for row in actions_of(conn, edition_id, ("drop",)) if row.payload["story"] == story_id]
    return str(drops[-1].payload.get("reason", "")) if drops else None


def actions_of(conn: Connection, edition_id: int, kinds: Collection[str] | None = None) -> list[ActionRow]:
    """The edition's log, oldest first; of some kinds only those lines that stand."""
    own = edition_actions.c.edition_id == edition_id
    if kinds is not None:
        own = and_(own, edition_actions.c.kind.in_(kinds), edition_actions.c.undone_at.is_(None))
    return [_action(row) for row in conn.execute(select(edition_actions).where(own).order_by(edition_actions.c.id))]


def mark_undone(conn: Connection, action_id: int, at: datetime) -> bool:
    """Marks a line as undone; False where it is already."""
    stands = and_(edition_actions.c.id == action_id, edition_actions.c.undone_at.is_(None))
    return conn.execute(update(edition_actions).where(stands).values(undone_at=at)
                        .returning(edition_actions.c.id)).one_or_none() is not None


def add_correction(
    conn: Connection, edition_id: int, *, at: datetime, text: str, story_id: str | None, mailed: bool
) -> Correction:
    """Stores a correction."""
    values = {"edition_id": edition_id, "at": at, "text": text, "story_id": story_id, "mailed": mailed}
    id_ = conn.execute(edition_corrections.insert().values(values).returning(edition_corrections.c.id)).scalar_one()
    return Correction(int(id_), at, text, story_id, mailed)


def corrections_of(conn: Connection, edition_id: int) -> list[Correction]:
    """The edition's corrections, oldest first."""
    rows = conn.execute(select(edition_corrections).where(edition_corrections.c.edition_id == edition_id)
                        .order_by(edition_corrections.c.id))
    return [Correction(row.id, row.at, row.text, row.story_id, row.mailed) for row in rows]


def _action(row: Row[Any]) -> ActionRow:
    return ActionRow(row.id, row.at, row.actor, row.kind, json.loads(row.payload), row.undone_at)
