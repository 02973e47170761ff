"""Mutated feed documents through parse and normalise: python -m bench.fuzz FEEDS_DIR [--mutations N] [--seed N]

Each mutation is made of a recorded document by one to three random steps. It is parsed in the product's worker
processes, with their time limit, and normalised. Printed are the outcomes, the slowest of each step, and every
exception; the exit code is 1 where there is one, or where a limit was passed.
"""

import argparse
import asyncio
import random
import re
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from digest.errors import ParseError
from digest.model import Feed, Source, short_id
from digest.parsing import ParserPool
from digest.pipeline.normalise import normalise_document

NOW = datetime(2026, 9, 1, tzinfo=UTC)
WORKERS = 2
PARSE_SECONDS = 5.0
NORMALISE_SECONDS = 2.0  # of CPU, for up to 1,000 entries
MOST_BYTES = 400_000  # of a document, so that many mutations fit into the time of one long one
URL = "https://fuzz.example/feed"
FEED = Feed(short_id(URL), URL, Source("fuzz", "Fuzz", "fuzz"))
TOKENS = (
    b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<item>", b"</item>", b"</channel>", b"<entry>", b"&", b"&#0;",
    b"&#x1F600;", b"&nbsp;", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"\x00", b"\x0b", b"\xff\xfe", b"\xef\xbb\xbf",
    b"<a " + b"x='y' " * 500 + b">", b"<div>" * 2000, b"<author>" + b"a@" * 4000 + b"</author>", b"'" * 3000,
    b"<pubDate>Tue, 99 Foo 20266 99:99:99 +9999</pubDate>", b"<link>javascript:alert(1)</link>", b"\xe2\x80\xae",
    b"<link>http://[::1</link>", b"%s%n",
    b"<guid>" + b"g" * 9000 + b"</guid>", b"<title></title>", b"<p>" + b"word " * 9000 + b"</p>", b"<ttl>1e999</ttl>",
)
CHARSETS = (b"utf-8", b"utf-16", b"utf-7", b"koi8-r", b"windows-1251", b"iso-8859-1", b"x-unknown", b"idna", b"rot13")
Step = Callable[[bytes, random.Random], bytes]


def cut(text: bytes, dice: random.Random) -> bytes:
    return text[: dice.randrange(len(text) + 1)]


def drop(text: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(text) + 1)
    return text[:start] + text[start + dice.randrange(1, 2000):]


def flip(text: bytes, dice: random.Random) -> bytes:
    changed = bytearray(text)
    for _ in range(min(len(changed), dice.randrange(1, 40))):
        changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def insert(text: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(text) + 1)
    return text[:place] + dice.choice(TOKENS) + text[place:]


def repeat(text: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(text) + 1)
    part = text[start: start + dice.randrange(1, 3000)]
    return text[:start] + part * dice.randrange(2, 30) + text[start:]


def swap(text: bytes, dice: random.Random) -> bytes:
    a, b, c = sorted(dice.randrange(len(text) + 1) for _ in range(3))
    return text[:a] + text[b:c] + text[a:b] + text[c:]


def declare(text: bytes, dice: random.Random) -> bytes:
    return b'<?xml version="1.0" encoding="' + dice.choice(CHARSETS) + b'"?>' + re.sub(rb"^\s*<\?xml.*?\?>", b"", text)


def unquote(text: bytes, dice: random.Random) -> bytes:
    mark = dice.choice((b'"', b">", b"</", b"/>", b"{", b"]", b":"))
    return text.replace(mark, b"", dice.randrange(1, 20))


STEPS: tuple[Step, ...] = (cut, drop, flip, insert, insert, repeat, swap, declare, unquote)


def mutations(documents: list[tuple[str, bytes]], seed: int) -> Iterator[tuple[str, bytes]]:
    """Endless mutations with what they were made of; equal arguments give equal ones."""
    dice = random.Random(seed)
    while True:
        name, text = dice.choice(documents)
        steps = [dice.choice(STEPS) for _ in range(dice.randrange(1, 4))]
        for step in steps:
            text = step(text, dice)[: 4 * MOST_BYTES]
        yield f"{name} {'+'.join(step.__name__ for step in steps)}", text


@dataclass
class Report:
    """What came of the mutations; seconds are wall clock for parsing, CPU for normalising."""

    outcomes: Counter[str] = field(default_factory=Counter)
    items: int = 0
    slowest_parse: tuple[float, str] = (0.0, "")
    slowest_normalise: tuple[float, str] = (0.0, "")
    broken: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.broken and self.slowest_normalise[0] <= NORMALISE_SECONDS


async def fuzz(documents: list[tuple[str, bytes]], count: int, seed: int) -> Report:
    """Parses and normalises `count` mutations."""
    report, pool = Report(), ParserPool(WORKERS, PARSE_SECONDS)
    source = enumerate(islice(mutations(documents, seed), count))  # shared: each worker takes the next

    async def work() -> None:
        for number, (name, text) in source:
            await _one(pool, report, f"{number}: {name}", text)

    try:
        await asyncio.gather(*(work() for _ in range(WORKERS)))
    finally:
        await pool.close()
    return report


async def _one(pool: ParserPool, report: Report, name: str, text: bytes) -> None:
    start = time.perf_counter()
    try:
        document = await pool.parse(text, "application/xml", URL)
        outcome = "read" if document.entries else "no entries"
    except ParseError as error:
        document, outcome = None, error.kind
    except Exception:
        document, outcome = None, "exception"
        report.broken.append(f"parse {name}: {traceback.format_exc(limit=3)}")
    report.outcomes[outcome] += 1
    report.slowest_parse = max(report.slowest_parse, (time.perf_counter() - start, name))
    if document is None:
        return
    start = time.process_time()
    try:
        report.items += len(normalise_document(document, FEED, now=NOW))
    except Exception:
        report.broken.append(f"normalise {name}: {traceback.format_exc(limit=3)}")
    report.slowest_normalise = max(report.slowest_normalise, (time.process_time() - start, name))


def read_documents(folder: Path) -> list[tuple[str, bytes]]:
    """The feed documents of a folder by name, without those too long to mutate often."""
    files = sorted(path for path in folder.iterdir() if path.suffix in {".xml", ".json"})
    return [(path.name, path.read_bytes()) for path in files if 0 < path.stat().st_size <= MOST_BYTES]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mutations", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    documents = read_documents(options.folder)
    start = time.perf_counter()
    report = asyncio.run(fuzz(documents, options.mutations, options.seed))
    wall = time.perf_counter() - start
    print(f"{options.mutations} mutations of {len(documents)} documents, seed {options.seed}, {wall:.0f} s, "
          f"{report.items} items")
    for outcome, number in report.outcomes.most_common():
        print(f"  {outcome:<16}{number:>7}")
    print(f"slowest parse      {report.slowest_parse[0]:.2f} s of {PARSE_SECONDS:g} ({report.slowest_parse[1]})")
    print(f"slowest normalise  {report.slowest_normalise[0]:.2f} s CPU of {NORMALISE_SECONDS:g} "
          f"({report.slowest_normalise[1]})")
    print(f"exceptions {len(report.broken)}", *report.broken[:5], sep="\n")
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(main())
