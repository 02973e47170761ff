"""What is new in a story that comes back, in one sentence."""

from datetime import date

import pytest

from digest.pipeline.development import Development, development, figures, names, whats_new
from digest.pipeline.pool import Candidate, Mailed, fill
from tests.pipeline.worlds import HOUR, NOW, inputs, item, newsletter, story

TODAY = date(2023, 3, 20)
MAILED = Mailed("2023-03-18", frozenset({"herald"}), NOW - 24 * HOUR)
FIRST = item("Mine floods near Karaganda", "herald", hours=30,
             summary="Three men are missing, the Emergency Ministry said.")
SECOND = item("Mine flood kills 12", "courier", hours=9,
              summary="Rescuers found 12 dead on Sunday, the Ministry of Energy said. Pumps run at 54.2 %.")
THIRD = item("Twelve dead in flooded mine", "post", hours=5, language="en",
             summary="Rescuers counted 12 dead after 30 hours, said Aidar Sadykov of the Ministry of Energy.")


def returning(*items: object, mailed: Mailed | None = MAILED, **changes: object) -> Candidate:
    told = story(FIRST, *items)  # type: ignore[arg-type]
    pool = fill(inputs(told, mailed={told.id: mailed} if mailed else {}, newsletter=newsletter(**changes)))
    (candidate,) = pool.candidates
    return candidate


def test_sources_figures_and_names_since_it_was_mailed() -> None:
    assert whats_new(returning(SECOND, THIRD), TODAY, "en") == (
        "New since Saturday: 2 more sources (Courier, Post); 12 dead; Ministry of Energy; Aidar Sadykov.")


def test_a_new_story_has_nothing_since() -> None:
    assert whats_new(returning(SECOND, THIRD, mailed=None), TODAY, "en") == ""


def test_where_the_cutoff_is_not_known_only_sources_are_told() -> None:
    mailed = Mailed("2023-03-10", frozenset({"herald"}))
    assert whats_new(returning(SECOND, THIRD, mailed=mailed), TODAY, "en") == (
        "New since March 10: 2 more sources (Courier, Post).")


def test_the_newest_own_copy_of_a_development_is_shown() -> None:
    reprint = item("Mine flood kills 12", "copyist", hours=2)
    told = story(FIRST, SECOND, THIRD, reprint, reprints=(reprint,))
    (candidate,) = fill(inputs(told, mailed={told.id: MAILED})).candidates
    assert candidate.shown == THIRD
    (new,) = fill(inputs(told)).candidates
    assert new.shown == SECOND  # FIRST is outside the window


@pytest.mark.parametrize(("text", "language", "found"), [
    ("It killed 12 people.", "en", ["12 people"]),
    ("It killed 12 people, 12 people in all.", "en", ["12 people", "12 people"]),
    ("Turnout was 54.2 %, up from 51%.", "en", ["54.2\u00a0%", "51%"]),
    ("The plant costs $3.5 billion and 1,200 jobs.", "en", ["$3.5 billion", "1,200 jobs"]),
    ("Some 3 million people fled.", "en", ["3 million people"]),
    ("In 2020 elections, on 20 March at 10:30 for 12 hours.", "en", []),
    ("Погибли 12 человек, ущерб — 3 млн тенге.", "ru", ["12 человек", "3 млн тенге"]),
    ("Это случилось 20 марта, 5 дней назад.", "ru", []),
    ("Оқиғада 12 адам қаза тапты.", "kk", ["12 адам"]),
    ("Highway M-36 and A320 jets, No. 7.", "en", []),
    ("There were 7 dead, as known.", "en", []),
])
def test_figures_are_numbers_with_a_unit_that_nobody_wrote_before(text: str, language: str, found: list[str]) -> None:
    before = [item("Bread", summary="It was 7 then.")]
    given = item("Bread", "post", summary=text, language=language)
    assert [form for _, form in figures(given, before)] == found


@pytest.mark.parametrize(("text", "found"), [
    ("The Ministry of Energy and Aidar Sadykov spoke.", ["Ministry of Energy", "Aidar Sadykov"]),
    ("On Monday Aidar Sadykov spoke to the WHO.", ["Aidar Sadykov", "WHO"]),
    ("Officials spoke. Then the Karaganda Ministry came.", []),  # "Ministry" was written before
    ("The Post Herald wrote it.", []),  # the source's own name
    ("Kazakhstan spoke.", []),
])
def test_names_are_capitalised_runs_that_nobody_wrote_before(text: str, found: list[str]) -> None:
    given = item("Bread", "post", summary=text)
    assert [form for _, form in names(given, [FIRST])] == found


def test_a_development_is_what_new_items_tell_that_older_ones_do_not() -> None:
    russian = item("Двенадцать погибших", "volna", hours=4, language="ru", summary="Погибли 12 человек.")
    told = development(story(FIRST, SECOND, THIRD, russian), NOW - 24 * HOUR)
    assert told.items == (SECOND, THIRD, russian)
    assert told.families == ("courier", "post", "volna")
    assert told.languages == ("ru",)
    assert [(news.form, sorted(news.families)) for news in told.figures if news.is_firm] == [
        ("12 dead", ["courier", "post"])]
    assert [news.form for news in told.names] == ["Ministry of Energy", "Aidar Sadykov"]
    assert [news.is_firm for news in told.names] == [True, False]
    assert [n.is_firm for n in development(story(FIRST, THIRD), NOW - 24 * HOUR, shown=THIRD).names] == [True, True]


def test_a_reprint_and_an_owner_s_second_copy_develop_nothing() -> None:
    copy = item("Mine flood kills 12", "copyist", hours=2, summary="Rescuers found 12 dead.")
    again = item("Mine floods near Karaganda", "herald", hours=3, summary="Three men are missing.")
    told = story(FIRST, copy, again, reprints=(copy,))
    assert not development(told, NOW - 24 * HOUR)
    assert development(told, NOW) == Development()
