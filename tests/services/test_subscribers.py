"""Adding, leaving and removing."""

import pytest
from sqlalchemy import Engine

from digest.alert_rules import AlertSpec
from digest.errors import NotFound
from digest.services import alert_rules, envelopes, leaving, subscribers
from digest.settings import Settings
from digest.storage import alert_rules as storage
from digest.tokens import Signer
from tests.services.readers import HOUR, NOW, with_newsletters


@pytest.fixture
def engine(sqlite_engine: Engine) -> Engine:
    return with_newsletters(sqlite_engine)


def test_a_subscriber_is_ensured_once(engine: Engine) -> None:
    with engine.begin() as conn:
        first = subscribers.ensure(conn, "Reader@example.org", "operator", NOW)
        assert subscribers.ensure(conn, "reader@example.org", "demo", NOW + HOUR) == first


def test_who_left_is_not_added_again_silently(engine: Engine) -> None:
    with engine.begin() as conn:
        added = subscribers.subscribe(conn, "kazakhstan", "reader@example.org", "operator", NOW)
        assert added.changed and added.subscription.state == "active"
        assert not subscribers.subscribe(conn, "kazakhstan", "reader@example.org", "operator", NOW).changed
        assert subscribers.leave(conn, added.subscription.id, NOW).state == "left"
        back = subscribers.subscribe(conn, "kazakhstan", "reader@example.org", "operator", NOW)
        assert not back.changed and back.subscription.state == "left"
        assert subscribers.active_subscriptions(conn, "kazakhstan") == []
        again = subscribers.subscribe(conn, "kazakhstan", "reader@example.org", "operator", NOW, again=True)
        assert again.changed and again.subscription.state == "active"
        assert [s.subscriber.email for s in subscribers.active_subscriptions(conn, "kazakhstan")] == [
            "reader@example.org"]


def test_leaving_one_says_what_stays(engine: Engine) -> None:
    with engine.begin() as conn:
        kazakhstan = subscribers.subscribe(conn, "kazakhstan", "reader@example.org", "operator", NOW).subscription
        subscribers.subscribe(conn, "kyrgyzstan", "reader@example.org", "operator", NOW)
        alert_rules.add(conn, "gas", AlertSpec(query="gas"), "reader@example.org", NOW)
        mark = leaving.subscription_mark(kazakhstan.id)
        planned = leaving.describe(conn, mark)
        assert (planned.what, planned.over) == ("Kazakhstan News", False)
        assert planned.rest == ("Kyrgyzstan News", "the alert “gas”")
        leaving.leave(conn, mark, NOW)
        assert leaving.describe(conn, mark).over
        assert leaving.leave(conn, mark, NOW).what == "Kazakhstan News"
        assert leaving.standing(conn, mark, subject="edition:x") is None


def test_one_alert_or_all_of_an_owner_can_be_left(engine: Engine) -> None:
    with engine.begin() as conn:
        owner = subscribers.ensure(conn, "analyst@example.org", "operator", NOW)
        for name in ("gas", "oil", "water"):
            alert_rules.add(conn, name, AlertSpec(query=name), owner.email, NOW)
        gas = storage.rule_by_name(conn, "gas")
        assert gas is not None
        standing = leaving.standing(conn, f"alert:{gas.id}", subject="bundle:1")
        assert standing is not None and "“gas”" in standing.reason
        assert leaving.leave(conn, f"alert:{gas.id}", NOW).what == "the alert “gas”"
        assert leaving.standing(conn, f"alert:{gas.id}", subject="bundle:1") is None
        assert leaving.leave(conn, f"alerts:{owner.id}", NOW).what == "the alerts “oil”, “water”"
        assert leaving.leave(conn, f"alerts:{owner.id}", NOW).over
        assert storage.rules_of(conn, owner.id) == []


def test_who_stops_a_rule_of_the_desk_stops_their_own_copy(engine: Engine) -> None:
    with engine.begin() as conn:
        desk = alert_rules.add(conn, "desk", AlertSpec(query="gas"), None, NOW, to=("ana@x.org", "bek@x.org"))
        own = alert_rules.add(conn, "own", AlertSpec(query="oil"), "ana@x.org", NOW)
        mark = leaving.alerts_mark(conn, [desk], "bek@x.org")
        assert mark.startswith("channel:") and "/a/" in envelopes.unsubscribe_url(Settings(), Signer(b"k" * 32), mark)
        assert leaving.standing(conn, mark, subject="bundle:1") is not None
        assert leaving.leave(conn, mark, NOW).what == "the alert “desk”" and leaving.leave(conn, mark, NOW).over
        assert leaving.standing(conn, mark, subject="bundle:1") is None
        everything = leaving.alerts_mark(conn, [desk, own], "ana@x.org")
        assert everything.startswith("alerts:")
        assert leaving.leave(conn, everything, NOW).what == "the alerts “desk”, “own”"
        assert leaving.leave(conn, everything, NOW).over
        found = {one.target: one.state for one in storage.channels_of(conn, [desk.id])[desk.id]}
        assert found == {"ana@x.org": "stopped", "bek@x.org": "stopped"}
        assert [rule.name for rule in storage.rules(conn, "active")] == ["desk"]


@pytest.mark.parametrize("mark", ["", "x", "subscription:", "subscription:x", "subscription:99", "alert:7",
                                  "alert:" + "9" * 40, "subscription:-1"])
def test_a_mark_of_nothing_is_not_found(engine: Engine, mark: str) -> None:
    with engine.begin() as conn:
        with pytest.raises(NotFound):
            leaving.leave(conn, mark, NOW)
        assert leaving.standing(conn, mark, subject="edition:x") is None


def test_removing_an_address_ends_all_its_subscriptions(engine: Engine) -> None:
    with engine.begin() as conn:
        for slug in ("kazakhstan", "kyrgyzstan"):
            subscribers.subscribe(conn, slug, "reader@example.org", "operator", NOW)
        assert len(subscribers.remove(conn, "reader@example.org", NOW)) == 2
        assert subscribers.remove(conn, "reader@example.org", NOW) == []
        with pytest.raises(NotFound):
            subscribers.remove(conn, "nobody@example.org", NOW)


@pytest.mark.parametrize(("language", "what"), [
    ("en", "the alert “gas”"), ("ru", "оповещение «gas»"), ("kk", "«gas» хабарламасы"), ("uz", "“gas” xabarnomasi"),
])
def test_alerts_are_named_in_each_language(engine: Engine, language: str, what: str) -> None:
    with engine.begin() as conn:
        owner = subscribers.ensure(conn, "reader@example.org", "operator", NOW)
        rule = alert_rules.add(conn, "gas", AlertSpec(query="gas"), owner.email, NOW)
        assert leaving.describe(conn, f"alert:{rule.id}", language).what == what
