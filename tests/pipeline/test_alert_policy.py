"""Story policy and triggers: how often a rule tells of one story, and what it says is new."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from digest.alert_rules import AlertRule, AlertSpec, Trigger
from digest.documents import Configuration, Gazetteer, Region
from digest.model import BodyPolicy, Item, Story
from digest.pipeline.alert_matching import Match, RuleSet
from digest.pipeline.alert_policy import Firing, History, Occurrence, Surroundings, decide
from digest.text.names import NO_NAMES, Name, Names
from tests.storage.worlds import NOON, a_feed, an_item

HOUR = timedelta(hours=1)
NAMES = Names([Name("aigul", "person", {"en": ("Aigul Sarsenova",), "ru": ("Айгуль Сарсенова",)})])
REGIONS = Gazetteer({"Asia": Region(name="Asia"), "Kazakhstan": Region(name="Kazakhstan", parent="Asia")})


def a_rule(query: str = "gas", number: int = 1, **spec: Any) -> AlertRule:
    return AlertRule(number, f"rule {number}", None, AlertSpec(query=query, **spec), 1, NOON, NOON)


class Telling:
    """One story that grows, and what rules tell of it."""

    def __init__(self, *rules: AlertRule, names: Names = NO_NAMES, configuration: Configuration | None = None):
        configuration = configuration or Configuration({}, {}, (), Gazetteer({}), names=names)
        self.rules, self.names = RuleSet(rules, configuration), names
        self.history, self.items, self.number = History(), list[Item](), 0

    def come(self, *titles: str, hours: float = 1, flagged: bool = False, family: str = "", **changes: Any) -> list[
            Firing]:
        """Items that join the story together, each of an outlet of its own, so long after those before."""
        at = (self.items[-1].first_seen_at if self.items else NOON) + hours * HOUR
        new = []
        for title in titles:
            self.number += 1
            feed = a_feed(f"Post {family or self.number}", **({"body": changes["body_policy"]} if
                                                           "body_policy" in changes else {}))
            values = {key: value for key, value in changes.items() if key != "body_policy"}
            new.append(an_item(feed, str(self.number), title=title, **{"first_seen_at": at, **values}))
        self.items += new
        story = Story(self.items[0].id, tuple(self.items))
        matches: dict[int, list[Match]] = {}
        for item in new:
            for one in self.rules.matches(item):
                matches.setdefault(one.rule_id, []).append(one)
        for item in self.items[:-len(new)] if new else self.items:
            for one in self.rules.matches(item, conditional=True):
                matches.setdefault(one.rule_id, []).append(one)
        return decide(at, [Occurrence(story, tuple(new), flagged)], {story.id: matches}, self.rules, self.history,
                      Surroundings("UTC", self.names))


def why(firings: Sequence[Firing]) -> list[list[str]]:
    return [[str(trigger) for trigger in firing.why] for firing in firings]


def test_once_is_once() -> None:
    telling = Telling(a_rule())
    assert why(telling.come("Gas prices rise", "Gas is dear")) == [["first"]]
    assert telling.come("Gas and 12 dead people", hours=5) == [] == telling.come("Gas", language="ru")


def test_every_item_is_told_and_none_twice() -> None:
    telling = Telling(a_rule(story="every-item"))
    assert why(telling.come("Gas prices rise", "Bread", "Gas is dear")) == [["first"], ["another item: Post 3"]]
    again = telling.come("More gas")
    assert (why(again), again[0].occasion) == ([["another item: Post 4"]], again[0].item.id)
    assert telling.come("Bread") == []


def test_a_new_figure_beside_the_words_develops_a_story() -> None:
    telling = Telling(a_rule("explosion", story="develops", families=9))
    telling.come("An explosion", summary="The explosion was heard for 20 km. There are 3 wounded people.")
    assert telling.come("An explosion in Aktau", summary="The explosion was heard for 20 km.") == []
    assert telling.come("An explosion", summary="It was loud. The mayor promised 500 tents.") == []  # another sentence
    [told] = telling.come("An explosion", summary="It was loud. The explosion left 12 dead and 31 wounded.")
    assert why([told]) == [["new figure: 12 dead, 31 wounded"]]
    assert told.quote.sentence == "The explosion left 12 dead and 31 wounded."
    assert telling.come("An explosion", summary="The explosion left 12 dead.") == []  # it was told


def test_a_new_name_beside_the_words_develops_a_story_in_any_language_of_the_gazetteer() -> None:
    telling = Telling(a_rule("gas OR газ", story="develops", families=9), names=NAMES)
    telling.come("Gas", summary="The gas is cheap.")
    assert why(telling.come("Gas", summary="Prices of gas please Berik Aliyev now.")) == [["new name: Berik Aliyev"]]
    found = telling.come("Газ", summary="О цене газа говорила Айгуль Сарсенова.", language="ru")
    assert why(found) == [["new name: Айгуль Сарсенова", "new language: ru"]]
    assert telling.come("Gas", summary="Cheap gas, says Aigul Sarsenova again.") == []


def test_text_that_may_not_be_shown_tells_no_figures() -> None:
    telling = Telling(a_rule(story="develops"))
    telling.come("Gas")
    assert telling.come("Gas", summary="The gas killed 12 people.", body_policy=BodyPolicy.HEADLINE) == []


def test_so_many_more_owners_develop_a_story_and_reprints_do_not() -> None:
    telling = Telling(a_rule(story="develops", families=2))
    telling.come("Gas prices rise")
    assert telling.come("Bread prices rise") == []
    assert telling.come("Prices", family="2") == []  # an owner that told it
    [told] = telling.come("Prices and bread")
    assert why([told]) == [["new owners: post-2, post-4"]]
    assert (told.item.title, told.quote.sentence) == ("Prices and bread", "Prices and bread")
    assert telling.come("Prices again") == []


def test_the_first_item_in_another_language_develops_a_story() -> None:
    telling = Telling(a_rule(story="develops"))
    telling.come("Gas")
    assert telling.come("Gaz", language="und") == []
    assert why(telling.come("Газ", language="ru")) == [["new language: ru"]]
    assert telling.come("Опять газ", language="ru") == []


def test_an_editors_flag_develops_a_story_that_was_told() -> None:
    telling = Telling(a_rule(story="develops"), a_rule("bread", 2, story="develops"), a_rule(number=3))
    telling.come("Gas")
    [told] = telling.come(flagged=True)
    assert (why([told]), told.rule.id, told.item.title) == ([["editor's flag"]], 1, "Gas")


def test_conditions_of_the_story_may_come_true_with_an_item_that_does_not_match() -> None:
    telling = Telling(a_rule("gas AND families>=2"), a_rule("bread AND families>=2", 2))
    assert telling.come("Gas prices rise") == []
    [told] = telling.come("Prices rise")
    assert (why([told]), told.item.title) == ([["first: families>=2"]], "Gas prices rise")
    assert telling.come("Gas") == []


def test_a_rate_is_against_the_storys_own_pace() -> None:
    telling = Telling(a_rule("gas AND rate>3x"))
    assert telling.come("Gas prices rise") == []
    assert telling.come("Gas", hours=6) == []
    assert telling.come("Gas", hours=1) == []
    assert why(telling.come("Gas", "Gas", hours=1)) == [["first: rate>3x"]]


def test_a_story_that_took_in_one_that_was_told_is_told() -> None:
    telling = Telling(a_rule())
    telling.history.note_alert(1, "another story", an_item(a_feed("Post 1"), "1").id, NOON)
    assert telling.come("Gas") == []


def test_nothing_matches_before_a_rule_nor_of_a_backlog_nor_out_of_scope() -> None:
    configuration = Configuration({}, {}, (), REGIONS)
    rules = (a_rule(languages=("ru",)), a_rule(number=2, sources=("post-7",)), a_rule(number=3, regions=("Asia",)),
             a_rule(number=4, newsletters=("none",)), a_rule("region:Asia AND gas", number=5))
    telling = Telling(*rules, configuration=configuration)
    assert [told.rule.id for told in telling.come("Gas in Kazakhstan")] == [3, 5]
    fresh = Telling(a_rule())
    assert fresh.come("Gas", first_seen_at=NOON - HOUR) == [] == fresh.come("Gas", backlog=True)


def test_a_rule_that_cannot_be_read_says_why_and_hinders_no_other() -> None:
    telling = Telling(a_rule("@nobody"), a_rule(number=2))
    assert [told.rule.id for told in telling.come("Gas")] == [2]
    assert "@nobody" in telling.rules.unreadable[1]


def test_renewing_rules_keeps_adds_and_drops() -> None:
    rules = RuleSet([a_rule(), a_rule(number=2)], Configuration({}, {}, (), Gazetteer({})))
    rules.renew([a_rule(), a_rule("bread", 3)])
    assert (len(rules), 2 in rules) == (2, False)
    item = an_item(a_feed(), "1", title="Gas and bread")
    assert [match.rule_id for match in rules.matches(item)] == [1, 3]
    rules.renew([a_rule("bread"), a_rule("bread", 3)])
    assert [match.rule_id for match in rules.matches(an_item(a_feed(), "1", title="Gas"))] == []


@pytest.mark.parametrize(("hour", "expected"), [(23, True), (12, False)])
def test_what_passes_quiet_hours_is_asked_of_story_and_items(hour: int, expected: bool) -> None:
    rule = a_rule(quiet={"start": "22:00", "end": "07:00", "passes": "gas AND families>=2"})
    telling = Telling(rule)
    telling.come("Bread", hours=hour - 13)
    [told] = telling.come("Gas", hours=1)
    assert told.told.held_by == ""
    lonely = Telling(rule)
    [told] = lonely.come("Gas", hours=hour - 12)
    assert (told.told.held_by == "quiet hours") is expected
    assert isinstance(told.why[0], Trigger)
