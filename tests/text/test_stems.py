import pytest

from digest.text.stems import stem, stems
from digest.text.stopwords import STOPWORDS, is_stop
from digest.text.tokens import fold


@pytest.mark.parametrize(("language", "forms"), [
    ("en", ["pipeline", "pipelines"]),
    ("en", ["election", "elections"]),
    ("ru", ["казахстан", "казахстана", "казахстане", "казахстаном"]),
    ("ru", ["газ", "газа", "газом"]),
    ("kk", ["қазақстан", "қазақстанның", "қазақстанда", "қазақстанға", "қазақстаннан"]),
    ("kk", ["президент", "президенті", "президенттің", "президенттер"]),
    ("kk", ["тоқаев", "тоқаевтың", "тоқаевпен"]),
    ("ky", ["кыргызстан", "кыргызстандын", "кыргызстанда", "кыргызстандан"]),
    ("uz", ["toshkent", "toshkentda", "toshkentning", "toshkentdan"]),
    ("uz", ["тошкент", "тошкентда", "тошкентнинг"]),
])
def test_inflected_forms_share_a_stem(language, forms):
    assert len({stem(form, language) for form in forms}) == 1


@pytest.mark.parametrize("word", ["5", "2026", "covid19"])
def test_numbers_are_their_own_stem(word):
    assert {stem(word, language) for language in ("en", "ru", "kk", "und")} == {word}


def test_an_unknown_language_has_no_stems():
    assert stems("Running dogs", "und") == ["running", "dogs"]


@pytest.mark.parametrize(("word", "left"), [
    ("үйде", "үи"), ("елдің", "ел"), ("сөзі", "сөз"), ("баға", "баға"), ("су", "су")])
def test_short_words_keep_two_letters_with_a_vowel_and_a_consonant(word, left):
    assert stem(word, "kk") == left


@pytest.mark.parametrize("language", sorted(STOPWORDS))
def test_stop_words_are_stored_as_tokens_are_folded(language):
    assert all(fold(word, language) == word for word in STOPWORDS[language])


def test_a_stop_word_is_known_in_its_language_only():
    assert is_stop("the", "en")
    assert not is_stop("the", "ru")
