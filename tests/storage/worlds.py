"""Small worlds for storage tests: a source, its feed, its items."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from digest.model import DateQuality, Feed, Item, Source, short_id
from digest.storage.schema import feeds, sources
from digest.storage.upsert import insert_ignore

NOON = datetime(2026, 2, 17, 12, tzinfo=UTC)


def a_feed(name: str = "Steppe Post", url: str = "", **changes: Any) -> Feed:
    slug = name.lower().replace(" ", "-")
    url = url or f"https://{slug}.example/feed"
    return Feed(short_id(url), url, Source(slug, name, slug), **changes)


def an_item(feed: Feed, key: str, **changes: Any) -> Item:
    url = f"https://{feed.source.slug}.example/{key}"
    values: dict[str, Any] = {
        "id": short_id(feed.id, key), "feed": feed, "key": key, "url": url, "canonical_url": url.partition("://")[2],
        "title": f"Title of {key}", "summary": "", "body": (), "agency": None, "place": None, "language": "en",
        "published_at": NOON, "published_offset_minutes": 300, "date_quality": DateQuality.EXACT,
        "first_seen_at": NOON,
    }
    return Item(**{**values, **changes})


def add_feed(conn: Connection, feed: Feed) -> None:
    """Mirrors a feed and its source as the configuration would."""
    source = feed.source
    insert_ignore(conn, sources, [{"slug": source.slug, "name": source.name, "family": source.family,
                                   "tier": source.tier}])
    insert_ignore(conn, feeds, [{"id": feed.id, "url": feed.url, "source": source.slug, "region": feed.region,
                                 "language": feed.language, "body": feed.body.value}])
