"""One table of what matches and what does not, over the languages and scripts of the region."""

import pytest

from digest.query import match, parse_query
from digest.query.match import prepare_text
from digest.text.names import Name, Names

NAMES = Names([
    Name("tokayev", "person", {
        "en": ("Kassym-Jomart Tokayev", "Tokayev"), "ru": ("Касым-Жомарт Токаев", "Токаев"),
        "kk": ("Қасым-Жомарт Тоқаев", "Тоқаев", "Toqaev"), "uz": ("To‘qayev", "Тўқаев")}),
    Name("usa", "place", {"en": ("United States", "US"), "ru": ("США", "Соединённые Штаты"), "kk": ("АҚШ",)}),
    Name("france", "place", {"en": ("France",), "ru": ("Франция",)}),
    Name("aktau", "place", {"en": ("Aktau",), "ru": ("Актау",), "kk": ("Ақтау", "Aqtaý")}),
])

TABLE = [
    # language, text, query, what matched (None: nothing)
    # English: inflected forms, hyphens, dots, apostrophes
    ("en", "Pipelines were built", "pipeline", ["Pipelines"]),
    ("en", "The company's offices", "companies", ["company"]),
    ("en", "Kazakhstan’s president", '"Kazakhstan president"', ["Kazakhstan’s president"]),
    ("en", "Exporters and exports", "=exports", ["exports"]),
    ("en", "The U.S. embassy", "U.S.", ["U.S"]),
    ("en", "The US and us", "!US", ["US"]),
    ("en", "They told us", "!US", None),
    ("en", "COVID-19 cases", "covid", ["COVID"]),
    ("en", "Kassym-Jomart spoke", "Kassym-Jomart", ["Kassym-Jomart"]),
    ("en", "Kassym Jomart spoke", "Kassym-Jomart", ["Kassym Jomart"]),
    ("en", "Kassymjomart spoke", "Kassym-Jomart", None),
    ("en", "Kazakhs and Kazakhstani", "kazakh*", ["Kazakhs", "Kazakhstani"]),
    ("en", "Severe turbulence; then light turbulence", 'turbulence EXCEPT "light turbulence"', ["turbulence"]),
    ("en", "Only light turbulence", 'turbulence EXCEPT "light turbulence"', None),
    ("en", "oil from the new pipeline", "oil NEAR/3 pipeline", ["oil", "pipeline"]),
    ("en", "oil from the very new pipeline", "oil NEAR/3 pipeline", None),
    ("en", "pipeline with oil", "oil ONEAR/3 pipeline", None),
    ("en", "the price of gas and oil", '"gas price"~3', ["price", "gas"]),
    ("en", "the price of cheap Russian natural gas", '"gas price"~3', None),
    ("en", "Gas rose. Oil fell.", "SENT(gas oil)", None),
    ("en", "Gas rose. Oil fell.", "PARA(gas oil)", ["Gas", "Oil"]),
    # Russian: cases, ё/е, hyphens, capitals, light endings
    ("ru", "В Астане открыли мост", "Астана", ["Астане"]),
    ("ru", "Токаевым подписан указ", "Токаев", ["Токаевым"]),
    ("ru", "Ещё один объём", "еще объем", ["Ещё", "объём"]),
    ("ru", "Еще один объем", "ещё объём", ["Еще", "объем"]),
    ("ru", "Королёва", "Королев", ["Королёва"]),
    ("ru", "нефтепроводами", "нефтепровод", ["нефтепроводами"]),
    ("ru", "Казахстанцы за рубежом", "Казахстан", None),  # people, another word
    ("ru", "Казахстаном и Кыргызстаном", "Казахстан Кыргызстан", ["Казахстаном", "Кыргызстаном"]),
    ("ru", "ООН и оон", "!ООН", ["ООН"]),
    ("ru", "премьер-министра", '"премьер-министр"', ["премьер-министра"]),
    ("ru", "Южно-Казахстанская область", "южно*", ["Южно"]),
    ("ru", "газета", "газ", None),
    ("ru", "Магистральный газопровод «Сила Сибири»", '«сила сибири»', ["Сила Сибири"]),
    # Kazakh: suffixes in Cyrillic and Latin
    ("kk", "Қазақстандағы мектептерде", "Қазақстан мектеп", ["Қазақстандағы", "мектептерде"]),
    ("kk", "Тоқаевтың бұйрығы", "Тоқаев", ["Тоқаевтың"]),
    ("kk", "оқушыларға", "оқушы", ["оқушыларға"]),
    ("kk", "министрліктің", "министрлік", ["министрліктің"]),
    ("kk", "тауарлардың бағасы", '"тауар бағасы"', ["тауарлардың бағасы"]),
    ("kk", "газдың", "газ", ["газдың"]),
    ("kk", "Үкіметтің қаулысы", "үкімет", ["Үкіметтің"]),
    ("kk", "Qazaqstannyń Prezidenti", "Қазақстан", ["Qazaqstannyń"]),
    ("kk", "Қазақстанда", "Qazaqstan", ["Қазақстанда"]),
    ("kk", "Ақтөбеде", "Ақтау", None),
    # Uzbek: both scripts, five apostrophes
    ("uz", "O'zbekistonda", "O‘zbekiston", ["O'zbekistonda"]),
    ("uz", "O‘zbekistonda", "O'zbekiston", ["O‘zbekistonda"]),
    ("uz", "Oʻzbekistonda", "O`zbekiston", ["Oʻzbekistonda"]),
    ("uz", "O`zbekistonda", "O’zbekiston", ["O`zbekistonda"]),
    ("uz", "O’zbekistonda", "Oʻzbekiston", ["O’zbekistonda"]),
    ("uz", "ta’lim vazirligi", "taʼlim", ["ta’lim"]),
    ("uz", "Ўзбекистонда газ нархи", "O‘zbekiston gaz", ["Ўзбекистонда", "газ"]),
    ("uz", "Toshkentdagi", "Тошкент", ["Toshkentdagi"]),
    ("uz", "Prezidentning qarorlari", "президент қарор", ["Prezidentning", "qarorlari"]),
    ("uz", "президентининг қарори", "prezident qaror", ["президентининг", "қарори"]),
    ("uz", "saylovlarda", "saylov", ["saylovlarda"]),
    ("uz", "Самарқандда", "Samarqand", ["Самарқандда"]),
    ("uz", "o‘tin", "ot", None),  # firewood is no horse
    # Kyrgyz
    ("ky", "Бишкектеги окуучуларга", "Бишкек окуучу", ["Бишкектеги", "окуучуларга"]),
    ("ky", "Кыргызстандын өкмөтү", '"Кыргызстан өкмөт"', ["Кыргызстандын өкмөтү"]),
    ("ky", "депутаттар", "депутат", ["депутаттар"]),
    ("ky", "депутат", "депутаттар", ["депутат"]),
    ("ky", "шайлоонун", "шайлоо", ["шайлоонун"]),
    ("ky", "мектептерде", "мектеп", ["мектептерде"]),
    # Tajik
    ("tg", "Тоҷикистонро", "Тоҷикистон", ["Тоҷикистонро"]),
    ("tg", "мактабҳо", "мактаб", ["мактабҳо"]),
    ("tg", "кишварҳои Осиёи Марказӣ", "кишвар", ["кишварҳои"]),
    ("tg", "Президенти Тоҷикистон", '"президент Тоҷикистон"', ["Президенти Тоҷикистон"]),
    ("tg", "Душанберо", "Душанбе", ["Душанберо"]),
    # Turkish: dotted and dotless i, endings behind an apostrophe
    ("tr", "İstanbul'da", "istanbul", ["İstanbul"]),
    ("tr", "İSTANBUL'DA", "İstanbul", ["İSTANBUL"]),
    ("tr", "ISPARTA", "ısparta", ["ISPARTA"]),
    ("tr", "ISPARTA", "isparta", None),
    ("tr", "DIŞİŞLERİ BAKANI", "Dışişleri bakanı", ["DIŞİŞLERİ", "BAKANI"]),
    ("tr", "evlerde", "ev", ["evlerde"]),
    ("tr", "Kazakistan'ın başkenti", "Kazakistan", ["Kazakistan"]),
    # Numbers with units
    ("ru", "выделят 5 млн тенге", '"5 млн"', ["5 млн"]),
    ("ru", "выделят 15 млн тенге", '"5 млн"', None),
    ("en", "5,000 people", "5000", ["5,000"]),
    ("en", "5000 people", "5,000", ["5000"]),
    ("ru", "5 000 человек", "5,000", ["5 000"]),
    ("ru", "5 000 человек", '"5000 человек"', ["5 000 человек"]),
    ("en", "1,500,000 tonnes", "1500000", ["1,500,000"]),
    ("en", "up 54.2%", "54.2", ["54.2"]),
    ("ru", "выросли на 54,2%", "54.2", ["54,2"]),
    ("en", "154.2 points", "54.2", None),
    ("en", "in 2026", "2026", ["2026"]),
    ("en", "2,026 people", "=2026", None),
    # Names by gazetteer
    ("en", "President Tokayev said", "@tokayev", ["Tokayev"]),
    ("ru", "встреча с Токаевым", "@tokayev", ["Токаевым"]),
    ("kk", "Тоқаевтың жолдауы", "@tokayev", ["Тоқаевтың"]),
    ("uz", "Тўқаев билан", "@tokayev", ["Тўқаев"]),
    ("en", "the US and allies", "@usa", ["US"]),
    ("en", "They told us so", "@usa", None),
    ("ru", "власти США", "@usa NEAR/2 власти", ["власти", "США"]),
    ("kk", "АҚШ-тың елшісі", "@usa", ["АҚШ"]),
    ("ru", "во Франции", "@france", ["Франции"]),
    ("en", "Frances spoke", "@france", None),
    ("ru", "Порт Актау", '"порт" @aktau', ["Порт", "Актау"]),
    # Another script is another word where the language has one script
    ("en", "Токаев", "Tokayev", None),
    ("und", "KEGOC жаңарады", "kegoc", ["KEGOC"]),
]


def test_the_table_is_long_enough() -> None:
    assert len(TABLE) >= 80
    assert {language for language, *_ in TABLE} >= {"en", "ru", "kk", "uz", "ky", "tg", "tr"}


@pytest.mark.parametrize(("language", "text", "query", "places"), TABLE)
def test_a_query_in_a_language(language: str, text: str, query: str, places: list[str] | None) -> None:
    found = match(parse_query(query, names=NAMES), prepare_text([text], language))
    assert (None if found is None else [text[start:end] for start, end in found]) == places
