"""Preferences in words: what is taken, what is refused, what stays."""

from datetime import date, timedelta

import pytest

from digest.documents import Configuration, read_configuration
from digest.errors import PreferenceRefused
from digest.model import Frequency, Preferences
from digest.services import preferences
from digest.services.preferences import Choices, Wanted

TODAY = date(2023, 3, 20)
NOTHING = Wanted(Preferences(), ())
NEWSLETTER = """
name = "Kazakhstan News"
region = "Kazakhstan"
zone = "Asia/Almaty"
regions = ["Kazakhstan"]
read = ["en", "ru", "kk"]
[sections]
more = 0
[[topics]]
slug = "economy"
title = "Economy"
query = "oil"
[[topics]]
slug = "sport"
title = "Sport"
query = "boxing"
[[topics]]
slug = "hidden"
title = "Ranks alone"
query = "x"
limit = 0
"""
SOURCES = """
[[sources]]
slug = "wire"
name = "Wire"
[[sources.feeds]]
url = "https://wire.example/en"
region = "Kazakhstan"
language = "en"
[[sources.feeds]]
url = "https://wire.example/ru"
region = "Kazakhstan"
language = "ru"
"""


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return read_configuration({
        "newsletters/kz.toml": NEWSLETTER, "newsletters/all.toml": NEWSLETTER.replace('["en", "ru", "kk"]', "[]"),
        "newsletters/one.toml": NEWSLETTER.replace('["en", "ru", "kk"]', '["en"]'), "sources/all.toml": SOURCES})


@pytest.fixture(scope="module")
def offered(configuration: Configuration) -> Choices:
    return preferences.choices(configuration.newsletters["kz"], configuration, "en")


def test_readers_choose_among_what_the_newsletter_has(configuration: Configuration, offered: Choices) -> None:
    assert offered.sections == (("topic-economy", "Economy"), ("topic-sport", "Sport"),
                                ("latest", "Latest from Kazakhstan"), ("brief", "In brief"))
    read = {slug: preferences.choices(newsletter, configuration, "en").read
            for slug, newsletter in configuration.newsletters.items()}
    assert read == {"kz": ("en", "ru", "kk"), "all": ("en", "ru"), "one": ()}


@pytest.mark.parametrize(("words", "wanted"), [
    ({}, Preferences()),
    ({"frequency": "weekly", "format": "text"}, Preferences(frequency=Frequency.WEEKLY, format="text")),
    ({"hour": " 07:30 ", "zone": "Europe/Berlin"}, Preferences(hour="07:30", zone="Europe/Berlin")),
    ({"zone": "Asia/Almaty", "language": "en"}, Preferences()),  # the newsletter's own is followed
    ({"language": "kk"}, Preferences(language="kk")),
    ({"read": "kk, en"}, Preferences(read=("en", "kk"))),
    ({"read": "kk en ru"}, Preferences()), ({"read": ""}, Preferences()),  # all, and none at all
    ({"paused_until": "2023-04-01"}, Preferences(paused_until=date(2023, 4, 1))),
    ({"paused_until": "2023-03-20"}, Preferences()), ({"paused_until": ""}, Preferences()),
    ({"frequency": "", "hour": "", "zone": "", "language": "", "format": ""}, Preferences()),
])
def test_words_become_preferences(offered: Choices, words: dict[str, str], wanted: Preferences) -> None:
    assert preferences.changed(NOTHING, words, offered, TODAY) == Wanted(wanted, ())


def test_what_is_not_named_stays_and_sections_stand_in_the_mails_order(offered: Choices) -> None:
    current = Wanted(Preferences(hour="08:00", read=("ru",)), ("latest",))
    found = preferences.changed(current, {"format": "text"}, offered, TODAY)
    assert found == Wanted(Preferences(hour="08:00", read=("ru",), format="text"), ("latest",))
    found = preferences.changed(current, {"hidden_sections": "brief,topic-sport"}, offered, TODAY)
    assert found.hidden_sections == ("topic-sport", "brief")


@pytest.mark.parametrize(("words", "reason"), [
    ({"frequency": "hourly"}, preferences.NOT_OFFERED), ({"format": "pdf"}, preferences.NOT_OFFERED),
    ({"language": "xx"}, preferences.NOT_OFFERED), ({"read": "en de"}, preferences.NOT_OFFERED),
    ({"hidden_sections": "lead"}, preferences.NOT_OFFERED), ({"shoe size": "44"}, preferences.NOT_OFFERED),
    ({"hour": "25:00"}, preferences.NO_HOUR), ({"hour": "7:30"}, preferences.NO_HOUR),
    ({"hour": "07:30:00"}, preferences.NO_HOUR), ({"hour": "٠٧:٣٠"}, preferences.NO_HOUR),
    ({"zone": "Mars/Olympus"}, preferences.NO_ZONE), ({"zone": "../../etc/passwd"}, preferences.NO_ZONE),
    ({"zone": "a" * 5000}, preferences.NO_ZONE), ({"zone": "Asia"}, preferences.NO_ZONE),
    ({"paused_until": "tomorrow"}, preferences.NO_DAY), ({"paused_until": "2023-02-30"}, preferences.NO_DAY),
    ({"paused_until": str(TODAY + timedelta(days=367))}, preferences.NO_DAY),
])
def test_other_words_are_refused_with_what_would_be_right(
    offered: Choices, words: dict[str, str], reason: str
) -> None:
    with pytest.raises(PreferenceRefused) as caught:
        preferences.changed(NOTHING, words, offered, TODAY)
    assert caught.value.reason == reason
    assert len(str(caught.value)) < 300


def test_every_zone_offered_is_taken(offered: Choices) -> None:
    assert len(preferences.zones()) > 300
    for zone in preferences.zones():
        assert preferences.changed(NOTHING, {"zone": zone}, offered, TODAY).preferences.zone in {zone, None}
