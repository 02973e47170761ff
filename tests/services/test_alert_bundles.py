"""What goes out when: bundles, quiet hours, ceilings, updates, the desk's rules, mutes."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, insert

from digest.alert_rules import MAIL
from digest.services import alert_rules, leaving
from digest.services.alerts import FireReport
from digest.storage import alert_rules as rule_storage
from digest.storage.schema import alert_mutes
from tests.services.alert_worlds import ANA, DAY, HOUR, LATER, MINUTE, World
from tests.storage.worlds import NOON, a_feed


@pytest.fixture
def world(sqlite_engine: Engine) -> World:
    return World(sqlite_engine)


def test_hits_of_the_same_minute_are_grouped(world: World) -> None:
    world.rule("gas", "gas")
    world.arrive("Gas prices rise")
    assert world.fire(timedelta(seconds=5)) == FireReport(1, 1)
    world.arrive("A gas field opens")
    world.arrive("Gas in Aktau")
    assert world.fire(timedelta(seconds=30)) == FireReport(2, 0)
    assert world.fire(MINUTE) == FireReport(0, 1)
    assert [mail.message.subject for mail in world.queued()] == ["gas: Gas prices rise", "gas: 2 stories"]


def test_several_rules_on_a_story_are_one_mail_that_names_all_whatever_their_cadence(world: World) -> None:
    world.rule("now", "gas")
    world.rule("tomorrow", "prices", cadence="daily")
    world.rule("bread", "bread", cadence="daily")
    world.arrive("Gas prices rise")
    world.arrive("Bread")
    assert world.fire() == FireReport(3, 1)
    [mail] = world.queued()
    assert mail.message.subject == "now, tomorrow: Gas prices rise" and "bread" not in mail.message.text
    assert world.fire(DAY) == FireReport(0, 1)
    assert [mail.message.subject for mail in world.queued()] == ["bread: Bread"]


def test_quiet_hours_hold_and_release_one_catch_up_in_order_of_time(world: World) -> None:
    world.rule("gas", "gas", quiet={"start": "12:00", "end": "20:00"}, zone="UTC")
    titles = [f"Gas field {number}" for number in range(3)]
    for title in titles:
        world.arrive(title)
        assert world.fire(HOUR) == FireReport(1, 0)
    assert world.queued() == []
    world.now = NOON + 8 * HOUR
    assert world.fire(timedelta()) == FireReport(0, 1)
    [mail] = world.queued()
    places = [mail.message.text.index(title[4:]) for title in titles]
    assert places == sorted(places) and mail.message.text.count("held in quiet hours") == 3
    assert world.fire(DAY) == FireReport(0, 0)


def test_a_ceiling_is_told_once_and_the_rest_comes_in_the_next_bundle(world: World) -> None:
    world.rule("gas", "gas", ceiling=2, zone="UTC")
    for number in range(5):
        world.arrive(f"Gas field {number}")
        world.fire(2 * MINUTE)
    mails = world.queued()
    notes = [mail for mail in mails if mail.subject.startswith("notice:ceiling:")]
    assert len(mails) == 3 and len(notes) == 1
    assert "“gas” has told as many as it may today" in notes[0].message.subject
    assert "It may tell 2 a day" in notes[0].message.html and notes[0].unsubscribe.startswith("alert:")
    world.now = NOON + 12 * HOUR
    assert world.fire(timedelta()) == FireReport(0, 1)
    [rest] = world.queued()
    assert rest.message.subject == "gas: 3 stories"
    world.arrive("Gas of the next day")
    assert world.fire(HOUR) == FireReport(1, 1)


def test_a_cool_down_gathers_what_comes_meanwhile(world: World) -> None:
    world.rule("gas", "gas", cool_down_minutes=60)
    for number in range(3):
        world.arrive(f"Gas field {number}")
        world.fire(10 * MINUTE)
    assert len(world.queued()) == 1
    assert world.fire(HOUR) == FireReport(0, 1)
    assert [mail.message.subject for mail in world.queued()] == ["gas: 2 stories"]


def test_an_update_answers_the_first_mail_on_its_story(world: World) -> None:
    world.rule("explosion", "explosion", story="develops")
    story = world.arrive("An explosion", summary="The explosion was loud.")
    world.fire()
    [first] = world.queued()
    world.arrive("Explosion in Aktau", a_feed("Tengri Daily"), story=story.id,
                 summary="The explosion left 12 dead. It was loud.")
    assert world.fire() == FireReport(1, 1)
    [update] = world.queued()
    assert update.message.headers["In-Reply-To"] == f"<{first.message_id}>"
    assert update.message.subject == "explosion: Update: Explosion in Aktau"
    assert "12 dead" in update.message.text and "2 independent sources" in update.message.text


def test_a_flagged_story_is_told_again_to_who_was_told_of_it(world: World) -> None:
    world.rule("gas", "gas", story="develops")
    story = world.arrive("Gas prices rise")
    world.arrive("A gas field")
    world.fire()
    world.flag(story.id)
    assert world.fire() == FireReport(1, 1)
    assert [str(trigger) for trigger in world.alerts()[-1].why] == ["editor's flag"]
    assert world.fire() == FireReport(0, 0)


def test_a_rule_of_the_desk_tells_all_but_who_stopped_it(world: World) -> None:
    rule = world.rule("desk", "gas", to=None, others=(ANA, "bek@example.org"))
    world.arrive("Gas prices rise")
    assert world.fire() == FireReport(1, 2)
    mails = world.queued()
    assert [mail.target for mail in mails] == [ANA, "bek@example.org"]
    assert all(mail.unsubscribe.startswith("channel:") for mail in mails)
    with world.engine.begin() as conn:
        leaving.leave(conn, mails[0].unsubscribe, world.now)
    world.arrive("A gas field")
    assert world.fire() == FireReport(1, 1)
    assert [mail.target for mail in world.queued()] == ["bek@example.org"]
    with world.engine.begin() as conn:
        states = {one.target: one.state for one in rule_storage.channels_of(conn, [rule.id])[rule.id]}
    assert states == {ANA: "stopped", "bek@example.org": "active"}


def test_who_stops_while_something_waits_gets_it_no_more(world: World) -> None:
    world.rule("gas", "gas", cadence="daily")
    world.arrive("Gas prices rise")
    world.fire()
    with world.engine.begin() as conn:
        alert_rules.remove(conn, "gas")
    assert world.fire(2 * DAY) == FireReport(0, 0)


def test_a_muted_story_is_not_told_to_who_muted_it(world: World) -> None:
    world.rule("gas", "gas", to=None, others=(ANA, "bek@example.org"), story="every-item")
    story = world.arrive("Gas prices rise")
    world.fire()
    assert len(world.queued()) == 2
    with world.engine.begin() as conn:
        conn.execute(insert(alert_mutes).values(channel=MAIL, target=ANA, story_id=story.id, until=LATER + DAY))
    world.arrive("Gas again", story=story.id)
    assert world.fire() == FireReport(1, 1)
    assert [mail.target for mail in world.queued()] == ["bek@example.org"]
    world.now += 2 * DAY
    world.arrive("Gas once more", story=story.id)
    assert world.fire() == FireReport(1, 2)


def test_an_edited_rule_fires_on_nothing_that_was_there_and_names_its_version(world: World) -> None:
    world.rule("gas", "gas")
    story = world.arrive("Oil prices rise", first_seen_at=world.now - MINUTE)
    with world.engine.begin() as conn:
        rule = alert_rules.edit(conn, "gas", {"query": "oil OR gas"}, "operator", world.now)
    assert (rule.version, world.fire()) == (2, FireReport(0, 0))
    world.arrive("Oil again", story=story.id)
    assert world.fire() == FireReport(1, 1)
    assert [alert.version for alert in world.alerts()] == [2] and "(v2)" in world.queued()[0].message.text
