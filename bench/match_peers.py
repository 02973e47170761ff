"""Other ways to match many rules with many texts, for bench.match.

Where rules ask for stems, these peers know the first form of each word alone, and miss a few hits for that.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from digest.query import Query
from digest.query.match import find
from digest.query.terms import forms_of, stems_of
from digest.query.texts import MatchText
from digest.query.tree import And, Near, Not, Or, Phrase, Prefix, Word, terms_of
from digest.query.triggers import Trigger, Triggers

Hits = list[tuple[int, int]]  # the number of a text and that of a rule
Texts = Sequence[tuple[int, MatchText]]  # of one language, with their numbers


def every_rule(rules: Sequence[Query], texts: Sequence[MatchText]) -> Hits:
    """Each rule asked of each text."""
    return [(number, key) for number, text in enumerate(texts) for key, rule in enumerate(rules)
            if find(rule, text, None) is not None]


def by_fts5(rules: Sequence[Query], texts: Texts, *, exact: bool) -> Hits:
    """The texts as a table of SQLite's FTS5 in memory, each rule one query of it."""
    language = texts[0][1].language
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "CREATE VIRTUAL TABLE text USING fts5(words, content = '', tokenize = 'unicode61 remove_diacritics 0')")
    connection.executemany("INSERT INTO text (rowid, words) VALUES (?, ?)",
                           ((number, _joined(text, exact)) for number, text in texts))
    found: Hits = []
    for key, rule in enumerate(rules):
        rows = connection.execute("SELECT rowid FROM text WHERE text MATCH ?", (in_fts5(rule, language),))
        found += [(number, key) for (number,) in rows]
    connection.close()
    return found


def in_fts5(query: Query, language: str) -> str:
    """A rule of words, phrases, beginnings, NEAR, AND, OR and NOT beside AND in the language of FTS5."""
    match query:
        case Prefix(text):
            return f'"{text.casefold()}"*'
        case Word(text, exact) | Phrase(text, exact):
            return '"' + " ".join(forms[0] for forms in forms_of(text, exact, language)) + '"'
        case Near(left, right, distance):
            return f"NEAR({in_fts5(left, language)} {in_fts5(right, language)}, {distance})"
        case Or(parts):
            return " OR ".join(f"({in_fts5(part, language)})" for part in parts)
        case And(parts):
            wanted = " AND ".join(f"({in_fts5(part, language)})" for part in parts if not isinstance(part, Not))
            unwanted = [in_fts5(part.part, language) for part in parts if isinstance(part, Not)]
            return f"({wanted})" + "".join(f" NOT ({part})" for part in unwanted)
    raise ValueError(f"FTS5 does not know {query}")


def by_trigger_scan(rules: Sequence[Query], texts: Texts, *, exact: bool) -> Hits:
    """An automaton of Aho and Corasick finds the words that rules are filed under; our matcher decides."""
    import ahocorasick

    needs_of = Triggers(texts[0][1].language, plain=exact).needs
    filed: dict[str, list[int]] = {}
    for key, rule in enumerate(rules):
        for branch in rule.parts if isinstance(rule, Or) else (rule,):
            fewest = min(needs_of(branch).groups, key=lambda group: sum(len(filed.get(_key(t), ())) for t in group))
            for trigger in fewest:
                filed.setdefault(_key(trigger), []).append(key)
    automaton = ahocorasick.Automaton()
    for written, keys in filed.items():
        automaton.add_word(written, keys)
    automaton.make_automaton()
    found: Hits = []
    for number, text in texts:
        candidates = {key for _, keys in automaton.iter(f" {_joined(text, exact)} ") for key in keys}
        found += [(number, key) for key in candidates if find(rules[key], text, None) is not None]
    return found


def _joined(text: MatchText, exact: bool) -> str:
    return " ".join(text.words if exact else [stems_of(word, text.language)[0] for word in text.words])


def _key(trigger: Trigger) -> str:
    """A trigger between spaces; the beginning of a word is open to the right."""
    written = f" {trigger if isinstance(trigger, str) else ' '.join(trigger)} "
    return written.removesuffix("* ")


def is_exact(rules: Sequence[Query]) -> bool:
    """Whether no rule asks for stems."""
    return all(isinstance(term, Word | Phrase) and term.exact for rule in rules for term in terms_of(rule))


def of_each_language(peer: Callable[..., Hits], rules: Sequence[Query], texts: Sequence[MatchText]) -> Hits:
    """What a peer finds in the texts of one language after the other, as stems are of a language."""
    ordered = sorted(enumerate(texts), key=lambda pair: pair[1].language)
    exact = is_exact(rules)
    return [hit for _, group in groupby(ordered, key=lambda pair: pair[1].language)
            for hit in peer(rules, list(group), exact=exact)]


PEERS: Mapping[str, Callable[..., Hits]] = {"FTS5": by_fts5, "triggers": by_trigger_scan}
