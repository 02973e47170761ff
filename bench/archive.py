"""How quickly a large archive answers: python -m bench.archive [--items N] [--texts FILE.jsonl] [--database URL]

An archive of N items (200,000) over 90 days is stored and indexed by the functions of a poll: titles of 9 words,
summaries of 25 and, for one item in ten, a page of 250, drawn word after word as they follow each other in FILE
({"lang", "text"} a line; by default the recorded documents of matching/, else words of the news in any order). The same
archive every time; SQLite's is kept in the temporary folder for the next run. Then queries of each kind that have 100
to 2,000 hits are asked of all of it: their total, counts per day and the newest 50 items; and each is tried as an alert
rule, as `digest alerts test` does: items, stories, alerts after policy, counts per day, samples, near misses, warnings.
Milliseconds of wall time, parsing included; a query's figure is the median of five.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from pathlib import Path

from sqlalchemy import Connection, Engine

from bench.large_archive import DAYS, END, TEXTS, TITLE, Language, build, kept, languages_of
from digest.alert_rules import AlertSpec
from digest.documents import Configuration, Gazetteer
from digest.errors import QueryError
from digest.query import parse_query
from digest.services import search
from digest.services.alert_trials import Trial, try_rule
from digest.storage.engine import open_engine, read_only
from digest.storage.migrate import migrate

NOTHING = Configuration({}, {}, (), Gazetteer({}))
FEWEST, MOST = 100, 2000  # hits of a query that is asked
TRIED, ASKED, ROUNDS = 400, 12, 5  # queries of each kind that are looked at, that are asked, and how often


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, how many items it matched, and the median of the milliseconds that its search and its trial took."""

    query: str
    hits: int
    searched: float
    tried: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.archive", description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--texts", type=Path, default=TEXTS, metavar="FILE.jsonl")
    parser.add_argument("--database", metavar="URL", help="an empty one; default: SQLite in the temporary folder")
    parser.add_argument("--fewest", type=int, default=FEWEST, help="hits of a query that is asked")
    options = parser.parse_args(arguments)
    languages = languages_of(options.texts)
    engine = open_engine(options.database or f"sqlite:///{kept(options.items, options.texts)}")
    migrate(engine)
    build(engine, options.items, languages)
    for kind in KINDS:
        report(kind, ask(engine, kind, languages, options.fewest))
    engine.dispose()


def ask(engine: Engine, kind: str, languages: Sequence[Language], fewest: int) -> list[Asked]:
    """Queries of a kind whose hits are neither few nor many, each asked several times."""
    chance, found = random.Random(kind), dict[str, Asked]()
    for _ in range(TRIED):
        language = chance.choices(languages, weights=[len(one.starts) for one in languages])[0]
        query = KINDS[kind](chance, language.prose(TITLE, chance))
        with suppress(QueryError), read_only(engine) as conn:
            hits = _find(conn, query)
            if hits.exact and fewest <= hits.total < MOST and query not in found:
                searched = _milliseconds(lambda query=query: _find(conn, query))  # type: ignore[misc]
                tried = _milliseconds(lambda query=query: _try(engine, query))  # type: ignore[misc]
                found[query] = Asked(query, hits.total, searched, tried)
        if len(found) == ASKED:
            break
    return list(found.values())


def report(kind: str, asked: Sequence[Asked]) -> None:
    """Two lines for a kind of query: its searches and its trials."""
    if not asked:
        print(f"{kind:8} none has so many hits")
        return
    hits = [one.hits for one in asked]
    for what, of in ((f"{len(asked)} queries with {min(hits)} to {max(hits)} hits", attrgetter("searched")),
                     ("  tried as alert rules", attrgetter("tried"))):
        slowest, median = max(asked, key=of), statistics.median(map(of, asked))
        print(f"{kind:8} {what}: median {median:.1f} ms, slowest {of(slowest):.1f} ms "
              f"({slowest.query}: {slowest.hits} hits)")


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


def _try(engine: Engine, query: str) -> Trial:
    return try_rule(engine, AlertSpec(query=query), NOTHING, since=END - timedelta(days=DAYS + 1), now=END)


def _milliseconds(work: Callable[[], object]) -> float:
    """The median of several rounds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


if __name__ == "__main__":
    main()
