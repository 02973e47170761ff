"""The index gives what asking each rule of each text gives, as rules come and go."""

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.query import match, parse_query
from digest.query.index import RuleIndex
from digest.query.match import MatchText, prepare_text
from digest.query.tree import And, Except, Field, Name, Near, Not, Or, Phrase, Prefix, Query, Same, Word
from tests.query.test_match import FORMS

WORDS = ["gas", "gases", "Gas", "oil", "pipeline", "pipelines", "газ", "газа", "московский", "Токаева", "Токаев",
         "5,000", "5000", "oil-gas", "gas-oil price", "the"]
VALUES = {"source": ("bbc", "BBC News"), "lang": ("en",), "region": ("kazakhstan",)}
LANGUAGES = st.sampled_from(["en", "ru", "kk", "uz", "tr", "und"])

_signs = st.sampled_from([(False, False), (False, False), (True, False), (True, True)])
_terms = st.one_of(
    st.builds(lambda text, signs: Word(text, *signs), st.sampled_from(WORDS), _signs),
    st.builds(lambda words, signs, slop: Phrase(" ".join(words), *signs, slop),
              st.lists(st.sampled_from(WORDS), min_size=1, max_size=3), _signs, st.sampled_from([None, None, 0, 2])),
    st.builds(Prefix, st.sampled_from(["gas", "pip", "газ", "мос"])),
    st.just(Name("tokayev", ("Токаев", "Tokayev", "Kassym-Jomart Tokayev"))),
)
_positional = st.recursive(_terms, lambda children: st.one_of(
    st.builds(lambda parts: Or(tuple(parts)), st.lists(children, min_size=2, max_size=3)),
    st.builds(Near, children, children, st.integers(1, 4), st.booleans()),
    st.builds(Except, children, children)), max_leaves=4)
_parts = st.one_of(
    _positional, _positional, st.builds(Same, st.sampled_from(["SENT", "PARA"]), _positional),
    st.builds(Field, st.sampled_from(["title", "summary", "text"]), _positional),
    st.builds(Field, st.sampled_from(["source", "lang"]), st.sampled_from([Word("bbc"), Word("en"), Word("ru")])))
QUERIES = st.recursive(_parts, lambda children: st.one_of(
    st.builds(lambda parts: And(tuple(parts)), st.lists(children, min_size=2, max_size=3)),
    st.builds(lambda parts: Or(tuple(parts)), st.lists(children, min_size=2, max_size=3)),
    children.map(Not)), max_leaves=5)
TEXTS = st.builds(
    lambda paragraphs, language: prepare_text([" ".join(words) for words in paragraphs], language, VALUES),
    st.lists(st.lists(st.sampled_from([*WORDS, "Kassym-Jomart Tokayev", "a. The", ","]), max_size=8), max_size=4),
    LANGUAGES)


def asked(rules: dict[int, Query], text: MatchText) -> dict[int, object]:
    return {key: spans for key, query in rules.items() if (spans := match(query, text)) is not None}


@settings(deadline=None, max_examples=200)
@given(st.lists(QUERIES, max_size=6), st.lists(TEXTS, min_size=1, max_size=3), st.data())
def test_it_gives_what_asking_each_rule_gives(queries: list[Query], texts: list[MatchText],
                                              data: st.DataObject) -> None:
    index = RuleIndex[int]()
    rules = dict(enumerate(queries))
    for key, query in rules.items():
        index.add(key, query)
    for text in texts:
        assert dict(index.matching(text)) == asked(rules, text)
    for key in data.draw(st.lists(st.integers(0, 7), max_size=4)):
        if key in rules:
            index.remove(key)
            del rules[key]
        else:
            rules[key] = data.draw(QUERIES)
            index.add(key, rules[key])
        for text in texts:
            assert dict(index.matching(text)) == asked(rules, text)
    assert len(index) == len(rules)


@pytest.mark.parametrize("language", FORMS)
def test_every_form_of_a_word_is_found_alone_and_in_phrases(language: str) -> None:
    forms = [form for row in FORMS[language] for form in row.split()]
    index = RuleIndex[str]()
    rules = {text: parse_query(text) for form in forms for text in (form, f'"{form} {form}"', f'"{forms[0]} {form}"')}
    index.add_all(rules.items())
    for form in forms:
        for words in (form, f"{form} {form}", f"{form} {forms[0]} {form}"):
            text = prepare_text([words], language)
            assert index.keys_matching(text) == {key for key, query in rules.items() if match(query, text) is not None}


def test_a_rule_of_the_same_key_is_replaced() -> None:
    index = RuleIndex[str]()
    text = prepare_text(["gas price"], "en")
    index.add("rule", parse_query("oil OR gas"))
    assert index.keys_matching(text) == {"rule"}
    index.add("rule", parse_query("oil"))
    assert index.keys_matching(text) == set()
    index.remove("rule")
    index.remove("rule")
    assert len(index) == 0


def test_rules_that_need_no_word_are_asked_of_every_text() -> None:
    index = RuleIndex[str]()
    index.add("en", parse_query("lang:en -sport"))
    index.add("kz", parse_query("region:kazakhstan OR gas"))
    assert index.keys_matching(prepare_text(["oil"], "en", VALUES)) == {"en", "kz"}
    assert index.keys_matching(prepare_text(["Sports"], "en", VALUES)) == {"kz"}
    assert index.keys_matching(prepare_text(["gas"], "en")) == {"kz"}


_SHARED_WORDS = ["gas", "oil", "pipeline", "price", "rises"]
_shared_terms = st.one_of(
    st.sampled_from(_SHARED_WORDS), st.sampled_from(["pip*", "ris*", "pri*"]),
    st.lists(st.sampled_from(_SHARED_WORDS), min_size=2, max_size=3).map(lambda words: f'"{" ".join(words)}"'),
    st.builds(lambda words, n: f"({words[0]} NEAR/{n} {words[1]})",
              st.lists(st.sampled_from(_SHARED_WORDS), min_size=2, max_size=2, unique=True), st.integers(1, 5)))
_shared = st.recursive(_shared_terms, lambda children: st.builds(
    lambda left, operator, right: f"({left} {operator} {right})", children, st.sampled_from(["AND", "OR", "NOT"]),
    children), max_leaves=5)


@pytest.fixture(scope="module")
def fts() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE text USING fts5(words, tokenize = 'unicode61')")
    return connection


@settings(deadline=None, max_examples=150)
@given(_shared, st.lists(st.lists(st.sampled_from([*_SHARED_WORDS, "the"]), max_size=9).map(" ".join),
                         min_size=1, max_size=6))
def test_on_what_both_know_it_gives_what_fts5_gives(fts: sqlite3.Connection, written: str, texts: list[str]) -> None:
    """Words are exact here: in no language, a stem is the word itself. NEAR(a b, n) is FTS5's own spelling."""
    index = RuleIndex[int]()
    index.add(1, parse_query(written))
    ours = [number for number, text in enumerate(texts) if index.keys_matching(prepare_text([text]))]
    fts.execute("DELETE FROM text")
    fts.executemany("INSERT INTO text (rowid, words) VALUES (?, ?)", enumerate(texts))
    theirs = fts.execute("SELECT rowid FROM text WHERE text MATCH ? ORDER BY rowid", (in_fts5(parse_query(written)),))
    assert ours == [row[0] for row in theirs]


def in_fts5(query: Query) -> str:
    match query:
        case Near(left, right, distance):
            return f"NEAR({left} {right}, {distance})"
        case Or(parts):
            return " OR ".join(f"({in_fts5(part)})" for part in parts)
        case And(parts):
            wanted = " AND ".join(f"({in_fts5(part)})" for part in parts if not isinstance(part, Not))
            unwanted = [f" NOT ({in_fts5(part.part)})" for part in parts if isinstance(part, Not)]
            return f"({wanted})" + "".join(unwanted)
        case Prefix(text):
            return f"{text}*"
    return str(query)
