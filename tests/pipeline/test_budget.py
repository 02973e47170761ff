"""The byte budget: the last stories of the longest sections leave the mail until it fits, and say so."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.pipeline.budget import fit, trim
from digest.pipeline.compose import compose
from digest.pipeline.render import Renderer
from digest.pipeline.view import EditionView, SectionView
from digest.resources import template_texts
from tests.pipeline.views import EDITION, story
from tests.pipeline.worlds import NOW, feed, inputs, item, newsletter
from tests.pipeline.worlds import story as told

RENDERER = Renderer(template_texts(None))


def html_bytes(view: EditionView) -> int:
    return len(RENDERER.html(view).encode())


def one_each(view: EditionView) -> int:
    return len(view.mailed)


def with_sections(*counts: int) -> EditionView:
    sections = (SectionView(f"s{n}", "topic", f"Section {n}", tuple(story(100 * n + m, f"Story {n}.{m}", "Herald")
                            for m in range(count))) for n, count in enumerate(counts, start=1))
    return replace(EDITION, sections=tuple(sections), rest=())


def test_a_view_that_fits_is_left_alone() -> None:
    assert trim(EDITION, 90_000, html_bytes) is EDITION


def test_the_longest_section_gives_first_and_of_equal_ones_the_last() -> None:
    view = with_sections(2, 4, 3, 4)
    left = [[len(s.stories) for s in trim(view, 1 + kept, one_each).sections] for kept in (12, 11, 10, 9, 8)]
    assert left == [[2, 4, 3, 3], [2, 3, 3, 3], [2, 3, 3, 2], [2, 3, 2, 2], [2, 2, 2, 2]]


def test_the_lead_stays_and_an_empty_section_goes() -> None:
    view = trim(with_sections(2, 1), 0, one_each)
    assert view.lead == EDITION.lead and view.sections == () and view.trimmed == 3
    assert trim(replace(EDITION, sections=()), 0, one_each).lead == EDITION.lead


def test_without_a_lead_the_first_story_stays() -> None:
    view = trim(replace(with_sections(2, 3), lead=None), 0, one_each)
    assert [s.headline for s in view.mailed] == ["Story 1.0"] and view.subject == "Story 1.0"


@given(st.lists(st.integers(1, 9), max_size=6), st.integers(0, 60))
def test_no_more_stories_leave_than_have_to_and_none_is_lost(counts: list[int], budget: int) -> None:
    view = with_sections(*counts)
    trimmed = trim(view, budget, one_each)
    assert len(trimmed.mailed) == max(1, min(len(view.mailed), budget))
    assert trimmed.trimmed == len(view.mailed) - len(trimmed.mailed) == len(trimmed.rest)
    assert sorted(s.id for s in trimmed.all_stories) == sorted(s.id for s in view.all_stories)
    assert [s.score for s in trimmed.rest] == sorted((s.score for s in trimmed.rest), reverse=True)


def test_a_few_renders_are_enough() -> None:
    weighed: list[EditionView] = []

    def size(view: EditionView) -> int:
        weighed.append(view)
        return one_each(view)

    trim(with_sections(*[40] * 5), 70, size)
    assert len(weighed) <= 10


def prose(words: int) -> str:
    text = "Officials said on Monday that the new line would open before the end of the year " * 9
    return text[:words * 6].strip()


def day_of(count: int, limit: int) -> EditionView:
    """An edition of `count` stories in sections of `limit`, each with an excerpt of 40 words and three sources."""
    stories = [told(*(item(f"Regional council of district {n} weighs a longer railway to the northern border, again",
                           feed(f"source-{n}-{m}", region=region), hours=1 + n / 20, summary=prose(40) + ".")
                      for m in range(3)))
               for n, region in enumerate(["Kazakhstan", "Uzbekistan"] * (count // 2 + 1))][:count]
    given_inputs = inputs(*stories, since=NOW - timedelta(hours=30), newsletter=newsletter(
        sections={"latest": limit, "brief": limit, "more": limit}, caps={"country": 0, "topic": 0}))
    composed = compose(given_inputs)
    return fit(composed, 89_000, html_bytes).view


def test_a_day_of_200_stories_is_cut_to_what_mail_readers_show() -> None:
    view = day_of(200, 50)
    assert 80_000 < html_bytes(view) <= 90_000
    assert len(view.all_stories) == 200 and view.trimmed == 150 - len(view.mailed)  # three sections of 50 were full
    text, html = (" ".join(part.split()) for part in (RENDERER.text(view), RENDERER.html(view)))
    assert all(story.headline in text and story.headline in html for story in view.mailed)


def test_an_edition_of_15_stories_is_half_of_that() -> None:
    view = day_of(15, 50)
    assert len(view.mailed) == 15 and view.trimmed == 0 and html_bytes(view) <= 45_000


@pytest.mark.parametrize("budget", [0, 20_000])
def test_what_left_the_mail_has_one_fate_and_says_why(budget: int) -> None:
    stories = [told(item(f"Bread {n}", f"source-{n}", summary=prose(40) + ".")) for n in range(40)]
    given_inputs = inputs(*stories, newsletter=newsletter(sections={"latest": 50}))
    before, after = compose(given_inputs), fit(compose(given_inputs), budget, html_bytes)
    moved = {story.id for story in after.view.rest}
    assert after.fates.keys() == before.fates.keys() and moved
    assert {after.fates[id_].gate for id_ in moved} == {"byte budget"}
    assert {after.fates[s.id].gate for s in after.view.mailed} == {"chosen"}
