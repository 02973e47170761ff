"""The desk on both databases: drafts are changed, approved and undone; nothing slips in between."""

import threading
from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from digest.errors import ActionRefused, ApprovalStale, EditionClosed, NotFound
from digest.model import Period
from digest.services import desk, editions, fates, releases
from digest.storage import editions as storage
from digest.storage.engine import open_engine, read_only
from digest.storage.migrate import migrate
from digest.storage.schema import editions as table
from tests.services.desks import (
    BRIDGE,
    DATE,
    EARLY,
    GRAIN,
    HOUR,
    LATE,
    NAME,
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


def change(room: Newsroom, kind: str, **words: object) -> storage.EditionRow:
    return desk.change(room.engine, room.edition(), kind, words, actor="anna", now=EARLY)


def approve(room: Newsroom, edition: storage.EditionRow | None = None, **changes: object) -> desk.Approval:
    return desk.approve(room.engine, edition or room.edition(), room.news, SETTINGS, TEMPLATES,
                        **{"actor": "anna", "now": EARLY, **changes})  # type: ignore[arg-type]


def story(room: Newsroom, headline: str) -> str:
    return next(s.id for s in room.edition().view.all_stories if s.headline.startswith(headline))


def headlines(edition: storage.EditionRow) -> list[str]:
    return [s.headline for s in edition.view.mailed]


def test_a_draft_does_not_move_when_more_is_seen(room: Newsroom) -> None:
    draft = room.draft()
    late = room.tell("steppe-wire", LATE, EARLY + HOUR / 4)
    assert room.draft(EARLY + HOUR / 3) == draft and draft.state == "draft"
    with read_only(room.engine) as conn:
        waiting = desk.pending(conn, room.configuration, room.news, SETTINGS, draft, now=EARLY + HOUR / 3)
        shown = editions.preview(conn, room.configuration, room.news, SETTINGS, TEMPLATES, now=EARLY + HOUR / 3)
    assert [(w.story.id, w.section) for w in waiting] == [(late, "latest")]
    assert shown.edition == draft
    taken = desk.take(room.engine, room.configuration, room.news, SETTINGS, draft, late[:6], None, actor="anna",
                      now=EARLY + HOUR / 3)
    assert headlines(taken)[-1] == LATE
    with read_only(room.engine) as conn:
        assert not desk.pending(conn, room.configuration, room.news, SETTINGS, taken, now=EARLY + HOUR / 3)


def test_a_story_that_joined_one_of_the_draft_does_not_wait_beside_it(room: Newsroom) -> None:
    draft = room.draft()
    room.tell("steppe-wire", f"{STRIKE} again", EARLY + HOUR / 4)
    with read_only(room.engine) as conn:
        assert desk.pending(conn, room.configuration, room.news, SETTINGS, draft, now=EARLY + HOUR / 3) == ()


def test_changes_are_logged_and_undone_one_by_one(room: Newsroom) -> None:
    draft = room.draft()
    change(room, "pin", story=story(room, GRAIN)[:5])
    change(room, "drop", story=story(room, BRIDGE)[:5], reason="stale")
    changed = room.edition()
    assert headlines(changed)[0] == GRAIN and BRIDGE not in headlines(changed)
    assert changed.view_sha256 != draft.view_sha256
    with read_only(room.engine) as conn:
        assert [c.what for c in desk.differences(conn, changed)] == ["lead", "moved", "dropped", "subject"]
        assert BRIDGE in [s.copies[0].story.headline for s in desk.copies_of(conn, changed).values()]
    for kind in ("drop", "pin"):
        _, undone = desk.undo(room.engine, room.edition(), actor="bek", now=EARLY)
        assert undone.kind == kind
    assert room.edition().view_text == draft.view_text
    with pytest.raises(ActionRefused, match="nothing to undo"):
        desk.undo(room.engine, room.edition(), actor="bek", now=EARLY)
    with read_only(room.engine) as conn:
        log = desk.log_of(conn, room.edition())
    assert [(row.kind, row.actor, row.undone_at is not None) for row in log] == [
        ("pin", "anna", True), ("drop", "anna", True), ("undo", "bek", False), ("undo", "bek", False)]


def test_a_dropped_story_may_be_taken_back(room: Newsroom) -> None:
    draft = room.draft()
    dropped = story(room, GRAIN)
    change(room, "drop", story=dropped, reason="stale")
    back = desk.take(room.engine, room.configuration, room.news, SETTINGS, room.edition(), dropped, None,
                     actor="anna", now=EARLY)
    assert back.view == draft.view


def test_copies_are_named_by_source_or_item(room: Newsroom) -> None:
    room.draft()
    lead = story(room, STRIKE)
    with read_only(room.engine) as conn:
        copies = desk.copies_of(conn, room.edition())[lead].copies
    assert [c.source for c in copies] == ["herald", "courier"]
    for name in ("courier", "Courier", copies[1].item[:6]):
        assert change(room, "copy", story=lead, item=name).view.lead.credit == "Courier"  # type: ignore[union-attr]
    with pytest.raises(ActionRefused, match="known: herald"):
        change(room, "copy", story=lead, item="reuters")


def test_what_cannot_be_done_leaves_no_trace(room: Newsroom) -> None:
    draft = room.draft()
    for kind, words in (("drop", {"story": "ffff"}), ("move", {"story": story(room, GRAIN), "section": "sport"}),
                        ("edit", {"story": story(room, GRAIN)})):
        with pytest.raises(ActionRefused):
            change(room, kind, **words)
    with read_only(room.engine) as conn:
        assert desk.log_of(conn, draft) == []
    assert room.edition() == draft


def test_an_approval_binds_the_view_and_a_later_change_needs_another(room: Newsroom) -> None:
    draft = room.draft()
    first = approve(room, seen=draft.view_sha256[:12])
    assert first.given and (first.edition.state, first.edition.approved_by) == ("approved", "anna")
    with read_only(room.engine) as conn:
        assert list(storage.variants_of(conn, draft.id)) == ["default"]
    changed = change(room, "note", story=story(room, GRAIN), text="We asked.")
    assert (changed.state, changed.approved_at, changed.approved_by) == ("draft", None, None)
    with read_only(room.engine) as conn:
        assert storage.variants_of(conn, draft.id) == {}
    again = approve(room, actor="bek")
    assert again.edition.view_sha256 == changed.view_sha256 != draft.view_sha256
    assert not approve(room, actor="anna").given


def test_an_approval_of_what_was_not_seen_is_refused(room: Newsroom) -> None:
    seen = room.draft()
    changed = change(room, "note", story=story(room, GRAIN), text="We asked.")
    with pytest.raises(ApprovalStale) as told:
        approve(room, changed, seen=seen.view_sha256[:12])
    assert seen.view_sha256[:12] in str(told.value) and changed.view_sha256 in str(told.value)
    with pytest.raises(ApprovalStale) as told:
        approve(room, seen)  # it was read before the change
    assert (told.value.seen, told.value.current) == (seen.view_sha256, changed.view_sha256)
    assert room.edition().state == "draft"
    with pytest.raises(ApprovalStale):
        approve(room, seen=changed.view_sha256[:3])


def test_of_two_approvals_at_once_one_is_given(room: Newsroom) -> None:
    draft = room.draft()
    given: list[bool] = []
    start = threading.Barrier(2)

    def one(actor: str) -> None:
        start.wait()
        given.append(approve(room, draft, actor=actor).given)

    threads = [threading.Thread(target=one, args=(name,)) for name in ("anna", "bek")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == [False, True]
    with read_only(room.engine) as conn:
        assert [row.kind for row in desk.log_of(conn, draft)] == ["approve"]


def test_changes_of_two_editors_at_once_are_both_made(room: Newsroom) -> None:
    draft = room.draft()
    ids = [s.id for s in draft.view.all_stories]

    def one(id_: str) -> None:
        desk.change(room.engine, draft, "note", {"story": id_, "text": f"Note {id_}"}, actor="anna", now=EARLY)

    threads = [threading.Thread(target=one, args=(id_,)) for id_ in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [s.note for s in room.edition().view.all_stories] == [f"Note {id_}" for id_ in ids]


def test_what_is_sent_or_cancelled_cannot_be_changed(room: Newsroom) -> None:
    room.draft()
    id_ = story(room, GRAIN)
    approve(room)
    releases.queue_deliveries(room.engine, room.edition(), room.news, SETTINGS, now=RELEASE)
    for action in (lambda: change(room, "drop", story=id_, reason="x"),
                   lambda: desk.undo(room.engine, room.edition(), actor="a", now=NOW),
                   lambda: desk.close(room.engine, room.edition(), "cancelled", "x", actor="a", now=NOW)):
        with pytest.raises(EditionClosed, match="is sending"):
            action()


def test_a_cancelled_edition_is_never_sent_and_its_stories_may_come_again(room: Newsroom) -> None:
    room.draft()
    cancelled = desk.close(room.engine, room.edition(), "cancelled", "a day of mourning", actor="anna", now=EARLY)
    assert (cancelled.state, cancelled.note) == ("cancelled", "a day of mourning")
    assert room.release().outcome == "closed" and room.rows() == []
    with pytest.raises(EditionClosed):
        approve(room)
    with read_only(room.engine) as conn:
        tomorrow = editions.plan(conn, room.configuration, room.news, SETTINGS, TEMPLATES, now=NOW + 20 * HOUR,
                                 date=date(2023, 3, 21))
        assert storage.mailed_stories(conn, "kazakhstan", before=date(2023, 3, 21), cutoff=NOW) == {}
    assert STRIKE in [s.headline for s in tomorrow.view.all_stories]


def test_what_lint_calls_an_error_is_not_approved_unless_somebody_insists(room: Newsroom) -> None:
    room.draft()
    broken = {**TEMPLATES, "email/edition.html": TEMPLATES["email/edition.html"].replace("%%unsubscribe%%", "https://digest.example.org/")}
    with pytest.raises(EditionClosed, match="unsubscribe"):
        desk.approve(room.engine, room.edition(), room.news, SETTINGS, broken, actor="anna", now=EARLY)
    insisted = desk.approve(room.engine, room.edition(), room.news, SETTINGS, broken, actor="anna", now=EARLY,
                            despite_errors=True)
    assert insisted.given
    assert insisted.edition.templates["email/edition.html"] == broken["email/edition.html"]


def test_a_change_keeps_the_mail_within_its_bytes(room: Newsroom) -> None:
    size = editions.mail_bytes(TEMPLATES, SETTINGS)
    with read_only(room.engine) as conn:
        planned = editions.plan(conn, room.configuration, room.news, SETTINGS, TEMPLATES, now=EARLY, date=DATE).view
    room = room.with_desk(byte_budget=size(planned) + 1500)  # 1,000 are kept for what is filled in
    draft = room.draft()
    assert draft.view.trimmed == 0 and len(draft.view.mailed) == 3
    last = draft.view.mailed[-1]
    edited = change(room, "edit", story=last.id, excerpt="Rain fell. " * 60)
    assert size(edited.view) <= size(planned) + 500
    assert edited.view.trimmed == 1 and last.id in {s.id for s in edited.view.mailed}  # what was edited leaves last
    assert len(edited.view.all_stories) == 3
    undone, _ = desk.undo(room.engine, edited, actor="anna", now=EARLY)
    assert undone.view == draft.view


def test_editions_are_found_by_name_or_as_the_newest_open_one(room: Newsroom) -> None:
    draft = room.draft()
    with read_only(room.engine) as conn:
        assert desk.find(conn, ("kazakhstan", None, Period.DAILY)) == draft
        assert desk.find(conn, ("kazakhstan", DATE, Period.DAILY)) == draft
        with pytest.raises(NotFound, match=f"{NAME}/weekly"):
            desk.find(conn, ("kazakhstan", DATE, Period.WEEKLY))
    closed = desk.close(room.engine, draft, "cancelled", "x", actor="anna", now=EARLY)
    with read_only(room.engine) as conn:
        with pytest.raises(NotFound, match="open edition"):
            desk.find(conn, ("kazakhstan", None, Period.DAILY))
        assert desk.find(conn, ("kazakhstan", None, Period.DAILY), closed=True) == closed


def test_why_says_what_editors_did(room: Newsroom) -> None:
    room.draft()
    urls = {s.headline: s.url for s in room.edition().view.all_stories}

    def why(headline: str) -> tuple[str, str, str | None]:
        with read_only(room.engine) as conn:
            (reason,) = fates.why(conn, room.configuration, room.news, SETTINGS, TEMPLATES, urls[headline], now=NOW)
        return reason.fate.gate, reason.fate.why, reason.fate.section

    before = why(GRAIN)
    change(room, "drop", story=story(room, BRIDGE), reason="a hoax")
    change(room, "pin", story=story(room, GRAIN))
    assert why(BRIDGE) == ("dropped", "an editor dropped its story: a hoax", None)
    assert why(GRAIN) == ("chosen", "an editor moved its story to lead", "lead")
    change(room, "move", story=story(room, GRAIN), section="rest")
    assert why(GRAIN)[0] == "moved out"
    for _ in range(3):
        desk.undo(room.engine, room.edition(), actor="anna", now=EARLY)
    assert why(GRAIN) == before


def test_an_edition_of_before_the_desk_is_left_alone(room: Newsroom) -> None:
    draft = room.draft()
    with room.engine.begin() as conn:
        conn.execute(update(table).values(pool=None))
    with pytest.raises(EditionClosed, match="older than the desk"):
        change(room, "note", story=draft.view.all_stories[0].id, text="x")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    """One newsroom for many examples."""
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('desk') / 'desk.sqlite3'}")
    migrate(engine)
    room = open_newsroom(engine)
    room.draft()
    yield room
    engine.dispose()


words = st.one_of(
    st.fixed_dictionaries({"kind": st.just("pin"), "story": st.integers(0, 2)}),
    st.fixed_dictionaries({"kind": st.just("drop"), "story": st.integers(0, 2), "reason": st.just("so")}),
    st.fixed_dictionaries({"kind": st.just("move"), "story": st.integers(0, 2), "position": st.integers(1, 3),
                           "section": st.sampled_from(["lead", "work", "latest", "rest"])}),
    st.fixed_dictionaries({"kind": st.just("edit"), "story": st.integers(0, 2), "headline": st.text(min_size=1)}),
    st.fixed_dictionaries({"kind": st.just("note"), "story": st.integers(0, 2), "text": st.text()}),
    st.fixed_dictionaries({"kind": st.just("undo")}),
)


@given(st.lists(words, max_size=8))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_done_undoing_it_all_gives_the_stored_base_back(
    workshop: Newsroom, wanted: list[dict[str, object]]
) -> None:
    base = workshop.edition()
    ids = sorted(s.id for s in base.view.all_stories)
    for one in wanted:
        try:
            if one["kind"] == "undo":
                desk.undo(workshop.engine, workshop.edition(), actor="anna", now=EARLY)
                continue
            told = {**one, "story": ids[one["story"]]}  # type: ignore[index,call-overload]
            del told["kind"]
            change(workshop, str(one["kind"]), **told)
        except ActionRefused:
            continue
        now = workshop.edition()
        shown = [s.id for s in now.view.all_stories]
        assert len(shown) == len(set(shown))
    while True:
        try:
            desk.undo(workshop.engine, workshop.edition(), actor="anna", now=EARLY)
        except ActionRefused:
            break
    assert workshop.edition() == base
