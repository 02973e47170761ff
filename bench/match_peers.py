"""Other ways to match many rules with many texts, for bench.match."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence

from digest.query import Query
from digest.query.match import find
from digest.query.texts import MatchText
from digest.query.tree import And, Near, Not, Or, Phrase, Word
from digest.query.triggers import Triggers

Hits = list[tuple[int, int]]  # the number of a text and that of a rule


def every_rule(rules: Sequence[Query], texts: Sequence[MatchText]) -> Hits:
    """Each rule asked of each text."""
    return [(number, key) for number, text in enumerate(texts) for key, rule in enumerate(rules)
            if find(rule, text, None) is not None]


def by_fts5(rules: Sequence[Query], texts: Sequence[MatchText]) -> Hits:
    """The texts as a table of SQLite's FTS5 in memory, each rule one query of it."""
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "CREATE VIRTUAL TABLE text USING fts5(words, content = '', tokenize = 'unicode61 remove_diacritics 0')")
    connection.executemany("INSERT INTO text (rowid, words) VALUES (?, ?)",
                           ((number, " ".join(text.words)) for number, text in enumerate(texts)))
    found: Hits = []
    for key, rule in enumerate(rules):
        rows = connection.execute("SELECT rowid FROM text WHERE text MATCH ?", (in_fts5(rule),))
        found += [(number, key) for (number,) in rows]
    connection.close()
    return found


def in_fts5(query: Query) -> str:
    """A rule of exact words, phrases, NEAR, AND, OR and NOT beside AND in the language of FTS5."""
    match query:
        case Word(text) | Phrase(text):
            return f'"{text}"'
        case Near(left, right, distance):
            return f"NEAR({in_fts5(left)} {in_fts5(right)}, {distance})"
        case Or(parts):
            return " OR ".join(f"({in_fts5(part)})" for part in parts)
        case And(parts):
            wanted = " AND ".join(f"({in_fts5(part)})" for part in parts if not isinstance(part, Not))
            return f"({wanted})" + "".join(f" NOT ({in_fts5(part.part)})" for part in parts if isinstance(part, Not))
    raise ValueError(f"FTS5 does not know {query}")


def by_trigger_scan(rules: Sequence[Query], texts: Sequence[MatchText]) -> Hits:
    """An automaton of Aho and Corasick finds the words that rules are filed under; our matcher decides."""
    import ahocorasick

    needs_of = Triggers("und", plain=True).needs
    filed: dict[str, list[int]] = {}
    for key, rule in enumerate(rules):
        for branch in rule.parts if isinstance(rule, Or) else (rule,):
            first = min(needs_of(branch).groups, key=lambda group: sum(len(filed.get(_key(t), ())) for t in group))
            for trigger in first:
                filed.setdefault(_key(trigger), []).append(key)
    automaton = ahocorasick.Automaton()
    for trigger, keys in filed.items():
        automaton.add_word(trigger, keys)
    automaton.make_automaton()
    found: Hits = []
    for number, text in enumerate(texts):
        candidates = {key for _, keys in automaton.iter(f" {' '.join(text.words)} ") for key in keys}
        found += [(number, key) for key in candidates if find(rules[key], text, None) is not None]
    return found


def _key(trigger: str | tuple[str, str]) -> str:
    return f" {trigger if isinstance(trigger, str) else ' '.join(trigger)} "


PEERS: Mapping[str, Callable[[Sequence[Query], Sequence[MatchText]], Hits]] = {
    "FTS5": by_fts5, "triggers": by_trigger_scan,
}
