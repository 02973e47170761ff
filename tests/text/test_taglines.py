"""Slips and promises in a tagline."""

import pytest

from digest.text.taglines import cadence_doubt, find_typos


@pytest.mark.parametrize(("text", "said"), [
    ("Things worth talking about over drinks.and more", "after a full stop in “drinks.and”"),  # as it happened
    ("Новости региона.Каждое утро", "after a full stop"),
    ("News,views and weather", "after “,”"),
    ("All the news .", "before “.”"),
    ("The day in in Kazakhstan", "“in” stands twice"),
])
def test_slips_are_found(text: str, said: str) -> None:
    (found,) = find_typos(text)
    assert said in found


@pytest.mark.parametrize("text", [
    "",
    "A daily letter of things worth talking about over tea.",
    "The U.S. and Kazakhstan, e.g. trade, at 5.30 a.m.",
    "From steppe.kz, example.org and news@example.org",
    "Қазақстан жаңалықтары. Күн сайын.",
    "Что? Где? Когда?",
    "7:30 every morning; no ads",
])
def test_good_lines_have_none(text: str) -> None:
    assert find_typos(text) == []


@pytest.mark.parametrize(("text", "days", "said"), [
    ("A daily letter", 1, "a weekly"),
    ("A daily letter", 3, "3 days a week"),
    ("Ежедневный выпуск", 1, "a weekly"),
    ("Your weekly read", 7, "7 days a week"),
    ("Апталық шолу", 5, "5 days a week"),
])
def test_a_promise_that_the_days_belie_is_told(text: str, days: int, said: str) -> None:
    assert said in (cadence_doubt(text, days) or "")


@pytest.mark.parametrize(("text", "days"), [
    ("A daily letter", 7), ("A daily letter", 5), ("Your weekly read", 1), ("The day in Kazakhstan", 1), ("", 2)])
def test_a_promise_kept_is_not(text: str, days: int) -> None:
    assert cadence_doubt(text, days) is None
