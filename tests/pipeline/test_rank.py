"""The score is a sum of named parts, each with its reason."""

from math import log2

import pytest

from digest.model import Block
from digest.pipeline.pool import Mailed, fill
from digest.pipeline.rank import Ranked, rank
from tests.pipeline.worlds import feed, inputs, item, newsletter, story

TOPICS = ({"slug": "energy", "title": "Energy", "query": "gas", "weight": 1.2},
          {"slug": "sport", "title": "Sport", "query": "football", "weight": -3})


def ranked(*stories: object, **changes: object) -> tuple[Ranked, ...]:
    given = inputs(*stories, **changes)  # type: ignore[arg-type]
    return rank(fill(given), given)


def part(story: Ranked, name: str) -> tuple[float, str]:
    found = next(p for p in story.score.parts if p.name == name)
    return found.value, found.why


def test_the_parts_sum_to_the_total() -> None:
    (only,) = ranked(story(item("Gas in Almaty"), item("Gas", "herald")), newsletter=newsletter(topics=TOPICS))
    assert [p.name for p in only.score.parts] == [
        "coverage", "volume", "velocity", "freshness", "topics", "region", "quality", "novelty"]
    assert only.score.total == pytest.approx(sum(p.value for p in only.score.parts))
    assert all(p.why for p in only.score.parts)


def test_coverage_counts_families_by_their_tier_and_reprints_a_little() -> None:
    wire = item("Bread", feed("wire", tier=2), hours=5)
    sister = item("Bread up", feed("wire-local", family="wire"), hours=4)
    copy = item("Bread", "copyist", hours=4)
    other = item("Loaf", "herald", hours=4)
    (only,) = ranked(story(wire, sister, copy, other, reprints=(copy,)))
    assert part(only, "coverage") == (
        pytest.approx(log2(1 + 2 + 0.3 + 1)), "2 independent sources: Wire, Herald, Wire Local; 1 reprint")


def test_volume_counts_tellings_and_two_of_each_family() -> None:
    first, again, third = (item(f"Strike {n}", "herald", hours=n) for n in (5, 4, 3))
    sister, other = item("Strike", feed("herald-east", family="herald")), item("Strike on", "courier")
    (only,) = ranked(story(first, again, third, sister, other))
    assert part(only, "volume") == (pytest.approx(log2(1 + 2 + 1)), "3 tellings, up to two of each owner")


def test_a_reprint_shows_that_a_story_is_still_told() -> None:
    old, copy = item("Strike", "herald", hours=20), item("Strike", "copyist", hours=2)
    (only,) = ranked(story(old, copy, reprints=(copy,)))
    assert part(only, "volume")[0] == pytest.approx(log2(1 + 2))
    assert part(only, "freshness")[0] == pytest.approx(-2 / 24)


@pytest.mark.parametrize(("hours", "velocity", "freshness"), [
    (2.0, 0.25, -2 / 24), (13.0, 0.0, -13 / 24), (24.0, 0.0, -1.0)])
def test_young_stories_move_and_old_ones_sink(hours: float, velocity: float, freshness: float) -> None:
    (only,) = ranked(story(item("Bread", hours=hours, seen=1)))
    assert part(only, "velocity")[0] == pytest.approx(velocity)
    assert part(only, "freshness")[0] == pytest.approx(freshness)


def test_topics_add_and_take_points() -> None:
    gas, ball = story(item("Gas runs out")), story(item("Football tonight"))
    best, worst = ranked(gas, ball, newsletter=newsletter(topics=TOPICS))
    assert part(best, "topics") == (pytest.approx(1.2), "Energy +1.20 (1 of 1 item)")
    assert part(worst, "topics")[0] == pytest.approx(-3)


@pytest.mark.parametrize(("title", "place", "summary", "points"), [
    ("Kazakh bread", None, "", 1.0), ("Bread", "Almaty", "", 1.0), ("Bread", None, "It costs more in Almaty.", 0.5),
    ("Bread", None, "", 0.0), ("Uzbek bread", None, "", 0.0),
])
def test_a_place_of_the_region_counts(title: str, place: str | None, summary: str, points: float) -> None:
    (only,) = ranked(story(item(title, place=place, summary=summary)))
    assert part(only, "region")[0] == points


def test_quality_is_full_text_or_image_and_tier() -> None:
    bare, rich = item("Bread"), item("Gas", feed("agency", tier=2), body=(Block("p", "Text."),), image_url="https://i.example/")
    values = {r.id: part(r, "quality") for r in ranked(story(bare), story(rich))}
    assert values[bare.id] == (pytest.approx(0.0), "no full text, no image; tier 1")
    assert values[rich.id] == (pytest.approx(0.2), "full text and image; tier 2")


def test_a_development_says_so_and_loses_nothing() -> None:
    told = story(item("Bread"), item("Bread", "herald"), item("Bread", "courier"))
    (only,) = ranked(told, mailed={told.id: Mailed("2023-03-19", frozenset({"steppe-times"}))})
    assert part(only, "novelty") == (0.0, "mailed on 2023-03-19, 2 new independent sources since")


def test_equal_scores_stand_in_the_order_of_ids() -> None:
    stories = [story(item("Bread", hours=2, key=str(n))) for n in range(5)]
    assert [r.id for r in ranked(*stories)] == sorted(s.id for s in stories)
    assert ranked(*stories) == ranked(*reversed(stories))


def test_a_story_that_runs_for_days_counts_who_tells_it_now() -> None:
    old = [item(f"Strike, day {n}", f"paper-{n}", hours=40 + n) for n in range(4)]
    running = story(*old, item("Strike goes on", "steppe-times", hours=2))
    (only,) = ranked(running)
    assert only.candidate.families == {"steppe-times"}


def test_a_story_is_as_fresh_as_its_last_telling() -> None:
    told_again = story(item("Dam bursts", "steppe-times", hours=18), item("Dam bursts in the east", "caspian", hours=1))
    told_once = story(item("Bread costs more", "herald", hours=1))
    first, second = ranked(told_again, told_once)
    assert first.id == told_again.id
    assert part(first, "freshness") == part(second, "freshness")
