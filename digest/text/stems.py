"""Stems: the part of a word that its inflected forms share.

Snowball where it knows the language; own suffix tables for Kazakh, Kyrgyz and Uzbek, which it does not; elsewhere
the word itself. Stems are compared, never shown.
"""

import re
from functools import lru_cache
from threading import Lock

import Stemmer

from digest.text import romanised
from digest.text.tokens import words

SNOWBALL = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "et": "estonian", "fi": "finnish", "fr": "french", "hi": "hindi", "hu": "hungarian", "hy": "armenian",
    "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali", "nl": "dutch", "no": "norwegian",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "tr": "turkish",
}
# Case, number, possession and the commonest verb endings, by language; `|` separates nothing but suffixes.
SUFFIXES = {
    "kk": """
        лар лер дар дер тар тер ның нің дың дің тың тің ға ге қа ке на не ды ді ты ті ны ні да де та те нда нде
        дан ден тан тен нан нен нін нын мен бен пен менен ым ім ың ің сы сі ы і мыз міз ымыз іміз ңыз ңіз ыңыз іңіз
        сын сін ын ін сына сіне ына іне сында сінде ында інде сынан сінен ынан інен сының сінің ының інің
        дағы дегі тағы тегі ндағы ндегі ындағы індегі сындағы сіндегі
        ған ген қан кен ып іп у ады еді йды йді атын етін йтын йтін дық дік тық тік са се маған меген
        """,
    "ky": """
        лар лер лор лөр дар дер дор дөр тар тер тор төр нын нин нун нүн дын дин дун дүн тын тин тун түн
        га ге го гө ка ке ко кө на не но нө ны ни ну нү ды ди ду дү ты ти ту тү да де до дө та те то тө
        нда нде ндо ндө дан ден дон дөн тан тен тон төн нан нен нон нөн ы и у ү сы си су сү ын ин ун үн сын син сун сүн
        ында инде унда үндө сында синде сунда сүндө ынын инин унун үнүн сынын синин сунун сүнүн
        дагы деги догу дөгү тагы теги ган ген гон гөн кан кен кон көн ып ип уп үп
        """,
    "uz": """
        lar larning larni larga larda lardan lari ning ni ga ka qa da dan i si im ing miz imiz ngiz ingiz dagi gan kan
        qan di ib sh ish ини лар ларнинг ларни ларга ларда лардан лари нинг ни га ка қа да дан и си им инг миз имиз
        нгиз ингиз даги ган кан қан ди иб
        """,
}
SHORTEST_STEM = 3  # characters that stay, at least
ROUNDS = 3  # endings that one word may stack

_AFTER_VOICELESS = "(?<=[бвгдкқпстфхцчшщ])"  # where an ending may begin with т


def _endings(table: str) -> re.Pattern[str]:
    """One pattern for the longest ending of a word that leaves a stem."""
    endings = sorted(table.split(), key=len, reverse=True)
    choices = "|".join(f"{_AFTER_VOICELESS if ending[0] == 'т' else ''}{ending}" for ending in endings)
    return re.compile(f"(?<=.{{{SHORTEST_STEM}}})(?:{choices})$")


_ENDINGS = {language: _endings(table) for language, table in SUFFIXES.items()}
_COUNTRY = re.compile(r"(\w{2,}стан)(?:а|у|е|ом)?")  # Snowball takes the а of «Казахстана» for a verb's
_VOICED_FINALS = {"kk": str.maketrans("бғг", "пқк"), "ky": str.maketrans("бг", "пк")}
_SNOWBALL_LOCK = Lock()  # a Snowball stemmer keeps state between calls
_stemmers: dict[str, Stemmer.Stemmer] = {}


@lru_cache(maxsize=400_000)
def stem(word: str, language: str) -> str:
    """The stem of a folded word; the word itself where the language is not known or the word is a number."""
    if not word.isalpha() and "'" not in word:
        return word
    if language in _ENDINGS:
        return _agglutinative(word, language)
    if language == "ru" and (country := _COUNTRY.fullmatch(word)):
        return country.group(1)
    if language in romanised.LANGUAGES:
        return word[:romanised.TRUNCATED]
    algorithm = SNOWBALL.get(language)
    if algorithm is None:
        return word
    with _SNOWBALL_LOCK:
        if algorithm not in _stemmers:
            _stemmers[algorithm] = Stemmer.Stemmer(algorithm, 0)
        return str(_stemmers[algorithm].stemWord(word))


def stems(text: str, language: str) -> list[str]:
    """The stems of a text's words, in order, stop words included."""
    return [stem(word, language) for word in words(text, language)]


def _agglutinative(word: str, language: str) -> str:
    endings = _ENDINGS[language]
    for _ in range(ROUNDS):
        shorter = endings.sub("", word, count=1)
        if shorter == word:
            break
        word = shorter
    finals = _VOICED_FINALS.get(language)
    return word[:-1] + word[-1].translate(finals) if finals and len(word) > SHORTEST_STEM else word
