"""The gates of the pool: what is offered to an edition, and why the rest is not."""

from typing import Any

import pytest

from digest.model import DateQuality, Item
from digest.pipeline.pool import Mailed, fill
from tests.pipeline.worlds import HOUR, NOW, feed, inputs, item, newsletter, story

GATES: list[tuple[str, Item, str | None]] = [
    ("a fresh item is offered", item("Bread costs more"), None),
    ("an undated item is offered", item("Bread costs more", hours=None), None),
    ("an unknown language is offered", item("Bread costs more", language="und"), None),
    ("another feed's item is not offered", item("Bread", feed("anatolia", region="Turkey")), "not offered"),
    ("backlog is never offered", item("Bread", backlog=True), "backlog"),
    ("an item without a link is not shown", item("Bread", url=""), "no link"),
    ("what the edition before could see", item("Bread", hours=25), "outside the window"),
    ("seen exactly at the edition before's cut-off", item("Bread", hours=24), "outside the window"),
    ("seen just after it", item("Bread", hours=23.99), None),
    ("published long ago, seen today", item("Bread", hours=37, seen=2), "outside the window"),
    ("published 36 hours ago, seen today", item("Bread", hours=36, seen=2), None),
    ("a bare date is old when its day is", item("Bread", hours=50, seen=2, date_quality=DateQuality.DATE_ONLY), None),
    ("seen after the cut-off", item("Bread", hours=None, seen=-1), "outside the window"),
    ("a language that nobody reads", item("Нан қымбаттады", language="kk"), "not readable"),
]


@pytest.mark.parametrize(("case", "given", "gate"), GATES, ids=[case for case, _, _ in GATES])
def test_each_item_falls_at_its_gate_or_is_a_candidate(case: str, given: Item, gate: str | None) -> None:
    pool = fill(inputs(story(given)))
    fate = pool.fates.get(given.id)
    assert (fate.gate if fate else None) == gate
    assert len(pool.candidates) == (0 if gate else 1)


def test_the_first_readable_copy_is_shown() -> None:
    russian = item("Хлеб дорожает", "volna", hours=9, language="ru")
    early, late = item("Bread costs more", "herald", hours=5), item("Bread price up", "courier", hours=4)
    (candidate,) = fill(inputs(story(late, russian, early))).candidates
    assert candidate.shown == early


def test_a_dated_copy_is_shown_before_an_undated_one() -> None:
    undated, dated = item("Bread costs more", hours=None, seen=9), item("Bread price up", "herald", hours=2)
    (candidate,) = fill(inputs(story(undated, dated))).candidates
    assert candidate.shown == dated


def test_an_old_copy_of_a_story_counts_but_is_not_shown() -> None:
    old, new = item("Bread costs more", "herald", hours=30), item("Bread price up", "courier", hours=2)
    pool = fill(inputs(story(old, new)))
    assert pool.candidates[0].shown == new
    assert pool.candidates[0].families == {"herald", "courier"}
    assert pool.fates[old.id].gate == "outside the window"


def test_only_counted_languages_count() -> None:
    copies = story(item("Bread"), item("Хлеб", "volna", language="ru"), item("Nan", "ekmek", language="tr"))
    (candidate,) = fill(inputs(copies, newsletter=newsletter(count=("en", "ru")))).candidates
    assert candidate.families == {"steppe-times", "volna"}


def test_reprints_and_sisters_are_not_independent() -> None:
    wire, sister = item("Bread", "wire", hours=5), item("Bread up", feed("wire-local", family="wire"), hours=4)
    reprint = item("Bread", "copyist", hours=3)
    (candidate,) = fill(inputs(story(wire, sister, reprint, reprints=(reprint,)))).candidates
    assert candidate.families == {"wire"}


@pytest.mark.parametrize(("new_sources", "offered"), [((), False), (("herald",), False), (("herald", "courier"), True)])
def test_a_mailed_story_comes_back_only_when_it_has_developed(new_sources: tuple[str, ...], offered: bool) -> None:
    told = story(item("Bread costs more"), *(item(f"Bread and {s}", s) for s in new_sources))
    pool = fill(inputs(told, mailed={told.id: Mailed("2023-03-19", frozenset({"steppe-times"}))}))
    assert bool(pool.candidates) is offered
    if not offered:
        assert {fate.gate for fate in pool.fates.values()} == {"already sent"}
        assert "2023-03-19" in pool.fates[told.items[0].id].why


def test_unreadable_stories_are_kept_where_the_newsletter_lists_them() -> None:
    given: Any = story(item("Хлеб дорожает", "volna", language="ru"))
    (candidate,) = fill(inputs(given, newsletter=newsletter(unreadable="list"))).candidates
    assert not candidate.readable


def test_an_item_that_got_its_story_late_is_in_the_next_window() -> None:
    given = item("Bread", hours=25)
    assert fill(inputs(story(given), late={given.id})).candidates


def test_a_newsletter_without_languages_reads_all() -> None:
    assert fill(inputs(story(item("Нан", language="kk")), newsletter=newsletter(read=()))).candidates


def test_window_follows_the_cutoff() -> None:
    given = item("Bread", hours=30)
    assert not fill(inputs(story(given))).candidates
    assert fill(inputs(story(given), since=NOW - 31 * HOUR)).candidates
