"""The archive that `bench.archive` asks: items in stories, drawn from the words of a file, the same every time."""

import hashlib
import json
import os
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from sqlalchemy import Engine, update

from bench.edition import WORDS as NEWS
from digest.documents import Configuration, Gazetteer
from digest.model import Block, DateQuality, Feed, Item, Join, Source, short_id
from digest.services import search
from digest.storage import config as config_storage
from digest.storage.engine import read_only
from digest.storage.items import count_items, store
from digest.storage.schema import item_revisions, items
from digest.storage.stories import record_joins

TEXTS = Path(os.environ.get("DIGEST_TEST_DATA", "../shared/data")) / "matching" / "docs-1000.jsonl"
END = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)
DAYS = 90
TITLE, SUMMARY, PAGE = 9, 25, 250  # words
PAGES = 0.1  # share of items that have one
FEEDS = 40
AT_A_TIME = 1000  # items of one transaction
JOINING, LIVE = 0.25, 200  # share of items that join a story, one of so many newest


@dataclass(slots=True)
class Language:
    """Which words follow each word of a language, as often as they do."""

    name: str
    follows: dict[str, list[str]] = field(default_factory=dict)
    starts: list[str] = field(default_factory=list)

    def learn(self, words: Sequence[str]) -> None:
        for word, following in pairwise(words):
            self.follows.setdefault(word, []).append(following)
        self.starts += words[:-1]

    def prose(self, count: int, chance: random.Random) -> list[str]:
        """So many words, each one of those that follow the one before."""
        words = [chance.choice(self.starts)]
        while len(words) < count:
            words.append(chance.choice(self.follows.get(words[-1]) or self.starts))
        return words


def languages_of(texts: Path) -> list[Language]:
    """What the languages of a file are like; of news in no order where there is no such file."""
    languages = {name: Language(name) for name in NEWS}
    if texts.exists():
        for line in texts.read_text(encoding="utf-8").splitlines():
            document = json.loads(line)
            languages[document["lang"]].learn(document["text"].split())
    else:
        chance = random.Random(1)
        for name, language in languages.items():
            language.learn(chance.choices(NEWS[name], k=20_000))
    return list(languages.values())


def build(engine: Engine, count: int, languages: Sequence[Language]) -> None:
    """Stores and indexes the archive, and prints what it took; takes what an earlier run has built."""
    with read_only(engine) as conn:
        if count_items(conn) == count:
            print(f"{count} items, built by an earlier run")
            return
    feeds = [_feed(number) for number in range(FEEDS)]
    sources = {feed.source.slug: feed.source for feed in feeds}
    with engine.begin() as conn:
        config_storage.mirror(conn, Configuration({}, sources, tuple(feeds), Gazetteer({})), END)
    chance, stored = random.Random(20260320), 0.0
    seen: list[tuple[datetime, str]] = []
    for first in range(0, count, AT_A_TIME):
        feed = feeds[first // AT_A_TIME % FEEDS]
        batch = [_item(number, feed, languages, chance) for number in range(first, min(count, first + AT_A_TIME))]
        seen += ((item.first_seen_at, item.id) for item in batch)
        start = time.process_time()
        with engine.begin() as conn:
            store(conn, feed, batch, END)
        stored += time.process_time() - start
    _tell_stories(engine, sorted(seen), chance)
    start = time.process_time()
    search.index(engine)
    indexed = time.process_time() - start
    print(f"{count} items: stored in {stored:.1f} s CPU, indexed in {indexed:.1f} s, "
          f"{1e6 * indexed / count:.0f} microseconds an item")


def _tell_stories(engine: Engine, seen: Sequence[tuple[datetime, str]], chance: random.Random) -> None:
    """Joins the items in order of time, each when it was seen, as though each had been polled by itself."""
    live: list[str] = []
    joins: list[Join] = []
    for at, item_id in seen:
        story = chance.choice(live) if live and chance.random() < JOINING else item_id
        joins.append(Join(item_id, story, at, 1.0))
        live = live if story != item_id else [*live[1 - LIVE:], item_id]
    with engine.begin() as conn:
        conn.execute(update(item_revisions).where(item_revisions.c.item_id == items.c.id).values(
            seen_at=items.c.first_seen_at, later=False))
    for start in range(0, len(joins), AT_A_TIME):
        with engine.begin() as conn:
            record_joins(conn, joins[start:start + AT_A_TIME])


def kept(count: int, texts: Path) -> Path:
    """The database of such an archive. Another index, other texts or another bench make another one."""
    content = texts.read_bytes() if texts.exists() else b""
    name = hashlib.sha256(content + Path(__file__).read_bytes() + search.stamp().encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / "digest-bench-archive" / f"{count}-{name}.sqlite3"


def _feed(number: int) -> Feed:
    url = f"https://post{number}.example/feed"
    return Feed(short_id(url), url, Source(f"post{number}", f"Post {number}", f"post{number}"))


def _item(number: int, feed: Feed, languages: Sequence[Language], chance: random.Random) -> Item:
    language = chance.choices(languages, weights=[len(one.starts) for one in languages])[0]
    title, summary = (" ".join(language.prose(count, chance)) for count in (TITLE, SUMMARY))
    body = (Block("p", " ".join(language.prose(PAGE, chance))),) if chance.random() < PAGES else ()
    key, at = str(number), END - timedelta(seconds=chance.randrange(DAYS * 86_400))
    return Item(short_id(feed.id, key), feed, key, f"{feed.url}/{key}", key, title, summary, body, None, None,
                language.name, at, 0, DateQuality.EXACT, at)
