import csv
from collections import Counter
from pathlib import Path

import pytest

from digest.text.languages import USUAL, language_of

RUSSIAN = ("Президент подписал закон о бюджете на три года, сообщила пресс-служба правительства республики "
           "в понедельник на заседании в столице")
KAZAKH = "Сайлау учаскелерінде дауыс санау жүріп жатыр, қорытындысы ертең жарияланады"


@pytest.mark.parametrize(("text", "declared", "language"), [
    ("The votes of the west are counted in the capital", None, "en"),
    ("Parliament adopts budget", "en", "en"),
    ("Prezident viloyat hokimlari bilan yigʻilish oʻtkazdi", "en", "uz"),  # scrapers declare English for everything
    ("Prezident viloyat hokimlari bilan yigʻilish oʻtkazdi", None, "uz"),
    ("Shahar viloyatga to‘g‘ridan-to‘g‘ri bo‘ysunadigan bo‘ldi", "en", "uz"),  # no "to" in it
    (RUSSIAN, "en", "ru"), (RUSSIAN, None, "ru"), (RUSSIAN, "kk", "ru"),  # a feed that mixes languages
    (KAZAKH, None, "kk"), (KAZAKH, "kk", "kk"), (KAZAKH, "ru", "kk"),
    ("The inside story of how the fugitive escaped from Munich to Moscow", "ru", "en"),
    ("Parlament verabschiedet Haushalt", "de", "de"),
    ("Алматы мен Астана", "kk", "kk"),  # too short to speak against what is declared
    ("白宫提名", None, "und"), ("12:30", None, "und"), ("", "ru", "ru"),
])
def test_what_is_declared_is_believed_until_the_text_speaks_against_it(
        text: str, declared: str | None, language: str) -> None:
    assert language_of(text, declared) == language


def test_only_languages_that_are_configured_are_found() -> None:
    assert language_of("Аким открыл новую школу", None, ("en", "ru")) == "ru"
    assert language_of(KAZAKH, None, ("en", "ky", "ru")) == "ky"


def test_recorded_sentences_of_the_region_are_told_apart(data_dir: Path) -> None:
    with (data_dir / "languages" / "lang_samples.tsv").open(encoding="utf-8") as file:
        rows = [(row[0].partition("-")[0], row[1]) for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    trees = (data_dir / "languages" / "kk_ktb-ud-test.conllu").read_text(encoding="utf-8").splitlines()
    rows += [("kk", line.partition("=")[2].strip()) for line in trees if line.startswith("# text =")]
    for declared in (None, "en"):
        right = Counter(language for language, text in rows if language_of(text, declared, USUAL) == language)
        for language, count in Counter(language for language, _ in rows).items():
            assert right[language] >= 0.9 * count, (language, declared)
        assert right.total() >= 0.97 * len(rows)
