"""Queueing, on both databases: each reader's hour, variant and missed editions; parts, and what a crash leaves."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from digest.documents import Weekly
from digest.errors import EditionClosed
from digest.model import Frequency, Period, Preferences
from digest.services import desk, editions, rebuild, releases, subscribers, variants
from digest.services.queueing import Queued, queue_deliveries
from digest.storage import deliveries as ledger
from digest.storage import editions as storage
from digest.storage.editions import EditionRow
from digest.storage.engine import read_only
from digest.storage.subscribers import set_preferences, set_state
from tests.services.desks import (
    BRIDGE,
    DATE,
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

DAY = timedelta(days=1)
# What a day after the first brings: told of no other day.
NEWS = ["Metro opens under the river", "Wheat prices fall in Kostanay", "Judges free a poet", "Ferry links two ports",
        "Museum buys golden harness", "Students win chess cup", "Glacier lake drains", "Airline adds night flights"]
WEEKLY = Weekly(day="mon", send_time="07:00")


@pytest.fixture
def room(engine: Engine) -> Newsroom:
    """The newsroom whose readers, anna and bek, want everything as it is."""
    room = open_newsroom(engine)
    for number in (1, 2):
        prefer(room, number)
    return room


def prefer(room: Newsroom, subscription: int, *hidden: str, **wanted: Any) -> None:
    with room.engine.begin() as conn:
        assert set_preferences(conn, subscription, Preferences(**wanted), hidden)


def add(room: Newsroom, name: str, joined: datetime = NOW - DAY, **wanted: Any) -> None:
    with room.engine.begin() as conn:
        added = subscribers.subscribe(conn, "kazakhstan", f"{name}@example.org", "operator", joined)
        set_preferences(conn, added.subscription.id, Preferences(**wanted), ())


def next_day(room: Newsroom, days: int = 1) -> EditionRow:
    """The edition of a later day, with a story of its own, queued at its release."""
    at = RELEASE + days * DAY
    room.tell("herald", NEWS[days], at - HOUR)
    made = releases.release(room.engine, room.configuration, room.news, SETTINGS, TEMPLATES, now=at,
                            date=DATE + days * DAY)
    assert made.built.edition is not None, made.reason
    return made.built.edition


def mails(room: Newsroom, edition: EditionRow | None = None) -> dict[str, Any]:
    """The ledger's rows of an edition by reader."""
    with read_only(room.engine) as conn:
        rows = ledger.deliveries_of(conn, (edition or room.edition()).subject)
    assert len({row.target for row in rows}) == len(rows)
    return {row.target.partition("@")[0]: row for row in rows}


def test_a_copy_is_due_at_its_readers_hour(room: Newsroom) -> None:
    prefer(room, 1, hour="07:00", zone="Europe/Berlin")
    add(room, "dana", hour="08:15")
    assert room.release().queued == Queued(3, 0)
    assert {name: row.due_at for name, row in mails(room).items()} == {
        "anna": datetime.fromisoformat("2023-03-20T06:00Z"), "bek": RELEASE,
        "dana": datetime.fromisoformat("2023-03-20T02:15Z")}


def test_what_is_sent_before_its_release_is_due_from_then_on(room: Newsroom) -> None:
    prefer(room, 1, hour="06:45")
    room.release(EARLY)
    assert {name: row.due_at for name, row in mails(room).items()} == {"anna": RELEASE - HOUR / 4, "bek": EARLY}


def test_what_is_approved_late_goes_at_once_to_those_whose_hour_is_over(room: Newsroom) -> None:
    prefer(room, 1, hour="08:00")
    room.release(RELEASE + 3 * HOUR)
    assert {name: row.due_at for name, row in mails(room).items()} == {"anna": RELEASE + HOUR, "bek": RELEASE}


def test_each_reader_gets_their_own_variant(room: Newsroom) -> None:
    prefer(room, 1, "topic-work", language="ru")
    prefer(room, 2, format="text")
    add(room, "dana", language="ru")
    add(room, "erlan", language="en", read=("en", "kk"))
    room.release()
    rows = mails(room)
    assert "Work" not in rows["anna"].message.html and GRAIN not in rows["anna"].message.text
    assert '<html lang="ru"' in rows["anna"].message.html and GRAIN in rows["dana"].message.html
    assert (rows["bek"].message.html, STRIKE in rows["bek"].message.text) == ("", True)
    assert '<html lang="en"' in rows["erlan"].message.html
    with read_only(room.engine) as conn:
        frozen = storage.variants_of(conn, room.edition().id)
        rebuilt = rebuild.rebuild(conn, room.edition(), SETTINGS)
    assert frozen.keys() == {"default", "text", "in ru", "in ru without topic-work"}
    assert {sha for _, sha in frozen.values()} == {variants.sha256(row.message) for row in rows.values()}
    assert rebuilt.equal and len(rebuilt.parts) == 3 * len(frozen)
    assert {row.view_sha256 for row in rows.values()} == {room.edition().view_sha256}


def test_nobody_gets_a_mail_without_a_story(room: Newsroom) -> None:
    prefer(room, 1, read=("ky",))
    assert room.release().queued == Queued(1, 0, without=1)
    assert mails(room).keys() == {"bek"}


def test_weekly_readers_get_the_weekly_edition_and_no_other(room: Newsroom) -> None:
    room = room.with_desk(0, weekly=WEEKLY)
    prefer(room, 1, frequency=Frequency.WEEKLY)
    assert room.release().queued == Queued(1, 0)
    week = releases.release(room.engine, room.configuration, room.news, SETTINGS, TEMPLATES, now=RELEASE, date=DATE,
                            period=Period.WEEKLY)
    assert week.outcome == "queued" and week.built.edition is not None
    assert (mails(room).keys(), mails(room, week.built.edition).keys()) == ({"bek"}, {"anna"})


def test_who_was_paused_is_told_what_they_missed(room: Newsroom) -> None:
    room.release()  # both get the first
    prefer(room, 2, paused_until=date(2023, 3, 23))
    second, third = next_day(room), next_day(room, 2)
    assert mails(room, second).keys() == mails(room, third).keys() == {"anna"}
    back = next_day(room, 3)
    rows = mails(room, back)
    assert "Since your last edition" not in rows["anna"].message.html
    for part in (rows["bek"].message.html, rows["bek"].message.text):
        assert "Since your last edition" in part and NEWS[1] in part and NEWS[2] in part
        assert "/kazakhstan/2023-03-21/" in part and "/kazakhstan/2023-03-22/" in part and GRAIN not in part
    with read_only(room.engine) as conn:
        assert "since 2023-03-21,2023-03-22" in storage.variants_of(conn, back.id)
        assert rebuild.rebuild(conn, back, SETTINGS).equal
    assert "Since your last edition" not in mails(room, next_day(room, 4))["bek"].message.html


def test_an_edition_that_was_not_released_is_nothing_that_was_missed(room: Newsroom) -> None:
    room.release()
    prefer(room, 2, paused_until=date(2023, 3, 22))
    cancelled = editions.build(room.engine, room.configuration, room.news, SETTINGS, TEMPLATES, now=EARLY + DAY,
                               date=DATE + DAY)
    if cancelled.edition is not None:
        desk.close(room.engine, cancelled.edition, "cancelled", "no", actor="anna", now=EARLY + DAY)
    assert "Since your last edition" not in mails(room, next_day(room, 2))["bek"].message.html


def test_new_readers_and_those_who_came_back_missed_nothing(room: Newsroom) -> None:
    room.release()
    with room.engine.begin() as conn:
        set_state(conn, 2, "left", RELEASE + HOUR)
    add(room, "dana", RELEASE + HOUR)
    next_day(room)
    with room.engine.begin() as conn:
        set_state(conn, 2, "active", RELEASE + DAY + HOUR)
    rows = mails(room, next_day(room, 2))
    assert rows.keys() == {"anna", "bek", "dana"}
    assert not [name for name, row in rows.items() if "Since your last edition" in row.message.html]


def test_a_weekend_that_was_not_wanted_was_not_missed(room: Newsroom) -> None:
    room.release()  # a Monday
    prefer(room, 1, frequency=Frequency.WEEKDAYS)
    for days in range(1, 8):
        edition = next_day(room, days)
        got = mails(room, edition)
        assert ("anna" in got) == (edition.date.weekday() < 5)
        assert "anna" not in got or "Since your last edition" not in got["anna"].message.html


class Crash(Exception):
    """The process ends."""


def test_what_a_crash_left_out_is_queued_afterwards_and_nothing_twice(room: Newsroom) -> None:
    for name in ("dana", "erlan", "farida"):
        add(room, name)
    room.draft()
    approved = desk.approve(
        room.engine, room.edition(), room.news, SETTINGS, TEMPLATES, actor="anna", now=EARLY).edition
    seen: list[tuple[int, int]] = []

    def crash(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 4:
            raise Crash

    with pytest.raises(Crash):
        queue_deliveries(room.engine, approved, room.news, SETTINGS, now=RELEASE, on_progress=crash, part=2)
    assert seen == [(2, 5), (4, 5)] and len(mails(room)) == 4
    assert (room.edition().state, room.edition().queued_at) == ("sending", None)
    with pytest.raises(EditionClosed):  # some readers have it already
        desk.change(room.engine, room.edition(), "note", {"story": approved.view.all_stories[0].id, "text": "Late."},
                    actor="bek", now=RELEASE)
    with room.engine.begin() as conn:
        assert not storage.mark_sent(conn, approved.id)
    ((_, queued),) = releases.finish_queueing(room.engine, room.news, SETTINGS, now=RELEASE + HOUR)
    assert queued == Queued(1, 4) and len(mails(room)) == 5
    assert room.edition().queued_at == RELEASE + HOUR
    assert releases.finish_queueing(room.engine, room.news, SETTINGS, now=RELEASE + 2 * HOUR) == ()


def test_one_bad_preference_stops_nobody(room: Newsroom) -> None:
    prefer(room, 1, hour="25:99", zone="Mars/Olympus", language="xx", read=("??",))
    add(room, "dana", hour="noon", zone="Nowhere")
    queued = room.release().queued
    assert queued == Queued(2, 0, without=1)
    assert {row.due_at for row in mails(room).values()} == {RELEASE}


def test_a_preview_as_a_reader_is_what_they_get(room: Newsroom) -> None:
    room.release()
    prefer(room, 2, "topic-work", paused_until=date(2023, 3, 22), language="kk")
    next_day(room)
    back = next_day(room, 2)
    with read_only(room.engine) as conn:
        reader = subscribers.find(conn, 2)
        variant = variants.of_reader(conn, room.news, back.view, replace(reader))
        look = variants.look_at(conn, back.view, variant, editions.renderer_of(back.templates, SETTINGS))
    assert look.mailed and look.since is not None and BRIDGE not in look.message.html
    assert look.message == mails(room, back)["bek"].message
