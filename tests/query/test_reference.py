"""The matcher against recorded rules and documents, whose number of hits is known."""

import gzip
import json
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from digest.query import Query, match, parse_query
from digest.query.index import RuleIndex
from digest.query.match import MatchText, prepare_text
from digest.query.tree import And, Not, Or, Phrase, Word


@pytest.fixture(scope="module")
def rules(data_dir: Path) -> list[Query]:
    lines = (data_dir / "matching" / "rules-10000-exact.txt").read_text(encoding="utf-8").splitlines()
    return [parse_query(line) for line in lines]


@pytest.fixture(scope="module")
def texts(data_dir: Path) -> list[MatchText]:
    lines = (data_dir / "matching" / "docs-1000.jsonl").read_text(encoding="utf-8").splitlines()
    documents = map(json.loads, lines)
    return [prepare_text([" ".join(_words(document["text"]))], document["lang"]) for document in documents]


def _words(text: str) -> list[str]:
    """The tokens with which the hits were counted; ours differ in №, fractions and soft hyphens."""
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold().replace("ё", "е"))


def test_all_recorded_rules_are_read_and_printed_the_same(rules: list[Query]) -> None:
    assert len(rules) == 10_000
    assert all(parse_query(str(query)) == query for query in rules)


def test_a_part_of_the_rules_hits_as_often_as_a_plain_search(rules: list[Query], texts: list[MatchText]) -> None:
    plain = [" " + " ".join(text.words) + " " for text in texts]
    ours, theirs = Counter[int](), Counter[int]()
    for number, query in enumerate(rules[::50]):
        for text, words in zip(texts, plain, strict=True):
            ours[number] += match(query, text) is not None
            theirs[number] += _found(query, words)
    assert ours == theirs
    assert ours.total() > 150


def test_the_index_hits_as_often_as_recorded(rules: list[Query], texts: list[MatchText]) -> None:
    assert _hits(rules, texts) == 12_198


@pytest.mark.accept
def test_a_hundred_thousand_rules_hit_as_often_as_recorded(data_dir: Path, texts: list[MatchText]) -> None:
    with gzip.open(data_dir / "matching" / "rules-100000-exact.txt.gz", "rt", encoding="utf-8") as file:
        assert _hits([parse_query(line) for line in file.read().splitlines()], texts) == 120_982


def _hits(rules: list[Query], texts: list[MatchText]) -> int:
    index = RuleIndex[int]()
    index.add_all(enumerate(rules))
    return sum(len(index.keys_matching(text)) for text in texts)


@pytest.mark.accept
def test_all_rules_hit_as_often_as_recorded(rules: list[Query], texts: list[MatchText]) -> None:
    assert sum(match(query, text) is not None for query in rules for text in texts) == 12_198


def _found(query: Query, words: str) -> bool:
    """The same by substrings of a space-joined text; all terms of the recorded rules are exact."""
    match query:
        case Word(text) | Phrase(text):
            return f" {text} " in words
        case And(parts):
            return all(_found(part, words) for part in parts)
        case Or(parts):
            return any(_found(part, words) for part in parts)
        case Not(part):
            return not _found(part, words)
