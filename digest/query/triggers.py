"""What a rule cannot do without, and which of that a text has.

A trigger is a form of a word ("gas"), an exact word ("=gas" where stems are asked for too), the beginning of a word
("gas*") or two of the former in a row. Words and phrases of two are decided by triggers alone; longer phrases, NEAR,
SENT, fields and capitals only need some.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise, product
from sys import intern
from typing import NamedTuple

from digest.query.terms import Run, folded_words, runs, stems_of
from digest.query.texts import MatchText
from digest.query.tree import And, Except, Field, Name, Near, Not, Or, Phrase, Prefix, Query, Same, Word, all_of
from digest.text.tokens import fold

Trigger = str | tuple[str, str]
Group = tuple[Trigger, ...]  # alternatives: one of them is needed
MAX_WORDS = 300_000  # of one language that are remembered


class Needs(NamedTuple):
    """What matches one alternative of a rule: one trigger of each of `groups`, none of `banned`, and `rest`."""

    groups: Sequence[Group]
    banned: Group
    rest: Query | None


class Triggers:
    """Triggers of one language. `plain` leaves stems out: for rules of exact words and beginnings of words alone."""

    def __init__(self, language: str, *, plain: bool) -> None:
        self._language = language
        self._plain = plain
        self._has_pairs = self._has_exact = False
        self._words: dict[tuple[str, bool], Group | None] = {}
        self._beginnings = _Beginnings()
        self._forms = _Forms(language)

    def needs(self, query: Query) -> Needs:
        """What one alternative of a rule, no OR itself, needs."""
        groups: list[Group] = []
        banned: Group = ()
        rest: list[Query] = []
        for part in query.parts if isinstance(query, And) else (query,):
            refused = part.part if isinstance(part, Not) else None
            if (group := self._decisive(refused or part)) is not None:
                if refused:
                    banned += group
                else:
                    groups.append(group)
            else:
                groups += self._necessary(part)
                rest.append(part)
        return Needs(groups, banned, all_of(rest) if rest else None)

    def of(self, text: MatchText) -> set[Trigger]:
        """All that a text has of what rules were asked about."""
        found: set[Trigger] = set()
        layers = [text.words] if self._plain else self._layers(text.words)
        for layer in layers:
            found.update(layer)
        if self._has_pairs:
            for first, second in product(layers, layers):
                found.update(pairwise(first) if first is second else zip(first, second[1:], strict=False))
        if self._has_exact:
            exact = [f"={word}" for word in text.words]
            found.update(exact, pairwise(exact))
        if self._beginnings.known:
            found.update(*map(self._beginnings.__getitem__, set(text.words)))
        return found

    def _layers(self, words: Sequence[str]) -> list[Sequence[str]]:
        """The first form of each word, then the second where there is one and else the first, and so on."""
        forms = list(map(self._forms.__getitem__, words))
        deepest = max(map(len, forms), default=0)
        return [[form[n] if n < len(form) else form[0] for form in forms] for n in range(deepest)]

    def _decisive(self, query: Query) -> Group | None:
        """The triggers of which every text that matches has one, and no other text; None where none are such."""
        if isinstance(query, Word) and not query.cased:
            return self._of_word(query)
        if isinstance(query, Phrase) and not query.cased and query.slop is None:
            return self._of_term(query.text, query.exact)
        if isinstance(query, Prefix):
            return (self._beginnings.add(fold(query.text, self._language)),)
        if isinstance(query, Or):
            found = [self._decisive(part) for part in query.parts]
            return None if None in found else tuple(dict.fromkeys(t for group in found for t in group or ()))
        return None

    def _of_word(self, word: Word) -> Group | None:
        """The triggers of a word; rules share them, as they share words."""
        key = word.text, word.exact
        if key not in self._words:
            if len(self._words) > MAX_WORDS:
                self._words.clear()
            self._words[key] = self._of_term(*key)
        return self._words[key]

    def _of_term(self, text: str, exact: bool) -> Group | None:
        """The triggers of one word or of two in a row; None where there are more."""
        if exact and self._plain and len(words := folded_words(text, self._language)) == 2:  # most rules' phrases
            self._has_pairs = True
            return ((intern(words[0]), intern(words[1])),)
        found: list[Trigger] = []
        for run in runs(text, exact, self._language):
            if len(run) > 2:
                return None
            found += self._of_words(run, exact)
        return tuple(found)

    def _of_words(self, words: Run, exact: bool) -> Iterable[Trigger]:
        """The triggers of one word or of two in a row."""
        if len(words) == 1:
            return self._marked(words[0], exact)
        self._has_pairs = True
        return product(self._marked(words[0], exact), self._marked(words[1], exact))

    def _marked(self, forms: tuple[str, ...], exact: bool) -> tuple[str, ...]:
        if not exact or self._plain:
            return tuple(map(intern, forms))
        self._has_exact = True
        return tuple(intern(f"={form}") for form in forms)

    def _necessary(self, query: Query) -> list[Group]:
        """Groups of triggers that every text that matches has one of each of."""
        if (decisive := self._decisive(query)) is not None:
            return [decisive]
        match query:
            case And(parts):
                return [group for part in parts for group in self._necessary(part)]
            case Or(parts):
                return self._necessary_of_any(parts)
            case Near(left, right):
                return self._necessary(left) + self._necessary(right)
            case Except(part, _) | Same(_, part):
                return self._necessary(part)
            case Field() as field if not field.is_value:
                return self._necessary(field.part)
            case Word() | Phrase() | Name():
                return self._necessary_of_term(query)
        return []

    def _necessary_of_any(self, parts: Iterable[Query]) -> list[Group]:
        """One group of all parts, of each the smallest; none where a part needs nothing."""
        of_parts = [self._necessary(part) for part in parts]
        if not all(of_parts):
            return []
        return [tuple(dict.fromkeys(t for groups in of_parts for t in min(groups, key=len)))]

    def _necessary_of_term(self, term: Word | Phrase | Name) -> list[Group]:
        exact = not isinstance(term, Name) and term.exact
        texts = term.spellings if isinstance(term, Name) else (term.text,)
        found = [run for text in texts for run in runs(text, exact, self._language)]
        in_a_row = not isinstance(term, Phrase) or term.slop is None
        if len(found) == 1:
            run = found[0]
            steps = [run[n:n + 2] for n in range(max(1, len(run) - 1))] if in_a_row else [(word,) for word in run]
            return [tuple(self._of_words(step, exact)) for step in steps]
        first = 2 if in_a_row else 1
        return [tuple(dict.fromkeys(t for run in found for t in self._of_words(run[:first], exact)))]


class _Forms(dict[str, tuple[str, ...]]):
    """The forms of a folded word."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, word: str) -> tuple[str, ...]:
        if len(self) > MAX_WORDS:
            self.clear()
        self[word] = forms = stems_of(word, self._language)
        return forms


class _Beginnings(dict[str, tuple[str, ...]]):
    """With which of the beginnings that rules ask for a folded word begins."""

    def __init__(self) -> None:
        super().__init__()
        self.known: set[str] = set()
        self._lengths: set[int] = set()

    def add(self, beginning: str) -> str:
        """Notes a beginning; gives its trigger."""
        trigger = intern(f"{beginning}*")
        if trigger not in self.known:
            self.known.add(trigger)
            self._lengths.add(len(beginning))
            self.clear()
        return trigger

    def __missing__(self, word: str) -> tuple[str, ...]:
        if len(self) > MAX_WORDS:
            self.clear()
        starts = (f"{word[:length]}*" for length in self._lengths if length <= len(word))
        self[word] = found = tuple(start for start in starts if start in self.known)
        return found
