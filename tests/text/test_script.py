"""One stem for a word in both scripts of Kazakh and Uzbek."""

import pytest

from digest.text.script import one_script
from digest.text.stems import stem
from digest.text.stopwords import STOPWORDS
from digest.text.tokens import fold, words

# Cyrillic, and the same word in Latin letters: Kazakh of 2021 and of 2018, Uzbek
KAZAKH = [
    ("Қазақстанның", "Qazaqstannyñ", "Qazaqstannyń"), ("Президенті", "Prezidentı", "Prezıdenti"),
    ("мемлекеттік", "memlekettık", "memlekettik"), ("үкіметі", "ükımetı", "úkimeti"),
    ("құрылысы", "qūrylysy", "qurylysy"), ("шешімі", "şeşımı", "sheshimi"),
    ("өңірлерде", "öñırlerde", "óńirlerde"), ("Түркістанда", "Türkıstanda", "Túrkistanda"),
    ("Алматыдан", "Almatydan", "Almatydan"), ("Шымкентте", "Şymkentte", "Shymkentte"),
    ("жаңалық", "jañalyq", "jańalyq"), ("әкімі", "äkımı", "ákimi"), ("ауданы", "audany", "aýdany"),
    ("сайлауы", "sailauy", "saılaýy"), ("Мәжілісте", "Mäjılıste", "Májiliste"),
    ("партия", "partia", "partıa"), ("ғылым", "ğylym", "ǵylym"),
]
UZBEK = [  # the last two as proposed in 2021
    ("Ўзбекистоннинг", "Oʻzbekistonning"), ("Тошкентда", "Toshkentda"), ("Мирзиёев", "Mirziyoyev"),
    ("Конституцияси", "Konstitutsiyasi"), ("маънавият", "maʼnaviyat"), ("маънавият", "manaviyat"),
    ("Европага", "Yevropaga"), ("ерларни", "yerlarni"), ("қишлоғи", "qishlogʻi"), ("ғалаба", "gʻalaba"),
    ("ҳокимлиги", "hokimligi"), ("чегарадан", "chegaradan"), ("бўлиши", "bo`lishi"), ("сўм", "soʼm"),
    ("янги", "yangi"), ("юртдошлар", "yurtdoshlar"), ("хўжалиги", "xoʻjaligi"), ("ижтимоий", "ijtimoiy"),
    ("шаҳрида", "shahrida"), ("инвестиция", "investitsiya"), ("Тошкент", "Toşkent"), ("ўзбек", "õzbek"),
]


@pytest.mark.parametrize(("language", "spellings"), [("kk", row) for row in KAZAKH] + [("uz", row) for row in UZBEK])
def test_a_word_has_one_stem_in_both_scripts(language: str, spellings: tuple[str, ...]) -> None:
    assert len({stem(fold(spelling, language), language) for spelling in spellings}) == 1


@pytest.mark.parametrize("apostrophe", "'`´‘’ʻʼ")
def test_every_apostrophe_of_uzbek_is_the_same_letter(apostrophe: str) -> None:
    assert [stem(word, "uz") for word in words(f"O{apostrophe}zbekiston", "uz")] == ["o'zbekiston"]


@pytest.mark.parametrize("language", ["en", "ru", "ky", "tr", "ru-Latn", "und"])
def test_other_languages_keep_their_script(language: str) -> None:
    assert one_script("yangi", language) == "yangi"
    assert one_script("құрылыс", language) == "құрылыс"


@pytest.mark.parametrize("language", ["kk", "uz"])
def test_one_script_is_reached_in_one_step(language: str) -> None:
    once = [one_script(word, language) for word in sorted(STOPWORDS[language])]
    assert [one_script(word, language) for word in once] == once
