"""Inflected names: which words a word of a text may be a form of.

Stems join words of one root, which is too much for names: «Мирзиёева» is not «Мирза», "Astana" no "Astanin". Here a
word loses case, number and possession only, in every way that its language allows, and a name is met where one of the
results is how it is spelled. Languages that are not listed inflect no names.
"""

import re
from functools import lru_cache

from digest.text.endings import GRAMMARS
from digest.text.script import merged, one_script

SHORTEST = 3  # letters that stay of a word that loses an ending, at least
SHORTEST_OF_LATER = 2  # and of the second and later words of a name
ROUNDS = 3  # endings that one word may stack

ENDINGS = {
    "ru": """
        а я о е у ю ы и ь й ом ем ым им ой ей ою ею ам ям ах ях ами ями ов ев ью ию ием ией ии ия
        ого его ому ему ый ий ая яя ое ее ые ие ую юю ых их ыми ими
        """,
    "uk": """
        а я о е у ю и і ь й ом ем ою ею єю ам ям ах ях ами ями ів їв ові еві ий ій ого ому им ої ую их ими ії ію
        """,
    "tr": """
        a e ı i u ü ya ye yı yi yu yü da de ta te dan den tan ten nın nin nun nün ın in un ün na ne nda nde ndan nden
        lar ler sı si su sü la le yla yle
        """,
}
STACKED = frozenset({*GRAMMARS, "tr"})  # languages whose words take one ending after the other
_MARKS = re.compile(r"(?<!\S)(?:\+|\w+:)")  # of what stands before an ending
_NOMINATIVE = {"ru": re.compile("(?:ый|ий|ая|яя|ое|ее|ые|ие|[аяоеыийь])$"), "uk": re.compile("(?:ий|ій|[аяоеиіьйї])$")}


def _pattern(table: str) -> tuple[str, ...]:
    return tuple(sorted(set(table.split()), key=lambda ending: (-len(ending), ending)))


_ENDINGS = {language: _pattern(table) for language, table in ENDINGS.items()}
_ENDINGS |= {language: _pattern(_MARKS.sub("", " ".join(grammar.nominal))) for language, grammar in GRAMMARS.items()}
_PLURAL = {
    "ru": frozenset("ов ев ам ям ах ях ами ями ых их ыми ими ые ие".split()),
    "uk": frozenset("ів їв ам ям ах ях ами ями их ими".split()),
}
_SINGULAR = {language: tuple(ending for ending in endings if ending not in _PLURAL.get(language, ()))
             for language, endings in _ENDINGS.items()}


@lru_cache(maxsize=200_000)
def forms(word: str, language: str, *, singular: bool = False, shortest: int = SHORTEST) -> tuple[str, ...]:
    """The words that a folded word of a text may be a form of, itself first; only its singular where asked for."""
    endings = (_SINGULAR if singular else _ENDINGS).get(language)
    if endings is None:
        return (word,)
    word = one_script(word, language)
    found = {word: None}
    latest = [word]
    for _ in range(ROUNDS if language in STACKED else 1):
        latest = [form[:-len(ending)] for form in latest for ending in endings
                  if form.endswith(ending) and len(form) - len(ending) >= shortest]
        found.update(dict.fromkeys(latest))
    return tuple(dict.fromkeys(merged(form, language) for form in found))


def keys(word: str, own: str, language: str) -> frozenset[str]:
    """The forms by which a name's folded word, spelled in the language `own`, is known in texts of `language`."""
    nominative = _NOMINATIVE.get(language)
    shorter = nominative.sub("", word, count=1) if nominative and own == language else word
    same = merged(one_script(word, language), language)
    return frozenset({same, shorter}) if len(shorter) >= SHORTEST_OF_LATER else frozenset({same})
