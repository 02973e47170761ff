from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine

from digest.alert_rules import MAIL, AlertRule, AlertSpec, Trigger
from digest.model import Item, Join
from digest.pipeline.cluster import Merge
from digest.services.subscribers import ensure
from digest.storage import alert_rules, alerts, items, stories
from digest.storage.alert_rules import NewRule
from digest.storage.alerts import NewAlert
from tests.storage.worlds import NOON, a_feed, add_feed, an_item

POST = a_feed()
A, B, C = (an_item(POST, key) for key in "abc")
LATER = NOON + timedelta(hours=1)
ANA = (MAIL, "ana@example.org")


@pytest.fixture
def conn(engine: Engine) -> Iterator[Connection]:
    """Three stories of one item each."""
    with engine.begin() as connection:
        add_feed(connection, POST)
        items.store(connection, POST, [A, B, C], NOON)
        stories.record_joins(connection, [Join(item.id, item.id, NOON, 1.0) for item in (A, B, C)])
        yield connection


def a_rule(conn: Connection, name: str = "gas", owner: str = "ana@example.org", query: str = "gas") -> AlertRule:
    subscriber = ensure(conn, owner, "operator", NOON)
    assert alert_rules.insert_rule(
        conn, NewRule(name, subscriber.id, AlertSpec(query=query), [(MAIL, subscriber.email)], "operator"), NOON)
    rule = alert_rules.rule_by_name(conn, name)
    assert rule is not None
    return rule


def an_alert(rule: AlertRule, item: Item, occasion: str = "first", at: datetime = NOON) -> NewAlert:
    return NewAlert(rule.id, rule.version, item.id, item.id, occasion, "Gas – 5 %.", ("Gas",),
                    (Trigger("new figure", "5 %"),), at, at)


def test_a_rule_is_read_as_it_was_stored(conn: Connection) -> None:
    rule = a_rule(conn)
    assert rule.owner is not None and (rule.owner.email, rule.owner_name) == ("ana@example.org", "ana@example.org")
    assert (rule.query, rule.created_at, rule.since, rule.state, rule.version) == ("gas", NOON, NOON, "active", 1)
    assert not alert_rules.insert_rule(conn, NewRule("gas", None, AlertSpec(query="oil"), [], "operator"), NOON)
    assert alert_rules.rule_by_id(conn, rule.id) == rule
    assert alert_rules.rules(conn, "active") == alert_rules.rules_of(conn, rule.owner.id) == [rule]
    assert alert_rules.rules(conn, "paused") == [] and alert_rules.rule_by_name(conn, "oil") is None


def test_a_removed_rule_stays_removed_and_frees_its_name(conn: Connection) -> None:
    rule = a_rule(conn)
    assert rule.owner is not None
    assert alert_rules.set_state(conn, rule.id, "paused", NOON)
    assert not alert_rules.set_state(conn, rule.id, "paused", NOON)
    assert alert_rules.remove_rule(conn, rule.id) and not alert_rules.remove_rule(conn, rule.id)
    assert not alert_rules.set_state(conn, rule.id, "active", NOON)
    removed = alert_rules.rule_by_id(conn, rule.id)
    assert removed is not None and (removed.state, removed.name) == ("removed", f"gas #{rule.id}")
    assert alert_rules.rules_of(conn, rule.owner.id) == []
    assert a_rule(conn).id != rule.id
    assert not alert_rules.remove_rule(conn, 99)


def test_a_change_is_a_version_and_only_another_question_starts_afresh(conn: Connection) -> None:
    rule = a_rule(conn)
    quieter = rule.spec.model_copy(update={"ceiling": 3})
    assert alert_rules.set_spec(conn, rule, quieter, "operator", LATER)
    assert not alert_rules.set_spec(conn, rule, quieter, "somebody slower", LATER)
    second = alert_rules.rule_by_name(conn, "gas")
    assert second is not None and (second.version, second.since, second.spec.ceiling) == (2, NOON, 3)
    assert alert_rules.set_spec(conn, second, AlertSpec(query="oil"), "operator", LATER)
    third = alert_rules.rule_by_name(conn, "gas")
    assert third is not None and (third.version, third.since, third.query) == (3, LATER, "oil")
    assert [(v.number, v.at, v.spec.query) for v in alert_rules.versions_of(conn, rule.id)] == [
        (3, LATER, "oil"), (2, LATER, "gas"), (1, NOON, "gas")]


def test_every_change_of_a_rule_is_noted(conn: Connection) -> None:
    counts = [alert_rules.changes(conn)]
    rule = a_rule(conn)
    for change in (lambda: alert_rules.set_state(conn, rule.id, "paused", NOON),
                   lambda: alert_rules.set_state(conn, rule.id, "active", NOON),
                   lambda: alert_rules.set_spec(conn, rule, AlertSpec(query="oil"), "operator", NOON),
                   lambda: alert_rules.remove_rule(conn, rule.id)):
        counts.append(alert_rules.changes(conn))
        assert change() and alert_rules.changes(conn) > counts[-1]
    assert counts == sorted(counts) and counts[0] < counts[1]


def test_who_stopped_a_channel_stays_away(conn: Connection) -> None:
    rule = a_rule(conn)
    [own] = alert_rules.channels_of(conn, [rule.id])[rule.id]
    assert alert_rules.stop_channel(conn, own.id) and not alert_rules.stop_channel(conn, own.id)
    assert alert_rules.add_channels(conn, rule.id, [(MAIL, own.target), (MAIL, "bek@example.org")], NOON) == 1
    assert [one.target for one in alert_rules.channels_of(conn, [rule.id], "active")[rule.id]] == ["bek@example.org"]
    alert_rules.drop_channels(conn, rule.id, [])
    assert alert_rules.channels_of(conn, [rule.id]) == {rule.id: [replace(own, state="stopped")]}


def test_an_alert_of_a_rule_and_a_story_is_stored_once_an_occasion(conn: Connection) -> None:
    rule = a_rule(conn)
    stored = alerts.insert_alerts(conn, [an_alert(rule, A), an_alert(rule, B)])
    assert [(alert.rule_id, alert.story_id, alert.words, alert.why) for alert in stored] == [
        (rule.id, A.id, ("Gas",), (Trigger("new figure", "5 %"),)),
        (rule.id, B.id, ("Gas",), (Trigger("new figure", "5 %"),))]
    [third, again] = alerts.insert_alerts(conn, [an_alert(rule, B), an_alert(rule, C, at=LATER),
                                                 an_alert(rule, B, "later", LATER)])
    assert (third.story_id, again.story_id) == (C.id, B.id)
    counted = alerts.counts(conn, [rule.id])[rule.id]
    assert (counted.alerts, counted.stories, counted.first, counted.last) == (4, 3, NOON, LATER)


def test_stories_that_became_one_are_found_by_all_their_names(conn: Connection) -> None:
    stories.record_merges(conn, [Merge(A.id, B.id, 0.9)], NOON)
    stories.record_merges(conn, [Merge(B.id, C.id, 0.9)], LATER)
    assert alerts.roots_of(conn, [A.id, B.id, C.id, "?"]) == {**dict.fromkeys([A.id, B.id, C.id], C.id), "?": "?"}
    assert alerts.roots_of(conn, [A.id], NOON) == {A.id: B.id}
    assert alerts.names_of(conn, [C.id]) == dict.fromkeys([A.id, B.id, C.id], C.id)
    assert alerts.names_of(conn, [B.id, C.id], NOON) == {A.id: B.id, B.id: B.id, C.id: C.id}


def test_what_was_told_is_found_by_story_and_by_item(conn: Connection) -> None:
    rule = a_rule(conn)
    first, second = alerts.insert_alerts(conn, [an_alert(rule, A), an_alert(rule, B, at=LATER)])
    assert alerts.told(conn, [A.id], [B.id], LATER) == [first, second]
    assert alerts.told(conn, [A.id], [A.id, B.id], NOON) == [first]
    assert alerts.releases(conn, [rule.id], LATER) == [second]


def test_an_alert_enters_one_bundle_of_a_target(conn: Connection) -> None:
    [alert] = alerts.insert_alerts(conn, [an_alert(a_rule(conn), A)])
    alerts.address(conn, [(alert.id, MAIL, "ana@example.org")] * 2)
    assert alerts.due(conn, NOON, [MAIL], NOON) == [ANA]
    assert alerts.due(conn, NOON, ["webhook"], NOON) == []
    assert alerts.claim(conn, *ANA, [alert.id], NOON) is not None
    assert alerts.claim(conn, *ANA, [alert.id], NOON) is None
    assert alerts.waiting(conn, *ANA, LATER) == []


def test_who_was_told_something_in_this_minute_waits(conn: Connection) -> None:
    rule = a_rule(conn)
    first, second = alerts.insert_alerts(conn, [an_alert(rule, A), an_alert(rule, B)])
    alerts.address(conn, [(alert.id, *ANA) for alert in (first, second)])
    alerts.claim(conn, *ANA, [first.id], NOON)
    assert alerts.due(conn, LATER, [MAIL], told_before=NOON) == []
    assert alerts.due(conn, LATER, [MAIL], told_before=LATER) == [ANA]


def test_what_is_due_brings_along_what_waits_on_the_same_story(conn: Connection) -> None:
    gas, oil, bread = (a_rule(conn, name, query=name) for name in ("gas", "oil", "bread"))
    held = [replace(an_alert(rule, item), release_at=LATER) for rule, item in ((oil, A), (bread, B))]
    stored = alerts.insert_alerts(conn, [an_alert(gas, A), *held])
    alerts.address(conn, [(alert.id, MAIL, "ana@example.org") for alert in stored])
    assert alerts.due(conn, NOON, [MAIL], NOON) == [ANA]
    assert [one.rule_id for one in alerts.waiting(conn, *ANA, NOON)] == [gas.id, oil.id]
    alert_rules.set_state(conn, gas.id, "paused", NOON)
    assert alerts.due(conn, NOON, [MAIL], NOON) == [] == alerts.waiting(conn, *ANA, NOON)
    alert_rules.remove_rule(conn, oil.id)
    assert [one.rule_id for one in alerts.waiting(conn, *ANA, LATER)] == [bread.id]


def test_the_cursor_moves_only_from_where_it_was_read(conn: Connection) -> None:
    assert stories.cursor(conn, alerts.CURSOR) == 0
    assert alerts.advance(conn, 0, 5) and not alerts.advance(conn, 0, 7)
    assert stories.cursor(conn, alerts.CURSOR) == 5
