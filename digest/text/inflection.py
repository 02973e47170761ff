"""Inflected names: which words a word of a text may be a form of.

Stems join words of one root, which is too much for names: «Мирзиёева» is not «Мирза», "Astana" no "Astanin". Here a
word loses case, number and possession only, in every way that its language allows, and a name is met where one of the
results is how it is spelled. Languages that are not listed inflect no names.

In Russian and Ukrainian adjectives have endings of their own, which only names that are adjectives take: «Зеленского»
is «Зеленский», but «уральский» is not of the city «Уральск».
"""

import re
from functools import lru_cache

from digest.text.endings import GRAMMARS
from digest.text.script import merged, one_script

SHORTEST = 3  # letters that stay of a word that loses an ending, at least
SHORTEST_OF_LATER = 2  # and of the second and later words of a name
ROUNDS = 3  # endings that one word may stack

ENDINGS = {
    "ru": "а я о е у ю ы и ь й ом ем ым ой ей ою ею ам ям ах ях ами ями ов ев ью",
    "uk": "а я о е у ю и і ї ь й ом ем им ою ею єю ам ям ах ях ами ями ів їв ові еві",
    "tr": """
        a e ı i u ü ya ye yı yi yu yü da de ta te dan den tan ten nın nin nun nün ın in un ün na ne nda nde ndan nden
        lar ler sı si su sü la le yla yle
        """,
}
PLURAL = {"ru": "ов ев ам ям ах ях ами ями", "uk": "ів їв ам ям ах ях ами ями"}
ADJECTIVES = {
    "ru": "ый ий ой ого его ому ему ым им ом ем ая яя ое ее ую юю ей ые ие ых их ыми ими",
    "uk": "ий ій ого ього ому ьому им їм а я е є у ю ої ьої і ї их їх ими їми",
}
ADJECTIVE = {  # what an adjective ends in as a name
    "ru": re.compile("(?:[ыио]й|ая|яя|ое|ее|ые|ие)$"), "uk": re.compile("(?:[иі]й|ська|ецька)$")}
BARE = {"ru": re.compile("[аяоеыийь]$"), "uk": re.compile("[аяоеиіїйь]$")}  # and what other words lose in other cases

_MARKS = re.compile(r"(?<!\S)(?:\+|\w+:)")  # of what stands before an ending
_OF_ADJECTIVE = "~"  # is put to what stays of an adjective

_ENDINGS = {language: frozenset(table.split()) for language, table in ENDINGS.items()}
_ENDINGS |= {language: frozenset(_MARKS.sub("", " ".join(grammar.nominal)).split())
             for language, grammar in GRAMMARS.items()}
_SINGULAR = {language: endings - frozenset(PLURAL.get(language, "").split()) for language, endings in _ENDINGS.items()}
_ADJECTIVES = {language: frozenset(table.split()) for language, table in ADJECTIVES.items()}
_LONGEST = max(len(ending) for endings in _ENDINGS.values() for ending in endings)


@lru_cache(maxsize=200_000)
def forms(word: str, language: str, *, singular: bool = False, shortest: int = SHORTEST) -> tuple[str, ...]:
    """The words that a folded word of a text may be a form of, itself first; only its singular where asked for."""
    endings = (_SINGULAR if singular else _ENDINGS).get(language)
    if endings is None:
        return (word,)
    word = one_script(word, language)
    found = {word: None}
    if adjectives := _ADJECTIVES.get(language):
        found |= dict.fromkeys(_without(word, endings, shortest))
        found |= dict.fromkeys(form + _OF_ADJECTIVE for form in _without(word, adjectives, shortest))
        return tuple(found)
    latest = [word]
    for _ in range(ROUNDS):
        latest = [shorter for form in latest for shorter in _without(form, endings, shortest)]
        found |= dict.fromkeys(latest)
    return tuple(dict.fromkeys(merged(form, language) for form in found))


def keys(word: str, own: str, language: str) -> frozenset[str]:
    """The forms by which a name's folded word, spelled in the language `own`, is known in texts of `language`."""
    found = {merged(one_script(word, language), language)}
    if own == language and language in BARE and len(word) > SHORTEST_OF_LATER:
        found.add(BARE[language].sub("", word))
        if ADJECTIVE[language].search(word):
            found.add(ADJECTIVE[language].sub("", word) + _OF_ADJECTIVE)
    return frozenset(found)


def _without(word: str, endings: frozenset[str], shortest: int) -> list[str]:
    """The word without each of its endings."""
    return [word[:-size] for size in range(1, min(_LONGEST, len(word) - shortest) + 1) if word[-size:] in endings]
