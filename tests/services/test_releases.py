"""What becomes of an edition at its release, on both databases: policy, hashes in the ledger, lateness."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, update

from digest.errors import ApprovalStale, EditionClosed
from digest.services import desk, releases, variants
from digest.storage import deliveries as ledger
from digest.storage import editions as storage
from digest.storage.engine import read_only
from digest.storage.schema import editions as table
from tests.services.desks import (
    EARLY,
    GRAIN,
    HOUR,
    NOW,
    RELEASE,
    SETTINGS,
    STRIKE,
    TEMPLATES,
    Newsroom,
    open_newsroom,
)


@pytest.fixture
def room(engine: Engine) -> Newsroom:
    return open_newsroom(engine)


def approve(room: Newsroom) -> desk.Approval:
    return desk.approve(room.engine, room.edition(), room.news, SETTINGS, TEMPLATES, actor="anna", now=EARLY)


def log(room: Newsroom) -> list[str]:
    with read_only(room.engine) as conn:
        return [row.kind for row in desk.log_of(conn, room.edition())]


def test_without_a_desk_an_edition_goes_as_it_is_built(room: Newsroom) -> None:
    made = room.release()
    assert (made.outcome, made.approved, made.queued) == ("queued", True, releases.Queued(2, 0))
    edition = room.edition()
    assert (edition.state, edition.approved_by, edition.approved_at) == ("sending", "policy", RELEASE)
    again = room.release()
    assert (again.outcome, again.approved, again.queued) == ("queued", False, releases.Queued(0, 2))


def test_what_nobody_approved_is_sent_as_it_stands(room: Newsroom) -> None:
    room = room.with_desk(on_timeout="send")
    draft = room.draft()
    desk.change(room.engine, draft, "pin", {"story": next(s.id for s in draft.view.all_stories if s.headline == GRAIN)},
                actor="anna", now=EARLY)
    assert room.release().outcome == "queued"
    assert {row.message.subject for row in room.rows()} == {GRAIN}
    assert log(room) == ["pin", "approve"]


def test_what_nobody_approved_is_held_until_somebody_does(room: Newsroom) -> None:
    room = room.with_desk(on_timeout="hold")
    room.draft()
    held = room.release()
    assert (held.outcome, held.news, held.reason) == ("held", True, releases.HELD)
    assert not room.release(RELEASE + HOUR / 60).news  # said and logged once
    assert (room.edition().state, room.edition().note, room.rows()) == ("draft", releases.HELD, [])
    approve(room)
    assert room.release(RELEASE + HOUR).outcome == "queued"
    assert (len(room.rows()), room.edition().note) == (2, None)
    assert log(room) == ["hold", "approve"]


def test_a_held_edition_goes_where_somebody_says_so(room: Newsroom) -> None:
    room = room.with_desk(on_timeout="hold")
    room.draft()
    made = room.release(approve_as="anna")
    assert made.outcome == "queued" and made.built.edition is not None
    assert made.built.edition.approved_by == "anna"


def test_what_lint_calls_an_error_is_held_under_every_policy(room: Newsroom) -> None:
    broken = {**TEMPLATES, "email/edition.html": TEMPLATES["email/edition.html"].replace("%%unsubscribe%%", "https://digest.example.org/")}
    for _ in range(2):
        made = releases.release(room.engine, room.configuration, room.news, SETTINGS, broken, now=RELEASE)
        assert made.outcome == "held" and "unsubscribe" in made.reason
    assert log(room) == ["hold"] and room.rows() == []
    assert room.release().outcome == "queued"  # the templates are mended


def test_a_held_edition_is_skipped_when_it_is_too_late(room: Newsroom) -> None:
    room = room.with_desk(on_timeout="hold")
    room.draft()
    room.release()
    (slot,) = releases.waiting(room.engine, room.news, RELEASE)
    assert releases.skip_late(room.engine, room.news, slot, now=RELEASE + 11 * HOUR) is None
    skipped = releases.skip_late(room.engine, room.news, slot, now=RELEASE + 13 * HOUR)
    assert skipped is not None and skipped.state == "skipped"
    assert skipped.note == "not sent within 12 h of its release: nobody approved it by its release"
    assert releases.waiting(room.engine, room.news, RELEASE + 13 * HOUR) == ()
    assert room.release(RELEASE + 13 * HOUR).outcome == "closed"


def test_a_draft_is_due_so_many_minutes_before_the_release(room: Newsroom) -> None:
    room = room.with_desk(30)
    assert releases.drafts_due(room.engine, room.news, EARLY - HOUR / 60) == ()
    (slot,) = releases.drafts_due(room.engine, room.news, EARLY)
    assert (slot.date, slot.release_at) == (NOW.date(), RELEASE)
    draft = room.draft()
    assert (draft.cutoff_at, draft.release_at) == (EARLY, RELEASE)
    assert releases.drafts_due(room.engine, room.news, EARLY) == ()
    assert releases.waiting(room.engine, room.news, EARLY) == ()
    assert releases.drafts_due(room.engine, room.with_desk(0).news, EARLY) == ()


def test_the_approved_hash_stands_on_every_delivery_and_each_variant_has_its_own(room: Newsroom) -> None:
    room.draft()
    approved = approve(room).edition
    releases.queue_deliveries(room.engine, approved, room.news, SETTINGS, now=RELEASE)
    rows = room.rows()
    assert {row.view_sha256 for row in rows} == {approved.view_sha256} and len(rows) == 2
    with read_only(room.engine) as conn:
        frozen = storage.variants_of(conn, approved.id)
        for message_id, sha256 in frozen.values():
            message = ledger.load_message(conn, message_id)
            assert message is not None and "%%unsubscribe%%" in message.text
            assert variants.sha256(message) == sha256
    assert frozen.keys() == {"default", "without topic-work"}
    assert len({sha256 for _, sha256 in frozen.values()}) == 2
    assert {variants.sha256(row.message) for row in rows} == {sha256 for _, sha256 in frozen.values()}


def test_nothing_is_queued_that_is_not_what_was_approved(room: Newsroom) -> None:
    draft = room.draft()
    with pytest.raises(EditionClosed, match="approve it first"):
        releases.queue_deliveries(room.engine, draft, room.news, SETTINGS, now=RELEASE)
    approved = approve(room).edition
    with room.engine.begin() as conn:
        conn.execute(update(table).values(view=approved.view_text.replace(STRIKE, "Nothing happened")))
    with pytest.raises(ApprovalStale):
        releases.queue_deliveries(room.engine, approved, room.news, SETTINGS, now=RELEASE)
    with pytest.raises(ApprovalStale):
        releases.queue_deliveries(room.engine, approved, room.news, SETTINGS, now=RELEASE + HOUR)
    assert room.rows() == []


def test_the_working_set_is_kept_no_longer_than_the_desk_needs_it(room: Newsroom) -> None:
    room.draft()
    with read_only(room.engine) as conn:
        assert len(desk.copies_of(conn, room.edition())) == 3
    room.release()
    with read_only(room.engine) as conn:
        assert desk.copies_of(conn, room.edition()) == {} and desk.differences(conn, room.edition()) == ()


def test_a_change_between_approval_and_ledger_never_reaches_a_reader(room: Newsroom) -> None:
    room.draft()
    approved = approve(room).edition
    id_ = approved.view.all_stories[-1].id
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def attempt(name: str, work: Callable[[], object]) -> None:
        start.wait()
        try:
            work()
            outcomes.append(name)
        except EditionClosed:
            outcomes.append(f"no {name}")

    def change() -> None:
        desk.change(room.engine, approved, "note", {"story": id_, "text": "Unseen."}, actor="bek", now=EARLY)

    def queue() -> None:
        releases.queue_deliveries(room.engine, approved, room.news, SETTINGS, now=RELEASE)

    threads = [threading.Thread(target=attempt, args=("change", change)),
               threading.Thread(target=attempt, args=("queue", queue))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) in (["change", "no queue"], ["no change", "queue"])
    assert all("Unseen." not in row.message.text for row in room.rows())
    assert {row.view_sha256 for row in room.rows()} <= {approved.view_sha256}


def test_releases_at_once_make_one_edition(room: Newsroom) -> None:
    made: list[releases.Release] = []
    threads = [threading.Thread(target=lambda: made.append(room.release())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.outcome for one in made] == ["queued"] * 3
    assert sum(one.approved for one in made) == 1
    assert sum(one.queued.new for one in made if one.queued) == 2 == len(room.rows())
    assert log(room) == ["approve"]
