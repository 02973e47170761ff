"""Trials: what a query would have matched in the archive. Nothing is stored or mailed."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Connection, Engine

from digest.model import Item
from digest.pipeline.alert_matching import quote_item
from digest.query import match, parse_query, prepare
from digest.query.quote import Quote
from digest.storage.alert_trials import archive_ids, stories_of
from digest.storage.engine import read_only
from digest.storage.items import items_by_id

ITEMS_AT_A_TIME = 500
SAMPLES = 10


@dataclass(frozen=True, slots=True)
class Sample:
    item: Item
    story_id: str | None
    quote: Quote


@dataclass(frozen=True, slots=True)
class Trial:
    """What a query matches in the archive. `stories` is the number of alerts that it would have given.

    `days` counts matching items by UTC day of publication (else of first sight), oldest first.
    """

    searched: int
    items: int
    stories: int
    days: tuple[tuple[date, int], ...]
    samples: tuple[Sample, ...]


def try_query(engine: Engine, query: str, since: datetime, now: datetime) -> Trial:
    """What the archive since `since` would have matched, backlog included. Stores nothing; raises QueryError."""
    tree = parse_query(query)
    found: list[tuple[str, datetime]] = []
    samples: list[tuple[Item, Quote]] = []
    with read_only(engine) as conn:
        ids = archive_ids(conn, since, now)
        for item in _archive(conn, ids, now):
            text = prepare(item)
            if (spans := match(tree, text)) is None:
                continue
            found.append((item.id, item.sorted_at))
            if len(samples) < SAMPLES:
                samples.append((item, quote_item(item, text, spans)))
        stories = stories_of(conn, [item_id for item_id, _ in found])
    days = Counter(at.astimezone(UTC).date() for _, at in found)
    return Trial(
        searched=len(ids), items=len(found), stories=len({stories.get(item_id, item_id) for item_id, _ in found}),
        days=tuple(sorted(days.items())),
        samples=tuple(Sample(item, stories.get(item.id), sentence) for item, sentence in samples),
    )


def _archive(conn: Connection, ids: Sequence[str], at: datetime) -> Iterator[Item]:
    """The items in the order of `ids`, a part of them in memory at a time."""
    for start in range(0, len(ids), ITEMS_AT_A_TIME):
        chunk = ids[start:start + ITEMS_AT_A_TIME]
        items = items_by_id(conn, chunk, at=at)
        yield from (items[item_id] for item_id in chunk if item_id in items)
