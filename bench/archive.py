"""How quickly a large archive answers: python -m bench.archive [--items N] [--texts FILE.jsonl] [--database URL]

An archive of N items (200,000) over 90 days is stored and indexed by the functions of a poll: titles of 9 words,
summaries of 25 and, for one item in ten, a page of 250, drawn word after word as they follow each other in FILE
({"lang", "text"} a line; by default the recorded documents of matching/, else words of the news in any order). The same
archive every time; SQLite's is kept in the temporary folder for the next run. Then queries of each kind that have 100
to 2,000 hits are asked of all of it: their total, counts per day and the newest 50 items. Milliseconds of wall time,
parsing included; a query's figure is the median of five.
"""

import argparse
import hashlib
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from sqlalchemy import Connection, Engine

from bench.edition import WORDS as NEWS
from digest.documents import Configuration, Gazetteer
from digest.errors import QueryError
from digest.model import Block, DateQuality, Feed, Item, Source, short_id
from digest.query import parse_query
from digest.services import search
from digest.storage import config as config_storage
from digest.storage.engine import open_engine, read_only
from digest.storage.items import count_items, store
from digest.storage.migrate import migrate

TEXTS = Path(os.environ.get("DIGEST_TEST_DATA", "../shared/data")) / "matching" / "docs-1000.jsonl"
END = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)
DAYS = 90
TITLE, SUMMARY, PAGE = 9, 25, 250  # words
PAGES = 0.1  # share of items that have one
FEEDS = 40
AT_A_TIME = 1000  # items of one transaction
FEWEST, MOST = 100, 2000  # hits of a query that is asked
TRIED, ASKED, ROUNDS = 400, 12, 5  # queries of each kind that are looked at, that are asked, and how often


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


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, how many items it matched, and the median of its milliseconds."""

    query: str
    hits: int
    milliseconds: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.archive", description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--texts", type=Path, default=TEXTS, metavar="FILE.jsonl")
    parser.add_argument("--database", metavar="URL", help="an empty one; default: SQLite in the temporary folder")
    parser.add_argument("--fewest", type=int, default=FEWEST, help="hits of a query that is asked")
    options = parser.parse_args(arguments)
    languages = languages_of(options.texts)
    engine = open_engine(options.database or f"sqlite:///{_kept(options.items, options.texts)}")
    migrate(engine)
    build(engine, options.items, languages)
    for kind in KINDS:
        report(kind, ask(engine, kind, languages, options.fewest))
    engine.dispose()


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
    for first in range(0, count, AT_A_TIME):
        feed = feeds[first // AT_A_TIME % FEEDS]
        batch = [_item(number, feed, languages, chance) for number in range(first, min(count, first + AT_A_TIME))]
        start = time.process_time()
        with engine.begin() as conn:
            store(conn, feed, batch, END)
        stored += time.process_time() - start
    start = time.process_time()
    search.index(engine)
    indexed = time.process_time() - start
    print(f"{count} items: stored in {stored:.1f} s CPU, indexed in {indexed:.1f} s, "
          f"{1e6 * indexed / count:.0f} microseconds an item")


def ask(engine: Engine, kind: str, languages: Sequence[Language], fewest: int) -> list[Asked]:
    """Queries of a kind whose hits are neither few nor many, each asked several times."""
    chance, found = random.Random(kind), dict[str, Asked]()
    for _ in range(TRIED):
        language = chance.choices(languages, weights=[len(one.starts) for one in languages])[0]
        query = KINDS[kind](chance, language.prose(TITLE, chance))
        with suppress(QueryError), read_only(engine) as conn:
            hits = _find(conn, query)
            if hits.exact and fewest <= hits.total < MOST and query not in found:
                times = [_milliseconds(conn, query) for _ in range(ROUNDS)]
                found[query] = Asked(query, hits.total, statistics.median(times))
        if len(found) == ASKED:
            break
    return list(found.values())


def report(kind: str, asked: Sequence[Asked]) -> None:
    """One line for a kind of query."""
    if not asked:
        print(f"{kind:8} none has so many hits")
        return
    slowest, hits = max(asked, key=lambda one: one.milliseconds), [one.hits for one in asked]
    median = statistics.median(one.milliseconds for one in asked)
    print(f"{kind:8} {len(asked)} queries with {min(hits)} to {max(hits)} hits: median {median:.1f} ms, "
          f"slowest {slowest.milliseconds:.1f} ms ({slowest.query}: {slowest.hits} hits)")


def _boolean(chance: random.Random, words: list[str]) -> str:
    one, two, three, four = chance.sample(words, k=4)
    return chance.choice((f"{one} AND {two}", f"{one} AND ({two} OR {three})", f"({one} OR {two}) {three} NOT {four}"))


def _phrase(chance: random.Random, words: list[str]) -> str:
    start = chance.randrange(len(words) - 2)
    return f'"{" ".join(words[start:start + chance.choice((2, 2, 3))])}"'


def _near(chance: random.Random, words: list[str]) -> str:
    start = chance.randrange(len(words) - 3)
    return f"{words[start]} {chance.choice(('NEAR/5', 'NEAR/3', 'ONEAR/4'))} {words[start + chance.choice((1, 2, 3))]}"


def _prefix(chance: random.Random, words: list[str]) -> str:
    one, two = (word[:chance.choice((3, 4, 5))] for word in chance.sample(words, k=2))
    return chance.choice((f"{one}*", f"{one}* AND {two}*", f"{one}* NOT {two}*"))


KINDS: dict[str, Callable[[random.Random, list[str]], str]] = {
    "boolean": _boolean, "phrase": _phrase, "NEAR": _near, "prefix": _prefix}


def _find(conn: Connection, query: str) -> search.Found:
    return search.find(conn, parse_query(query), END - timedelta(days=DAYS + 1), END)


def _milliseconds(conn: Connection, query: str) -> float:
    start = time.perf_counter()
    _find(conn, query)
    return 1000 * (time.perf_counter() - start)


def _kept(count: int, texts: Path) -> Path:
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


if __name__ == "__main__":
    main()
