import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.errors import QueryError
from digest.query import parse_query
from digest.query.grammar import MAX_DEPTH, MAX_LENGTH
from digest.query.tree import Not, Phrase, Query, Word, all_of, any_of, needs_a_word

READ = [
    ("gas", "gas"),
    ("gas oil", "gas AND oil"),
    ("gas AND oil", "gas AND oil"),
    ("gas OR oil coal", "gas OR oil AND coal"),  # AND binds closer
    ("(gas OR oil) coal", "(gas OR oil) AND coal"),
    ("(gas (oil coal))", "gas AND oil AND coal"),  # brackets that change nothing go
    ("gas -sport", "gas AND NOT sport"),
    ("gas −sport", "gas AND NOT sport"),  # a real minus sign
    ("gas NOT sport", "gas AND NOT sport"),
    ("gas -(sport OR chess)", "gas AND NOT (sport OR chess)"),
    ("gas NOT NOT sport", "gas AND NOT NOT sport"),
    ("gas or oil", "gas AND or AND oil"),  # operators are capitals
    ('"oil  pipeline"', '"oil pipeline"'),
    ("“oil pipeline”", '"oil pipeline"'),
    ("„нефтепровод КТК“", '"нефтепровод КТК"'),
    ("«Қазақстан темір жолы»", '"Қазақстан темір жолы"'),
    ("«ООО «Ромашка»", '"ООО Ромашка"'),
    ('"AND"', '"AND"'),
    ("Kassym-Jomart", "Kassym-Jomart"),
    ("'gas', oil.", "gas AND oil"),  # punctuation round a word goes
    ("AT&T 10:30 #COP28", "AT&T AND 10:30 AND COP28"),
    ("o‘zbekiston", "o‘zbekiston"),
    ('=ЕАЭС ="oil pipeline"', '=ЕАЭС AND ="oil pipeline"'),
    ("a(b OR c)d", "a AND (b OR c) AND d"),
]


@pytest.mark.parametrize(("text", "canonical"), READ)
def test_a_query_is_read_and_printed_in_its_canonical_form(text: str, canonical: str) -> None:
    query = parse_query(text)
    assert str(query) == canonical
    assert parse_query(canonical) == query


REFUSED = [
    # query, position, part of the message, expected
    ("", 0, "empty", "a word"),
    ("   ", 3, "empty", "a word"),
    ("gas OR OR oil", 7, "OR cannot stand after OR", "a word"),
    ("AND gas", 0, "AND cannot stand at the beginning", "a word"),
    ("gas AND", 7, "ends after AND", "a word"),
    ("gas (oil", 4, "not closed", '")"'),
    ("gas) oil", 3, "without an opening one", "the end of the query"),
    ("gas ()", 5, "nothing stands in the brackets", "a word"),
    ('gas "oil', 4, "quotation mark is not closed", '"'),
    ("gas»", 3, "closing quotation mark", ""),
    ('""', 0, "no word stands in the quotation marks", "a word"),
    ("gas - oil", 4, "no letter or digit", "a word"),
    ("gas && oil", 4, "no letter or digit", "a word"),
    ("NOT gas", 0, "NOT alone", "a word that must be there"),
    ("gas OR -oil", 7, "NOT alone", "a word that must be there"),
    ("NOT (NOT gas)", 0, "NOT alone", "a word that must be there"),
    ("==gas", 1, "= cannot stand after =", "a word"),
    # what the language keeps for later is never read as a word
    ("gas NEAR/5 oil", 4, "NEAR/5 is not understood yet", ""),
    ("gas ONEAR oil", 4, "ONEAR is not understood yet", ""),
    ("SENT(gas oil)", 0, "SENT is not understood yet", ""),
    ("gas EXCEPT oil", 4, "EXCEPT is not understood yet", ""),
    ("gas kazakh*", 10, "* (beginning of a word)", ""),
    ("title:gas", 0, "title: (a field)", "a word"),
    ('title:"oil pipeline"', 0, "title: (a field)", "a word"),
    ("https://example.org/", 0, "https: (a field)", "a word"),
    ("!NASA", 0, "! (capitals as written)", "a word"),
    ("@tokayev", 0, "@ (names of the gazetteer)", "a word"),
    ('"oil pipeline"~3', 14, "~ (distance in a phrase)", "a word"),
    ("gas sources>=3", 11, "conditions with >", ""),
    ("+gas", 0, "+ is not an operator", "a word"),
    ("gas|oil", 3, "| is not an operator", ""),
]


@pytest.mark.parametrize(("text", "position", "message", "expected"), REFUSED)
def test_a_wrong_query_is_refused_with_its_place(text: str, position: int, message: str, expected: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_query(text)
    assert (caught.value.position, caught.value.expected) == (position, expected)
    assert message in caught.value.message
    assert caught.value.hint


def test_brackets_go_no_deeper_than_the_limit() -> None:
    depth = MAX_DEPTH
    assert parse_query("(" * depth + "gas" + ")" * depth) == Word("gas")
    for text in ("(" * (depth + 1) + "gas" + ")" * (depth + 1), "gas " + "-" * (depth + 1) + "oil", "(" * 9000):
        with pytest.raises(QueryError, match="deep"):
            parse_query(text)


@pytest.mark.parametrize("unit", ["(", '"', "„", "gas ", "a-", "NOT ", '"a"', "-", "“”", "ё"])
def test_a_huge_query_is_refused_at_once_and_a_long_one_quickly(unit: str) -> None:
    assert _seconds(unit * 100_000) < 0.01
    assert _seconds((unit * MAX_LENGTH)[:MAX_LENGTH]) < 0.5


def _seconds(text: str) -> float:
    """The shortest of three readings, whether the query is refused or not."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        with suppress(QueryError):
            parse_query(text)
        times.append(time.perf_counter() - start)
    return min(times)


@settings(deadline=None)
@given(st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(
        ["gas", "OR", "AND", "NOT", "-", "(", ")", '"', "“", "”", "„", "«", "»", "=", "NEAR/3", "*", ":", "ʻ", "\u0301",
         "ё", " ", "  ", "\n", "_", "Ⅳ", "١٢", ",", "oil-gas"]), max_size=30).map("".join),
))
def test_any_text_is_read_or_refused_and_what_is_read_prints_the_same(text: str) -> None:
    try:
        query = parse_query(text)
    except QueryError as error:
        assert 0 <= error.position <= len(text)
        return
    assert parse_query(str(query)) == query


_terms = st.builds(
    lambda kind, text, exact: kind(text, exact),
    st.sampled_from([Word, Phrase]),
    st.sampled_from(["gas", "Токаев", "мұнай", "oil-gas", "o‘zbek", "2026"]),
    st.booleans(),
)


def _branches(children: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    parts = st.lists(children, min_size=2, max_size=4)
    return st.one_of(parts.map(all_of), parts.map(any_of), children.map(Not))


@settings(deadline=None)
@given(st.recursive(_terms, _branches, max_leaves=20).filter(needs_a_word))
def test_every_tree_prints_to_a_query_that_reads_as_the_same_tree(query: Query) -> None:
    assert parse_query(str(query)) == query
