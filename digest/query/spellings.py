"""Other spellings of a query's words, which it does not find: those of the gazetteer, and those that sound alike."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache

from digest.query.match import match
from digest.query.texts import text_of_words
from digest.query.tree import Except, Field, Name, Not, Phrase, Prefix, Query, Word, any_of, inner
from digest.text.names import Names
from digest.text.romanised import one_spelling, romanised
from digest.text.tokens import fold, words

SHORTEST = 5  # letters of a word of which others may be spellings
BEGINNING = 3  # letters that they have in common
_AS_IN_RUSSIAN = str.maketrans("әөүұқғңһіўҳҷӣӯё", "аоуукгнхиухчиуе")


def wanted_terms(query: Query) -> Iterator[Word | Phrase | Name]:
    """The words, phrases and names that a text must or may have; not what is excluded, nor exact forms and capitals."""
    if isinstance(query, Not) or (isinstance(query, Field) and query.is_value):
        return
    if isinstance(query, Name) or (isinstance(query, Word | Phrase) and not query.exact and not query.cased):
        yield query
    for part in (query.part,) if isinstance(query, Except) else inner(query):
        yield from wanted_terms(part)


def sounds(word: str) -> str:
    """What a folded word has in common with its other spellings, in Latin or Cyrillic letters."""
    plain = word.translate(_AS_IN_RUSSIAN)
    return one_spelling(plain) if plain.isascii() else romanised(plain)


def sounding_alike(term: Word, found: Iterable[tuple[str, str]], query: Query) -> dict[str, int]:
    """Of words with their languages, as texts have them: those that sound as a term does, and that the query misses.

    By the word, in how many texts it stands; `found` has each word of a text once.
    """
    wanted, alike = sounds(fold(term.text)), dict[str, int]()
    for word, language in found:
        if sounds(word) == wanted and (word in alike or not _is_found(query, word, language)):
            alike[word] = alike.get(word, 0) + 1
    return alike


def name_of(term: Word | Phrase, names: Names) -> str | None:
    """The slug of the name of which a term is a spelling; None where it is of none, or of several."""
    slugs = _spelled(names).get(tuple(words(term.text)), frozenset())
    return next(iter(slugs)) if len(slugs) == 1 else None


def other_spellings(slug: str, names: Names, query: Query) -> Query | None:
    """The spellings of a name that a query does not ask for; None where it asks for all."""
    name = names.get(slug)
    spellings = [one for known in name.spellings.values() for one in known] if name else []
    missed = [one for one in dict.fromkeys(spellings) if not _asks_for(query, one)]
    return any_of([Phrase(one) if len(one.split()) > 1 else Word(one) for one in missed]) if missed else None


def _asks_for(query: Query, spelling: str) -> bool:
    return any(words(term.text) == words(spelling) for term in wanted_terms(query) if not isinstance(term, Name))


def _is_found(query: Query, word: str, language: str) -> bool:
    """Whether any term of a query finds a word."""
    terms: list[Query] = list(wanted_terms(query))
    return any(match(term, text_of_words([word], language)) is not None for term in (*terms, *_prefixes(query)))


def _prefixes(query: Query) -> Iterator[Query]:
    if isinstance(query, Prefix):
        yield query
    for part in inner(query):
        yield from _prefixes(part)


@lru_cache(maxsize=4)
def _spelled(names: Names) -> Mapping[tuple[str, ...], Collection[str]]:
    """By the folded words of each spelling, the slugs of the names that have it."""
    found: dict[tuple[str, ...], set[str]] = {}
    for name in names:
        for known in name.spellings.values():
            for spelling in known:
                found.setdefault(tuple(words(spelling)), set()).add(name.slug)
    return found
