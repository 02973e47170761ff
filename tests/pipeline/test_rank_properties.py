"""What holds for the score of any story."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model import Story
from digest.pipeline.pool import fill
from digest.pipeline.rank import Ranked, rank
from tests.pipeline.worlds import feed, inputs, item, newsletter, story

TOPICS = ({"slug": "energy", "title": "Energy", "query": "gas OR газ", "weight": 1.2},
          {"slug": "sport", "title": "Sport", "query": "football", "weight": -3})
TITLES = ("Gas runs out in Almaty", "Football in Astana", "Bread costs more", "Uzbek gas for Kazakhstan")
hours = st.floats(0.5, 34, allow_nan=False)


@st.composite
def stories(draw: st.DrawFn) -> list[Story]:
    made = []
    for number in range(draw(st.integers(1, 6))):
        tellings = draw(st.lists(st.tuples(st.integers(0, 9), hours, st.booleans()), min_size=1, max_size=5))
        items = tuple(item(draw(st.sampled_from(TITLES)), f"paper-{source}", hours=age, seen=0.4,
                           key=f"{number}-{position}") for position, (source, age, _) in enumerate(tellings))
        reprints = tuple(copy for copy, (_, _, reprint) in zip(items[1:], tellings[1:], strict=True) if reprint)
        made.append(story(*items, reprints=reprints))
    return made


def ranked(*given: Story) -> tuple[Ranked, ...]:
    world = inputs(*given, newsletter=newsletter(topics=TOPICS))
    return rank(fill(world), world)


def score(told: Story) -> float:
    (only,) = ranked(told)
    return only.score.total


@given(stories())
def test_the_score_is_the_sum_of_its_parts(given: list[Story]) -> None:
    for one in ranked(*given):
        assert one.score.total == pytest.approx(sum(part.value for part in one.score.parts), abs=1e-9)
        assert all(part.why for part in one.score.parts)


@given(stories(), st.randoms(use_true_random=False))
def test_shuffled_input_gives_the_same_order(given: list[Story], chance: object) -> None:
    shuffled = list(given)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    mixed = [replace(one, items=tuple(sorted(one.items, key=lambda i: i.id))) for one in shuffled]
    assert [one.id for one in ranked(*given)] == [one.id for one in ranked(*shuffled)]
    assert sorted(one.score.total for one in ranked(*given)) == pytest.approx(
        sorted(one.score.total for one in ranked(*mixed)))


@given(st.lists(hours, min_size=1, max_size=6), hours, st.sampled_from(TITLES))
def test_one_more_independent_family_never_lowers_a_story(ages: list[float], age: float, title: str) -> None:
    told = [item(title, f"paper-{n}", hours=old, seen=0.4) for n, old in enumerate(ages)]
    more = item(title, feed("newcomer", region="Kazakhstan"), hours=age, seen=0.4)
    assert score(story(*told, more)) >= score(story(*told)) - 1e-9


@given(hours, hours, st.sampled_from(TITLES))
def test_an_older_copy_never_outranks_a_newer_one(one: float, other: float, title: str) -> None:
    newer, older = sorted((one, other))
    first, second = (score(story(item(title, "herald", hours=age, seen=0.4))) for age in (newer, older))
    assert first >= second

