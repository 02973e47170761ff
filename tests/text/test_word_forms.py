"""Tables of word forms: what folding and stems make one word of, and what they keep apart."""

import pytest

from digest.text.stems import stem, stems
from digest.text.tokens import fold, words

TOGETHER = {
    "en": ["pipeline pipelines PIPELINE", "election elections", "country countries", "mine mines", "tax taxes",
           "Kazakhstan KAZAKHSTAN", "border borders", "naïve NAÏVE"],
    "ru": ["нефть нефти нефтью", "выборы выборов выборам выборами", "Казахстан Казахстана Казахстане Казахстаном",
           "шахта шахты шахту шахтой", "президент президента президенту", "ёлка елка ЁЛКИ",
           "тенге ТЕНГЕ", "пожар пожары пожаров", "министр министры министров", "соглашение соглашения соглашению",
           "землетрясение землетрясения землетрясений"],
    "kk": ["Қазақстан Қазақстанның Қазақстанға Қазақстанда Қазақстаннан Қазақстанмен Qazaqstanda",
           "президент президенті президенттің президентке президентпен президенттер",
           "үкімет үкіметі үкіметтің үкіметке ükımetı úkimeti", "сайлау сайлауда сайлауға сайлаудан сайлаулар",
           "кенші кеншілер кеншілердің", "мұнай мұнайды мұнайдың мұнайға mūnai", "шешім шешімі шешімге шешімдер",
           "баға бағасы бағалар бағаның", "облыс облысы облысында облыстың облыстар",
           "құрылыс құрылысы құрылысын qūrylys qurylys", "келісім келісімі келісімге келісімдер",
           "мектеп мектепте мектептің", "жұмыс жұмысы жұмысқа жұмыстар", "адам адамдар адамдардың адамға",
           "заң заңы заңға заңмен", "кездесті кездескен кездеседі", "айтты айтқан айтады",
           "Тоқаев Тоқаевтың Тоқаевқа Тоқаевпен", "Алматы Алматыда Алматыға Алматыдан Almaty",
           "өңір өңірі өңірлерде óńir öñır", "премьер-министрі ПРЕМЬЕР-МИНИСТРІ"],
    "ky": ["Кыргызстан Кыргызстандын Кыргызстанда Кыргызстандан Кыргызстанга",
           "президент президенти президенттин президентке", "өлкө өлкөнүн өлкөдө өлкөлөр өлкөбүздүн",
           "шаар шаары шаарында шаардын шаарлар", "облус облусу облусуна облустун",
           "өкмөт өкмөттүн өкмөткө өкмөтү", "көл көлдүн көлгө көлдө", "Жапаров Жапаровдун Жапаровго",
           "билдирди билдирген", "шайлоо шайлоонун шайлоого", "Бишкек Бишкекте Бишкектин Бишкекке",
           "келишим келишими келишимди келишимге", "түштүк ТҮШТҮК"],
    "uz": ["Oʻzbekiston Oʻzbekistonning Oʻzbekistonda Ўзбекистон Ўзбекистоннинг O'zbekiston O`zbekistonga",
           "prezident prezidenti prezidentning президент президентга", "qishloq qishlogʻi қишлоқ қишлоғи",
           "yurak yuragi юрак юраги", "majlis majlisi majlislar мажлис мажлиси", "shahar shaharda шаҳар шаҳарда",
           "saylov saylovlar saylovda сайлов сайловда", "hokim hokimi hokimlar ҳоким ҳокимлар",
           "gʻalaba gʻalabasi ғалаба", "kelishuv kelishuvi келишув келишувлар", "maʼnaviyat manaviyat маънавият",
           "Toshkent Toshkentda Toshkentga Тошкент Тошкентдан", "aholi aholisi аҳоли аҳолиси",
           "yangi янги", "choʻl чўл", "Yevropa Европа Yevropada Европада", "investitsiya investitsiyalar инвестиция",
           "bildirdi bildirgan билдирди билдирган"],
    "tg": ["ҷаҳонӣ ҷаҳониро ҶАҲОНӢ", "фарҳангӣ фарҳанги",
           "Тоҷикистон Тоҷикистонро Тоҷикистони", "президент президенти президентҳо президентро",
           "вазир вазири вазирон вазирро", "вазорат вазорати вазоратҳо", "кишвар кишвари кишварҳои кишварро",
           "шаҳр шаҳри шаҳрҳо", "ҳукумат ҳукумати ҳукуматро"],
    "tk": ["prezident prezidenti prezidentiniň", "döwlet döwletiň döwletler", "Aşgabat Aşgabatda AŞGABAT",
           "Türkmenistan Türkmenistanyň Türkmenistanda", "ministr ministrler ministriniň"],
    "tr": ["seçimler seçimlerde", "İstanbul istanbul İSTANBUL", "ısı ISI", "hükümet hükümeti hükümetin",
           "ülke ülkeler"],
}
APART = {
    "en": ["oil oily", "gas gasp"], "ru": ["газета газ", "Казань Казахстан", "мир мировой"],
    "kk": ["мұнай мұнда", "қала қалам", "білім біл", "шешім шеш", "бөлім бөл", "сот соттау", "тау тауар"],
    "ky": ["кыз кызмат", "жол жолдош", "билим бил"], "uz": ["bilim bil", "yoʻl yol", "oʻn on", "gʻoz goz"],
    "tg": ["шаҳр шаҳид", "давлат давр"], "tk": ["at ata"], "tr": ["ısı isi"],
}


@pytest.mark.parametrize(("language", "row"), [(language, row) for language, rows in TOGETHER.items() for row in rows])
def test_the_forms_of_a_word_have_one_stem(language: str, row: str) -> None:
    assert len({" ".join(stems(form, language)) for form in row.split()}) == 1


@pytest.mark.parametrize(("language", "row"), [(language, row) for language, rows in APART.items() for row in rows])
def test_other_words_have_stems_of_their_own(language: str, row: str) -> None:
    found = [" ".join(stems(form, language)) for form in row.split()]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(("language", "text", "expected"), [
    ("uz", "Oʻzbekiston O‘zbekiston O'zbekiston O`zbekiston Oʼzbekiston", ["o'zbekiston"] * 5),
    ("uz", "ЁШЛАР ёшлар", ["ёшлар"] * 2),  # a letter of its own in Uzbek
    ("ru", "Ещё ЕЩЕ ещё", ["еще"] * 3),
    ("ru", "Нур-Султан, 12-го", ["нур", "султан", "12", "го"]),
    ("kk", "COVID-19 бойынша 3,5 млрд теңге", ["covid", "19", "бойынша", "3", "5", "млрд", "теңге"]),
    ("kk", "Қазақстан\u00adның", ["қазақстанның"]),  # soft hyphen
    ("tr", "IĞDIR İzmir", ["ığdır", "izmir"]),
    ("az", "İlham Əliyev", ["ilham", "əliyev"]),
    ("en", "Türkiye’s Ⅷ ﬁne", ["türkiye", "s", "viii", "fine"]),
    ("tg", "Ҷумҳурии Тоҷикистон", ["ҷумҳурии", "тоҷикистон"]),
    ("tk", "Aşgabat ŞÄHERI", ["aşgabat", "şäheri"]),
    ("ky", "Ысык-Көл", ["ысык", "көл"]),
])
def test_words_are_folded_by_language(language: str, text: str, expected: list[str]) -> None:
    assert words(text, language) == expected


@pytest.mark.parametrize("language", ["kk", "ky", "uz", "tg", "tk"])
def test_a_stem_is_never_empty_and_never_longer_than_its_word_by_more_than_its_script(language: str) -> None:
    for row in TOGETHER[language]:
        for form in row.split():
            for word in words(form, language):
                assert 0 < len(stem(fold(word, language), language)) <= 2 * len(word)


def test_the_tables_cover_every_language_of_the_region() -> None:
    assert sum(map(len, TOGETHER.values())) >= 80
    assert {"en", "ru", "kk", "ky", "uz", "tg", "tk", "tr"} <= TOGETHER.keys() & APART.keys()
