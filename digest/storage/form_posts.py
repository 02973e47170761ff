"""When visitors posted forms, for limits: keyed hashes and instants, forgotten when no limit looks at them any more."""

from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from digest.storage.schema import form_posts


def count_since(conn: Connection, key: str, since: datetime) -> int:
    """How many posts of a key are later than an instant."""
    query = select(func.count()).where(form_posts.c.key == key, form_posts.c.at > since)
    return int(conn.execute(query).scalar_one())


def add(conn: Connection, key: str, now: datetime) -> None:
    """Stores one post."""
    conn.execute(insert(form_posts).values(key=key, at=now))


def forget_before(conn: Connection, key: str, before: datetime) -> None:
    """Forgets the posts of a key up to an instant. Idempotent."""
    conn.execute(delete(form_posts).where(form_posts.c.key == key, form_posts.c.at <= before))
