from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.text.sentences import sentence_texts, sentences


@pytest.mark.parametrize(("language", "text", "expected"), [
    # plain prose
    ("en", "Gas flows again. Prices fell.", ["Gas flows again.", "Prices fell."]),
    # titles, initials and decimals
    ("en", "Mr. Smith met J. K. Brown. They spoke.", ["Mr. Smith met J. K. Brown.", "They spoke."]),
    ("en", "It rose 3.5 percent. Then it fell.", ["It rose 3.5 percent.", "Then it fell."]),
    # a dotted name inside a sentence and at its end
    ("en", "The U.S. Senate voted. It passed.", ["The U.S. Senate voted.", "It passed."]),
    ("en", "He lives in the U.S. The vote is near.", ["He lives in the U.S.", "The vote is near."]),
    ("en", "He arrived at 5 p.m. on Monday. He left.", ["He arrived at 5 p.m. on Monday.", "He left."]),
    # a closing quote belongs to the sentence
    ("en", "“We won.” She smiled.", ["“We won.”", "She smiled."]),
    ("en", "Why now? Nobody knows!", ["Why now?", "Nobody knows!"]),
    ("en", "A line\n\nAnother line", ["A line", "Another line"]),
    # Russian: city, year, initials, millions
    ("ru", "Пожар в г. Алматы потушен. Никто не пострадал.", ["Пожар в г. Алматы потушен.", "Никто не пострадал."]),
    ("ru", "Это было в 2020 г. Казахстан рос.", ["Это было в 2020 г.", "Казахстан рос."]),
    ("ru", "К. Токаев выделил 5 млн. тенге на ремонт. Работы начались.",
     ["К. Токаев выделил 5 млн. тенге на ремонт.", "Работы начались."]),
    ("ru", "Закрыты школы, вузы и т.д. Занятия отменены.", ["Закрыты школы, вузы и т.д.", "Занятия отменены."]),
    ("ru", "«Мы готовы!» Он уехал…", ["«Мы готовы!»", "Он уехал…"]),
    # Kazakh
    ("kk", "Қ. Тоқаев Астанаға келді. Жиын өтті.", ["Қ. Тоқаев Астанаға келді.", "Жиын өтті."]),
    ("kk", "Бұл 2024 ж. болды. Су көтерілді.", ["Бұл 2024 ж. болды.", "Су көтерілді."]),
    ("en", "   ", []),
    ("en", "No mark at the end", ["No mark at the end"]),
])
def test_a_text_is_split_into_whole_sentences(language, text, expected):
    assert sentence_texts(text, language) == expected


@given(st.text(alphabet="Aab. !?\n\"»”г5", max_size=60))
def test_sentences_cover_all_but_white_space_in_order(text):
    spans = sentences(text, "en")
    assert "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())
    assert all(a < b for a, b in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
