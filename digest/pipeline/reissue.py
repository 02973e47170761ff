"""Items that come back under a new id: the outlet changed its guids, or issues an item again each time it is edited.

Taken for the item that is stored already is one of the same feed
1. with the same address, which no other entry of the document has and which is no home page, and the same title, or
   one that shares half of the shorter one's words within a week of its first sight;
2. with another address, but the same title and the very instant of publication: an outlet moved it.

The same title alone is none: outlets head a gallery or a morning's overview alike every day. Nor is an item that the
document still carries under its own id. Where a page is rewritten day by day under one address and title, only its
first version is news.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.model import DateQuality, Item
from digest.pipeline.identify import normal_title

RETITLED_WITHIN = timedelta(days=7)  # a page of one address may tell of something else later
ALIKE = 0.5  # share of the words of the shorter title


@dataclass(frozen=True, slots=True)
class Earlier:
    """A stored item that an entry may be once more."""

    id: str
    key: str
    canonical_url: str
    title: str
    published_at: datetime | None
    first_seen_at: datetime
    content_hash: str


def address_of(item: Item) -> str:
    """The address by which an item may be known again; "" for none and for a home page."""
    return item.canonical_url if "/" in item.canonical_url or "?" in item.canonical_url else ""


def instant_of(item: Item) -> datetime | None:
    """The instant by which an item may be known again."""
    return item.published_at if item.date_quality is DateQuality.EXACT else None


def reissues(entries: Sequence[Item], earlier: Iterable[Earlier], present: Collection[str]) -> dict[str, Earlier]:
    """By the id of an entry that is not stored, the stored item that it is once more.

    `entries` are all of the document, `earlier` what is stored with an address or instant of theirs, and `present` the
    ids of those entries that are stored under their own id.
    """
    addresses = Counter(map(address_of, entries))
    left = {found.id: found for found in earlier if found.id not in present}
    known: dict[str, Earlier] = {}
    for item in entries:
        is_alone = addresses[address_of(item)] == 1
        if item.id not in present and (found := next(
                (one for one in left.values() if _is_same(item, one, is_alone=is_alone)), None)):
            known[item.id] = left.pop(found.id)
    return known


def _is_same(item: Item, earlier: Earlier, *, is_alone: bool) -> bool:
    title, before = normal_title(item.title), normal_title(earlier.title)
    if is_alone and earlier.canonical_url and earlier.canonical_url == address_of(item):
        is_recent = item.first_seen_at - earlier.first_seen_at <= RETITLED_WITHIN
        return title == before or (is_recent and _are_alike(title, before))
    return bool(title) and title == before and earlier.published_at == (instant_of(item) or ...)


def _are_alike(title: str, other: str) -> bool:
    words, others = set(title.split()), set(other.split())
    return len(words & others) >= ALIKE * max(1, min(len(words), len(others)))
