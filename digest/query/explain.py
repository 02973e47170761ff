"""Says in plain words what a query asks for. For analysts and operators, hence in English."""

from collections.abc import Sequence

from digest.query.tree import (
    And,
    Condition,
    Except,
    Field,
    Name,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Same,
    Word,
)

_VALUES = {
    "source": "come from the source {}", "family": "come from an outlet of {}", "url": "have {} in its address",
    "lang": "be written in the language {}", "region": "be of the region {}", "topic": "be of the topic {}",
    "author": "be written by {}", "place": "be datelined {}",
}
_AMOUNTS = {"<": "fewer than", "<=": "at most", "=": "exactly", ">=": "at least", ">": "more than"}
_MEASURES = {
    "sources": "its story must be told by {} sources", "families": "its story must be told by {} independent owners",
    "rate": "its story must grow {} times as fast as usual",
}


def explain(query: Query) -> str:
    """What a query asks for: 'must mention “gas” and, within 5 words, “pipeline”; must not mention “sport”'."""
    parts = query.parts if isinstance(query, And) else (query,)
    asked = [part for part in parts if not isinstance(part, Not | Condition)]
    return "; ".join([
        *([f"must {_clauses(asked)}"] if asked else []),
        *(f"must not {_clause(part.part)}" for part in parts if isinstance(part, Not)),
        *(_condition(part) for part in parts if isinstance(part, Condition)),
    ])


def _clauses(parts: Sequence[Query]) -> str:
    """What must hold together; what is mentioned in one go."""
    said = [part for part in parts if _is_mentioned(part)]
    mentioned = [_what(part) for part in said] if len(said) == 1 else [_bracketed(part) for part in said]
    clauses = [f"mention {_listed(mentioned, 'and')}"] if mentioned else []
    return _listed([*clauses, *(_clause(part) for part in parts if not _is_mentioned(part))], "and")


def _clause(query: Query) -> str:
    """What goes behind "must": mention “gas”, be written in the language “ru”."""
    if _is_mentioned(query):
        return f"mention {_what(query)}"
    match query:
        case Field(name, part) as field:
            return _VALUES[name].format(_what(part)) if field.is_value else f"{_within(part)} in its {name}"
        case Same(scope, part):
            return f"{_within(part)} in one {'sentence' if scope == 'SENT' else 'paragraph'}"
        case And(parts):
            return _clauses(parts)
        case Or(parts):
            return f"either {_listed([_clause(part) for part in parts], 'or')}"
        case Not(part):
            return f"not {_clause(part)}"
    return _condition(query) if isinstance(query, Condition) else str(query)


def _within(part: Query) -> str:
    return _clause(part) if not isinstance(part, And | Or) else f"{_clause(part)}, all"


def _is_mentioned(query: Query) -> bool:
    """Whether it is of words alone, wherever they stand."""
    if isinstance(query, And | Or):
        return all(map(_is_mentioned, query.parts))
    if isinstance(query, Not):
        return _is_mentioned(query.part)
    return not isinstance(query, Field | Same | Condition)


def _what(query: Query) -> str:
    """What is mentioned."""
    match query:
        case Or(parts):
            return _listed([_bracketed(part) for part in parts], "or")
        case And(parts):
            return _listed([_bracketed(part) for part in parts], "and")
        case Not(part):
            return f"not {_bracketed(part)}"
        case Near(left, right, distance, ordered):
            within = f"within {distance} {'word' if distance == 1 else 'words'}{' after it' if ordered else ''}"
            return f"{_bracketed(left)} and, {within}, {_bracketed(right)}"
        case Except(part, excluded):
            return f"{_bracketed(part)} outside of {_bracketed(excluded)}"
    return _term(query)


def _term(query: Query) -> str:
    match query:
        case Word(text, exact, cased) | Phrase(text, exact, cased, None):
            return f"“{text}”{' with these capitals' if cased else ' in exactly this form' if exact else ''}"
        case Phrase(text, slop=slop):
            return f"the words “{text}” in any order with at most {slop} others among them"
        case Prefix(text):
            return f"a word that begins with “{text}”"
        case Name(slug, spellings):
            return f"{spellings[0]} in any spelling" if spellings else f"the name {slug}"
    return str(query)


def _bracketed(query: Query) -> str:
    return f"({_what(query)})" if isinstance(query, And | Or | Near | Except) else _what(query)


def _listed(parts: Sequence[str], word: str) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def _condition(condition: Condition) -> str:
    return _MEASURES[condition.measure].format(f"{_AMOUNTS[condition.sign]} {condition.number:g}")
