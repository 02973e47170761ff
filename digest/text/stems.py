"""Stems: the part of a word that its inflected forms share.

Snowball where it knows the language; own tables of endings for Kazakh, Kyrgyz, Uzbek, Turkmen and Tajik, which it does
not (`endings`); elsewhere the word itself. Kazakh and Uzbek words have one stem in both their scripts. Stems are
compared, never shown.
"""

import re
from functools import lru_cache
from threading import Lock

import Stemmer

from digest.text import agglutinative, romanised
from digest.text.tokens import words

SNOWBALL = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "et": "estonian", "fi": "finnish", "fr": "french", "hi": "hindi", "hu": "hungarian", "hy": "armenian",
    "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali", "nl": "dutch", "no": "norwegian",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "tr": "turkish",
}
_COUNTRY = re.compile(r"(\w{2,}стан)(?:а|у|е|ом)?")  # Snowball takes the а of «Казахстана» for a verb's
_SNOWBALL_LOCK = Lock()  # a Snowball stemmer keeps state between calls
_stemmers: dict[str, Stemmer.Stemmer] = {}


@lru_cache(maxsize=400_000)
def stem(word: str, language: str) -> str:
    """The stem of a folded word; the word itself where the language is not known or the word is a number."""
    if not word.isalpha() and "'" not in word:
        return word
    if language in agglutinative.LANGUAGES:
        return agglutinative.stem(word, language)
    if language == "ru" and (country := _COUNTRY.fullmatch(word)):
        return country.group(1)
    if language in romanised.LANGUAGES:
        return word[:romanised.TRUNCATED]
    algorithm = SNOWBALL.get(language)
    if algorithm is None:
        return word
    with _SNOWBALL_LOCK:
        if algorithm not in _stemmers:
            _stemmers[algorithm] = Stemmer.Stemmer(algorithm, 0)
        return str(_stemmers[algorithm].stemWord(word))


def stems(text: str, language: str) -> list[str]:
    """The stems of a text's words, in order, stop words included."""
    return [stem(word, language) for word in words(text, language)]
