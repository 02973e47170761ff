"""A database that holds rows is upgraded without losing one."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from digest.model import Preferences
from digest.storage import alert_rules, alerts, editions, search, subscribers
from digest.storage.alert_rules import NewRule
from digest.storage.alerts import NewAlert
from digest.storage.engine import open_engine, read_only
from digest.storage.items import has_unassigned, unassigned_items
from digest.storage.migrate import migrate
from digest.storage.stories import story_of

AT = datetime(2023, 3, 20, 1, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def first(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database of the first schema, once on each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'old.sqlite3'}"
    else:
        server = make_url(request.getfixturevalue("postgresql_url"))
        name = f"old_{uuid.uuid4().hex[:12]}"
        admin = create_engine(server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        url = server.set(database=name).render_as_string(hide_password=False)
    engine = open_engine(url)
    migrate(engine, "0001")
    yield engine
    engine.dispose()
    if request.param == "postgresql":
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        admin.dispose()


def stored(engine: Engine, at: datetime) -> datetime:
    """An instant as the database's own driver wants it."""
    return at.replace(tzinfo=None) if engine.dialect.name == "sqlite" else at


def test_editions_and_deliveries_of_the_first_schema_keep_their_rows(first: Engine) -> None:
    with first.begin() as conn:
        conn.execute(text("INSERT INTO newsletters (slug, name) VALUES ('kazakhstan', 'Kazakhstan News')"))
        conn.execute(text(
            "INSERT INTO editions (id, newsletter, period, date, state, cutoff_at, built_at, config_version, view,"
            " view_sha256, templates) VALUES (1, 'kazakhstan', 'daily', '2023-03-20', 'sent', :at, :at, 1, '{}',"
            " :sha, '{}'), (2, 'kazakhstan', 'daily', '2023-03-21', 'skipped', :at, :at, 1, '{}', :sha, '{}')"),
            {"at": stored(first, AT), "sha": "a" * 64})
        conn.execute(text("INSERT INTO subscribers VALUES (1, 'a@x.org', 'operator', :at)"), {"at": stored(first, AT)})
        conn.execute(text("INSERT INTO subscriptions (id, subscriber_id, newsletter, state, created_at, changed_at,"
                          " hidden_sections) VALUES (1, 1, 'kazakhstan', 'active', :at, :at, '[]')"),
                     {"at": stored(first, AT)})
        conn.execute(text("INSERT INTO messages (id, subject, html, text, headers) VALUES ('m', 's', 'h', 't', '{}')"))
        conn.execute(text("INSERT INTO edition_messages VALUES (1, 'default', 'm')"))
        conn.execute(text(
            "INSERT INTO deliveries (id, subject, channel, target, message_id, mail_id, unsubscribe, state, due_at,"
            " next_attempt_at, attempts, queued_at) VALUES"
            " (1, 'edition:kazakhstan/2023-03-20', 'mail', 'a@x.org', 'm', 'x', 'test', 'sent', :at, :at, 1, :at),"
            " (2, 'notice:confirm:1', 'mail', 'a@example.org', 'm', 'y', 'test', 'sent', :at, :at, 1, :at)"),
            {"at": stored(first, AT)})
    migrate(first)
    with read_only(first) as conn:
        [reader] = subscribers.subscriptions_to(conn, "kazakhstan")
        sent, skipped = reversed(editions.editions_of(conn, "kazakhstan"))
        hashes = conn.execute(text("SELECT view_sha256 FROM deliveries ORDER BY id")).scalars().all()
        variants = conn.execute(text("SELECT variant, message_id, sha256 FROM edition_messages")).all()
    assert (sent.state, sent.approved_at, sent.approved_by, sent.view_text) == ("sent", AT, "digest", "{}")
    assert (skipped.state, skipped.approved_at, skipped.approved_by) == ("skipped", None, None)
    assert (sent.queued_at, skipped.queued_at) == (AT, None)
    assert hashes == ["a" * 64, None]
    assert [tuple(row) for row in variants] == [("default", "m", None)]
    assert (reader.subscriber.email, reader.state, reader.preferences) == ("a@x.org", "active", Preferences())


def put_items(first: Engine) -> None:
    """A feed with two items, the second one dated."""
    with first.begin() as conn:
        conn.execute(text("INSERT INTO sources (slug, name, family, tier) VALUES ('post', 'Post', 'post', 1)"))
        conn.execute(text("INSERT INTO feeds (id, url, source, body, last_success_at) VALUES"
                          " ('f', 'https://post.example/', 'post', 'excerpt', :at)"), {"at": stored(first, AT)})
        for number, published in enumerate((None, AT)):
            conn.execute(text(
                "INSERT INTO items (id, feed_id, key, url, canonical_url, title, summary, body, language, published_at,"
                " date_quality, first_seen_at, backlog, tags, content_hash)"
                " VALUES (:id, 'f', :key, '', '', 't', '', '[]', 'en', :published, 'exact', :seen, false, '[]', 'h')"),
                {"id": str(number), "key": str(number), "published": published and stored(first, published),
                 "seen": stored(first, AT.replace(year=2022))})


def test_the_newest_item_of_a_known_feed_is_read_from_its_items(first: Engine) -> None:
    put_items(first)
    migrate(first)
    with read_only(first) as conn:
        feed = conn.execute(text("SELECT newest_at, validators_at, move_count FROM feeds")).one()
        failed = conn.execute(text("SELECT count(*) FROM poll_attempts WHERE failed")).scalar()
    assert str(feed.newest_at)[:16] == str(feed.validators_at)[:16] == f"{AT:%Y-%m-%d %H:%M}"
    assert (feed.move_count, failed) == (0, 0)


def test_items_without_a_story_are_marked(first: Engine) -> None:
    put_items(first)
    with first.begin() as conn:
        conn.execute(text("INSERT INTO story_items (item_id, story_id, joined_at, score, features)"
                          " VALUES ('0', '0', :at, 0, '{}')"), {"at": stored(first, AT)})
    migrate(first)
    with read_only(first) as conn:
        assert [item.id for item in unassigned_items(conn)] == ["1"]
        assert has_unassigned(conn)
        assert story_of(conn, "0") == "0"


def test_stored_items_wait_to_be_indexed(first: Engine) -> None:
    put_items(first)
    migrate(first)
    with first.begin() as conn:
        assert search.is_stale(conn, "any rules")
        search.start_anew(conn, "any rules")
        assert not search.is_stale(conn, "any rules")
        assert sorted(search.pending(conn, 10)[0]) == ["0", "1"]


def test_alert_rules_become_version_1_of_themselves_and_what_they_told_stays_told(first: Engine) -> None:
    put_items(first)
    at = {"at": stored(first, AT)}
    with first.begin() as conn:
        conn.execute(text("INSERT INTO subscribers VALUES (1, 'a@x.org', 'operator', :at)"), at)
        conn.execute(text("INSERT INTO alert_rules (id, name, owner_id, query, created_at, state) VALUES"
                          " (7, 'gas', 1, 'gas \"oil\"', :at, 'active'), (8, 'old', 1, 'x', :at, 'removed')"), at)
        conn.execute(text("INSERT INTO alerts (id, rule_id, story_id, item_id, sentence, words, at)"
                          " VALUES (3, 7, '0', '0', 'Gas.', '[\"Gas\"]', :at)"), at)
        conn.execute(text("INSERT INTO bundles (id, channel, target, created_at) VALUES"
                          " (2, 'mail', 'a@x.org', :at)"), at)
        conn.execute(text("INSERT INTO bundle_alerts VALUES (3, 'mail', 'a@x.org', 2)"))
    migrate(first)
    with first.begin() as conn:
        [rule] = alert_rules.rules(conn, "active")
        assert (rule.id, rule.query, rule.version, rule.since, rule.owner_name) == (7, 'gas "oil"', 1, AT, "a@x.org")
        assert [version.spec for version in alert_rules.versions_of(conn, 7)] == [rule.spec]
        assert [one.target for one in alert_rules.channels_of(conn, [7])[7]] == ["a@x.org"]
        [alert] = alerts.told(conn, ["0"], [], AT)
        assert (alert.id, alert.occasion, alert.release_at, alert.words) == (3, "first", AT, ("Gas",))
        assert alerts.due(conn, AT, ["mail"], AT) == []
        new = NewRule("new", 1, rule.spec, [("mail", "a@x.org")], "operator")
        assert alert_rules.insert_rule(conn, new, AT)
        [again] = alerts.insert_alerts(conn, [NewAlert(9, 1, "1", "1", "first", "s", (), (), AT, AT)])
        assert again.id == 4  # ids go on where they were
