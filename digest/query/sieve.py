"""Many queries over many texts: which of them match, without asking each query of each text.

    words of the text ─▶ queries that one of their words settles ─▶ the others it may help ─▶ `match` decides those

A query that is one word, or an OR of words, is settled by finding one. A phrase, AND or NOT is asked only where one of
its words stands in the text, or where it needs none. Gives what `match` gives: it only asks less.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from digest.query.match import match, prepare_text
from digest.query.terms import runs_of, stems_of
from digest.query.texts import MatchText
from digest.query.tree import Name, Or, Prefix, Query, Term, needs_a_word, terms_of
from digest.text.tokens import fold, words

MAX_WORDS = 300_000  # of one language that are remembered


class Sieve:
    """Queries made ready for many texts; remembers for each word of a language which queries it touches."""

    def __init__(self, queries: Iterable[Query]) -> None:
        self._queries = tuple(queries)
        self._always = sum(1 << n for n, query in enumerate(self._queries) if not needs_a_word(query))
        self._words: dict[str, _Words] = {}

    def matching(self, paragraphs: Sequence[str], language: str,
                 prepared: Callable[[], MatchText] | None = None) -> tuple[int, ...]:
        """The numbers of the queries that match the text, ascending.

        `prepared` gives the text with the values of its fields; without it, it has none.
        """
        known = self._words.get(language)
        if known is None or len(known) > MAX_WORDS:
            known = self._words[language] = _Words(self._queries, language)
        found = self._always << len(self._queries)
        for bits in filter(None, map(known.__getitem__, " ".join(paragraphs).split())):
            found |= bits
        return self._decided(found, prepared or (lambda: prepare_text(paragraphs, language))) if found else ()

    def _decided(self, found: int, prepared: Callable[[], MatchText]) -> tuple[int, ...]:
        """The queries that are settled, and of those that are touched the ones that match."""
        count = len(self._queries)
        settled = found & ((1 << count) - 1)
        if open_ := (found >> count) & ~settled:
            text = prepared()
            settled |= sum(1 << n for n in _bits(open_) if match(self._queries[n], text) is not None)
        return _bits(settled)


class _Words(dict[str, int]):
    """By what stands between two spaces: the queries that its words settle as low bits, those that they touch as high
    ones. Splitting at spaces is much faster than finding words.
    """

    def __init__(self, queries: Sequence[Query], language: str) -> None:
        super().__init__()
        self._language = language
        self._by_word: dict[str, int] = {}
        self._by_stem: dict[str, int] = {}
        self._by_beginning: dict[str, int] = {}
        for number, query in enumerate(queries):
            alternatives = set(query.parts if isinstance(query, Or) else (query,))
            for term in terms_of(query):
                self._file(term, number, len(queries), is_alternative=term in alternatives)

    def __missing__(self, written: str) -> int:
        found = 0
        for word in words(written, self._language):
            found |= self._by_word.get(word, 0)
            for form in stems_of(word, self._language):
                found |= self._by_stem.get(form, 0)
            for beginning, bits in self._by_beginning.items():
                if word.startswith(beginning):
                    found |= bits
        self[written] = found
        return found

    def _file(self, term: Term, number: int, count: int, *, is_alternative: bool) -> None:
        """Files a term of a query under its first word. A lone "s" may be a genitive's: no word of the text."""
        if isinstance(term, Prefix):
            beginning = fold(term.text, self._language)
            bit = 1 << (number if is_alternative else number + count)
            self._by_beginning[beginning] = self._by_beginning.get(beginning, 0) | bit
            return
        exact = not isinstance(term, Name) and term.exact
        may_settle = is_alternative and not isinstance(term, Name) and not term.cased and fold(term.text) != "s"
        index = self._by_word if exact else self._by_stem
        for text in term.spellings if isinstance(term, Name) else (term.text,):
            for run in runs_of(text, exact, self._language):
                settles = may_settle and len(run) == 1
                for form in run[0]:
                    index[form] = index.get(form, 0) | 1 << (number if settles else number + count)


@lru_cache(maxsize=4096)
def _bits(number: int) -> tuple[int, ...]:
    return tuple(n for n in range(number.bit_length()) if number >> n & 1)
