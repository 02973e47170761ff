"""A feed document as items: parse → normalise, in one go for a worker process."""

from dataclasses import dataclass
from datetime import datetime

from digest.model import Feed, Item
from digest.pipeline.normalise import normalise_document
from digest.pipeline.parse import parse_feed


@dataclass(frozen=True, slots=True)
class ReadFeed:
    """The items of a document, in its order, and how seldom it asks to be polled (None: it does not say)."""

    items: tuple[Item, ...]
    update_minutes: int | None


def read_feed(body: bytes, content_type: str | None, url: str, feed: Feed, now: datetime) -> ReadFeed:
    """The items of a document of `feed` that came from `url`, first seen at `now`. Raises ParseError."""
    document = parse_feed(body, content_type, url)
    return ReadFeed(tuple(normalise_document(document, feed, now=now)), document.update_minutes)
