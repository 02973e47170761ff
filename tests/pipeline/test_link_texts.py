"""Names that look like addresses do not pass for them in a link, and nothing else changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.pipeline.link_texts import WORD_JOINER, disarm

CASES = [  # the text of a link, as it stands after
    ("CNN.com", "CNN.~com"),
    ("Read it at news.com.au today", "Read it at news.~com.~au today"),
    ("<b>Радио.рф</b>", "<b>Радио.~рф</b>"),
    ("2.5 million", "2.5 million"),
    ("The U.S. and the E.U.", "The U.S. and the E.U."),
    ("It ended. Others began...", "It ended. Others began..."),
    ('<img alt="CNN.com" src="https://cnn.com/a.png">', '<img alt="CNN.com" src="https://cnn.com/a.png">'),
]


@pytest.mark.parametrize(("text", "after"), CASES)
def test_a_dot_inside_a_word_of_a_link_is_disarmed(text: str, after: str) -> None:
    link = '<p>CNN.com <a class="x" href="https://cnn.it/a.html?b=c.d">{}</a> WSJ.com</p>'
    assert disarm(link.format(text)) == link.format(after.replace("~", WORD_JOINER))


@given(st.text("<a >/.=\"cn\u2060-", max_size=80))
def test_it_is_idempotent_and_only_adds(html: str) -> None:
    once = disarm(html)
    assert disarm(once) == once
    assert once.replace(WORD_JOINER, "") == html.replace(WORD_JOINER, "")
