from dataclasses import replace
from html import unescape
from threading import Barrier, Thread

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine

from digest.errors import NameTaken, NotFound
from digest.model import BodyPolicy
from digest.services import alert_rules
from digest.services.alerts import AlertEngine, Context, FireReport
from digest.settings import Settings, SiteSettings
from digest.storage import alerts as storage
from digest.storage.engine import read_only
from tests.services.alert_worlds import ANA, LATER, MINUTE, NOWHERE, POST, SETTINGS, World
from tests.storage.worlds import a_feed


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)


def test_a_rule_fires_once_for_a_story(world: World) -> None:
    world.rule("gas", "gas")
    first = world.arrive("Gas prices rise")
    assert world.fire() == FireReport(1, 1)
    world.arrive("Gas prices up again", a_feed("Tengri Daily"), story=first.id)
    assert world.fire() == FireReport(0, 0)
    assert world.fire() == FireReport(0, 0)
    world.arrive("A gas field opens")
    assert world.fire() == FireReport(1, 1)
    assert len(world.queued()) == 2


def test_a_later_item_can_make_a_story_match(world: World) -> None:
    world.rule("field", "gas field")
    story = world.arrive("Gas news")
    assert world.fire() == FireReport(0, 0)
    world.arrive("Gas field opens", story=story.id)
    assert world.fire() == FireReport(1, 1)


def test_nothing_fires_for_backlog_nor_for_what_was_seen_before_the_rule(world: World) -> None:
    world.rule("gas", "gas", at=LATER)
    world.arrive("Old gas", first_seen_at=LATER - MINUTE)
    world.arrive("Gas of the backlog", backlog=True)
    assert world.fire() == FireReport(0, 0)
    world.arrive("New gas", first_seen_at=LATER)
    assert world.fire() == FireReport(1, 1)


def test_a_story_that_was_merged_into_another_is_the_same_story(world: World) -> None:
    world.rule("gas", "gas")
    first, second = world.arrive("Gas prices rise"), world.arrive("Bread prices rise")
    assert world.fire() == FireReport(1, 1)
    world.merge(first.id, second.id)
    world.arrive("Gas and bread prices rise", story=second.id)
    assert world.fire() == FireReport(0, 0)
    third = world.arrive("Gas in Aktau")
    world.arrive("Gas in Aktau", a_feed("Tengri Daily"), story=third.id)
    world.merge(third.id, second.id)
    assert world.fire() == FireReport(0, 0)


def test_the_rules_of_one_reader_share_a_mail(world: World) -> None:
    gas, oil = world.rule("gas", "gas"), world.rule("oil", "oil -gasoline")
    world.rule("prices", "prices", to="Bek@Example.org")
    world.arrive("Gas and oil prices rise", summary="Officials blamed gas exports.")
    world.arrive("Oil tanker leaves Aktau")
    assert world.fire() == FireReport(4, 2)
    ana, bek = sorted(world.queued(), key=lambda delivery: delivery.target)
    assert (ana.target, ana.unsubscribe) == (ANA, f"alerts:{gas.owner.id}")
    assert ana.message.subject == "gas, oil: 2 stories"
    assert "Officials blamed *gas* exports." in ana.message.text
    assert "Gas and *oil* prices rise" in ana.message.text and "*Oil* tanker" in ana.message.text
    assert (bek.target, bek.message.subject) == ("bek@example.org", "prices: Gas and oil prices rise")
    assert bek.unsubscribe.startswith("alert:") and bek.subject.startswith("bundle:")
    assert oil.owner == gas.owner


def test_the_mail_shows_the_sentence_and_what_every_mail_owes(world: World) -> None:
    world.rule("трубопровод", "газопровод OR gas")
    item = world.arrive("Казахстан <строит>", replace(POST, language="ru"), language="ru",
                        summary="Погода хорошая. В г. Атырау построят газопроводы & дороги.")
    world.rule("road", "road")
    world.arrive("A road", a_feed("Tengri Daily"), story=item.id)
    assert world.fire(zone="Asia/Almaty") == FireReport(2, 1)
    [delivery] = world.queued()
    html, text = delivery.message.html, delivery.message.text
    assert "В г. Атырау построят *газопроводы* & дороги." in text
    assert "газопроводы</b></mark> &amp; дороги" in html
    assert '<h3 lang="ru"' in html and "Казахстан &lt;строит&gt;" in html and f'href="{item.url}"' in html
    for part in (unescape(html), text):
        assert "Steppe Post · " in part.replace("</span>", "") and "17:00 UTC+5" in part
        assert "Also in 1 other outlet" in part and f"https://desk.example/stories/{item.id}" in part
        assert "Rule: трубопровод (v1)\n" in part.replace("</p>", "") and "Rule: road (v1) · Tengri Daily" in part
        assert "%%unsubscribe%%" in part and "%%reason%%" in part and "1 Abai St, Almaty" in part
    assert 'role="presentation"' in html and '<html lang="en" dir="ltr"' in html and "prefers-color-scheme" in html


def test_text_that_a_feed_does_not_let_us_show_is_not_mailed(world: World) -> None:
    world.rule("coal", "coal")
    world.arrive("Energy news", replace(POST, body=BodyPolicy.HEADLINE), summary="The coal is wet.")
    assert world.fire() == FireReport(1, 1)
    [delivery] = world.queued()
    assert "Energy news" in delivery.message.text and "wet" not in delivery.message.text + delivery.message.html


def test_a_paused_or_removed_rule_does_not_fire_and_is_not_caught_up(world: World) -> None:
    world.rule("gas", "gas")
    world.rule("oil", "oil")
    with world.engine.begin() as conn:
        assert alert_rules.pause(conn, "gas", LATER).state == "paused"
        assert alert_rules.remove(conn, "oil").name == "oil"
    world.arrive("Gas and oil")
    assert world.fire() == FireReport(0, 0)
    with world.engine.begin() as conn:
        assert alert_rules.resume(conn, "gas", world.now).state == "active"
        with pytest.raises(NotFound, match="gas"):
            alert_rules.pause(conn, "oil", LATER)
    assert world.fire() == FireReport(0, 0)
    again = world.rule("oil", "oil")
    world.arrive("More gas and oil")
    assert world.fire() == FireReport(2, 1)
    with read_only(world.engine) as conn:
        assert storage.counts(conn, [again.id])[again.id].alerts == 1


def test_adding_a_rule_again_changes_nothing_but_a_name_is_taken_once(world: World) -> None:
    rule = world.rule("gas", "gas")
    assert world.rule("gas", "gas", at=LATER) == rule
    for query, to in (("gas oil", ANA), ("gas", "bek@example.org")):
        with pytest.raises(NameTaken):
            world.rule("gas", query, to)
    with pytest.raises(ValidationError, match="expected"):
        world.rule("bad", "gas OR")


def test_two_processes_alert_once(world: World) -> None:
    world.rule("gas", "gas")
    for number in range(5):
        world.arrive(f"Gas field {number}")
    barrier, reports = Barrier(2), []

    def run() -> None:
        barrier.wait()
        context = Context(SETTINGS, NOWHERE)
        reports.append(AlertEngine(world.engine).fire(context, LATER + MINUTE))

    threads = [Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(report.alerts for report in reports) == 5
    assert len(world.queued()) == 1


def test_a_process_that_dies_while_it_stores_loses_and_doubles_nothing(world: World) -> None:
    world.rule("gas", "gas")
    world.arrive("Gas prices rise")
    with pytest.raises(LookupError):
        world.fire(templates=lambda: {"email/edition.css": ""})  # no template to render: the alert waits
    assert world.queued() == []
    assert world.fire() == FireReport(0, 1)
    assert len(world.queued()) == 1


def test_each_story_names_its_rule_and_version(world: World) -> None:
    world.rule("gas", "pipeline")
    for number in range(2):
        world.arrive(f"Pipeline {number} opens", a_feed(f"Paper {number}"))
    world.fire()
    [delivery] = world.queued()
    for part in (delivery.message.html, delivery.message.text):
        assert part.count("Rule: gas (v1)") == 2
    assert delivery.message.subject == "gas: 2 stories"


def test_alerts_speak_the_language_of_the_site(world: World) -> None:
    world.rule("gas", "pipeline")
    world.arrive("Pipeline opens", a_feed("Paper"))
    world.fire(settings=Settings(site=SiteSettings(language="ru")))
    [delivery] = world.queued()
    assert delivery.message.headers["Content-Language"] == "ru" and '<html lang="ru"' in delivery.message.html
