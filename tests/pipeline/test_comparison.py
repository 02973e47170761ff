"""Two sides of the same day compared."""

from datetime import date

from digest.pipeline.comparison import Edition, Step, Told, compare, told_in, totals
from tests.pipeline import views

MONDAY = date(2023, 3, 20)


def side(*stories: tuple[str, str], again: tuple[str, ...] = (), why_not: dict[str, str] | None = None) -> Edition:
    """An edition of (id, place); headlines are the ids in capitals."""
    told = tuple(Told(id_, id_.upper(), place, id_ in again) for id_, place in stories)
    return Edition(MONDAY, told, why_not or {}, None if stories else "nothing was new")


def test_sides_that_agree_differ_in_nothing() -> None:
    same = side(("a", "lead"), ("b", "Politics"))
    day = compare(same, same)
    assert day.equal and (day.lead_before, day.lead_after) == ("A", "A")


def test_every_difference_is_told_with_the_other_sides_reason() -> None:
    before = side(("a", "lead"), ("b", "Politics"), ("c", "Politics"), why_not={"d": "over a cap"})
    after = side(("b", "lead"), ("c", "Latest"), ("d", "Politics"), why_not={"a": "already sent: on Sunday"})
    day = compare(before, after)
    assert day.lead_changed and not day.equal
    assert day.added == (Step("d", "D", "", "Politics", "over a cap"),)
    assert day.dropped == (Step("a", "A", "lead", "", "already sent: on Sunday"),)
    assert day.moved == (Step("b", "B", "Politics", "lead"), Step("c", "C", "Politics", "Latest"))


def test_a_day_without_an_edition_says_why() -> None:
    day = compare(side(), side(("a", "Politics")))
    assert (day.lead_before, day.lead_after) == ("nothing was new", "no lead")


def test_what_comes_again_is_counted_for_each_side() -> None:
    day = compare(side(("a", "lead"), again=("a",)), side(("a", "lead"), ("b", "Latest"), again=("a", "b")))
    sums = totals([day, day])
    assert (sums.days, sums.leads, sums.added, sums.repeated_before, sums.repeated_after) == (2, 0, 2, 2, 4)


def test_the_stories_of_a_view_are_those_of_its_mail() -> None:
    view = views.EDITION
    assert view.lead is not None
    told = told_in(view, {view.lead.id: None})
    assert len(told) == len(view.all_stories) - len(view.rest)
    assert told[0] == Told(view.lead.id, view.lead.headline, "lead", True) and not told[1].again
