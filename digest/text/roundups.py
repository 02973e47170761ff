"""Titles that announce a round-up: many unrelated things under one head, or one thing told anew all day.

Short and on purpose incomplete: only phrases that hardly head the news of one event. Folded as by `tokens.fold`.
"""

from digest.text.tokens import words

PHRASES: dict[str, str] = {
    "en": """live updates|live blog|liveblog|live coverage|rolling coverage|as it happened|minute by minute|
        your * briefing|morning briefing|evening briefing|daily briefing|briefing what happened|morning brief|
        evening brief|daily brief|news in brief|in pictures|in photos|in * photos|photos of the|pictures of the|
        photo gallery|picture gallery|the papers|front pages|about today s|about * today|quiz|
        podcast|newsletter|crossword|horoscope|horoscopes|letters to the editor|week in review|news roundup|
        news round up|weekly roundup|daily roundup|top stories from""",
    "ru": """главное за|главное к|итоги дня|итоги недели|дайджест|обзор прессы|обзор сми|коротко о|
        главные новости|новости к|новости часа|фото дня|фото недели|фоторепортаж|фотогалерея|онлайн трансляция|
        текстовая трансляция|прямая трансляция|хроника дня|хроника событий|онлайн хроника|гороскоп|викторина|подкаст|
        что произошло за|что случилось за|события дня|новости дня|новости недели""",
    "kk": """басты жаңалықтар|күн қорытындысы|апта қорытындысы|баспасөзге шолу|фоторепортаж|тікелей эфир|
        жұлдызжорамал|күн жаңалықтары|апта жаңалықтары|дайджест""",
    "ky": """күндүн жыйынтыгы|жуманын жыйынтыгы|башкы жаңылыктар|күндүн жаңылыктары|фоторепортаж|дайджест""",
    "uz": """kun dayjesti|hafta dayjesti|asosiy yangiliklar|kun yangiliklari|hafta yangiliklari|dayjest|
        кун дайжести|ҳафта дайжести|асосий янгиликлар|дайжест""",
    "tg": "хабарҳои асосӣ|хабарҳои рӯз|дайджест|фоторепортаж",
    "tk": "esasy habarlar|günüň habarlary|hepdäniň habarlary",
}
_BY_FIRST: dict[str, dict[str, list[list[str]]]] = {}
for _language, _table in PHRASES.items():
    _starts = _BY_FIRST.setdefault(_language, {})
    for _phrase in _table.split("|"):
        _words = words(_phrase.replace("*", " anything "), _language)
        _starts.setdefault(_words[0], []).append([word if word != "anything" else "" for word in _words])


def announces_roundup(title: list[str], language: str) -> bool:
    """Whether the folded words of a title hold a phrase that announces a round-up in that language."""
    starts = _BY_FIRST.get(language)
    if not starts or starts.keys().isdisjoint(title):
        return False
    return any(
        len(title) - place >= len(phrase)
        and all(word in ("", own) for word, own in zip(phrase, title[place:], strict=False))
        for place, first in enumerate(title) for phrase in starts.get(first, ()))
