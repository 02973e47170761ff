"""Subscribers and subscriptions on both databases."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Engine, insert

from digest.model import Frequency, Preferences
from digest.storage import subscribers
from digest.storage.schema import newsletters

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)


def add_newsletter(engine: Engine, slug: str = "kazakhstan") -> None:
    with engine.begin() as conn:
        conn.execute(insert(newsletters).values(slug=slug, name=slug.title()))


def test_a_known_subscriber_stays_as_stored(engine: Engine) -> None:
    with engine.begin() as conn:
        subscribers.insert_subscriber(conn, "a@example.org", "operator", NOW)
        subscribers.insert_subscriber(conn, "a@example.org", "double-opt-in", NOW + timedelta(days=1))
        known = subscribers.subscriber_by_email(conn, "a@example.org")
        assert known is not None
        assert (known.consent_source, known.created_at) == ("operator", NOW)
        assert subscribers.subscriber_by_id(conn, known.id) == known
        assert subscribers.subscriber_by_email(conn, "b@example.org") is None
        assert subscribers.all_subscribers(conn) == [known]


def test_a_subscription_stands_once_and_moves_through_its_states(engine: Engine) -> None:
    add_newsletter(engine)
    with engine.begin() as conn:
        subscribers.insert_subscriber(conn, "a@example.org", "operator", NOW)
        reader = subscribers.subscriber_by_email(conn, "a@example.org")
        assert reader is not None
        assert subscribers.insert_subscription(conn, reader.id, "kazakhstan", "pending", NOW)
        assert not subscribers.insert_subscription(conn, reader.id, "kazakhstan", "active", NOW)
        pending = subscribers.subscription_of(conn, "a@example.org", "kazakhstan")
        assert pending is not None and pending.state == "pending" and pending.subscriber == reader
        assert subscribers.subscriptions_to(conn, "kazakhstan", "active") == []
        assert subscribers.set_state(conn, pending.id, "active", NOW + timedelta(hours=1))
        assert not subscribers.set_state(conn, pending.id, "active", NOW + timedelta(hours=2))
        assert subscribers.changed_at(conn, pending.id) == NOW + timedelta(hours=1)
        assert [s.state for s in subscribers.subscriptions_to(conn, "kazakhstan", "active")] == ["active"]
        assert [s.newsletter for s in subscribers.subscriptions_by(conn, reader.id)] == ["kazakhstan"]
        assert subscribers.newsletter_name(conn, "kazakhstan") == "Kazakhstan"


def test_preferences_are_kept_as_set(engine: Engine) -> None:
    add_newsletter(engine)
    wanted = Preferences(Frequency.WEEKDAYS, date(2023, 4, 1), "07:30", "Asia/Almaty", "kk", ("kk", "ru"), "text")
    with engine.begin() as conn:
        subscribers.insert_subscriber(conn, "a@example.org", "operator", NOW)
        reader = subscribers.subscriber_by_email(conn, "a@example.org")
        assert reader is not None
        subscribers.insert_subscription(conn, reader.id, "kazakhstan", "active", NOW)
        [new] = subscribers.subscriptions_by(conn, reader.id)
        assert new.preferences == Preferences()
        assert subscribers.set_preferences(conn, new.id, wanted, ("sport",))
        [changed] = subscribers.subscriptions_to(conn, "kazakhstan", "active")
        assert (changed.preferences, changed.hidden_sections) == (wanted, ("sport",))
        assert not subscribers.set_preferences(conn, 999, wanted, ())
