"""Matches texts with many rules: python -m bench.match TEXTS RULES.txt[.gz] [--product-tokens] [--pairs OUT]

RULES holds one query a line. TEXTS is a file of JSON objects with text and lang, one a line, or the folder of a
recorded archive, whose items of the first 24 hours are taken as `digest replay` sees them.

The matcher is fed the reference tokens, `[^\\W_]+` over the text in NFKC, casefolded, ё as е; with --product-tokens,
and for an archive, the product's own words, stems and fields. Printed are the time of reading the rules and of filing
them for all languages of the texts, the resident memory that both took, texts per CPU second, tokens included, as the
best of three rounds, and the hits: pairs of a text and a rule. --pairs writes these, the numbers of both a line.

Peers of the same run, on the same tokens:

- every rule   each rule is asked of each text (of a sample; its hits must be the index's)
- FTS5         SQLite's full-text search in memory: the texts as one table, each rule a query
- triggers     pyahocorasick of requirements-bench.lock finds the words that rules are filed under in the text, our
               matcher decides

Of words that may have several stems, the last two know the first alone.
"""

import argparse
import asyncio
import gc
import gzip
import json
import re
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from bench.match_peers import PEERS, Hits, every_rule, of_each_language
from digest.app import open_archive
from digest.model import Item
from digest.query import Query, parse_query, prepare
from digest.query.index import RuleIndex
from digest.query.texts import MatchText, prepare_text, text_of_words
from digest.services.replay import replay
from digest.storage import stories as story_storage
from digest.storage.engine import read_only

T = TypeVar("T")
ROUNDS = 3
SAMPLE = 30_000  # pairs of a text and a rule that are asked one by one
_REFERENCE = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Filed:
    """The rules and what reading and filing them cost: CPU seconds and resident bytes."""

    rules: list[Query]
    index: RuleIndex[int]
    seconds: float
    memory: int


def read_texts(path: Path, *, product_tokens: bool) -> list[Callable[[], MatchText]]:
    """What makes each text ready; tokens are made when it is called."""
    if path.is_dir():
        return [_of_item(item) for item in first_day(path)]
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [_of_text(row["text"], row["lang"], product_tokens) for row in rows]


def _of_item(item: Item) -> Callable[[], MatchText]:
    return lambda: prepare(item)


def _of_text(text: str, language: str, product_tokens: bool) -> Callable[[], MatchText]:
    if product_tokens:
        return lambda: prepare_text([text], language)
    return lambda: text_of_words(reference_tokens(text))


def reference_tokens(text: str) -> list[str]:
    return _REFERENCE.findall(unicodedata.normalize("NFKC", text).casefold().replace("ё", "е"))


def first_day(archive: Path) -> list[Item]:
    """The items of an archive's first 24 hours."""
    with tempfile.TemporaryDirectory() as out, open_archive(None, archive, None) as app:
        start, end = app.archive.first, app.archive.first + timedelta(hours=24)

        async def work() -> None:
            async with app.cycle() as cycle:
                await replay(cycle, app.clock, app.configuration, Path(out), start=start, end=end)

        asyncio.run(work())
        with read_only(app.engine) as conn:
            stories = story_storage.stories_as_of(conn, since=start - timedelta(seconds=1), at=end)
    return sorted((item for story in stories for item in story.items), key=lambda item: (item.first_seen_at, item.id))


def read_rules(path: Path, languages: Sequence[str]) -> Filed:
    """The rules of a file, filed for texts of these languages."""
    lines = (gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8"))
    with lines as file:
        written = file.read().splitlines()
    gc.collect()
    before, start = resident_bytes(), time.process_time()
    rules: list[Query] = []
    index = RuleIndex[int]()
    index.add_all(_read(written, rules))
    for language in languages:
        index.prepare(language)
    seconds = time.process_time() - start
    gc.collect()
    return Filed(rules, index, seconds, resident_bytes() - before)


def _read(written: Iterable[str], rules: list[Query]) -> Iterator[tuple[int, Query]]:
    """Each rule as it is read, which `rules` keeps."""
    for number, line in enumerate(written):
        rule = parse_query(line)
        rules.append(rule)
        yield number, rule


def resident_bytes() -> int:
    """The resident memory of this process (Linux: /proc); 0 elsewhere."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * 4096


def hits(index: RuleIndex[int], texts: Sequence[Callable[[], MatchText]]) -> Hits:
    """The pairs of a text and a rule that matches it."""
    return [(number, rule) for number, text in enumerate(texts) for rule in index.keys_matching(text())]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.match", description=__doc__.splitlines()[0])
    parser.add_argument("texts", type=Path)
    parser.add_argument("rules", type=Path)
    parser.add_argument("--product-tokens", action="store_true")
    parser.add_argument("--pairs", type=Path, metavar="OUT")
    options = parser.parse_args(arguments)
    texts = read_texts(options.texts, product_tokens=options.product_tokens)
    made = [text() for text in texts]
    words = sum(1 for text in made for word in text.words if word)
    filed = read_rules(options.rules, sorted({text.language for text in made}))
    print(f"{len(texts)} texts of {words / max(1, len(texts)):.0f} words on average, {len(filed.rules)} rules")
    print(f"build {filed.seconds:.2f} s CPU, reading included; memory {filed.memory / 1e6:.0f} MB")
    found, seconds = _timed(lambda: hits(filed.index, texts))
    print(f"{'index':<12}{len(texts) / seconds:>9,.0f} docs/s   hits {len(found)}")
    spans = _timed(lambda: [filed.index.matching(text()) for text in texts], rounds=1)[1]
    print(f"{'with spans':<12}{len(texts) / spans:>9,.0f} docs/s")
    _print_peers(filed.rules, made, found)
    if options.pairs:
        options.pairs.write_text("".join(f"{text}\t{rule}\n" for text, rule in sorted(found)), encoding="utf-8")


def _print_peers(rules: list[Query], texts: list[MatchText], found: Hits) -> None:
    sample = texts[:max(1, SAMPLE // max(1, len(rules)))]
    asked, seconds = _timed(lambda: every_rule(rules, sample), rounds=1)
    agreed = sorted(asked) == sorted(pair for pair in found if pair[0] < len(sample))
    print(f"{'every rule':<12}{len(sample) / seconds:>9,.1f} docs/s   on {len(sample)} texts, "
          f"{'the same hits' if agreed else 'OTHER HITS'}")
    for name, peer in PEERS.items():
        try:
            theirs, seconds = _timed(lambda peer=peer: of_each_language(peer, rules, texts), rounds=1)  # type: ignore[misc]
        except ModuleNotFoundError as error:
            print(f"{name:<12}{'–':>9}          absent: {error.name} is in requirements-bench.lock")
            continue
        same = len(set(theirs) & set(found))
        print(f"{name:<12}{len(texts) / seconds:>9,.0f} docs/s   hits {len(theirs)}, {same} of them the same")


def _timed(work: Callable[[], T], *, rounds: int = ROUNDS) -> tuple[T, float]:
    """What the work gives, and the CPU seconds of the quickest round."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        result = work()
        best = min(best, time.process_time() - start)
    return result, best


if __name__ == "__main__":
    main()
