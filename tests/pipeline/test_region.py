"""Where an item and a story happen."""

import pytest

from digest.model import Block
from digest.pipeline.region import Places
from tests.pipeline.worlds import GAZETTEER, feed, item

PLACES = Places(GAZETTEER)


@pytest.mark.parametrize(("title", "feed_region", "place", "language", "expected"), [
    ("Bread costs more", "Kazakhstan", None, "en", "Kazakhstan"),  # nothing says another
    ("Bread costs more", None, None, "en", "Kyrgyzstan"),  # the default
    ("Central Asia’s bread costs more", "Kazakhstan", None, "en", "Kazakhstan"),  # what holds it says no other
    ("Uzbekistan raises gas prices", "Kazakhstan", None, "en", "Uzbekistan"),
    ("Uzbekistan and Kazakhstan sign", "Kazakhstan", None, "en", "Kazakhstan"),  # its own region is named too
    ("Kyrgyz leader flies to Tashkent", "Central Asia", None, "en", "Kyrgyzstan"),  # the first of those inside
    ("Bread costs more", "Central Asia", "Almaty", "en", "Kazakhstan"),  # the dateline says it
    ("Hotels on Issyk Kul fill up", "Central Asia", None, "en", "Kyrgyzstan"),  # a name of two words
    ("В Ташкенте подорожал хлеб", "Central Asia", None, "ru", "Uzbekistan"),  # an inflected name
    ("Roast turkey for the holidays", "Kazakhstan", None, "en", "Kazakhstan"),  # a bird
    ("Kazakhstan’s bread costs more", "Turkey", None, "en", "Kazakhstan"),
])
def test_item_region(
    title: str, feed_region: str | None, place: str | None, language: str, expected: str
) -> None:
    given = item(title, feed(region=feed_region), place=place, language=language)
    assert PLACES.item_region(given, "Kyrgyzstan") == expected


def test_a_story_is_of_the_region_of_most_items() -> None:
    items = [item("Uzbek gas"), item("Gas from Tashkent", "herald"), item("Gas", "courier")]
    assert PLACES.story_region(items, items[2], "Kazakhstan") == "Uzbekistan"


def test_a_tie_goes_to_the_shown_item() -> None:
    items = [item("Uzbek gas"), item("Gas", "courier")]
    assert PLACES.story_region(items, items[1], "Kazakhstan") == "Kazakhstan"
    assert PLACES.story_region(items, items[0], "Kazakhstan") == "Uzbekistan"


def test_items_without_a_region_count_as_the_newsletters() -> None:
    nowhere = item("Bread costs more", feed(region=None))
    assert PLACES.story_region([nowhere], nowhere, "Kazakhstan") == "Kazakhstan"


@pytest.mark.parametrize(("summary", "text", "expected", "why"), [
    ("Prices rose in Tashkent.", "", "Uzbekistan", "“Tashkent” in the summary"),
    ("Prices rose in Tashkent, not in Almaty.", "", "Kazakhstan", "its feed"),  # its own region is named too
    ("Central Asia pays more, Tashkent most.", "", "Kazakhstan", "its feed"),  # so is what holds it
    ("Prices rose.", "In Tashkent bread costs more. In Tashkent and Bishkek rice too.", "Uzbekistan",
     "“Tashkent” in the text"),
    ("Prices rose.", "In Tashkent bread costs more.", "Kazakhstan", "its feed"),  # once is a passing word
])
def test_summary_and_text_say_where_a_title_does_not(summary: str, text: str, expected: str, why: str) -> None:
    body = (Block("p", text),) if text else ()
    given = item("Bread costs more", feed(region="Kazakhstan"), summary=summary, body=body)
    assert PLACES.item_reason(given, "Kyrgyzstan") == (expected, why)


def test_a_story_says_which_items_made_its_region() -> None:
    items = [item("Uzbek gas"), item("Gas from Tashkent", "herald"), item("Gas", "courier")]
    assert PLACES.story_reason(items, items[0], "Kazakhstan") == (
        "Uzbekistan: 2 of 3 items (1 by “Uzbek” in the title or dateline, 1 by “Tashkent” in the title or dateline); "
        "others: Kazakhstan 1")
