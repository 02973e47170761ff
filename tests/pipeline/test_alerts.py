"""The mail of alerts: what it names, counts, quotes and answers."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from digest.alert_rules import Alert, AlertRule, AlertSpec, Trigger
from digest.model import Item, Story
from digest.pipeline.alerts import MAX_STORIES, AlertView, Hit, compose, message
from digest.pipeline.render import Renderer
from digest.query.quote import Piece
from digest.resources import template_texts
from tests.pipeline.worlds import HOUR, NOW, item, story

RENDERER = Renderer(template_texts())


def a_hit(name: str, of: Item, story_id: str = "", number: int = 1, **changes: Any) -> Hit:
    rule = AlertRule(number, name, None, AlertSpec(query="gas"), 2, NOW, NOW)
    alert = Alert(number, rule.id, 2, story_id or of.id, of.id, "first", of.title, ("Gas",), (Trigger("first"),), NOW,
                  NOW)
    return Hit(rule, replace(alert, **changes), of)


def view_of(*hits: Hit, stories: dict[str, Story] | None = None, **changes: Any) -> AlertView:
    values: dict[str, Any] = {"now": NOW + HOUR, "zone": "Asia/Almaty", "site_name": "Desk", "postal_address": ""}
    return compose(hits, stories or {}, **{**values, **changes})


def test_a_mail_names_its_rules_and_counts_what_it_does_not_show() -> None:
    news = [item(f"Gas {n}", hours=n) for n in range(MAX_STORIES + 2)]
    view = view_of(*(a_hit(name, one, number=n) for one in news for n, name in enumerate("abcde")))
    assert view.subject == "a, b, c +2: 32 stories"
    assert (len(view.stories), view.more, view.rules) == (MAX_STORIES, 2, ("a", "b", "c", "d", "e"))
    assert view.stories[0].quotes[0].rules == tuple(f"{name} (v2)" for name in "abcde")
    assert view.stories[0].first_seen.endswith("+06:00")


def test_a_rule_shows_times_in_its_own_zone() -> None:
    hit = a_hit("gas", item("Gas"))
    in_berlin = replace(hit, rule=replace(hit.rule, spec=AlertSpec(query="gas", zone="Europe/Berlin")))
    assert view_of(in_berlin).sent_at == (NOW + HOUR).astimezone(ZoneInfo("Europe/Berlin")).isoformat()


def test_outlets_and_owners_are_counted_once_each() -> None:
    first, again, other = item("Gas", "post"), item("Gas again", "post"), item("Gas too", "daily")
    told = story(first, again, other)
    [shown] = view_of(a_hit("gas", first, told.id), stories={told.id: told}).stories
    assert (shown.others, shown.families, shown.url, shown.headline_pieces) == (1, 2, first.url, (Piece("Gas", True),))


def test_stories_that_became_one_are_shown_once_with_all_rules() -> None:
    first, second = item("Gas", "post"), item("Gas too", "daily")
    told = story(first, second)
    hits = (a_hit("gas", first, first.id), a_hit("dear", second, second.id, 2, at=NOW + timedelta(minutes=1)))
    view = view_of(*reversed(hits), stories=dict.fromkeys((first.id, second.id), told))
    assert [shown.id for shown in view.stories] == [told.id]
    assert [quote.rules for quote in view.stories[0].quotes] == [("gas (v2)",), ("dear (v2)",)]


def test_an_update_says_what_is_new_and_answers_the_first_mail() -> None:
    news = item("Gas")
    hit = a_hit("gas", news, why=(Trigger("new figure", "12 dead"), Trigger("new language", "ru")))
    view = view_of(hit, parents={news.id: "first@desk.example"})
    assert view.subject == "gas: Update: Gas" and view.stories[0].is_update
    mail = message(RENDERER, view, "https://desk.example")
    assert mail.headers["In-Reply-To"] == mail.headers["References"] == "<first@desk.example>"
    for part in (mail.html, mail.text):
        assert "Update · " in part.replace("<span class=\"credit\">", "")
        assert "Why now: a new figure beside the words: 12 dead; the first item in another language: ru" in " ".join(
            part.split())
    fresh = message(RENDERER, view_of(a_hit("gas", news)), "https://desk.example")
    assert "In-Reply-To" not in fresh.headers and "Update" not in fresh.subject


def test_what_was_held_says_by_what_and_since_when() -> None:
    view = view_of(a_hit("gas", item("Gas"), held_by="quiet hours"))
    mail = message(RENDERER, view, "https://desk.example")
    assert view.stories[0].held == "held in quiet hours"
    assert "held in quiet hours" in mail.html and "held in quiet hours" in " ".join(mail.text.split())
    assert view_of(a_hit("gas", item("Gas"), held_by="cadence")).stories[0].held == ""
