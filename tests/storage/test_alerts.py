from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from digest.model import AlertRule, Item, Join
from digest.pipeline.cluster import Merge
from digest.services.subscribers import ensure
from digest.storage import alerts, items, stories
from digest.storage.alerts import NewAlert
from tests.storage.worlds import NOON, a_feed, add_feed, an_item

POST = a_feed()
A, B, C = (an_item(POST, key) for key in "abc")


@pytest.fixture
def conn(engine: Engine) -> Iterator[Connection]:
    """Three stories of one item each."""
    with engine.begin() as connection:
        add_feed(connection, POST)
        items.store(connection, POST, [A, B, C], NOON)
        stories.record_joins(connection, [Join(item.id, item.id, NOON, 1.0) for item in (A, B, C)])
        yield connection


def a_rule(conn: Connection, name: str = "gas", owner: str = "ana@example.org") -> AlertRule:
    assert alerts.insert_rule(conn, name, ensure(conn, owner, "operator", NOON).id, "gas", NOON)
    rule = alerts.rule_by_name(conn, name)
    assert rule is not None
    return rule


def an_alert(rule: AlertRule, item: Item) -> NewAlert:
    return NewAlert(rule, item.id, item.id, "Gas – 5 %.", ("Gas",))


def test_a_rule_is_read_as_it_was_stored(conn: Connection) -> None:
    rule = a_rule(conn)
    assert (rule.owner.email, rule.query, rule.created_at, rule.state) == ("ana@example.org", "gas", NOON, "active")
    assert not alerts.insert_rule(conn, "gas", rule.owner.id, "oil", NOON)
    assert alerts.rule_by_id(conn, rule.id) == rule
    assert alerts.rules(conn, "active") == alerts.rules_of(conn, rule.owner.id) == [rule]
    assert alerts.rules(conn, "paused") == [] and alerts.rule_by_name(conn, "oil") is None


def test_a_removed_rule_stays_removed_and_frees_its_name(conn: Connection) -> None:
    rule = a_rule(conn)
    assert alerts.set_state(conn, rule.id, "paused") and not alerts.set_state(conn, rule.id, "paused")
    assert alerts.remove_rule(conn, rule.id) and not alerts.remove_rule(conn, rule.id)
    assert not alerts.set_state(conn, rule.id, "active")
    removed = alerts.rule_by_id(conn, rule.id)
    assert removed is not None and (removed.state, removed.name) == ("removed", f"gas #{rule.id}")
    assert alerts.rules_of(conn, rule.owner.id) == []
    assert a_rule(conn).id != rule.id
    assert not alerts.remove_rule(conn, 99)


def test_an_alert_of_a_rule_and_a_story_is_stored_once(conn: Connection) -> None:
    rule = a_rule(conn)
    stored = alerts.insert_alerts(conn, [an_alert(rule, A), an_alert(rule, B)], NOON)
    assert [(alert.rule, alert.story_id, alert.words) for alert in stored] == [
        (rule, A.id, ("Gas",)), (rule, B.id, ("Gas",))]
    [third] = alerts.insert_alerts(conn, [an_alert(rule, B), an_alert(rule, C)], NOON + timedelta(hours=1))
    assert third.story_id == C.id
    assert alerts.counts(conn) == {rule.id: (3, NOON + timedelta(hours=1))}


def test_an_alert_counts_for_all_stories_that_became_one(conn: Connection) -> None:
    rule = a_rule(conn)
    alerts.insert_alerts(conn, [an_alert(rule, A)], NOON)
    assert alerts.alerted(conn, [B.id, C.id]) == set()
    stories.record_merges(conn, [Merge(A.id, B.id, 0.9)], NOON)
    stories.record_merges(conn, [Merge(B.id, C.id, 0.9)], NOON)
    assert alerts.stories_of(conn, [A.id, B.id, C.id, "unknown"]) == dict.fromkeys([A.id, B.id, C.id], C.id)
    assert alerts.alerted(conn, [C.id]) == {(rule.id, C.id)}


def test_an_alert_enters_one_bundle_of_a_target(conn: Connection) -> None:
    [alert] = alerts.insert_alerts(conn, [an_alert(a_rule(conn), A)], NOON)
    first = alerts.insert_bundle(conn, "mail", "ana@example.org", [alert.id], NOON)
    assert alerts.insert_bundle(conn, "mail", "bek@example.org", [alert.id], NOON) != first
    with pytest.raises(IntegrityError), conn.begin_nested():
        alerts.insert_bundle(conn, "mail", "ana@example.org", [alert.id], NOON)


def test_the_cursor_moves_only_from_where_it_was_read(conn: Connection) -> None:
    assert stories.cursor(conn, alerts.CURSOR) == 0
    assert alerts.advance(conn, 0, 5) and not alerts.advance(conn, 0, 7)
    assert stories.cursor(conn, alerts.CURSOR) == 5
