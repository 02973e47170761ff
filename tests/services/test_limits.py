"""Limits of visitors' forms."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from digest.errors import LimitReached
from digest.services import limits
from digest.settings import SignUpSettings
from digest.storage.schema import form_posts
from tests.services.readers import NOW, SIGNER

SETTINGS = SignUpSettings(posts_per_network=2, mails_per_address=2)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(("client", "network"), [
    ("203.0.113.77", "203.0.113.0/24"), ("::ffff:203.0.113.77", "203.0.113.0/24"),
    ("2001:db8:1:2ff::1", "2001:db8:1:200::/56"), ("", ""), ("testclient", "testclient"),
])
def test_a_client_counts_for_its_network(client: str, network: str) -> None:
    assert limits.network_of(client) == network


def test_a_network_posts_so_often_and_then_waits(sqlite_engine: Engine) -> None:
    with sqlite_engine.begin() as conn:
        for minute in (0, 30):
            limits.admit_network(conn, "203.0.113.1", SETTINGS, SIGNER, NOW + minute * MINUTE)
        for minute in (31, 59):  # asking again does not make the wait longer
            with pytest.raises(LimitReached):
                limits.admit_network(conn, "203.0.113.99", SETTINGS, SIGNER, NOW + minute * MINUTE)
        limits.admit_network(conn, "198.51.100.1", SETTINGS, SIGNER, NOW + 59 * MINUTE)
        limits.admit_network(conn, "203.0.113.1", SETTINGS, SIGNER, NOW + 60 * MINUTE)


def test_nothing_is_stored_that_names_anybody_and_nothing_for_longer_than_needed(sqlite_engine: Engine) -> None:
    with sqlite_engine.begin() as conn:
        limits.count_mail(conn, "reader@example.org", SETTINGS, SIGNER, NOW)
        limits.count_mail(conn, "reader+x@example.org", SETTINGS, SIGNER, NOW + timedelta(days=2))
        rows = conn.execute(select(form_posts)).all()
    assert [row.at for row in rows] == [NOW + timedelta(days=2)]
    assert len(rows[0].key) == 64 and "reader" not in rows[0].key
