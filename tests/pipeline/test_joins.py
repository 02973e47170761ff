"""Why an item is in its story, for people."""

from digest.model import Join
from digest.pipeline.joins import why_joined
from digest.text.tokens import words
from tests.pipeline.stream import START, told
from tests.pipeline.test_cluster_guards import NAMES, WATER


def test_a_join_names_its_points_and_the_words_of_the_items_before() -> None:
    first, second, third = told("dam")[:3]
    joins = (Join(first.id, first.id, START, 0.0), Join(second.id, first.id, START, 1.5, {"bias": -1.0, "words": 2.5}),
             Join(third.id, third.id, START, 0.0))
    founder, joined, other = why_joined(zip(joins, (first, second, third), strict=True))
    assert (founder.points, founder.shared, other.shared) == ((), (), ())
    assert joined.points == (("words", 2.5), ("bias", -1.0))
    assert {"karatal", "dam"} <= set(joined.shared)
    assert set(joined.shared) <= set(words(f"{second.title} {second.summary}", "en"))


def test_a_join_across_languages_names_the_names_as_the_item_writes_them() -> None:
    english, russian = WATER[:2]
    joins = (Join(english.id, english.id, START, 0.0), Join(russian.id, english.id, START, 1.0, {"names": 1.0}))
    _, joined = why_joined(zip(joins, (english, russian), strict=True), NAMES)
    assert joined.shared == ("Токаев", "Мирзиёев", "Шымкенте", "Сырдарьи")
