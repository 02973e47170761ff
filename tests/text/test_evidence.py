"""Headlines of one event in several languages share names, numbers and dates; those of others do not. Made up."""

from itertools import combinations

import pytest

from digest.documents import read_configuration
from digest.services.config import packaged_gazetteer
from digest.text.evidence import STRONG, Facts, Rarity, facts, number_weight, shared
from digest.text.names import Name, Names

SIBLINGS = {("gas", "gas again")}  # two events with the same names and no number: time and words must part them
ONE_NAME = {"khusanov", "rybakina", "almaty-metro", "amb-austria"}  # one name that all share is not enough
EVENTS = {
    "tashkent-visit": [
        ("en", "Kazakh President Tokayev arrives in Tashkent for talks with Mirziyoyev"),
        ("ru", "Токаев прибыл в Ташкент на переговоры с Мирзиёевым"),
        ("kk", "Тоқаев Мирзиёевпен келіссөз жүргізу үшін Ташкентке келді"),
        ("uz", "Toʻqayev Mirziyoyev bilan muzokara uchun Toshkentga keldi"),
        ("uz", "Тўқаев Мирзиёев билан музокара учун Тошкентга келди"),
    ],
    "water": [
        ("en", "Tokayev and Mirziyoyev sign agreement on Syr Darya water in Shymkent"),
        ("ru", "Токаев и Мирзиёев подписали в Шымкенте соглашение о воде Сырдарьи"),
        ("kk", "Тоқаев пен Мирзиёев Шымкентте Сырдария суы туралы келісімге қол қойды"),
        ("uz", "Toʻqayev va Mirziyoyev Chimkentda Sirdaryo suvi boʻyicha kelishuv imzoladi"),
    ],
    "mine": [
        ("en", "Five miners killed in blast at Qarmet mine in Karaganda region"),
        ("ru", "Пятеро горняков погибли при взрыве на шахте Qarmet в Карагандинской области"),
        ("kk", "Қарағанды облысындағы Qarmet шахтасында жарылыстан бес кенші қаза тапты"),
        ("uz", "Qaragʻanda viloyatidagi Qarmet shaxtasida portlash: besh konchi halok boʻldi"),
    ],
    "rate": [
        ("en", "National Bank of Kazakhstan raises base rate to 18%"),
        ("ru", "Нацбанк Казахстана повысил базовую ставку до 18%"),
        ("kk", "Қазақстан Ұлттық банкі базалық мөлшерлемені 18 пайызға көтерді"),
        ("uz", "Qozogʻiston Milliy banki asosiy stavkani 18 foizga oshirdi"),
    ],
    "uzrate": [
        ("en", "Central Bank of Uzbekistan keeps main rate at 14%"),
        ("ru", "Центральный банк Узбекистана сохранил основную ставку на уровне 14%"),
        ("uz", "Oʻzbekiston Markaziy banki asosiy stavkani 14 foizda saqlab qoldi"),
        ("uz", "Ўзбекистон Марказий банки асосий ставкани 14 фоизда сақлаб қолди"),
    ],
    "border": [
        ("en", "Kyrgyzstan and Tajikistan open Kyzyl-Bel crossing in Batken after border deal, Japarov says"),
        ("ru", "Кыргызстан и Таджикистан открыли пункт в Баткене после соглашения о границе, заявил Жапаров"),
        ("ky", "Кыргызстан менен Тажикстан чек ара келишиминен кийин Баткенде бекет ачты, деди Жапаров"),
        ("tg", "Қирғизистон ва Тоҷикистон дар Боткен гузаргоҳ кушоданд, гуфт Садир Жапаров"),
        ("uz", "Qirgʻiziston va Tojikiston Botkenda nazorat punktini ochdi, dedi Sadir Japarov"),
    ],
    "rogun": [
        ("en", "World Bank approves $350 million for Rogun dam in Tajikistan"),
        ("ru", "Всемирный банк выделил 350 млн долларов на Рогунскую ГЭС в Таджикистане"),
        ("uz", "Jahon banki Tojikistondagi Rogʻun uchun 350 million dollar ajratdi"),
        ("tg", "Бонки Ҷаҳонӣ барои Роғун дар Тоҷикистон 350 миллион доллар ҷудо кард"),
    ],
    "kumtor": [
        ("en", "Kumtor gold mine in Kyrgyzstan produced 12.8 tonnes in 2025"),
        ("ru", "Кумтор в Кыргызстане добыл 12,8 тонны золота в 2025 году"),
        ("ky", "Кумтөр 2025-жылы Кыргызстанда 12,8 тонна алтын өндүрдү"),
        ("kk", "Қырғызстандағы Құмтөр 2025 жылы 12,8 тонна алтын өндірді"),
    ],
    "cpc": [
        ("en", "Drone attack hits Caspian Pipeline Consortium terminal near Novorossiysk"),
        ("ru", "Дроны атаковали терминал Каспийского трубопроводного консорциума под Новороссийском"),
        ("kk", "Дрондар Новороссийск маңындағы Каспий құбыр консорциумының терминалына шабуылдады"),
    ],
    "ots": [
        ("en", "OTS summit opens in Bishkek: Erdogan, Aliyev, Japarov, Tokayev and Mirziyoyev attend"),
        ("ru", "В Бишкеке открылся саммит ОТГ с участием Эрдогана, Жапарова, Токаева и Мирзиёева"),
        ("ky", "Бишкекте Түрк мамлекеттеринин уюмунун саммити ачылды: Эрдоган, Токаев, Мирзиёев"),
        ("kk", "Бішкекте Түркі мемлекеттері ұйымының саммиті ашылды: Ердоған, Тоқаев, Мирзиёев"),
        ("uz", "Bishkekda Turkiy davlatlar tashkiloti sammiti ochildi: Erdogʻan, Toʻqayev, Mirziyoyev"),
    ],
    "putin-call": [
        ("en", "Tokayev and Putin speak by phone"),
        ("ru", "Токаев и Путин поговорили по телефону"),
        ("kk", "Тоқаев пен Путин телефон арқылы сөйлесті"),
    ],
    "putin-visit": [
        ("en", "Putin to visit Astana on 27 November, Kremlin says"),
        ("ru", "Путин посетит Астану 27 ноября, сообщил Кремль"),
        ("kk", "Путин 27 қарашада Астанаға барады, деп хабарлады Кремль"),
        ("uz", "Putin 27-noyabr kuni Ostonaga boradi, dedi Kreml"),
    ],
    "toka-xi": [
        ("en", "Tokayev meets Xi Jinping in Beijing"),
        ("ru", "Токаев встретился с Си Цзиньпином в Пекине"),
        ("kk", "Тоқаев Бейжіңде Си Цзиньпинмен кездесті"),
    ],
    "toka-gov": [
        ("en", "Tokayev criticises government over inflation of 12.9%"),
        ("ru", "Токаев раскритиковал правительство из-за инфляции в 12,9%"),
        ("kk", "Тоқаев үкіметті 12,9 пайыздық инфляция үшін сынады"),
    ],
    "uz-france": [
        ("en", "Mirziyoyev and Macron discuss uranium in Samarkand"),
        ("ru", "Мирзиёев и Макрон обсудили уран в Самарканде"),
        ("uz", "Mirziyoyev va Makron Samarqandda uran masalasini muhokama qildi"),
    ],
    "uz-germany": [
        ("en", "Mirziyoyev and Scholz sign migration agreement in Samarkand"),
        ("ru", "Мирзиёев и Шольц подписали миграционное соглашение в Самарканде"),
        ("uz", "Mirziyoyev va Sholts Samarqandda migratsiya kelishuvini imzoladi"),
    ],
    "amb-austria": [
        ("en", "President Aliyev receives Austria's new ambassador"),
        ("ru", "Ильхам Алиев принял нового посла Австрии"),
    ],
    "amb-malay": [
        ("en", "President Ilham Aliyev receives Malaysia's new ambassador"),
        ("ru", "Ильхам Алиев принял нового посла Малайзии"),
    ],
    "gas": [
        ("en", "Uzbekistan to import 12 billion cubic metres of Russian gas from Gazprom via Kazakhstan"),
        ("ru", "Узбекистан импортирует 12 млрд кубометров газа Газпрома через Казахстан"),
        ("uz", "Oʻzbekiston Gazpromdan Qozogʻiston orqali 12 milliard kub metr gaz oladi"),
        ("kk", "Өзбекстан Газпромнан Қазақстан арқылы 12 млрд текше метр газ алады"),
    ],
    "gas again": [
        ("en", "Gazprom resumes gas flow to Uzbekistan through Kazakhstan after repair"),
        ("ru", "Газпром возобновил прокачку газа в Узбекистан через Казахстан после ремонта"),
    ],
    "quake": [
        ("en", "Magnitude 5.4 earthquake shakes Almaty"),
        ("ru", "Землетрясение магнитудой 5,4 произошло в Алматы"),
        ("kk", "Алматыда магнитудасы 5,4 болған жер сілкінісі болды"),
    ],
    "almaty-metro": [
        ("en", "Almaty opens two metro stations"),
        ("ru", "В Алматы открыли две станции метро"),
        ("kk", "Алматыда екі метро бекеті ашылды"),
    ],
    "khusanov": [
        ("en", "Abdukodir Khusanov injured as Manchester City win"),
        ("ru", "Абдукодир Хусанов получил травму в матче «Манчестер Сити»"),
        ("uz", "Abduqodir Husanov jarohat oldi"),
        ("kk", "Абдукодир Хусанов жарақат алды"),
    ],
    "rybakina": [
        ("en", "Rybakina wins WTA Finals title"),
        ("ru", "Рыбакина выиграла Итоговый турнир WTA"),
        ("kk", "Рыбакина WTA қорытынды турнирінде жеңді"),
    ],
}


@pytest.fixture(scope="module")
def names() -> Names:
    return read_configuration({}, packaged_gazetteer()).names


@pytest.fixture(scope="module")
def told(names: Names) -> list[tuple[str, str, Facts]]:
    return [(event, language, facts(text, language, names))
            for event, rows in EVENTS.items() for language, text in rows]


def test_one_event_shares_more_in_two_languages_than_two_events_do(
    names: Names, told: list[tuple[str, str, Facts]]
) -> None:
    rarity = Rarity(names)
    for _, _, found in told:
        rarity.add(found)
    joined, parted = set(), set()
    for (event, language, one), (other_event, other_language, other) in combinations(told, 2):
        if language == other_language:
            continue
        strength = shared(one, other, rarity).strength
        if event == other_event and strength < STRONG:
            parted.add(event)
        if event != other_event and strength >= STRONG:
            joined.add((event, other_event))
    assert joined == SIBLINGS
    assert parted == ONE_NAME


def test_the_evidence_says_what_is_shared_the_rarest_first(names: Names) -> None:
    rarity = Rarity(names)
    one = facts("World Bank lends Tajikistan $350 million for Rogun on 5 May", "en", names)
    other = facts("Всемирный банк даст Таджикистану 350 млн долларов на Рогун 5 мая", "ru", names)
    found = shared(one, other, rarity)
    assert found.names == ("world-bank", "rogun", "tajikistan")
    assert (found.numbers, found.dates) == (("3.5e+08",), ((5, 5),))
    assert found == shared(other, one, rarity)


def test_a_name_that_many_texts_have_says_less() -> None:
    rarity = Rarity(Names([Name("a", "person", {"en": ("Ann",)}), Name("b", "person", {"en": ("Bob",)})]))
    before = rarity.weight("a")
    for _ in range(40):
        rarity.add(Facts(frozenset({"a"})))
    assert 0 <= rarity.weight("a") < before == rarity.weight("b") == 1
    for _ in range(40):
        rarity.remove(Facts(frozenset({"a"})))
    assert rarity.weight("a") == before


def test_numbers_without_a_name_are_no_evidence(names: Names) -> None:
    one, other = Facts(numbers=frozenset({"17", "5.4%"})), Facts(numbers=frozenset({"17", "5.4%"}))
    assert shared(one, other, Rarity(names)).strength == 0


def test_a_number_says_the_more_the_more_of_its_digits_are_told() -> None:
    weights = [number_weight(number) for number in ("5", "17", "1742")]
    assert weights == sorted(weights)
    assert len(set(weights)) == 3
    assert number_weight("5%") > number_weight("5")


def test_a_country_adds_little_to_what_is_of_it(names: Names) -> None:
    rarity = Rarity(names)
    alone, together = rarity.weight_of_all(["macron"]), rarity.weight_of_all(["macron", "france"])
    assert alone < together < alone + 0.5 * rarity.weight("france") + 1e-9
    assert rarity.weight_of_all(["macron", "japan"]) == alone + rarity.weight("japan")


def test_what_the_richer_text_tells_beside_weakens_the_evidence(names: Names) -> None:
    rarity = Rarity(names)
    one = facts("Tokayev met Putin in Astana", "en", names)
    same, more = (facts(text, "ru", names) for text in (
        "Токаев встретил Путина в Астане",
        "Токаев встретил Путина в Астане, Си Цзиньпин прилетел в Москву, Эрдоган выступил в Баку"))
    assert shared(one, more, rarity).names == shared(one, same, rarity).names
    assert shared(one, more, rarity).strength < 0.8 * shared(one, same, rarity).strength
