"""What keeps alike items apart, and what joins them across languages."""

import pytest

from digest.model import Item
from digest.pipeline.cluster import Clusterer
from digest.pipeline.cluster_document import batches
from digest.text.names import NO_NAMES, Name, Names
from digest.text.roundups import announces_roundup
from digest.text.tokens import words
from tests.pipeline.stream import EVENTS, news, told

NAMES = Names([
    Name("tokayev", "person", {"en": ("Tokayev",), "ru": ("Токаев",), "kk": ("Тоқаев",)}, "Kazakhstan"),
    Name("mirziyoyev", "person", {"en": ("Mirziyoyev",), "ru": ("Мирзиёев",), "kk": ("Мирзиёев",)}, "Uzbekistan"),
    Name("shymkent", "place", {"en": ("Shymkent",), "ru": ("Шымкент",), "kk": ("Шымкент",)}, "Kazakhstan"),
    Name("syr-darya", "place", {"en": ("Syr Darya",), "ru": ("Сырдарья",), "kk": ("Сырдария",)}, "Central Asia"),
])
WATER = [
    news("steppe-post", "Tokayev and Mirziyoyev sign agreement on Syr Darya water in Shymkent"),
    news("ru:степь", "Токаев и Мирзиёев подписали в Шымкенте соглашение о воде Сырдарьи", hours=1),
    news("kk:дала", "Тоқаев пен Мирзиёев Шымкентте Сырдария суы туралы келісімге қол қойды", hours=2),
]


def groups(items: list[Item], names: Names = NO_NAMES) -> set[frozenset[str]]:
    """The titles that stand together."""
    clusterer = Clusterer(names)
    stories: dict[str, str] = {}
    aliases: dict[str, str] = {}
    for batch in batches(items):
        assignment = clusterer.assign(batch, batch[0].first_seen_at)
        stories.update((join.item_id, join.story_id) for join in assignment.joins)
        aliases.update((merge.alias, merge.story_id) for merge in assignment.merges)
    roots = {item: aliases.get(story, story) for item, story in stories.items()}
    return {frozenset(i.title for i in items if roots[i.id] == story) for story in set(roots.values())}


def test_names_join_one_event_across_languages():
    titles = frozenset(item.title for item in WATER)
    assert titles in groups([*WATER, *told("metro"), *told("пошлины")], NAMES)
    assert titles not in groups([*WATER, *told("metro"), *told("пошлины")])


def test_the_points_of_a_join_across_languages_name_the_names():
    clusterer = Clusterer(NAMES)
    joins = [join for batch in batches([*told("dam"), *WATER])
             for join in clusterer.assign(batch, batch[0].first_seen_at).joins]
    by_item = {join.item_id: join for join in joins}
    russian = by_item[WATER[1].id]
    assert russian.story_id == WATER[0].id
    assert russian.features["names"] > 1
    assert sum(russian.features.values()) == russian.score


@pytest.mark.parametrize("other", [
    "Токаев поздравил школьников с началом года",  # the same person
    "В Шымкенте прошёл праздник тюльпанов",  # the same place
    "Токаев посетил завод в Шымкенте",  # both, but other things are left unsaid
])
def test_a_name_or_two_in_common_do_not_join_languages(other):
    alone = news("ru:степь", other, hours=1)
    assert frozenset({other}) in groups([WATER[0], alone, *told("metro")], NAMES)


@pytest.mark.parametrize(("one", "other"), [
    ("The week in 40 photos", "Photos of the week"),
    ("Coronavirus Live Updates: dam overflows in Karatal", "Karatal dam overflows: dam live updates"),
    ("Morning Briefing: top stories on the Karatal dam", "Your Monday Briefing: the Karatal dam"),
])
def test_round_ups_join_nothing(one, other):
    assert groups([news("a", one), news("b", other)]) == {frozenset({one}), frozenset({other})}


def test_a_copy_of_a_round_up_joins_it():
    text = EVENTS["dam"][0][2]
    one, other = news("a", "In pictures: the flood", text), news("b", "The flood in pictures", text)
    assert groups([one, other]) == {frozenset({one.title, other.title})}


@pytest.mark.parametrize(("title", "language", "expected"), [
    ("The Papers: 'Glimmer of light'", "en", True),
    ("The Panama Papers: a minister resigns", "en", False),
    ("Your Friday Briefing", "en", True),
    ("Trump has coronavirus briefing tantrum", "en", False),
    ("Итоги дня: что изменилось", "ru", True),
    ("Подведены итоги выборов", "ru", False),
    ("Басты жаңалықтар: сенбі", "kk", True),
    ("Kun dayjesti: 5-mart", "uz", True),
    ("Итоги дня", "en", False),
])
def test_titles_that_announce_a_round_up(title, language, expected):
    assert announces_roundup(words(title, language), language) is expected


COUNTRIES = Names([Name(slug, "place", {"en": (spelling,)}, region) for slug, spelling, region in [
    ("austria", "Austria", None), ("malaysia", "Malaysia", None), ("serbia", "Serbia", None), ("italy", "Italy", None),
    ("azerbaijan", "Azerbaijan", None), ("astana", "Astana", "Kazakhstan"), ("kazakhstan", "Kazakhstan", "Kazakhstan"),
]])


@pytest.mark.parametrize(("one", "other", "together"), [
    ("Aliyev receives Austria's new ambassador", "Aliyev receives Malaysia's new ambassador", False),
    ("Azerbaijan and Serbia sign defence treaty", "Azerbaijan and Italy sign defence treaty", False),
    ("Azerbaijan and Serbia sign defence treaty", "Defence treaty signed by Azerbaijan and Serbia", True),
    ("Kazakhstan opens rocket museum for children", "Astana opens rocket museum for children", True),
    ("Share of new homes is 98% in Azerbaijan in 2025", "Azerbaijan in 2025: oil exports at 98%", False),
    ("Dam bursts: 12 dead and 40 missing in Karatal", "Dam bursts: 15 dead, 38 missing in Karatal", True),
])
def test_other_countries_and_places_part_while_other_figures_do_not(one, other, together):
    found = groups([news("a", one), news("b", other), *told("dam"), *told("metro"), *told("wrestling")], COUNTRIES)
    assert any({one, other} <= group for group in found) is together


def test_a_town_and_a_phrase_join_nothing_though_few_items_are_known():
    strike, metro = ("Bus drivers in Almaty strike over unpaid wages", "Metro of Almaty stops after a power cut")
    told_items = [
        news("herald", strike, f"{strike}, officials said."),
        news("courier", metro, f"{metro}, officials said."),
    ]
    assert groups(told_items) == {frozenset({strike}), frozenset({metro})}
