"""Interface strings in other languages than English: gettext catalogues, compiled in memory from their .po text.

The strings of templates and code are English; a language without a catalogue shows them. `make catalogues` collects
them anew (docs/editor.md says how to add a language).
"""

from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from digest.resources import catalogue_texts

LANGUAGES = ("en", "ru", "kk", "uz", "ky", "tg")
ENGLISH = NullTranslations()


@lru_cache(maxsize=64)
def translations(catalogue: str) -> NullTranslations:
    """The translations that the text of a .po file holds; English for "". Strings marked fuzzy are left out."""
    if not catalogue:
        return ENGLISH
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(catalogue.encode())))
    compiled.seek(0)
    return GNUTranslations(compiled)


def N_(text: str) -> str:
    """Marks a string for the catalogues that is translated where it is shown."""
    return text


def translator(language: str) -> NullTranslations:
    """The packaged translations of an interface language; English where there are none."""
    return translations(catalogue_texts().get(f"locale/{language}.po", ""))
