"""Seeded mutations of queries, and texts made to be slow: nothing but the query error, and never long."""

import random
import time

import pytest

from digest.errors import QueryError
from digest.query import explain, lint_query, match, parse_query
from digest.query.match import prepare_text
from digest.text.names import Name, Names
from tests.query.test_docs import EXAMPLES

NAMES = Names([Name("tokayev", "person", {"en": ("Tokayev",)})])
PIECES = ['"', "“", "»", "(", ")", " OR ", " AND ", " NOT ", "NEAR/3", "NEAR", "ONEAR/9", "EXCEPT", "SENT(", "PARA(",
          "title:", "lang:", "@tokayev", "@", "!", "=", "*", "~3", "~", "-", ":", ">=", "sources>=3", "rate>3x", "|",
          "&", "\u0301", "\u00ad", "\x00", "\ud800", "ʰ", "İ", "ß", "٣", "½", "Ⅳ", "\u200f", "ё", "'", "5,000", "s",
          "p", " ", ""]
TEXT = prepare_text(["Gas and oil: Tokayev said 5,000 pipelines. KTK", "The light turbulence", "Газ"], "en",
                    {"lang": ("en",), "source": ("bbc",)})


def mutated(chance: random.Random) -> str:
    text = chance.choice(EXAMPLES)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(text) + 1)
        text = text[:place] + chance.choice(PIECES) + text[place + chance.choice((0, 0, 1, 3)):]
    return text


def test_mutated_queries_are_refused_or_can_be_used() -> None:
    chance = random.Random(20261124)
    read = 0
    for _ in range(3000):
        text = mutated(chance)
        try:
            query = parse_query(text, names=NAMES)
        except QueryError as error:
            assert 0 <= error.position <= len(text) and str(error)
            continue
        read += 1
        assert parse_query(str(query), names=NAMES) == query
        assert explain(query)
        lint_query(query)
        match(query, TEXT)
    assert 600 < read < 2400


@pytest.mark.parametrize("query", [
    '"gas gas gas gas gas"~20', "gas NEAR/20 gas", "(gas NEAR/20 gas) NEAR/20 (gas NEAR/20 gas)",
    "gas NEAR/20 gas NEAR/20 gas NEAR/20 gas", '"gas gas gas gas gas gas"', 'gas EXCEPT "gas oil"',
    "SENT(gas NOT oil)"])
def test_a_text_of_one_word_is_no_trap(query: str) -> None:
    text = prepare_text(["gas " * 3000], "en")
    start = time.process_time()
    assert match(parse_query(query), text) is not None
    assert time.process_time() - start < 2
