"""The language of a text, out of those that are configured.

What a document declares is believed where the text does not speak against it: scrapers declare English for everything,
and outlets mix languages in one feed. Most texts are told by their letters and commonest words; the model of py3langid,
which takes half a second and some seventy megabytes, is loaded for the first one that is not, unless `load_model` was.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

USUAL = ("en", "ru", "kk", "ky", "uz", "tg", "tk", "uk", "az", "tr", "de", "fr")  # where none are configured
MAX_TEXT = 600  # characters that are looked at
SURE = 0.7  # from which the model is believed
DECLARED_WRONG = 0.95  # from which it is believed against what the document declares
ENGLISH_SHARE = 0.12  # share of English function words from which a text is English
FOREIGN_LETTERS = 0.01  # share of letters that Russian lacks from which a text is not Russian
SHORT = 12  # letters below which the model guesses
LONG = 100  # letters among which a text of another language than Russian has some that Russian lacks

# Letters that tell languages in Cyrillic apart; of two that explain as much, the first is taken.
_LETTERS = {language: re.compile(f"[{letters}]", re.IGNORECASE) for language, letters in (
    ("ky", "ңөү"), ("uk", "їєґі"), ("kk", "әғқңөұүһі"), ("uz", "ўқғҳ"), ("tg", "ҷӣӯҳқғ"))}
_FOREIGN = re.compile("[^\u0401\u0410-\u044f\u0451\\W\\d_a-zA-Z]")  # neither Russian nor English
_WORD = re.compile(r"[^\W\d_]+")
_BLANKED = {code: " " for code in range(128) if not chr(code).isalpha()}  # all of ASCII that is no letter
_UZBEK = re.compile("[og]‘[a-z]{2}")  # its words would fall into English ones: to‘g‘ridan
_SIGNS = "’‘“”–—…"  # commonest in English beside ASCII
_CYRILLIC_BLOCK = 4  # high byte of U+0400 to U+04FF
_ELSEWHERE = re.compile(  # letters neither Latin nor Cyrillic
    "[\u0530-\u1c7f\u1c90-\u1dff\u2e80-\ua63f\ua6a0-\ufaff\U00010280-\U0001d3ff\U00020000-\U0003ffff]")
_ENGLISH = frozenset(  # its commonest words, and such as hardly another language has
    "the of and to in for is on with that was as are by from has be at an after will "
    "this which who whose what when where how why they their them his she her its been have were would could should "
    "than then into about says said against before while because through between your you our".split())
_CYRILLIC = frozenset({"ru", "kk", "ky", "uz", "tg", "uk", "be", "bg", "mk", "sr", "mn", "tt", "ba", "az", "tk", "os"})
_LATIN = frozenset("az cs da de en es et fi fr hr hu id it lt lv ms nl no pl pt ro sk sl sv tk tr uz vi".split())
_NEAR = _LATIN | _CYRILLIC
_NO_LETTERS_OF_THEIR_OWN = frozenset({"bg", "mk", "sr"})  # hardly told from Russian by letters


def language_of(text: str, declared: str | None, candidates: Sequence[str] = ()) -> str:
    """The primary subtag of a text's language, "und" where nothing tells it.

    `declared` is what its document says, `candidates` are the languages that it may be beside that (none: the usual).
    """
    text = text[:MAX_TEXT]
    candidates = tuple(candidates) or USUAL
    cyrillic = 0 if text.isascii() else text.encode("utf-16-le", "surrogatepass")[1::2].count(_CYRILLIC_BLOCK)
    if 2 * cyrillic > len(text) or (cyrillic and 2 * cyrillic > _letters(text)):
        return _cyrillic_language(text, cyrillic, declared, candidates)
    if declared in {None, "en"} and _is_english(text):
        return "en"
    if declared and declared not in {"en", *_CYRILLIC - {"uz", "az", "tk", "kk", "sr", "tt"}}:
        return "en" if declared in _CYRILLIC and _is_english(text) else declared
    return detected(text, candidates, DECLARED_WRONG if declared else SURE) or declared or "und"


def _cyrillic_language(text: str, cyrillic: int, declared: str | None, candidates: Sequence[str]) -> str:
    is_foreign = bool(_FOREIGN.search(text))
    if "ru" in candidates and not is_foreign and (cyrillic >= LONG or _letters(text) >= LONG) \
            and declared not in _NO_LETTERS_OF_THEIR_OWN and _NO_LETTERS_OF_THEIR_OWN.isdisjoint(candidates):
        return "ru"
    if declared in _CYRILLIC and is_foreign == (declared != "ru"):
        return str(declared)
    found = detected(text, candidates, DECLARED_WRONG if declared in _CYRILLIC else SURE)
    if found or declared in _CYRILLIC:
        return found or str(declared)
    counts = {language: len(pattern.findall(text)) for language, pattern in _LETTERS.items() if language in candidates}
    likely = max(counts, key=lambda language: counts[language], default="ru")
    return likely if counts.get(likely, 0) > FOREIGN_LETTERS * _letters(text) else "ru"


def detected(text: str, candidates: Sequence[str], sure: float = SURE) -> str | None:
    """The candidate that the model finds likeliest, None below the probability `sure` and for too few letters.

    None too for a text that is mostly in letters of other scripts than the candidates have. The first call loads the
    model.
    """
    letters = _letters(text)
    if letters < SHORT:
        return None
    if not text.isascii() and 2 * len(_ELSEWHERE.findall(text)) > letters and _NEAR.issuperset(candidates):
        return None
    language, probability = _identifier(tuple(sorted(candidates))).classify(text)
    return str(language) if probability >= sure else None


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def load_model() -> None:
    """Loads the model, so that no later call needs to."""
    _model()


@lru_cache(1)
def _model() -> Any:
    """The model of all its languages."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # loads numpy
    return LanguageIdentifier.from_model_file(MODEL_FILE)


@lru_cache(4)
def _identifier(candidates: tuple[str, ...]) -> Any:
    """The model restricted to those of `candidates` that it knows; to all where it knows none."""
    whole = _model()
    whole.set_languages(None)
    whole.set_languages([language for language in candidates if language in whole.labels] or None)
    # Made anew of its parts: the whole keeps its languages.
    return type(whole)(whole.nb_ptc, whole.nb_pc, whole.nb_classes, whole.tk_nextmove, whole.tk_output,
                       norm_probs=True, tk_row=whole.tk_row)


def _is_english(text: str) -> bool:
    lower = text.lower()
    if "‘" in lower and _UZBEK.search(lower):
        return False
    if not lower.isascii():
        for sign in _SIGNS:
            lower = lower.replace(sign, " ")
    words = lower.translate(_BLANKED).split() if lower.isascii() else _WORD.findall(lower)
    return sum(map(_ENGLISH.__contains__, words)) > ENGLISH_SHARE * len(words)
