import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.text.romanised import one_spelling, romanised
from digest.text.stems import stems
from digest.text.stopwords import is_stop
from digest.text.tokens import fold, words


@pytest.mark.parametrize(("cyrillic", "spellings"), [
    ("хабаровск", ("khabarovsk", "habarovsk", "xabarovsk")),
    ("помощь", ("pomoshch", "pomosch", "pomoshh", "pomoshch'")),
    ("юлия", ("yuliya", "iuliia", "julija", "yulia")),
    ("милиция", ("militsiya", "miliciya", "militciia")),
    ("россия", ("rossiya", "rossija", "rossia")),
    ("жёсткий", ("zhestkiy", "zhestkij", "zhestkii")),
])
def test_every_romanisation_of_a_word_is_one_word(cyrillic, spellings):
    expected = romanised(fold(cyrillic, "ru"))
    assert {fold(spelling.title(), "ru-Latn") for spelling in spellings} == {expected}


@given(st.text("abcdefghijklmnopqrstuvwxyz'", max_size=20))
def test_one_spelling_is_final(word):
    assert one_spelling(one_spelling(word)) == one_spelling(word)


def test_endings_fall_away_and_stop_words_are_known():
    assert stems("V Voronezhe", "ru-Latn")[1] == stems("pod Voronezhem", "ru-Latn")[1]
    assert all(is_stop(word, "ru-Latn") for word in words("kotoryj kotoryy ego uzhe", "ru-Latn"))


def test_other_languages_in_latin_letters_stay_as_they_are():
    assert fold("Shahar", "uz") == "shahar"
    assert fold("shchedryy", "en") == "shchedryy"
