"""Catalogues: every string that readers see is there in every language, with its places and its plural forms."""

import re
import tomllib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from digest.locale import LANGUAGES, translations, translator
from digest.resources import catalogue_texts

ROOT = Path(__file__).resolve().parent.parent
PLACE = re.compile(r"%\(\w+\)s|\{\w*\}")
OTHERS = [language for language in LANGUAGES if language != "en"]


def collected() -> Iterator[str | tuple[str, ...]]:
    """The strings of templates and code, as `make catalogues` collects them."""
    mappings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    pairs = [(pattern, mapping) for mapping in mappings for pattern in mapping["pattern"]]
    methods = [(pattern, mapping["method"]) for pattern, mapping in pairs]
    options = {pattern: {k: v for k, v in mapping.items() if k not in {"method", "pattern"}}
               for pattern, mapping in pairs}
    for folder in ("templates", "digest"):
        for _, _, message, _, _ in extract_from_dir(str(ROOT / folder), [
                (pattern.removeprefix(f"{folder}/"), method) for pattern, method in methods
                if pattern.startswith(f"{folder}/")], {
                pattern.removeprefix(f"{folder}/"): option for pattern, option in options.items()}):
            yield message


MESSAGES = set(collected())


def catalogue(language: str) -> Catalog:
    return read_po(BytesIO(catalogue_texts()[f"locale/{language}.po"].encode()))


def test_there_is_a_catalogue_for_each_language_but_english() -> None:
    assert sorted(catalogue_texts()) == sorted(f"locale/{language}.po" for language in OTHERS)
    assert len(MESSAGES) > 100


@pytest.mark.parametrize("language", OTHERS)
def test_every_string_is_translated(language: str) -> None:
    held = catalogue(language)
    known = {message.id for message in held if message.id and all(_forms(message.string)) and not message.fuzzy}
    assert MESSAGES - known == set(), "run make catalogues and translate what is empty"


@pytest.mark.parametrize("language", OTHERS)
def test_translations_keep_the_places_of_their_string(language: str) -> None:
    for message in catalogue(language):
        if message.id:
            wanted = set(PLACE.findall(_forms(message.id)[-1]))
            assert [set(PLACE.findall(form)) for form in _forms(message.string)] == [wanted] * len(
                _forms(message.string)), message.id


@pytest.mark.parametrize(("language", "count", "text"), [
    ("ru", 1, "1 новость"), ("ru", 3, "3 новости"), ("ru", 5, "5 новостей"), ("ru", 11, "11 новостей"),
    ("ru", 21, "21 новость"), ("kk", 1, "1 жаңалық"), ("kk", 7, "7 жаңалық"), ("uz", 2, "2 xabar"),
    ("ky", 5, "5 жаңылык"), ("tg", 12, "12 хабар"), ("en", 1, "1 story"), ("en", 2, "2 stories"),
    ("xx", 2, "2 stories"),
])
def test_plurals_are_right(language: str, count: int, text: str) -> None:
    assert translator(language).ngettext("{count} story", "{count} stories", count).format(count=count) == text


def test_fuzzy_and_missing_strings_stay_english() -> None:
    words = translations('msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n#, fuzzy\nmsgid "In brief"\n'
                         'msgstr "Kurz"\n\nmsgid "Lead"\nmsgstr "Spitze"\n')
    assert [words.gettext(text) for text in ("In brief", "Lead", "Site")] == ["In brief", "Spitze", "Site"]


def _forms(text: str | list[str] | tuple[str, ...]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)
