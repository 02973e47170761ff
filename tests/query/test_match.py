from dataclasses import replace
from datetime import UTC, datetime

import pytest

from digest.model import Block, DateQuality, Feed, Item, Source
from digest.query import match, parse_query, prepare
from digest.query.match import prepare_text

EN = ("Tokayev's talks in Astana. The U.S. "
      "energy company will build gas pipelines, officials said; COVID-19 was not mentioned.")
RU = ("Токаева встретили в Алматы. Ещё одно месторождение газа "
      "откроют нефтяники «КазМунайГаз» в посёлках Мангистауской области.")
KK = ("Қазақстанның Үкіметі мұнай өндіру жоспарын бекітті. Тоқаевтың айтуынша, "
      "теңізшілер Ақтауда жиналды. KEGOC жаңарады.")

CASES = [
    # language, text, query, the places that matched (None: no match)
    ("en", EN, "tokayev", ["Tokayev"]),  # case and the genitive
    ("en", EN, '"Tokayev talks"', ["Tokayev's talks"]),
    ("en", EN, "Tokayev’s", ["Tokayev"]),
    ("en", "Rock 's' roll", '"rock roll"', None),
    ("en", EN, "pipeline", ["pipelines"]),  # inflected
    ("en", EN, "companies official", ["company", "officials"]),
    ("en", EN, "gas AND coal", None),
    ("en", EN, "coal OR gas", ["gas"]),
    ("en", EN, "gas -coal", ["gas"]),
    ("en", EN, "gas NOT pipeline", None),
    ("en", EN, "gas NOT (coal pipeline)", ["gas"]),
    ("en", EN, "gas NOT (coal OR pipeline)", None),
    ("en", EN, '"gas pipeline"', ["gas pipelines"]),  # phrases by stem, too
    ("en", EN, '"pipeline gas"', None),  # in this order
    ("en", EN, '"gas officials"', None),
    ("en", EN, '"pipelines, officials"', ["pipelines, officials"]),  # punctuation does not matter
    ("en", EN, "COVID-19", ["COVID-19"]),
    ("en", EN, "covid", ["COVID"]),
    ("en", EN, "U.S.", ["U.S"]),
    ("en", EN, "=pipeline", None),  # the exact form
    ("en", EN, "=pipelines", ["pipelines"]),
    ("en", EN, '="gas pipeline"', None),
    ("en", EN, "Токаев", None),  # another script is another word
    ("en", EN, 'gas OR "gas pipelines"', ["gas pipelines"]),  # overlapping places are one
    ("ru", RU, "Токаев", ["Токаева"]),  # a surname, though -ев looks like an ending
    ("ru", RU, "токаеву", ["Токаева"]),
    ("ru", RU, "еще", ["Ещё"]),
    ("ru", RU, "поселках", ["посёлках"]),
    ("ru", RU, "месторождения", ["месторождение"]),
    ("ru", RU, "Мангистауская область", ["Мангистауской", "области"]),
    ("ru", RU, '"Мангистауская область"', ["Мангистауской области"]),
    ("ru", RU, "КазМунайГаз", ["КазМунайГаз"]),
    ("ru", RU, "нефтяник -спорт", ["нефтяники"]),
    ("ru", RU, "нефть", None),  # another word of the same root
    ("kk", KK, "Қазақстан", ["Қазақстанның"]),
    ("kk", KK, "үкімет", ["Үкіметі"]),
    ("kk", KK, "Тоқаев", ["Тоқаевтың"]),
    ("kk", KK, "Ақтау", ["Ақтауда"]),
    ("kk", KK, '"Қазақстан үкіметі"', ["Қазақстанның Үкіметі"]),
    ("kk", KK, "kegoc", ["KEGOC"]),  # a name in another script
    ("kk", KK, "мұнай -газ", ["мұнай"]),
    ("und", "KEGOC жаңарады", "kegoc", ["KEGOC"]),  # no language: folded words
    ("uz", "O‘zbekiston bo'yicha", "oʻzbekiston", ["O‘zbekiston"]),  # one apostrophe for all
    ("tr", "İstanbul'da ısı", "istanbul", ["İstanbul"]),  # dotted i
]


FORMS = {
    "en": ["election elections", "Kazakhstan Kazakhstan's", "tax taxes", "country countries", "Uzbek Uzbeks"],
    "ru": ["Астана Астане Астаны Астану Астаной", "Алматы Алмате", "Казахстан Казахстана Казахстане Казахстаном",
           "Токаев Токаева Токаеву Токаевым Токаеве", "Лавров Лаврова Лаврову", "Мирзиёев Мирзиёева Мирзиееву",
           "Путин Путина Путиным", "Китай Китая Китаю Китаем Китае", "нефть нефти нефтью", "выборы выборов выборам",
           "война войны войну войне", "землетрясение землетрясения", "цены цен ценам", "президент президента"],
    "kk": ["Астана Астанада Астананың Астанаға Астанадан", "Қазақстан Қазақстанда Қазақстанның Қазақстанға",
           "мұнай мұнайды мұнайдың мұнайға", "су суды судың", "сайлау сайлауда сайлауы", "баға бағасы бағалар",
           "Тоқаев Тоқаевтың Тоқаевқа", "мәжіліс мәжілістің мәжілісте", "Ресей Ресейдің Ресейге", "жер жердің"],
    "ky": ["Кыргызстан Кыргызстандын Кыргызстанда", "шайлоо шайлоонун", "Бишкек Бишкекте Бишкектин"],
    "uz": ["O'zbekiston O‘zbekistonda Oʻzbekistonning", "saylov saylovlar saylovda", "Toshkent Toshkentda"],
}
APART = [("ru", "Астана", "астма"), ("ru", "газета", "газ"), ("ru", "сми", "см"), ("kk", "қала", "қалам"),
         ("ru", "Казань", "Казахстан"), ("en", "oil", "oily"), ("kk", "мұнай", "мұнда")]


@pytest.mark.parametrize(("language", "words"), [(language, row) for language, rows in FORMS.items() for row in rows])
def test_every_form_of_a_word_finds_every_other(language: str, words: str) -> None:
    forms = words.split()
    missed = [(query, word) for query in forms for word in forms
              if match(parse_query(query), prepare_text([word], language)) is None]
    assert missed == []


@pytest.mark.parametrize(("language", "query", "word"), APART)
def test_words_that_only_look_alike_stay_apart(language: str, query: str, word: str) -> None:
    assert match(parse_query(query), prepare_text([word], language)) is None
    assert match(parse_query(word), prepare_text([query], language)) is None


@pytest.mark.parametrize(("language", "text", "query", "places"), CASES)
def test_a_query_matches_by_the_words_of_the_language(
        language: str, text: str, query: str, places: list[str] | None) -> None:
    found = match(parse_query(query), prepare_text([text], language))
    assert (None if found is None else [text[start:end] for start, end in found]) == places


def test_an_items_title_summary_and_body_are_searched_but_no_phrase_joins_them() -> None:
    item = _item("Oil output", "Rises in Atyrau.", (Block("h2", "Ruling"), Block("p", "party wins")))
    text = prepare(item)
    assert text.text == "Oil output\n\nRises in Atyrau.\n\nRuling\n\nparty wins"
    assert match(parse_query("oil atyrau ruling wins"), text) == ((0, 3), (21, 27), (30, 36), (44, 48))
    assert match(parse_query('"output rises"'), text) is None
    assert match(parse_query('"ruling party"'), text) is None


def test_a_text_without_words_matches_nothing() -> None:
    assert match(parse_query("gas"), prepare_text(["", " — "], "en")) is None


def _item(title: str, summary: str, body: tuple[Block, ...]) -> Item:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    feed = Feed("f", "https://example.org/feed", Source("example", "Example", "example"))
    return Item("i", feed, "k", "https://example.org/1", "https://example.org/1", title, summary, body, None, None,
                "en", now, 0, DateQuality.EXACT, now)


FIELDS = [
    ("title:oil", True), ("title:atyrau", False), ("summary:atyrau", True), ("summary:party", False),
    ("text:atyrau", True), ("text:party", True), ("text:oil", False), ("text:(atyrau party)", True),
    ('text:"atyrau ruling"', False), ("PARA(rises atyrau)", True), ("PARA(oil atyrau)", False),
    ("title:PARA(oil output)", True),
    ("source:example", True), ("source:exam*", True), ("source:other", False), ('source:"example other"', False),
    ("family:example", True), ("family:exam", False), ("url:example.org", True), ("url:example.org/1", True),
    ("url:example.com", False), ("url:ample.org", False), ("lang:en", True), ("lang:(ru OR en)", True),
    ("oil -lang:en", False), ("region:kazakhstan", True), ('region:"central asia"', True), ("region:asia", False),
    ("topic:energy", True), ("author:reuters", True), ('author:"Jane Doe"', True), ("author:doe", True),
    ("place:almaty", True), ("place:astana", False),
]


@pytest.mark.parametrize(("query", "found"), FIELDS)
def test_fields_ask_a_part_of_the_text_or_what_is_known_of_the_item(query: str, found: bool) -> None:
    told = replace(_item("Oil output", "Rises in Atyrau.", (Block("h2", "Ruling"), Block("p", "party wins"))),
                   agency="Reuters", place="Almaty")
    text = prepare(told, regions=["Kazakhstan", "Central Asia"], topics=["energy"], authors=["Jane Doe"])
    assert (match(parse_query(query), text) is not None) == found


def test_an_item_is_of_its_feeds_region_where_nothing_else_is_said() -> None:
    told = _item("Oil", "", ())
    told = replace(told, feed=replace(told.feed, region="Kazakhstan"))
    assert match(parse_query("region:kazakhstan"), prepare(told)) == ()
    assert match(parse_query("region:kazakhstan"), prepare(told, regions=["Russia"])) is None
