"""Typography: what each language writes, and what must never change."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.pipeline.typography import STYLES, typeset

N = "\u00a0"


@pytest.mark.parametrize(("language", "text", "shown"), [
    ("en", '''"We don't know," he said''', "“We don’t know,” he said"),
    ("en", "'We keep complaining,' says the workers' union", "‘We keep complaining,’ says the workers’ union"),
    ("en", '''He wrote "the so-called 'reform' of the '90s"''', "He wrote “the so-called ‘reform’ of the ’90s”"),
    ("en", "Oil falls - for now", f"Oil falls{N}– for now"),
    ("en", "Gas at $5 million, up 7 percent", f"Gas at $5{N}million, up 7{N}percent"),
    ("en", "The Pixel 2's camera, 5' long", "The Pixel 2’s camera, 5' long"),
    ("en", 'A 5" pipe', 'A 5" pipe'),  # inches, no quotation
    ("ru", 'ТОО "Газета "Время" ответило', 'ТОО "Газета «Время» ответило'),  # one mark is missing
    ("ru", 'Завод "Алтын" остановлен в Алматы', f"Завод «Алтын» остановлен в{N}Алматы"),
    ("ru", '"Фонд "Самрук"" купил 5 км пути', f"«Фонд „Самрук“» купил 5{N}км пути"),
    ("ru", "Цена - 41 000 тенге", f"Цена{N}— 41{N}000{N}тенге"),
    ("ru", "«Уже» набрано – так и остаётся", f"«Уже» набрано{N}– так и{N}остаётся"),
    ("kk", '"Алтын" зауыты 5 мың тонна берді', f"«Алтын» зауыты 5{N}мың тонна берді"),
    ("ky", '"Кумтөр" иштеп жатат', "«Кумтөр» иштеп жатат"),
    ("tg", 'Корхонаи "Талко" кушода шуд', "Корхонаи «Талко» кушода шуд"),
    ("kk", '"Самұрық"тың қоры', "«Самұрық»тың қоры"),
    ("uz", '''O'zbekiston "Paxtakor"i g'alaba qozondi, san'at''', "Oʻzbekiston “Paxtakor”i gʻalaba qozondi, san’at"),
    ("und", '"As it came" - here', '"As it came" - here'),
    ("en", '''See https://a.example/x'y"z - "here"''', f'''See https://a.example/x'y"z{N}– “here”'''),
])
def test_each_language_writes_its_own_marks(language: str, text: str, shown: str) -> None:
    assert typeset(text, language) == shown


TEXTS = st.text(st.sampled_from("aoбу19 \u00a0\"'-–—«»“”‘’.,!()№%км://@"), max_size=40) | st.text(max_size=40)


@given(TEXTS, st.sampled_from(sorted(STYLES)))
def test_setting_twice_is_setting_once(text: str, language: str) -> None:
    once = typeset(text, language)
    assert typeset(once, language) == once


@given(TEXTS, st.sampled_from(sorted(STYLES)))
def test_words_and_numbers_never_change(text: str, language: str) -> None:
    assert bare(typeset(text, language)) == bare(text)


@given(st.sampled_from(sorted(STYLES)), TEXTS)
def test_addresses_never_change(language: str, text: str) -> None:
    address = "https://example.org/it's/\"a\"-b--c?q='5 km'".replace(" ", "+")
    assert address in typeset(f'"{text} {address} {text}"', language)


def bare(text: str) -> str:
    """The text without quotation marks, dashes and white space."""
    return "".join(c for c in text if not c.isspace() and not re.match("[\"'ʻ]", c)
                   and unicodedata.category(c) not in {"Pd", "Pi", "Pf"} and c not in "‚„")
