from collections.abc import Collection
from zoneinfo import ZoneInfo

from digest.model import AlertRule, BodyPolicy, Item, Subscriber
from digest.pipeline.alerts import MAX_STORIES, Hit, compose, find_hits
from digest.query.quote import Piece
from tests.pipeline.worlds import HOUR, NOW, feed, item, story

ANA = Subscriber(1, "ana@example.org", "operator", NOW)


def rule(name: str, query: str, id: int = 1, hours: float = 24) -> AlertRule:
    return AlertRule(id, name, ANA, query, NOW - hours * HOUR)


def hits(rules: list[AlertRule], items: list[Item],
         alerted: Collection[tuple[int, str]] = ()) -> list[tuple[str, str]]:
    return [(h.rule.name, h.item.title) for h in find_hits(rules, [(i, i.key) for i in items], alerted)]


def test_a_rule_fires_with_the_first_item_of_a_story_that_matches() -> None:
    gas, oil = rule("gas", "gas", 1), rule("oil", "oil", 2)
    news = [item("Bread", key="s"), item("Gas and oil", key="s"), item("Gas", key="s"), item("Oil", key="t")]
    assert hits([gas, oil], news) == [("gas", "Gas and oil"), ("oil", "Gas and oil"), ("oil", "Oil")]
    assert hits([gas, oil], news, {(1, "s"), (2, "t")}) == [("oil", "Gas and oil")]


def test_words_of_two_items_do_not_add_up() -> None:
    assert hits([rule("both", "gas oil")], [item("Gas", key="s"), item("Oil", key="s")]) == []


def test_what_was_seen_before_the_rule_never_fires() -> None:
    news = [item("Gas then", seen=2), item("Gas at once", seen=1), item("Gas later", seen=0.5)]
    assert hits([rule("gas", "gas", hours=1)], news) == [("gas", "Gas at once"), ("gas", "Gas later")]
    assert hits([rule("gas", "gas")], [item("Gas", backlog=True)]) == []


def test_a_stored_query_that_cannot_be_read_stops_no_other() -> None:
    assert hits([rule("broken", "gas OR", 1), rule("gas", "gas", 2)], [item("Gas")]) == [("gas", "Gas")]


def test_a_headline_feed_is_quoted_by_its_title() -> None:
    closed = item("Energy", feed("closed", body=BodyPolicy.HEADLINE), summary="Gas is short.")
    [hit] = find_hits([rule("gas", "gas")], [(closed, "s")], set())
    assert (hit.quote.sentence, hit.quote.words) == ("Energy", ("Gas",))


def test_a_mail_names_its_rules_and_counts_what_it_does_not_show() -> None:
    rules = [rule(name, "gas", id, hours=48) for id, name in enumerate(("a", "b", "c", "d", "e"))]
    found = find_hits(rules, [(i, i.id) for i in (item(f"Gas {n}", hours=n) for n in range(MAX_STORIES + 2))], set())
    view = compose(found, {}, zone=ZoneInfo("Asia/Almaty"), site_name="Desk", postal_address="")
    assert view.subject == "a, b, c and 2 more: 32 stories"
    assert (len(view.stories), view.more, view.rules) == (MAX_STORIES, 2, ("a", "b", "c", "d", "e"))
    assert view.stories[0].quotes[0].rules == view.rules and view.stories[0].time.endswith("+06:00")


def test_other_outlets_are_counted_once_each() -> None:
    first, again, other = item("Gas", "post"), item("Gas again", "post"), item("Gas too", "daily")
    told = story(first, again, other)
    [hit] = find_hits([rule("gas", "gas")], [(first, told.id)], set())
    assert isinstance(hit, Hit)
    view = compose([hit], {told.id: told}, zone=ZoneInfo("UTC"), site_name="Desk", postal_address="")
    assert (view.subject, view.stories[0].others, view.stories[0].id) == ("gas: Gas", 1, told.id)


def test_a_headline_that_matches_is_marked_and_not_quoted_again() -> None:
    [hit] = find_hits([rule("gas", "gas")], [(item("Cheap gas again", summary="Prices fall."), "s")], set())
    view = compose([hit], {}, zone=ZoneInfo("UTC"), site_name="Desk", postal_address="")
    [shown] = view.stories
    assert shown.headline_pieces == (Piece("Cheap ", False), Piece("gas", True), Piece(" again", False))
    assert (shown.quotes[0].pieces, view.preheader) == ((), "Cheap gas again")
