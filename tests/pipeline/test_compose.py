"""The view model and the fates of an edition."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from digest.model import DateQuality, Story
from digest.pipeline.compose import compose, shown_time
from digest.pipeline.pool import Mailed
from digest.pipeline.view import Credit
from tests.pipeline.worlds import feed, inputs, item, newsletter, story


def test_also_in_names_one_copy_per_other_independent_family() -> None:
    shown, first = item("Bread", "herald", hours=9), item("Loaf", "courier", hours=8)
    second, sister = item("Loaf up", "courier", hours=7), item("Bread!", feed("herald-local", family="herald"))
    reprint = item("Bread", "copyist")
    view = compose(inputs(story(shown, first, second, sister, reprint, reprints=(reprint,)))).view
    assert view.lead is not None
    assert view.lead.also_in == (Credit("Courier", first.url),)
    assert view.lead.sources == 2


def test_an_agency_that_is_the_source_is_named_once() -> None:
    view = compose(inputs(story(item("Bread", "herald", agency="HERALD")))).view
    assert view.lead is not None
    assert (view.lead.credit, view.lead.via) == ("Herald", None)


@pytest.mark.parametrize(("year", "expected"), [
    (2023, "2023-06-01T06:00:00+06:00"), (2024, "2024-06-01T05:00:00+05:00"),
])
def test_times_have_the_offset_of_their_instant(year: int, expected: str) -> None:
    given = item("Bread", published_at=datetime(year, 6, 1, tzinfo=UTC))
    assert shown_time(given, ZoneInfo("Asia/Almaty")) == expected


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Auckland", "UTC"])
def test_a_bare_date_stays_the_day_that_was_given(zone: str) -> None:
    given = item("Bread", published_at=datetime(2023, 3, 19, tzinfo=UTC), date_quality=DateQuality.DATE_ONLY)
    assert shown_time(given, ZoneInfo(zone)).startswith("2023-03-19T12:00:00")


def test_every_item_has_exactly_one_fate() -> None:
    stories = [
        story(item("Kazakh bread", "herald"), item("Kazakh loaf", "courier"), item("Хлеб", "volna", language="ru")),
        story(item("Old", hours=40)), story(item("No link", url="")), story(item("Ankara talks")),
        *(story(item(f"Bread {n}", "herald", hours=n)) for n in range(1, 9)),
    ]
    fates = compose(inputs(*stories)).fates
    assert set(fates) == {i.id for s in stories for i in s.items}
    lead = stories[0]
    assert fates[lead.items[0].id].gate == "chosen" and fates[lead.items[0].id].section == "lead"
    assert {f.gate for f in fates.values()} == {
        "chosen", "not readable", "outside the window", "no link", "another region", "source cap"}


def test_the_subject_is_one_line_cut_at_a_word() -> None:
    title = "Ministers\n of " + "seven neighbouring countries " * 5 + "meet"
    view = compose(inputs(story(item(title)))).view
    assert "\n" not in view.subject and len(view.subject) <= 110 and view.subject.endswith("…")


def seen(told: Story) -> dict[str, object]:
    return {"mailed": {told.id: Mailed("2023-03-19", told.families)}}


def test_an_empty_edition_names_its_reason() -> None:
    told = story(item("Bread"))
    assert "poll the feeds" in (compose(inputs()).view.empty_reason or "")
    assert "since 2023-03-19 08:00" in (compose(inputs(items_seen=5)).view.empty_reason or "")
    assert compose(inputs(told, **seen(told))).view.empty_reason == "every item fell at a gate: 1 already sent"
    assert compose(inputs(told)).view.empty_reason is None


def test_a_development_is_marked() -> None:
    told = story(item("Bread"), item("Bread", "herald"), item("Bread", "courier"))
    view = compose(inputs(told, mailed={told.id: Mailed("2023-03-19", frozenset({"herald"}))})).view
    assert view.lead is not None and view.lead.developing


def test_minutes_count_what_the_mail_shows() -> None:
    text = "Word " * 38 + "end."
    stories = [story(item(f"Bread {n}", f"source-{n}", summary=text)) for n in range(6)]
    assert compose(inputs(*stories)).view.minutes == 2
    assert compose(inputs()).view.minutes == 1


def test_the_rule_is_told_with_the_instants_of_the_edition() -> None:
    rule = compose(inputs(story(item("Bread")), newsletter=newsletter(zone="UTC"))).view.rule
    assert rule.startswith("Stories first seen after 2023-03-19 02:00 and by 2023-03-20 02:00 (UTC), published at most")
