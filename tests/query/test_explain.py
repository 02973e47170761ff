import pytest

from digest.query import parse_query
from digest.query.explain import explain
from digest.text.names import Name, Names

NAMES = Names([Name("tokayev", "person", {"en": ("Tokayev",), "ru": ("Токаев",)})])
EXPLAINED = [
    ("gas", "must mention “gas”"),
    ("gas oil -sport", "must mention “gas” and “oil”; must not mention “sport”"),
    ("(Tokayev OR Токаев) NEAR/5 gas",
     "must mention (“Tokayev” or “Токаев”) and, within 5 words, “gas”"),
    ("gas ONEAR/1 oil", "must mention “gas” and, within 1 word after it, “oil”"),
    ("(gas OR oil) price", "must mention (“gas” or “oil”) and “price”"),
    ("gas NOT (oil coal)", "must mention “gas”; must not mention “oil” and “coal”"),
    ("=ЕАЭС !KEGOC kazakh*", "must mention “ЕАЭС” in exactly this form, “KEGOC” with these capitals and "
                             "a word that begins with “kazakh”"),
    ('"oil pipeline"~3', "must mention the words “oil pipeline” in any order with at most 3 others among them"),
    ('turbulence EXCEPT "light turbulence"', "must mention “turbulence” outside of “light turbulence”"),
    ("@tokayev", "must mention Tokayev in any spelling"),
    ('title:("oil pipeline" OR КТК) lang:ru',
     "must mention “oil pipeline” or “КТК”, all in its title and be written in the language “ru”"),
    ("title:gas", "must mention “gas” in its title"),
    ("SENT(gas oil) OR region:kazakhstan",
     "must either mention “gas” and “oil”, all in one sentence or be of the region “kazakhstan”"),
    ("PARA(gas -oil)", "must mention “gas” and not “oil”, all in one paragraph"),
    ("gas -url:kun.uz", "must mention “gas”; must not have “kun.uz” in its address"),
    ("(gas lang:ru) OR (oil -lang:ru)", "must either mention “gas” and be written in the language “ru” or "
                                        "mention “oil” and not be written in the language “ru”"),
    ("gas source:(bbc OR dw) author:reuters place:Astana topic:energy family:tengri",
     "must mention “gas”, come from the source “bbc” or “dw”, be written by “reuters”, be datelined “Astana”, "
     "be of the topic “energy” and come from an outlet of “tengri”"),
    ("gas sources>=3 families=2 rate>2.5x",
     "must mention “gas”; its story must be told by at least 3 sources; its story must be told by exactly 2 "
     "independent owners; its story must grow more than 2.5 times as fast as usual"),
]


@pytest.mark.parametrize(("text", "words"), EXPLAINED)
def test_a_query_is_said_in_plain_words(text: str, words: str) -> None:
    assert explain(parse_query(text, names=NAMES)) == words


def test_a_name_without_spellings_is_said_too() -> None:
    assert explain(parse_query("@tokayev", names=None)) == "must mention the name tokayev"
