"""The shipped names of people, places and bodies: each is found as it is spelled and as its language inflects it."""

from collections import Counter
from collections.abc import Callable

import pytest

from digest.documents import Configuration, read_configuration
from digest.services.config import packaged_gazetteer
from digest.text.names import Name, Names

# A sentence of each language with a place for the name; what stands round it is no name.
SENTENCES = {
    "en": "On Monday {} was in the news.", "ru": "Вчера об этом сообщил {} и другие.", "kk": "Бүгін {} туралы айтылды.",
    "uz": "Bugun {} haqida xabar berildi.", "ky": "Бүгүн {} тууралуу айтылды.", "tg": "Имрӯз дар бораи {} гуфта шуд.",
    "tk": "Şu gün {} barada aýdyldy.",
}
BACK, FRONT = "аоұыяуёю", "әеөүіиэ"
HARD = "кқпстшфхцчщбвгд"


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return read_configuration({}, packaged_gazetteer())


@pytest.fixture(scope="module")
def names(configuration: Configuration) -> Names:
    return configuration.names


def spellings(names: Names, *languages: str) -> list[tuple[Name, str, str]]:
    return [(name, language, spelling) for name in names for language, listed in name.spellings.items()
            if language in languages for spelling in listed]


def missed(names: Names, forms: list[tuple[Name, str, str]]) -> list[tuple[str, str]]:
    """The forms that are not found as their name and nothing else, each with the name."""
    lost = []
    for name, language, form in forms:
        text = SENTENCES[language].format(form)
        if [mention.slug for mention in names.find(text, language)] != [name.slug]:
            lost.append((name.slug, form))
    return lost


def test_there_are_some_hundred_names_of_every_kind_and_country(names: Names) -> None:
    kinds = Counter(name.kind for name in names)
    regions = Counter(name.region for name in names)
    assert len(names) >= 300
    assert min(kinds["person"], kinds["place"], kinds["body"]) >= 100
    assert all(regions[country] >= 15 for country in
               ("Kazakhstan", "Kyrgyzstan", "Uzbekistan", "Tajikistan", "Turkmenistan"))


def test_every_name_is_spelled_in_several_languages_and_lies_in_a_known_region(configuration: Configuration) -> None:
    names, regions = configuration.names, configuration.gazetteer.regions
    assert [name.slug for name in names if {"en", "ru", "kk", "uz"} - name.spellings.keys()] == []
    assert [name.slug for name in names if name.region and name.region not in regions] == []


@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_every_spelling_is_found_in_a_sentence(names: Names, language: str) -> None:
    assert missed(names, spellings(names, language)) == []


@pytest.mark.parametrize(("language", "text"), [
    ("en", "Mary cooked a turkey for us in the china bowl"),
    ("en", "Tell us when the chad hits the baku of it"),
    ("en", "My Oral History of Manas"),
    ("ru", "Помощь для многодетных семей, а не ошибка"),
    ("ru", "Уральский завод и Чин из министерства"),  # of the mountains; a rank, though China in Tajik
    ("ru", "Рахмонов победил, семья Каримовых рада"),
    ("ru", "И мы тут: талас, нарыном не пахнет"),
    ("ru", "Он работал в ес и оон"),  # acronyms in small letters
    ("kk", "Жиналыс мәжіліс залында өтті, орал деп айтты"),
    ("kk", "Арал мен жер туралы"),
    ("uz", "Yangi majlis oʻtkazildi, olma va non"),
    ("ky", "Талас-тартыш жөнүндө жаңы китеп"),
    ("tg", "Дар бораи чин ва миср гап"),
])
def test_common_words_are_no_names(names: Names, language: str, text: str) -> None:
    assert names.find(text, language) == ()


def last_vowel(word: str) -> str:
    return next((letter for letter in reversed(word.lower()) if letter in BACK + FRONT), "а")


def russian(word: str) -> list[str]:
    """Cases of one Russian word, as far as its last letter tells them; foreign ones in vowels have none."""
    stem, last = word[:-1], word[-1].lower()
    if word.isupper() or word.endswith(("ый", "ий")) or last in "ыиоуеэю" or not "а" <= last <= "я":
        return []
    if last == "а":
        return [stem + ending for ending in ("е", "у", "ой")]
    if last in "яй":
        return [stem + ending for ending in (("и", "ю", "ей") if last == "я" else ("я", "ю", "ем"))]
    if last == "ь":
        return [stem + "и"]
    return [word + ending for ending in ("а", "у", "ом", "е")]


def kazakh(word: str) -> list[str]:
    back, hard, vowel = last_vowel(word) in BACK, word[-1].lower() in HARD, word[-1].lower() in BACK + FRONT
    onset = "т" if hard else "н" if vowel or word[-1].lower() in "мнң" else "д"
    a, y = ("а", "ы") if back else ("е", "і")
    dative = ("қ" if back else "к") if hard else ("ғ" if back else "г")
    return [f"{word}{onset}{y}ң", f"{word}{'т' if hard else 'д'}{a}", f"{word}{dative}{a}"]


def kyrgyz(word: str) -> list[str]:
    vowels = {"о": "оу", "ё": "оу", "у": "ау", "ю": "ау", "е": "еи", "и": "еи", "э": "еи", "ө": "өү", "ү": "өү"}
    a, y = vowels.get(last_vowel(word), "аы")
    hard, vowel = word[-1].lower() in HARD, word[-1].lower() in BACK + FRONT
    onset = "т" if hard else "н" if vowel else "д"
    return [f"{word}{onset}{y}н", f"{word}{'т' if hard else 'д'}{a}", f"{word}{'к' if hard else 'г'}{a}"]


def uzbek(word: str) -> list[str]:
    endings = ("ning", "ga", "da", "dan") if word[-1].isascii() else ("нинг", "га", "да", "дан")
    return [word + ending for ending in endings]


@pytest.mark.parametrize(("language", "inflected"), [("ru", russian), ("kk", kazakh), ("ky", kyrgyz), ("uz", uzbek)])
def test_names_are_found_inflected(
    names: Names, language: str, inflected: Callable[[str], list[str]]
) -> None:
    """Those of one word and of people; of a longer one the last word alone would not do in Russian."""
    forms = [(name, language, form) for name, _, spelling in spellings(names, language)
             if language != "ru" or " " not in spelling or name.kind == "person"
             if language == "uz" or not (spelling.isascii() or spelling.endswith("s"))  # of brands in Latin letters
             for form in inflected(spelling)]
    assert len(forms) > 500
    assert missed(names, forms) == []
