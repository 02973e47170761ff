"""Names in sentences of several languages, with a small gazetteer of their own."""

import pytest

from digest.text.names import NO_NAMES, Mention, Name, Names

TOKAYEV = Name("tokayev", "person", {
    "en": ("Tokayev", "Kassym-Jomart Tokayev"), "ru": ("Токаев", "Касым-Жомарт Токаев"), "kk": ("Тоқаев",),
    "uz": ("Toʻqayev",)}, "Kazakhstan")
ASTANA = Name("astana", "place", {"en": ("Astana",), "ru": ("Астана",), "kk": ("Астана",)}, "Kazakhstan")
BANK = Name("national-bank", "body", {
    "en": ("National Bank of Kazakhstan",), "ru": ("Национальный банк Казахстана", "национальный банк РК"),
    "kk": ("Қазақстанның Ұлттық банкі", "Ұлттық банк")}, "Kazakhstan")
KTZ = Name("ktz", "body", {"en": ("KTZ",), "ru": ("КТЖ",), "kk": ("ҚТЖ",)}, "Kazakhstan")
NAMES = Names([TOKAYEV, ASTANA, BANK, KTZ])


def found(text: str, language: str) -> list[tuple[str, str]]:
    return [(slug, text[start:end]) for slug, start, end in NAMES.find(text, language)]


@pytest.mark.parametrize(("language", "text", "expected"), [
    ("en", "Tokayev's aide in Astana", [("tokayev", "Tokayev"), ("astana", "Astana")]),
    ("ru", "Указ Токаева вышел в Астане", [("tokayev", "Токаева"), ("astana", "Астане")]),
    # of two spellings the longer
    ("ru", "С Касым-Жомартом Токаевым", [("tokayev", "Касым-Жомартом Токаевым")]),
    ("kk", "Тоқаевтың Астанадағы сөзі", [("tokayev", "Тоқаевтың"), ("astana", "Астанадағы")]),
    ("uz", "Toʻqayevga maktub", [("tokayev", "Toʻqayevga")]),
    # in the letters of another language
    ("ru", "Kassym-Jomart Tokayev, президент", [("tokayev", "Kassym-Jomart Tokayev")]),
    # every word of a name inflects
    ("ru", "в Национальном банке Казахстана", [("national-bank", "Национальном банке Казахстана")]),
    ("kk", "Ұлттық банктің шешімі", [("national-bank", "Ұлттық банктің")]),
    # a name written small is found in both
    ("ru", "курс Национального банка РК", [("national-bank", "Национального банка РК")]),
    ("ru", "курс национального банка РК", [("national-bank", "национального банка РК")]),
    ("tg", "мактуби Тоқаевро", [("tokayev", "Тоқаевро")]),
    ("tk", "Astanada", [("astana", "Astanada")]),
    # capitals alone, with an ending
    ("kk", "ҚТЖ-ның жүгі", [("ktz", "ҚТЖ")]),
    ("kk", "ҚТЖның жүгі", [("ktz", "ҚТЖның")]),
    ("en", "Ktz is not it", []),
    # a word that begins small is no name, unless nothing has capitals
    ("en", "the astana of old and Rome", []),
    ("en", "astana opens a bridge", [("astana", "astana")]),
    ("en", "ASTANA OPENS A BRIDGE", [("astana", "ASTANA")]),
    ("en", "", []),
])
def test_names_are_found_as_they_are_written(language: str, text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text, language) == expected


def test_a_surname_is_a_namesakes_where_the_text_has_him_in_full() -> None:
    names = Names([Name("sadyr", "person", {"ru": ("Садыр Жапаров", "Жапаров")}),
                   Name("akylbek", "person", {"ru": ("Акылбек Жапаров",)})])
    assert [slug for slug, _, _ in names.find("Жапаров уволил главу кабмина", "ru")] == ["sadyr"]
    assert [slug for slug, _, _ in names.find("Акылбек Жапаров ушёл. Жапарова сменил другой", "ru")] == ["akylbek"] * 2
    assert [slug for slug, _, _ in names.find("Садыр Жапаров, Акылбек Жапаров, Жапарову", "ru")] == [
        "sadyr", "akylbek", "sadyr"]


@pytest.mark.parametrize(("spelling", "text", "is_found"), [
    ("Зеленский", "визит Зеленского", True), ("Зеленский", "встреча с Зеленским", True),
    ("Уральск", "в Уральске", True), ("Уральск", "Уральский завод", False),  # of the mountains
    ("Рахмон", "подарок Рахмону", True), ("Рахмон", "бой Рахмонова", False), ("Рахмон", "семья Рахмонов", False),
    ("Иран", "из Ирана", True), ("Туркмения", "в Туркмении", True), ("Центральная Азия", "в Центральной Азии", True),
    ("Объединенные Эмираты", "из Объединённых Эмиратов", True),
])
def test_russian_names_inflect_as_what_they_are(spelling: str, text: str, is_found: bool) -> None:
    names = Names([Name("it", "place", {"ru": (spelling,)})])
    assert bool(names.find(text, "ru")) == is_found


def test_a_name_is_known_by_its_slug() -> None:
    assert NAMES.get("astana") is ASTANA
    assert NAMES.get("unknown") is None
    assert (len(NAMES), len(NO_NAMES)) == (4, 0)
    assert list(NAMES) == [TOKAYEV, ASTANA, BANK, KTZ]


def test_places_count_characters_of_the_text_as_it_was_given() -> None:
    assert NAMES.find("«Tokayev»\u00a0— Astana", "en") == (Mention("tokayev", 1, 8), Mention("astana", 12, 18))


def test_no_names_find_nothing() -> None:
    assert NO_NAMES.find("Tokayev in Astana", "en") == ()
