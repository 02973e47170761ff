import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.query import Query, match, parse_query
from digest.query.contradictions import contradiction
from digest.query.lint import lint_query
from digest.query.match import MatchText
from digest.query.tree import And, Not
from tests.query.test_index import QUERIES, TEXTS

NEVER = ["gas NOT gas", '"oil price" NOT oil', "=gas NOT gas", "gas EXCEPT (gas OR oil)", "lang:ru lang:en gas",
         "gas sources>3 sources<2", "gas families>=4 sources<=3", "gas sources>=3 sources<3", "title:(gas NOT gas)",
         "(gas -gas) OR (oil -oil)", "SENT(gas) NOT gas", "title:gas -gas", "(gas oil) -(gas OR coal)",
         "=kazakhstan NOT kaz*", "gas NEAR/3 oil NOT oil", "coal (gas NOT gas)"]
SOMETIMES = ["gas NOT =gas", "gas NOT title:gas", "kazakhstan NOT kaz*", "gas families=2 families>=2",
             "gas OR (oil -gas)",
             'oil NOT "oil price"', "(gas OR oil) NOT gas", "lang:ru source:bbc", "lang:(ru OR en) lang:en",
             '"gas price"~3 NOT "gas price"', "gas sources>3 families<2"]


@pytest.mark.parametrize("text", NEVER)
def test_what_can_match_nothing_is_told(text: str) -> None:
    assert [warning.kind for warning in lint_query(parse_query(text))] == ["never"]


@pytest.mark.parametrize("text", SOMETIMES)
def test_what_can_match_something_is_left_alone(text: str) -> None:
    assert lint_query(parse_query(text)) == ()


def test_one_alternative_of_several_that_can_match_nothing_is_told() -> None:
    (warning,) = lint_query(parse_query("gas OR (oil NOT oil)"))
    assert str(warning) == "one alternative can match nothing: oil and NOT oil exclude each other"


@settings(deadline=None, max_examples=150)
@given(QUERIES, QUERIES, st.lists(TEXTS, min_size=1, max_size=3))
def test_what_is_told_to_match_nothing_matches_nothing(one: Query, other: Query, texts: list[MatchText]) -> None:
    for query in (one, And((one, Not(other))), And((one, Not(And((other, one)))))):
        if contradiction(query):
            assert [match(query, text) for text in texts] == [None] * len(texts)


@pytest.mark.parametrize(("text", "message"), [
    ("gas or oil", "“or” is searched as a word (write OR)"),
    ("gas and oil", "“and” is searched as a word (write AND)"),
    ("Тоkayev", "“Тоkayev” has letters of two scripts: Т, о are Cyrillic (type it anew)"),
    ("gas Cоlumbia", "“Cоlumbia” has letters of two scripts: о is Cyrillic (type it anew)"),
    ("the OR oil", "“the” stands in nearly every text (leave it out)"),
    ("oil OR это", "“это” stands in nearly every text (leave it out)"),
])
def test_slips_are_told(text: str, message: str) -> None:
    assert [str(warning) for warning in lint_query(parse_query(text))] == [message]


def test_a_name_without_spellings_is_told() -> None:
    assert [w.kind for w in lint_query(parse_query("@tokayev", names=None))] == ["name"]


def test_what_matches_a_large_share_of_items_is_too_broad() -> None:
    shares = {"gas": 0.38, "oil": 0.1, "gas OR oil": 0.4}
    told = lint_query(parse_query("gas OR oil"), share=lambda query: shares[str(query)])
    assert [str(w) for w in told] == [
        "gas matches 38% of recent items (ask for one more word)",
        "it matches 40% of recent items (leave out the commonest alternatives)"]
    assert lint_query(parse_query("oil"), share=lambda query: shares[str(query)]) == ()
