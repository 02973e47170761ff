"""What a story that was left out would have needed."""

import pytest

from digest.model import Story
from digest.pipeline.compose import compose
from digest.pipeline.needed import needed
from tests.pipeline.worlds import inputs, item, newsletter, story


def told(*stories: Story, left_out: Story, **changes: object) -> tuple[str, str | None]:
    """The gate of a story, and what it would have needed."""
    news = newsletter(**changes)
    composed = compose(inputs(*stories, newsletter=news))
    fate = composed.fates[left_out.items[0].id]
    return fate.gate, needed(composed, left_out.id, fate)


def test_below_the_cut_it_lacks_points_of_the_weakest_story_of_its_section() -> None:
    lead, first, second = (story(item(f"Bread {n}", f"paper-{n}", hours=n, seen=1)) for n in (2, 4, 8))
    gate, what = told(lead, first, second, left_out=second, sections={"latest": 1, "brief": 0})
    assert gate == "below the cut"
    assert what is not None and what.endswith("points of “Bread 4”: 0.17 more than its 1.92")  # four hours of 24


def test_at_a_cap_it_lacks_points_of_the_weakest_story_that_fills_it() -> None:
    stories = [story(item(f"Bread {n}", "herald", hours=n, seen=1)) for n in (2, 4, 8)]
    gate, what = told(*stories, left_out=stories[-1], caps={"source": 2})
    assert gate == "source cap"
    assert what is not None and "“Bread 4”" in what


@pytest.mark.parametrize("left_out", [0, 1])
def test_where_no_story_stood_in_its_way_nothing_is_said(left_out: int) -> None:
    chosen, elsewhere = story(item("Bread", seen=1)), story(item("Bread in Ankara", "herald", seen=1))
    gate, what = told(chosen, elsewhere, left_out=(chosen, elsewhere)[left_out])
    assert (gate, what) == (("chosen", "another region")[left_out], None)
