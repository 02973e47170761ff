"""Posts of visitors are counted by key and forgotten, on both databases."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from digest.storage import form_posts

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_posts_are_counted_since_an_instant_and_forgotten_before_one(engine: Engine) -> None:
    with engine.begin() as conn:
        for key, at in [("a", NOW - 2 * HOUR), ("a", NOW - HOUR), ("a", NOW), ("b", NOW)]:
            form_posts.add(conn, key, at)
        assert form_posts.count_since(conn, "a", NOW - HOUR) == 1
        assert form_posts.count_since(conn, "a", NOW - 3 * HOUR) == 3
        form_posts.forget_before(conn, "a", NOW - HOUR)
        assert form_posts.count_since(conn, "a", NOW - 3 * HOUR) == 1
        assert form_posts.count_since(conn, "b", NOW - HOUR) == 1
