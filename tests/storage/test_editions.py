"""Editions on both databases."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, insert

from digest.model import Message, short_id
from digest.pipeline.pool import Mailed
from digest.storage import deliveries, editions
from digest.storage.editions import PlacedStory
from digest.storage.items import store
from digest.storage.schema import newsletters, poll_attempts, story_aliases, story_items
from tests.storage.worlds import a_feed, add_feed, an_item

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TODAY = date(2023, 3, 20)
A, B, C = (short_id(letter) for letter in "abc")


@pytest.fixture
def conn(engine: Engine) -> Connection:
    with engine.begin() as connection:
        connection.execute(insert(newsletters), [{"slug": "kazakhstan", "name": "Kazakhstan News"},
                                                 {"slug": "uzbekistan", "name": "Uzbekistan News"}])
        yield connection  # type: ignore[misc]


def approve(conn: Connection, days_ago: int = 0, *stories: PlacedStory, newsletter: str = "kazakhstan",
            view: str = "{}") -> int | None:
    at = NOW - days_ago * DAY
    return editions.insert_edition(
        conn, newsletter=newsletter, date=TODAY - days_ago * DAY, cutoff_at=at, built_at=at, config_version=3,
        view_text=view, view_sha256="0" * 64, templates={"email/edition.txt": "Привет"}, stories=stories)


def placed(
    story_id: str, position: int = 0, section: str = "lead", families: tuple[str, ...] = ("herald",)
) -> PlacedStory:
    return PlacedStory(story_id, position, section, frozenset(families))


def test_a_day_has_one_edition(conn: Connection) -> None:
    first = approve(conn, view='{"name":"Қазақстан"}')
    assert first is not None
    assert approve(conn, view="another") is None
    stored = editions.edition_of(conn, "kazakhstan", TODAY)
    assert stored is not None
    assert (stored.id, stored.view_text, stored.state) == (first, '{"name":"Қазақстан"}', "approved")
    assert (stored.cutoff_at, stored.config_version, stored.templates) == (NOW, 3, {"email/edition.txt": "Привет"})
    assert stored.subject == "edition:kazakhstan/2023-03-20"
    assert editions.edition_of(conn, "uzbekistan", TODAY) is None


def test_the_edition_before_is_of_an_earlier_day_and_cutoff(conn: Connection) -> None:
    for days_ago in (0, 2, 5):
        approve(conn, days_ago)
    before = editions.edition_before(conn, "kazakhstan", TODAY, cutoff=NOW)
    assert before is not None and before.date == date(2023, 3, 18)
    assert editions.edition_before(conn, "kazakhstan", date(2023, 3, 15), cutoff=NOW) is None
    assert editions.edition_before(conn, "kazakhstan", TODAY + DAY, cutoff=NOW - 6 * DAY) is None
    assert [e.date.day for e in editions.editions_of(conn, "kazakhstan", limit=2)] == [20, 18]


def test_a_state_moves_once(conn: Connection) -> None:
    edition_id = approve(conn) or 0
    assert editions.move(conn, edition_id, "sending", since="approved")
    assert not editions.move(conn, edition_id, "sending", since="approved")
    assert editions.move(conn, edition_id, "sent", since="sending")


def test_mailed_stories_are_those_of_earlier_mails(conn: Connection) -> None:
    approve(conn, 2, placed(A), placed(B, 1, "latest"))
    approve(conn, 1, placed(A, 0, "lead", ("courier",)), placed(C, 1, "rest"))
    approve(conn, 0, placed(C))
    approve(conn, 1, placed(C), newsletter="uzbekistan")
    assert editions.mailed_stories(conn, "kazakhstan", before=TODAY, cutoff=NOW) == {
        A: Mailed("2023-03-19", frozenset({"herald", "courier"}), NOW - DAY),
        B: Mailed("2023-03-18", frozenset({"herald"}), NOW - 2 * DAY)}


def test_a_mailed_story_is_known_under_the_story_it_was_merged_into(conn: Connection) -> None:
    approve(conn, 2, placed(B, 0, "lead", ("courier",)))
    conn.execute(insert(story_aliases), [
        {"alias": B, "story_id": A, "at": NOW - DAY, "similarity": 0.5},
        {"alias": A, "story_id": C, "at": NOW - DAY / 2, "similarity": 0.5}])
    told = Mailed("2023-03-18", frozenset({"courier"}), NOW - 2 * DAY)
    for cutoff, story_id in ((NOW, C), (NOW - 0.7 * DAY, A), (NOW - 1.5 * DAY, B)):
        assert editions.mailed_stories(conn, "kazakhstan", before=TODAY, cutoff=cutoff) == {story_id: told}


def test_a_variant_keeps_its_first_message(conn: Connection) -> None:
    edition_id = approve(conn) or 0
    first, second = (deliveries.store_message(conn, Message(s, "<p>", s)) for s in ("one", "two"))
    assert editions.message_id_of(conn, edition_id, "default") is None
    editions.add_message(conn, edition_id, "default", first)
    editions.add_message(conn, edition_id, "default", second)
    assert editions.message_id_of(conn, edition_id, "default") == first


def test_items_and_outcomes_are_told_as_of_an_instant(conn: Connection) -> None:
    feed, other = a_feed(), a_feed("Courier")
    for known in (feed, other):
        add_feed(conn, known)
    store(conn, feed, [an_item(feed, "old", first_seen_at=NOW - DAY)], NOW - DAY)
    store(conn, feed, [an_item(feed, "new", first_seen_at=NOW)], NOW)
    conn.execute(insert(poll_attempts), [
        {"feed_id": feed.id, "at": NOW - DAY, "outcome": "ok"}, {"feed_id": feed.id, "at": NOW, "outcome": "http_404"}])
    ids = [feed.id, other.id]
    assert editions.count_seen(conn, ids, NOW - DAY) == 1
    assert editions.count_seen(conn, ids, NOW) == 2
    assert editions.last_outcomes(conn, ids, NOW - DAY / 2) == {feed.id: "ok"}
    assert editions.last_outcomes(conn, ids, NOW) == {feed.id: "http_404"}


def test_an_item_that_joined_after_a_cutoff_is_late_for_it(conn: Connection) -> None:
    feed = a_feed()
    add_feed(conn, feed)
    early, late, new = (an_item(feed, key, first_seen_at=NOW - hours * timedelta(hours=1))
                        for key, hours in (("early", 5), ("late", 3), ("new", 1)))
    store(conn, feed, [early, late, new], NOW)
    since = NOW - timedelta(hours=2)
    conn.execute(insert(story_items), [
        {"item_id": i.id, "story_id": i.id, "joined_at": at, "score": 0.0, "features": "{}"}
        for i, at in ((early, since), (late, since + timedelta(minutes=1)), (new, NOW))])
    assert editions.joined_late(conn, since, NOW) == {late.id: late.first_seen_at}
    assert editions.joined_late(conn, since, since) == {}
