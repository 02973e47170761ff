import random
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.errors import QueryError
from digest.query import parse_query
from digest.query.grammar import MAX_DEPTH, MAX_LENGTH
from digest.query.tree import (
    FIELDS,
    MEASURES,
    TEXT_FIELDS,
    VALUE_FIELDS,
    And,
    Condition,
    Except,
    Field,
    Name,
    Near,
    Not,
    Phrase,
    Prefix,
    Query,
    Same,
    Word,
    all_of,
    any_of,
    is_anchored,
)
from digest.text.names import Name as Named
from digest.text.names import Names

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
    ("gas NEAR oil", "gas NEAR/4 oil"),
    ("gas NEAR/05 (oil OR coal)", "gas NEAR/5 (oil OR coal)"),
    ("gas NEAR/5 oil ONEAR/2 coal", "gas NEAR/5 oil ONEAR/2 coal"),
    ("gas NEAR/5 (oil ONEAR/2 coal)", "gas NEAR/5 (oil ONEAR/2 coal)"),
    ("price gas NEAR/5 oil cost", "price AND gas NEAR/5 oil AND cost"),
    ("gas -oil NEAR/5 coal", "gas AND NOT (oil NEAR/5 coal)"),
    ('turbulence EXCEPT "light turbulence"', 'turbulence EXCEPT "light turbulence"'),
    ("a EXCEPT b NEAR c", "a EXCEPT b NEAR/4 c"),
    ("a EXCEPT b EXCEPT c", "a EXCEPT b EXCEPT c"),
    ("SENT(gas oil) PARA (gas OR oil)", "SENT(gas AND oil) AND PARA(gas OR oil)"),
    ("SENT gas", "SENT AND gas"),  # without a bracket, a word
    ("kazakh*", "kazakh*"),
    ("қаз*, сот*.", "қаз* AND сот*"),
    ('"oil pipeline"~3', '"oil pipeline"~3'),
    ("!NASA", "!NASA"),
    ('!"New York Times"', '!"New York Times"'),
    ("NASA!", "NASA"),
    ("title:gas", "title:gas"),
    ("title: gas", "title:gas"),
    ('title:("oil pipeline" OR КТК) lang:ru', 'title:("oil pipeline" OR КТК) AND lang:ru'),
    ("title:(gas NEAR/3 oil)", "title:(gas NEAR/3 oil)"),
    ("title:SENT(gas oil)", "title:SENT(gas AND oil)"),
    ("source:(bbc OR \"Voice of America\") gas", 'source:(bbc OR "Voice of America") AND gas'),
    ("url:https://kun.uz/news?a=b gas", "url:https://kun.uz/news?a=b AND gas"),
    ("gas -url:kun.uz", "gas AND NOT url:kun.uz"),
    ("region:kazakh*", "region:kazakh*"),
    ("lang:ru", "lang:ru"),
    ("gas sources>=3 families=2 rate>2.50x", "gas AND sources>=3 AND families=2 AND rate>2.5x"),
    ("5 млн 5,000 54.2%", "5 AND млн AND 5,000 AND 54.2"),
]


@pytest.mark.parametrize(("text", "canonical"), READ)
def test_a_query_is_read_and_printed_in_its_canonical_form(text: str, canonical: str) -> None:
    query = parse_query(text)
    assert str(query) == canonical
    assert parse_query(canonical) == query


FIELD = f"one of {', '.join(FIELDS)}"
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
    ("gas NEAR/0 oil", 4, "NEAR takes a number of words up to 20", "a number from 1 to 20"),
    ("gas NEAR/100 oil", 4, "NEAR takes a number of words up to 20", "a number from 1 to 20"),
    ("gas ONEAR/x oil", 4, "ONEAR takes a number", "a number from 1 to 20"),
    ("gas NEAR/5", 10, "ends after NEAR/5", "a word"),
    ("NEAR/5 gas", 0, "NEAR/5 cannot stand at the beginning", "a word"),
    ("gas near/5 oil", 4, "near/5 is no operator", "a word"),
    ("gas w/5 oil", 4, "w/5 is no operator", "a word"),
    ("gas and not oil", 4, "and not would be searched as two words", "NOT"),
    ("(gas oil) NEAR/5 coal", 10, "NEAR/5 joins words, phrases and ORs of them", "words or phrases beside it"),
    ("gas NEAR/5 title:oil", 4, "NEAR/5 joins words, phrases and ORs of them", "words or phrases beside it"),
    ("gas EXCEPT", 10, "ends after EXCEPT", "a word"),
    ("gas EXCEPT (oil coal)", 4, "EXCEPT joins words", "words or phrases beside it"),
    ("SENT(gas", 4, "bracket is not closed", '")"'),
    ("SENT(title:gas)", 5, "a field cannot stand in SENT(…)", "a word"),
    ("title:(gas lang:ru)", 11, "a field cannot stand in title:", "a word"),
    ("title:(gas sources>=3)", 11, "a condition of the story cannot stand in title:", "a word"),
    ("gas ka*", 4, "ka* would match too many words", "at least 3 letters before the *"),
    ("gas k*kh", 5, "* stands within a word", ""),
    ("gas *", 4, "* stands behind nothing", "a word"),
    ("oil-kaz*", 0, "* stands behind several words", "one word"),
    ("=kazakh*", 1, "kazakh cannot stand after =", "a word"),
    ("titel:gas", 0, "titel: is no field", FIELD),
    ("site:example.org", 0, "site: is no field", FIELD),
    ("https://example.org/", 0, "https: is no field", FIELD),
    ("lang:(NOT ru) gas", 0, "lang: takes names and ORs of them", "a name"),
    ("lang:- gas", 5, "lang: takes a name", "a word"),
    ("@tokaev", 0, "@tokaev is no name of the gazetteer", ""),
    ("@ gas", 0, "@ takes the name", "a name such as @tokayev"),
    ('"oil pipeline"~99', 14, "~ takes a number of words up to 20", "a number from 0 to 20"),
    ('"oil pipeline"~', 14, "~ takes a number of words up to 20", "a number from 0 to 20"),
    ("gas~3", 3, "~ stands within a word", ""),
    ("~3", 0, "~ stands behind nothing", "a word"),
    ("gas source>=3", 10, "this is no condition", ""),
    ("gas rate>3", 8, "this is no condition", ""),
    ("gas sources=many", 4, "sources=many is no condition", "sources= and a number"),
    ("sources>=3", 0, "sources>=3 alone says nothing", "a word or field that must be there"),
    ("gas OR sources>=3", 7, "sources>=3 must hold for the story as a whole", "it beside all else"),
    ("NOT lang:ru", 0, "NOT alone", "a word that must be there"),
    ("SENT(NOT gas)", 5, "NOT alone", "a word that must be there"),
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


@pytest.mark.parametrize("unit", ["(", '"', "„", "gas ", "a-", "NOT ", '"a"', "-", "“”", "ё", "a NEAR b ", "SENT(",
                                  "title:", "a EXCEPT b ", "lang:a ", "@tokayev ", "abc* ", "1,", "=", '"a"~3 ', "ʰ",
                                  "sources>=3 "])
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
         "ё", " ", "  ", "\n", "_", "Ⅳ", "١٢", ",", "oil-gas", "ONEAR", "EXCEPT", "SENT(", "PARA", "title:", "url:",
         "@", "tokayev", "!", "~3", "sources>=3", "rate>3x", "<", "|", "ʰ", "\ud800"]), max_size=30).map("".join),
))
def test_any_text_is_read_or_refused_and_what_is_read_prints_the_same(text: str) -> None:
    try:
        query = parse_query(text, names=NAMES)
    except QueryError as error:
        assert 0 <= error.position <= len(text)
        return
    assert parse_query(str(query), names=NAMES) == query


NAMES = Names([Named("tokayev", "person", {"en": ("Tokayev",), "ru": ("Токаев", "Tokayev")})])


def test_a_name_is_read_with_its_spellings_in_all_languages() -> None:
    assert parse_query("@tokayev gas", names=NAMES) == And((Name("tokayev", ("Tokayev", "Токаев")), Word("gas")))
    assert parse_query("@tokayev", names=None) == Name("tokayev")


SUGGESTED = [("site:kun.uz", "url:"), ("titel:gas", "title:"), ("Title:gas", "title:"), ("langauge:ru", "lang:"),
             ("http://kun.uz", "url:example.org"), ("gas near/5 oil", "NEAR/5"), ("gas onear/5 oil", "ONEAR/5"),
             ("gas W/3 oil", "NEAR/3"), ("gas and not oil", "NOT"), ("@tokaev", "@tokayev"),
             ("gas source>=3", "sources>=3"), ("gas rates>3x", "rate>3x"), ("gas | oil", "OR"),
             ("gas NEAR/200 oil", "SENT"), ("oil-kaz*", "oil- AND kaz*")]


@pytest.mark.parametrize(("text", "meant"), SUGGESTED)
def test_a_slip_is_answered_with_what_was_meant(text: str, meant: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_query(text, names=NAMES)
    assert meant in caught.value.hint


def test_near_joins_no_endless_chain() -> None:
    with pytest.raises(QueryError, match="joins more than"):
        parse_query("gas" + " NEAR oil" * 1000)


_TEXTS = st.sampled_from(["gas", "Токаев", "мұнай", "oil-gas", "o‘zbek", "2026", "5,000"])
_SIGNS = st.sampled_from([(False, False), (True, False), (True, True)])
_words = st.builds(lambda text, signs: Word(text, *signs), _TEXTS, _SIGNS)
_prefixes = st.builds(Prefix, st.sampled_from(["gas", "Токаев", "мұнай"]))
_phrases = st.builds(lambda text, signs, slop: Phrase(text, *signs, slop), _TEXTS, _SIGNS,
                     st.none() | st.integers(0, 20))
_names = st.just(Name("tokayev", ("Tokayev", "Токаев")))
_terms = st.one_of(_words, _prefixes, _phrases, _names)
_values = st.one_of(st.builds(Word, _TEXTS), st.builds(Phrase, _TEXTS), _prefixes)
_value_fields = st.builds(Field, st.sampled_from(VALUE_FIELDS),
                          _values | st.lists(_values, min_size=2, max_size=3).map(any_of))
_conditions = st.builds(lambda measure, sign, number: Condition(measure, sign, number), st.sampled_from(MEASURES),
                        st.sampled_from(["<", "<=", "=", ">=", ">"]),
                        st.integers(0, 99).map(float) | st.sampled_from([2.5, 0.125]))


def _places(children: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    return st.one_of(
        st.lists(children, min_size=2, max_size=3).map(any_of),
        st.builds(Near, children, children, st.integers(1, 20), st.booleans()),
        st.builds(Except, children, children),
    )


_positional = st.recursive(_terms, _places, max_leaves=6)


def _joined(children: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    parts = st.lists(children, min_size=2, max_size=4)
    return st.one_of(parts.map(all_of), parts.map(any_of), children.map(Not))


_in_text = st.recursive(_positional, lambda children: st.one_of(
    _joined(children), st.builds(Same, st.sampled_from(["SENT", "PARA"]), children)), max_leaves=4)
_queries = st.recursive(
    st.one_of(_positional, _value_fields, st.builds(Field, st.sampled_from(TEXT_FIELDS), _in_text),
              st.builds(Same, st.sampled_from(["SENT", "PARA"]), _in_text)), _joined, max_leaves=6).filter(is_anchored)


@settings(deadline=None, max_examples=40)
@given(_queries, st.lists(_conditions, max_size=2))
def test_every_tree_prints_to_a_query_that_reads_as_the_same_tree(query: Query, conditions: list[Condition]) -> None:
    whole = all_of([query, *conditions])
    assert parse_query(str(whole), names=NAMES) == whole


@settings(deadline=None, max_examples=25)
@given(_queries, st.randoms(use_true_random=False))
def test_a_changed_query_is_read_or_refused(query: Query, chance: random.Random) -> None:
    text = str(query)
    for _ in range(3):
        place = chance.randrange(len(text) + 1)
        text = text[:place] + chance.choice(LETTERS) + text[place + chance.randrange(3):]
        with suppress(QueryError):
            read = parse_query(text, names=NAMES)
            assert parse_query(str(read), names=NAMES) == read


LETTERS = ['"', "(", ")", "NEAR/3", " EXCEPT ", "title:", ":", "*", "~", "~3", "=", "!", "@", "-", ">", "<", " ", "",
           "s", "NOT ", " OR ", "SENT(", "»", "\u0301", "\x00", "\ud800", "İ", "ʰ", "9", "x", ",", "."]
