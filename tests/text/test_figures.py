"""Numbers and dates are the same in every language."""

import pytest

from digest.text.figures import figures

REPORT = {  # one report in nine languages
    "en": "Output rose 5.1% to 1,742,300 tonnes; $1.2 billion on 5 May 2025, two killed at 12:30",
    "ru": "Добыча выросла на 5,1 процента до 1 742 300 тонн; 1,2 млрд долларов 5 мая 2025 года, двое погибли в 12:30",
    "kk": "Өндіріс 5,1 пайызға өсіп, 1 742 300 тонна болды; 5 мамырда 1,2 миллиард доллар, екі адам",
    "ky": "Өндүрүш 5,1 пайызга өсүп, 1 742 300 тонна; 5-майда 1,2 миллиард доллар, эки адам",
    "uz": "Ishlab chiqarish 5,1 foizga oshdi, 1 742 300 tonna; 5-may kuni 1,2 milliard dollar, ikki kishi",
    "tg": "Истеҳсол 5,1 фоиз афзуда, 1 742 300 тонна; 5 май 1,2 миллиард доллар, ду нафар",
    "tk": "Önümçilik 5,1 göterim artyp, 1 742 300 tonna; 5-nji maý däl, 5 maý 1,2 milliard dollar, iki adam",
}


@pytest.mark.parametrize("language", sorted(REPORT))
def test_a_report_has_the_same_figures_in_every_language(language: str) -> None:
    found = figures(REPORT[language], language)
    assert found.dates == {(5, 5)}
    assert found.numbers - {"5"} == {"5.1%", "1.7423e+06", "1.2e+09", "2"}


@pytest.mark.parametrize(("language", "text", "numbers", "dates"), [
    ("en", "3 thousand people, 3,000 cars", {"3000"}, set()),
    ("en", "up 5 per cent, 5 percent and 5%", {"5%"}, set()),
    ("en", "On December 16th and 3 July", set(), {(12, 16), (7, 3)}),
    ("en", "12 may die", {"12"}, set()),  # the verb
    ("en", "In 2025, version 1.2.3 at 10:45", set(), set()),
    ("en", "$2,000 in 2000", {"2000"}, set()),
    ("ru", "16 декабря, 3 тыс. человек", {"3000"}, {(12, 16)}),
    ("ru", "31 апреля и 32 мая", {"32"}, {(4, 31)}),  # no calendar, only what is written
    ("ru", "на 0,5 п. п. до 15,25%", {"0.5", "15.25%"}, set()),
    ("kk", "2 млн теңге, 16 желтоқсанда", {"2e+06"}, {(12, 16)}),
    ("uz", "12 минг киши, 1 сентябрда", {"12000"}, {(9, 1)}),
    ("und", "", set(), set()),
])
def test_numbers_and_dates_are_read(language: str, text: str, numbers: set[str], dates: set[tuple[int, int]]) -> None:
    assert figures(text, language) == (numbers, dates)
