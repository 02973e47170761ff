"""A long stream of items in the words of a recorded file, to see how the clusterer's speed holds as the archive grows.

An event takes the words of one recorded item and replaces most of them by others, as common in the file; each of its
tellings drops some of these, shuffles the rest and comes within hours of the first. Sizes of events are geometric, a
third of the items stands alone. The same seed gives the same stream.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from digest.model import DateQuality, Feed, Item, Source, short_id

SEED = 6
SOURCES = 300
POLL = timedelta(minutes=10)
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
GOES_ON = 0.65  # the chance that an event is told once more
OTHER_WORDS = 0.7  # of an event's words
DROPPED_WORDS = 0.3  # of a telling's words
HOURS = 6.0  # mean time from an event to a telling
TITLE_WORDS = 10
SUMMARY_WORDS = 30


def stream(recorded: Sequence[Item], count: int, days: float) -> list[Item]:
    """So many items over so many days, in order of first sight."""
    random = Random(SEED)
    texts = [f"{item.title} {item.summary}".split() for item in recorded]
    vocabulary = [word for text in texts for word in text]
    items: list[Item] = []
    while len(items) < count:
        items += _event(random, random.choice(texts), vocabulary, recorded[0].language, days, len(items))
    return sorted(items[:count], key=lambda item: (item.first_seen_at, item.id))


def _event(
    random: Random, text: Sequence[str], vocabulary: Sequence[str], language: str, days: float, number: int
) -> Iterator[Item]:
    words = [random.choice(vocabulary) if random.random() < OTHER_WORDS else word for word in text]
    words += random.choices(vocabulary, k=max(0, TITLE_WORDS + SUMMARY_WORDS - len(words)))
    start = FIRST_DAY + timedelta(days=random.uniform(0, days))
    at = start
    while True:
        kept = [word for word in words if random.random() >= DROPPED_WORDS]
        title = kept[:TITLE_WORDS]
        random.shuffle(title)
        rest = kept[TITLE_WORDS:][:SUMMARY_WORDS]
        random.shuffle(rest)
        yield _item(f"{number}", random.randrange(SOURCES), " ".join(title), " ".join(rest), language, at)
        if random.random() >= GOES_ON:
            return
        number += 1
        at = start + timedelta(hours=random.expovariate(1 / HOURS))


def _item(key: str, source: int, title: str, summary: str, language: str, at: datetime) -> Item:
    seen = FIRST_DAY + POLL * ((at - FIRST_DAY) // POLL)
    host = f"outlet-{source}"
    feed = Feed(short_id(host), f"https://{host}.example/feed", Source(host, host, host))
    return Item(short_id(key), feed, key, "", "", title or "Untitled", summary, (), None, None, language, seen, 0,
                DateQuality.EXACT, seen)
