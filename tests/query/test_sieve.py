"""The sieve gives what asking each query of each text gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.query import parse_query
from digest.query.match import match, prepare_text
from digest.query.sieve import Sieve
from digest.query.tree import Not, Or, Word

QUERIES = [
    "gas OR oil", '"power plant" OR gas', "gas AND NOT oil", "(gas OR oil) AND (price OR \"new price\")",
    "=Gases OR bank", "s OR bank", "Kassym-Jomart", "Казахстан OR нефть", "gas AND gas", "мектеп",
]
TREES = [*map(parse_query, QUERIES), Not(Word("sport")), Or((Word("gas"), Not(Word("oil"))))]
SIEVE = Sieve(TREES)
TEXTS = ["Gas", "gases", "Gases and oil", "The power plant's gas", "A bank's price", "Kassym-Jomart spoke",
         "plant power", "sport", "нефти Казахстана", "мектептерде", "s", "oil", "",
         "price of oil, new price", "Jomart Kassym"]


def asked(paragraphs: list[str], language: str) -> tuple[int, ...]:
    text = prepare_text(paragraphs, language)
    return tuple(n for n, query in enumerate(TREES) if match(query, text) is not None)


@pytest.mark.parametrize("language", ["en", "ru", "kk", "uz", "und"])
@pytest.mark.parametrize("text", TEXTS)
def test_one_text(text: str, language: str) -> None:
    assert SIEVE.matching([text], language) == asked([text], language)


@given(st.lists(st.sampled_from(TEXTS), max_size=4), st.sampled_from(["en", "ru", "kk", "uz", "und"]))
def test_many_paragraphs(paragraphs: list[str], language: str) -> None:
    assert SIEVE.matching(paragraphs, language) == asked(paragraphs, language)


def test_no_queries_match_nothing() -> None:
    assert Sieve([]).matching(["Gas"], "en") == ()
