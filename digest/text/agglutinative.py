"""Stems of languages that put one ending after the other: Kazakh, Kyrgyz, Uzbek, Turkmen, Tajik.

A word is read as a noun, as a verb and as a noun made of a verb, each as far as the rules of its language let endings
be taken off (vowel harmony, hard and soft consonants, the order of endings); the reading that leaves least is the stem.
"""

from collections.abc import Mapping
from functools import lru_cache

from digest.text.endings import GRAMMARS, Grammar
from digest.text.script import merged, one_script

LANGUAGES = frozenset(GRAMMARS)
SHORTEST = 2  # letters that stay, at least; of two the last is a consonant, and the ending had two
SHORTEST_OF_VOICE = 3  # before passive and reflexive endings, which many stems end in by themselves

_COUNTRIES = ("стан", "стон", "stan", "ston")  # no ablative of something that ends in с
_COUNTRY_LETTERS = 7  # of the shortest such name, beside those of stones (тастан)
_SURNAMES = ("ев", "ёв", "ин")  # people: followed by endings of either harmony
_LONG_WITH_GLIDE = 3  # letters of a stem from which its й is no part of it: мұнайды reads as a verb too, like қарайды
_LETTERS = frozenset("абвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюяәҷҳӣӯabcdefghijklmnopqrstuvwxyzäçňöşüýž'")

_Layer = Mapping[str, frozenset[str]]  # the letters that each ending may follow


def stem(word: str, language: str) -> str:
    """The stem of a folded word of one of LANGUAGES, in one script."""
    return merged(_stripper(language).stem(one_script(word, language)), language)


@lru_cache(maxsize=len(LANGUAGES))
def _stripper(language: str) -> "_Stripper":
    return _Stripper(GRAMMARS[language])


class _Stripper:
    """Takes the endings of one language off its words."""

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._nominal = tuple(self._layer(table) for table in grammar.nominal)
        self._tense = self._layer(grammar.tense)
        self._nouns_of_verbs = frozenset(grammar.nouns_of_verbs.split())
        self._person, self._negation = self._layer(grammar.person), self._layer(grammar.negation)
        self._voice = self._layer(grammar.voice)
        self._harmony = {**dict.fromkeys(grammar.back, "back"), **dict.fromkeys(grammar.front, "front")}

    def stem(self, word: str) -> str:
        noun = word
        for layer in self._nominal:
            noun = self._without(noun, layer)
        readings = [noun, self._verb(word), self._verb(self._without(word, self._person))]
        if noun != word:
            readings.append(self._verb(noun, is_noun=True))
        return self._final(min(readings, key=len))

    def _verb(self, word: str, *, is_noun: bool = False) -> str:
        """A verb without tense, negation and voice; the word itself where it has no tense."""
        stem = self._without(word, self._tense)
        if stem == word or (is_noun and word[len(stem):] not in self._nouns_of_verbs):
            return word
        stem = self._without(stem, self._negation)
        return self._without(stem, self._voice, SHORTEST_OF_VOICE)

    def _final(self, stem: str) -> str:
        """The stem with the last letter that it has without endings, truncated where the language wants it."""
        for before_vowel, otherwise in self._grammar.finals:
            if len(stem) > SHORTEST and stem.endswith(before_vowel):
                stem = stem.removesuffix(before_vowel) + otherwise
                break
        if len(stem) > _LONG_WITH_GLIDE and stem[-1] == "й":
            stem = stem[:-1]
        return stem[:self._grammar.truncated] if self._grammar.truncated else stem

    def _without(self, word: str, layer: _Layer, shortest: int = SHORTEST) -> str:
        """The word without the longest ending of a layer that may stand there."""
        if word in self._grammar.whole or (len(word) >= _COUNTRY_LETTERS and word.endswith(_COUNTRIES)):
            return word
        longest = min(len(word) - shortest, max(map(len, layer), default=0))
        cuts = [(word[:-size], word[-size:]) for size in range(longest, 0, -1) if word[-size:] in layer]
        for rest, _ in cuts:
            if rest in self._grammar.whole:
                return rest
        for rest, ending in cuts:
            if rest[-1] in layer[ending] and self._is_stem(rest, ending):
                return rest
        return word

    def _is_stem(self, rest: str, ending: str) -> bool:
        vowels = self._grammar.vowels
        if len(rest) == SHORTEST and (len(ending) == 1 or rest[-1] in vowels):
            return False
        if not any(letter in vowels for letter in rest):
            return False
        if rest.endswith(_SURNAMES) or ending in self._grammar.disharmonic:
            return True
        last = next((self._harmony[letter] for letter in reversed(rest) if letter in self._harmony), "")
        first = next((self._harmony[letter] for letter in ending if letter in self._harmony), "")
        return not last or not first or last == first

    def _layer(self, table: str) -> _Layer:
        layer: dict[str, frozenset[str]] = {}
        for written in table.split():
            ending = written.rpartition(":")[2].removeprefix("+")
            layer[ending] = layer.get(ending, frozenset()) | self._before(written)
        return layer

    def _before(self, written: str) -> frozenset[str]:
        """The letters that an ending may follow, as the tables write it."""
        grammar = self._grammar
        vowels, hard = frozenset(grammar.vowels), frozenset(grammar.hard)
        before, _, ending = written.rpartition(":")
        if before:
            return _LETTERS - vowels if before == "C" else frozenset(before)
        if ending.startswith("+"):
            return vowels
        if ending[0] in grammar.hard_onsets and (len(ending) > 1 or ending not in "п"):
            return hard | frozenset(grammar.either)
        if ending[0] in grammar.soft_onsets:
            return _LETTERS - hard
        if ending[0] in vowels:
            return _LETTERS - (vowels - frozenset("уи"))
        return _LETTERS
