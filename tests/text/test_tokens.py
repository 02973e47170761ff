from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.text.tokens import fold, tokens, words


@pytest.mark.parametrize(("language", "text", "expected"), [
    ("en", "Kazakhstan's GDP_growth: 5.1%", ["kazakhstan", "s", "gdp", "growth", "5", "1"]),
    ("ru", "Ещё «Газпром»… Нью-Йорк", ["еще", "газпром", "нью", "йорк"]),
    ("ru", "за\u0301мок, сло\u00adво, и\u0306од", ["замок", "слово", "йод"]),  # stress, soft hyphen, decomposed й
    ("kk", "Қазақстан — Астана", ["қазақстан", "астана"]),
    # five apostrophes of Uzbek: one spelling
    ("uz", "bo‘ldi boʻldi bo'ldi bo`ldi boʼldi", ["bo'ldi"] * 5),
    ("en", "O‘zbekiston", ["o", "zbekiston"]),
    ("tr", "IŞIK İstanbul", ["ışık", "istanbul"]),
    ("en", "İstanbul Straße ﬁnal", ["istanbul", "strasse", "final"]),
    ("en", "", []),
])
def test_words_are_folded(language, text, expected):
    assert words(text, language) == expected


def test_positions_lead_back_to_what_was_written():
    text = "В АСТАНЕ\u00a0ещё й"
    assert [text[t.start:t.end] for t in tokens(text)] == ["В", "АСТАНЕ", "ещё", "й"]


@given(st.text(max_size=40), st.sampled_from(["en", "uz", "tr", "und"]))
def test_tokens_and_words_agree_and_lie_in_order(text, language):
    found = tokens(text, language)
    assert [t.word for t in found] == words(text, language)
    assert all(0 <= t.start < t.end <= len(text) for t in found)
    assert all(before.end <= after.start for before, after in pairwise(found))


@given(st.text(alphabet="abcЁёйЙ'’ʻІıİßǅ", max_size=12), st.sampled_from(["en", "ru", "uz"]))
def test_folding_twice_changes_nothing(word, language):
    assert fold(fold(word, language), language) == fold(word, language)
