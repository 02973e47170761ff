"""The desk: an editor's changes to a draft, its approval, and what waits outside it.

A draft's view is a function of what was built and of the actions that stand (`pipeline.desk.apply`). An approval binds
the SHA-256 of the view: a later change makes the edition a draft again, which needs approval again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine

from digest.documents import Configuration, Newsletter
from digest.errors import ActionRefused, ApprovalStale, EditionClosed, NotFound
from digest.model import Period
from digest.pipeline.arrange import REST
from digest.pipeline.budget import trim
from digest.pipeline.changes import Change, changes
from digest.pipeline.compose import compose
from digest.pipeline.desk import CHANGES, Action, apply, resolve, section_key
from digest.pipeline.render import Renderer, own_templates
from digest.pipeline.variants import DEFAULT
from digest.pipeline.view import EditionView, from_json, sha256, to_json
from digest.pipeline.working import WorkingSet, WorkingStory, story_from_value, story_to_value, working_set
from digest.services import editions, lint, variants
from digest.settings import Settings
from digest.storage import desk as storage
from digest.storage import editions as edition_storage
from digest.storage.desk import ActionRow
from digest.storage.editions import EditionRow
from digest.storage.engine import read_only

MIN_HASH = 8  # digits of a hash that name a view


@dataclass(frozen=True, slots=True)
class Waiting:
    """A story of the pending tray, and the place that an edition built now would give it."""

    story: WorkingStory
    section: str


@dataclass(frozen=True, slots=True)
class Approval:
    """An approved edition. `given`: by this call; else somebody had approved the same view before."""

    edition: EditionRow
    given: bool


def find(conn: Connection, name: tuple[str, Any, Period], *, closed: bool = False) -> EditionRow:
    """The edition of (newsletter, day, period); without a day the newsletter's newest open one.

    With `closed`, the newest of any state where none is open. Raises NotFound.
    """
    newsletter, day, period = name
    if day is not None:
        found = edition_storage.edition_of(conn, newsletter, day, period)
        title = edition_storage.edition_name(newsletter, day, period)
    else:
        found, title = storage.newest(conn, newsletter, storage.OPEN), newsletter
        if found is None and closed:
            found = storage.newest(conn, newsletter, (*edition_storage.LIVE, "skipped", "cancelled"))
    if found is None:
        raise NotFound("edition" if day or closed else "open edition", title,
                       hint=f"digest editions list {newsletter} shows them, digest editions build makes a draft")
    return found


def change(
    engine: Engine, edition: EditionRow, kind: str, words: Mapping[str, Any], *, actor: str, now: datetime
) -> EditionRow:
    """The edition after one more action. `words` are as a person writes them: ids may be cut, sections titled.

    Where it was approved, it is a draft again. Raises ActionRefused, or EditionClosed where it is sent or closed.
    """
    with engine.begin() as conn:
        held = _held(conn, edition)
        base, pool, actions = _working(conn, held)
        action = Action(kind, _payload(kind, words, _everything(pool, actions)))
        view = _arranged(held, base, pool, [*actions, action])
        storage.log(conn, held.id, at=now, actor=actor, kind=kind, payload=action.payload)
        return _store(conn, held, view, pool, [*actions, action])


def undo(engine: Engine, edition: EditionRow, *, actor: str, now: datetime) -> tuple[EditionRow, ActionRow]:
    """The edition without its last action that stands, and that action. Raises ActionRefused where there is none."""
    with engine.begin() as conn:
        held = _held(conn, edition)
        standing = storage.actions_of(conn, held.id, CHANGES)
        if not standing:
            raise ActionRefused("nothing to undo", "the edition is as it was built")
        base, pool, actions = _working(conn, held)
        view = _arranged(held, base, pool, actions[:-1])
        last = standing[-1]
        storage.mark_undone(conn, last.id, now)
        storage.log(conn, held.id, at=now, actor=actor, kind="undo",
                    payload={"action": last.id, "kind": last.kind, "story": last.payload.get("story")})
        return _store(conn, held, view, pool, actions), last


def pending(
    conn: Connection, configuration: Configuration, newsletter: Newsletter, settings: Settings, edition: EditionRow, *,
    now: datetime,
) -> tuple[Waiting, ...]:
    """What an edition built at `now` would offer and the draft's working set has not, best first."""
    period = Period(edition.period)
    inputs = editions.inputs_of(
        conn, configuration, newsletter, settings.site, now=now, date=edition.date, period=period)
    composed = compose(inputs)
    _, pool, actions = _working(conn, edition)
    known = set(edition_storage.resolved_ids(conn, _everything(pool, actions).by_id, inputs.cutoff).values())
    places = {p.story_id: p.section for p in editions.placed(composed.view, composed.families)}
    return tuple(Waiting(story, places[story.id]) for story in working_set(composed, inputs).stories
                 if story.id not in known)


def take(
    engine: Engine, configuration: Configuration, newsletter: Newsletter, settings: Settings, edition: EditionRow,
    story: str, section: str | None, *, actor: str, now: datetime,
) -> EditionRow:
    """The edition with a story of the pending tray, or with one that was dropped."""
    with read_only(engine) as conn:
        waiting = pending(conn, configuration, newsletter, settings, edition, now=now)
        _, pool, actions = _working(conn, edition)
    offered = {**_everything(pool, actions).by_id, **{w.story.id: w.story for w in waiting}}
    chosen = offered[resolve(story, tuple(offered))]
    words = {"story": chosen.id, "section": section, "working": story_to_value(chosen)}
    return change(engine, edition, "take", words, actor=actor, now=now)


def approve(
    engine: Engine, edition: EditionRow, newsletter: Newsletter, settings: Settings, templates: Mapping[str, str], *,
    actor: str, now: datetime, seen: str | None = None, despite_errors: bool = False,
) -> Approval:
    """The approved edition: its view, `templates` and rendered message stand from now on. Of two at once one wins.

    `edition` is as the caller read it, and `seen` the beginning of the hash that was looked at: where the view is
    another by now, raises ApprovalStale. Raises EditionClosed where it is past a draft, or where lint finds errors.
    """
    if seen is not None and (len(seen) < MIN_HASH or not edition.view_sha256.startswith(seen.lower())):
        raise ApprovalStale(edition.name, seen, edition.view_sha256)
    if edition.state != "draft":
        return _approved_before(edition, edition)
    templates, view = own_templates(templates, newsletter.slug), edition.view
    renderer = editions.renderer_of(templates, settings)
    if not despite_errors and (why := lint.reason_to_hold(lint.check(view, renderer, newsletter, settings))):
        raise EditionClosed(edition.name, "held back", why)
    message = renderer.message(view)
    with engine.begin() as conn:
        held = storage.hold(conn, edition.id)
        if not storage.approve(conn, held.id, view_sha256=edition.view_sha256, templates=templates, by=actor, at=now):
            return _approved_before(edition, held)
        variants.freeze(conn, held.id, DEFAULT.name, message, newsletter)
        storage.log(conn, held.id, at=now, actor=actor, kind="approve",
                    payload={"sha256": edition.view_sha256, **({"despite": "errors"} if despite_errors else {})})
        return Approval(storage.hold(conn, held.id), given=True)


def close(
    engine: Engine, edition: EditionRow, state: str, reason: str, *, actor: str, now: datetime
) -> EditionRow:
    """The edition as skipped or cancelled: it is never sent. Raises EditionClosed where it is not open any more."""
    with engine.begin() as conn:
        held = _held(conn, edition)
        storage.close(conn, held.id, state, reason)
        storage.log(conn, held.id, at=now, actor=actor, kind={"cancelled": "cancel", "skipped": "skip"}[state],
                    payload={"reason": reason})
        return storage.hold(conn, held.id)


def hold_back(engine: Engine, edition: EditionRow, reason: str, *, now: datetime) -> bool:
    """Says and logs why a draft waits past its release; False where that stands there already."""
    with engine.begin() as conn:
        noted = storage.set_note(conn, edition.id, reason)
        if noted:
            storage.log(conn, edition.id, at=now, actor="policy", kind="hold", payload={"reason": reason})
        return noted


def differences(conn: Connection, edition: EditionRow) -> tuple[Change, ...]:
    """What the desk changed since the draft was built."""
    base, _ = storage.frozen_texts(conn, edition.id)
    return changes(from_json(base), edition.view) if base else ()


def between(before: EditionRow, after: EditionRow) -> tuple[Change, ...]:
    """What changed between two readings of an edition."""
    return changes(before.view, after.view)


def log_of(conn: Connection, edition: EditionRow) -> list[ActionRow]:
    """Everything that was done to the edition, oldest first."""
    return storage.actions_of(conn, edition.id)


def copies_of(conn: Connection, edition: EditionRow) -> Mapping[str, WorkingStory]:
    """The stories of the working set, with the copies that may be shown; none where it was not stored."""
    if storage.frozen_texts(conn, edition.id)[1] is None:
        return {}
    _, pool, actions = _working(conn, edition)
    return _everything(pool, actions).by_id


def _held(conn: Connection, edition: EditionRow) -> EditionRow:
    held = storage.hold(conn, edition.id)
    if held.state not in storage.OPEN:
        raise EditionClosed(held.name, held.state, held.note or "only what is not sent yet can be changed")
    return held


def _working(conn: Connection, edition: EditionRow) -> tuple[EditionView, WorkingSet, list[Action]]:
    base, pool = storage.frozen_texts(conn, edition.id)
    if base is None or pool is None:
        raise EditionClosed(edition.name, "older than the desk", "it was built without a working set")
    standing = storage.actions_of(conn, edition.id, CHANGES)
    return from_json(base), WorkingSet.from_json(pool), [Action(row.kind, row.payload) for row in standing]


def _arranged(held: EditionRow, base: EditionView, pool: WorkingSet, actions: list[Action]) -> EditionView:
    """The view after the actions, within its byte budget; what editors placed or changed leaves the mail last."""
    view = apply(base, pool, actions)
    if not view.byte_budget or not actions:
        return view
    renderer = Renderer(held.templates)
    placed = {action.story for action in actions if action.payload.get("section") != REST}
    return trim(view, view.byte_budget, lambda v: len(renderer.html(v).encode()), placed)


def _everything(pool: WorkingSet, actions: list[Action]) -> WorkingSet:
    """The working set with the stories that were taken into it."""
    taken = (story_from_value(a.payload["working"]) for a in actions if a.kind == "take")
    new = {story.id: story for story in taken if story.id not in pool.by_id}
    return replace(pool, stories=(*pool.stories, *new.values()))


def _store(
    conn: Connection, held: EditionRow, view: EditionView, pool: WorkingSet, actions: list[Action]
) -> EditionRow:
    storage.set_view(conn, held.id, to_json(view), sha256(view))
    families = {story.id: story.families for story in _everything(pool, actions).stories}
    edition_storage.place_stories(conn, held.id, editions.placed(view, families))
    return storage.hold(conn, held.id)


def _approved_before(seen: EditionRow, current: EditionRow) -> Approval:
    """The approval that somebody else gave to the view that was seen."""
    if current.view_sha256 != seen.view_sha256:
        raise ApprovalStale(current.name, seen.view_sha256, current.view_sha256)
    if current.state in ("skipped", "cancelled"):
        raise EditionClosed(current.name, current.state, current.note or "")
    return Approval(current, given=False)


def _payload(kind: str, words: Mapping[str, Any], pool: WorkingSet) -> dict[str, Any]:
    """What a person wrote as an action holds it: whole ids, keys of sections, the item of a copy."""
    payload = {name: value for name, value in words.items() if value is not None}
    if kind != "take":
        payload["story"] = resolve(words["story"], tuple(pool.by_id))
    if "section" in payload:
        payload["section"] = section_key(payload["section"], pool.sections)
    if kind == "copy":
        payload["item"] = _item(payload["item"], pool.by_id[payload["story"]])
    return payload


def _item(name: str, story: WorkingStory) -> str:
    """The item id of the copy that `name` means: a source's slug or name, or the beginning of an item's id."""
    by: tuple[Callable[[Any], bool], ...] = (
        lambda copy: name.casefold() in (copy.source.casefold(), copy.name.casefold()),
        lambda copy: len(name) >= 4 and copy.item.startswith(name.lower()))
    for test in by:
        if found := [copy.item for copy in story.copies if test(copy)]:
            return str(found[0])
    known = ", ".join(f"{copy.source} ({copy.item[:6]})" for copy in story.copies)
    raise ActionRefused(f"no copy {name!r} of this story", f"known: {known}")
