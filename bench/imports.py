"""What importing subscribers costs; a part of `python -m bench.subscribers`.

A CSV file of N generated rows, of which a fifth has preferences, some have an address with other letters than ASCII,
some say that the reader left and one in a hundred cannot be taken, is imported as `digest subscribers import` does it.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, delete, insert, select

from bench.edition import CUTOFF
from digest.documents import Configuration
from digest.pipeline.subscriber_rows import decoded, read_table
from digest.services import imports
from digest.services.imports import Plan
from digest.settings import SignUpSettings
from digest.storage.config import mirror
from digest.storage.schema import subscribers, subscriptions

Note = Callable[[int, int], None]  # rows done, and of how many
HEAD = "email,state,since,frequency,hour,zone,language,hidden_sections,format"
BAD = ("nobody", "a b@example.org", "x@mailinator.com", "reader@localhost", "@")
ZONES = ("Asia/Almaty", "Asia/Tashkent", "Europe/Berlin", "America/New_York")
PART = 5000


def write_file(path: Path, count: int, seed: int) -> None:
    """Writes a file of so many rows, the same every time."""
    chance = random.Random(seed)
    with path.open("w", encoding="utf-8") as stream:
        stream.write(f"{HEAD}\n")
        for number in range(count):
            stream.write(f"{_row(number, chance)}\n")


def _row(number: int, chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.01:
        return f"{chance.choice(BAD)},,,,,,,,"
    name = f"читатель{number}" if kind < 0.03 else f"Reader.{number}"
    domain = "почта.рф" if kind < 0.05 else f"example{number % 500}.org"
    state = "unsubscribed" if kind < 0.10 else "active"
    if kind < 0.8:
        return f"{name}@{domain},{state},2024-05-01,,,,,,"
    return f"{name}@{domain},{state},2024-05-01,weekdays,07:30,{chance.choice(ZONES)},kk,brief,text"


def lines_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        yield from stream


def measure(engine: Engine, configuration: Configuration, folder: Path, count: int, seed: int, newsletter: str,
            note: Note) -> None:
    """Imports into an empty database, prints what that took, and empties it again."""
    path = folder / "readers.csv"
    write_file(path, count, seed)
    with engine.begin() as conn:
        mirror(conn, configuration, CUTOFF - timedelta(days=90))
    plan = Plan(configuration, SignUpSettings(), consent="bench", newsletter=newsletter)
    counts: Counter[str] = Counter()
    wall, cpu = time.perf_counter(), time.process_time()
    for number, outcome in enumerate(imports.take(engine, read_table(decoded(lines_of(path))).rows, plan, CUTOFF), 1):
        counts[outcome.outcome] += 1
        note(number, count)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    floor = bare_insert(engine)
    told = ", ".join(f"{number:,} {name}" for name, number in counts.most_common())
    print(f"import: {count:,} rows in {wall:.1f} s ({cpu:.1f} s CPU), {count / wall:,.0f} a second: {told}")
    print(f"import: {wall / floor:.1f} times what bare inserts of those rows take ({floor:.1f} s)", end="; ")


def bare_insert(engine: Engine) -> float:
    """Seconds that what was imported takes to be inserted again with nothing else done. Leaves the tables empty."""
    with engine.connect() as conn:
        people = [dict(row) for row in conn.execute(select(subscribers)).mappings()]
        reads = [dict(row) for row in conn.execute(select(subscriptions)).mappings()]
    _empty(engine)
    start = time.perf_counter()
    for table, rows in ((subscribers, people), (subscriptions, reads)):
        for part in _parts(rows):
            with engine.begin() as conn:
                conn.execute(insert(table), part)
    seconds = time.perf_counter() - start
    _empty(engine)
    return seconds


def _parts(rows: Sequence[dict[str, object]]) -> Iterator[list[dict[str, object]]]:
    for start in range(0, len(rows), PART):
        yield list(rows[start:start + PART])


def _empty(engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(delete(subscriptions))
        conn.execute(delete(subscribers))
