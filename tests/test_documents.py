"""Configuration documents: what is read, and how a mistake is told."""

import pytest

from digest.documents import find_mistakes, read_configuration
from digest.doubts import find_doubts
from digest.errors import ConfigError

NEWSLETTER = """\
name = "Kazakhstan News"
region = "Kazakhstan"
zone = "Asia/Almaty"
regions = ["Kazakhstan"]
"""
SOURCES = """\
[[sources]]
slug = "steppe"
name = "The Steppe"

[[sources.feeds]]
url = "https://steppe.example/feed"
region = "Kazakhstan"

[[sources]]
slug = "herald"
name = "Herald"
feeds = [
  # the main one
  { url = "https://herald.example/rss" },
  { url = "https://herald.example/world", language = "ru" },
]
"""
NEWS, SRC, GAZ = "newsletters/kazakhstan.toml", "sources/kz.toml", "gazetteer/regions.toml"


def test_documents_make_one_configuration() -> None:
    configuration = read_configuration({NEWS: NEWSLETTER, SRC: SOURCES}, version=3)
    newsletter = configuration.newsletters["kazakhstan"]
    assert (newsletter.name, newsletter.send_time.hour, configuration.version) == ("Kazakhstan News", 7, 3)
    assert configuration.sources["herald"].family == "herald"
    assert [feed.url for feed in configuration.feeds_of(newsletter)] == ["https://steppe.example/feed"]


def test_a_region_of_the_instance_wins_over_the_packaged_one_of_the_same_name() -> None:
    base = {GAZ: '[[regions]]\nname = "Kazakhstan"\nparent = "Asia"\n[[regions]]\nname = "Asia"\n'}
    own = {GAZ: '[[regions]]\nname = "Kazakhstan"\nparent = "Central Asia"\n'}
    gazetteer = read_configuration(own, base).gazetteer
    assert gazetteer.parent("Kazakhstan") == "Central Asia"
    assert set(gazetteer.regions) == {"Kazakhstan", "Asia"}


@pytest.mark.parametrize(("path", "text", "line", "key", "said"), [
    # not TOML at all
    (NEWS, 'name = "Kazakhstan News"\nregion = Kazakhstan\n', 2, None, "not valid TOML"),
    # an unknown key, in a table of an array
    (NEWS, NEWSLETTER + '\n[[topics]]\nslug = "a"\ntitle = "A"\nquery = "x"\n\n[[topics]]\nslug = "b"\n'
     'title = "B"\nquery = "y"\nwieght = 2\n', 15, "topics.1.wieght", "unknown key"),
    (NEWS, NEWSLETTER.replace("Asia/Almaty", "Asia/Almata"), 3, "zone", "IANA"),
    (NEWS, NEWSLETTER.replace("zone", "zona"), 3, "zona", "unknown key"),
    (NEWS, 'name = "X"\nregions = ["X"]\n', None, "region", "is missing"),
    (NEWS, 'name = "X"\nregion = "X"\n', None, None, "has no feeds"),
    (NEWS, NEWSLETTER + "send_time = 7\n", 5, "send_time", '"07:00"'),
    (NEWS, NEWSLETTER + 'send_time = "7 am"\n', 5, "send_time", '"07:00"'),
    (NEWS, NEWSLETTER + 'language = "english"\n', 5, "language", "pattern"),
    (NEWS, NEWSLETTER + 'days = [\n  "mon",\n  # and\n  "tuesday",\n]\n', 8, "days.1", "'tue'"),
    (NEWS, NEWSLETTER + "[caps]\nsource = -1\n", 6, "caps.source", "greater than or equal to 0"),
    (NEWS, NEWSLETTER + '[[topics]]\nslug = "a"\ntitle = "A"\nquery = "(oil AND"\n', 8, "topics.0.query", "expected"),
    (NEWS, NEWSLETTER + 'slug = "other"\n', 5, "slug", "name of the file"),
    ("newsletters/preview.toml", NEWSLETTER, None, "slug", "address of the program itself"),
    ("newsletters/Big News.toml", NEWSLETTER, None, "slug", "pattern"),
    (SRC, SOURCES.replace("https://herald.example/world", "herald.example/world"), 15, "sources.1.feeds.1.url",
     "absolute"),
    (SRC, SOURCES.replace('"ru"', '"russian"'), 15, "sources.1.feeds.1.language", "pattern"),
    (SRC, SOURCES.replace("herald.example/rss", "steppe.example/feed"), 14, "sources.1.feeds.0.url", "stands twice"),
    (SRC, SOURCES.replace('"herald"', '"steppe"'), 10, "sources.1.slug", "stands twice"),
    (GAZ, '[[regions]]\nname = "A"\n\n[[regions]]\nname = "A"\n', 5, "regions.1.name", "stands twice"),
])
def test_a_mistake_is_told_with_file_line_and_key(
    path: str, text: str, line: int | None, key: str | None, said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_configuration({path: text})
    error = caught.value
    assert (error.path, error.line, error.key) == (path, line, key)
    assert said in str(error)


def test_an_unknown_name_in_a_topic_is_told_with_the_nearest_known_one() -> None:
    names = '[[names]]\nslug = "tokayev"\nkind = "person"\nen = ["Tokayev"]\n'
    text = NEWSLETTER + '\n[[topics]]\nslug = "a"\ntitle = "A"\nquery = "@tokaev"\n'
    with pytest.raises(ConfigError, match="did you mean @tokayev") as caught:
        read_configuration({NEWS: text, SRC: SOURCES, "gazetteer/names.toml": names})
    assert (caught.value.line, caught.value.key) == (9, "topics.0.query")


def test_an_unknown_source_is_told_with_the_nearest_known_one() -> None:
    text = NEWSLETTER + 'sources = [\n  "steppe",\n  "heralt",\n]\n'
    with pytest.raises(ConfigError) as caught:
        read_configuration({NEWS: text, SRC: SOURCES})
    assert (caught.value.line, caught.value.key) == (7, "sources.1")
    assert "did you mean 'herald'?" in str(caught.value)


def test_all_mistakes_of_all_documents_are_found_at_once() -> None:
    wrong = NEWSLETTER.replace("Asia/Almaty", "Nowhere") + 'language = "english"\n'
    found = find_mistakes({NEWS: wrong, SRC: SOURCES.replace('"ru"', '"russian"'), "newsletters/b.toml": "x = ["})
    assert [(error.path, error.line) for error in found] == [("newsletters/b.toml", 1), (NEWS, 3), (NEWS, 5), (SRC, 15)]


def test_what_is_allowed_but_hardly_meant_is_doubted() -> None:
    text = NEWSLETTER.replace('regions = ["Kazakhstan"]', 'regions = ["Kazakhstan", "Kazkhstan"]') + (
        'tagline = "A daily letter to read over drinks.and it is free"\ndays = ["mon"]\nread = ["en", "ru"]\n'
        'count = ["en"]\n')
    doubts = find_doubts(read_configuration({NEWS: text, SRC: SOURCES}))
    keys = [doubt.removeprefix(f"{NEWS}: ").split(":")[0] for doubt in doubts]
    assert keys == ["tagline", "tagline", "count", "regions"]
    assert "no feed is of 'Kazkhstan'" in doubts[-1]


def test_the_tagline_of_the_weekly_edition_is_doubted_by_its_own_cadence() -> None:
    text = NEWSLETTER + 'tagline = "A daily letter"\n[weekly]\ntagline = "Your daily read"\n'
    (doubt,) = find_doubts(read_configuration({NEWS: text, SRC: SOURCES}))
    assert doubt.startswith(f"{NEWS}: weekly.tagline: says daily")


def test_an_interface_language_without_a_catalogue_is_doubted() -> None:
    (doubt,) = find_doubts(read_configuration({NEWS: NEWSLETTER + 'language = "de"\n', SRC: SOURCES}))
    assert doubt.startswith(f"{NEWS}: language: headings and links are not translated into 'de'")


def test_a_newsletter_without_feeds_is_doubted_and_a_good_one_is_not() -> None:
    assert find_doubts(read_configuration({NEWS: NEWSLETTER, SRC: SOURCES})) == []
    assert any("no feed of" in doubt for doubt in find_doubts(read_configuration({NEWS: NEWSLETTER})))


NAMES_DOC = "gazetteer/names.toml"
STEPPE = '[[regions]]\nname = "Steppe"\n\n[[names]]\nslug = "khan"\nkind = "person"\nregion = "Steppe"\nen = ["Khan"]\n'


def test_names_are_read_and_those_of_the_instance_win_by_slug() -> None:
    own = '[[names]]\nslug = "khan"\nkind = "person"\nru = ["Хан"]\nen = ["The Khan"]\n'
    names = read_configuration({NAMES_DOC: own}, {"gazetteer/steppe.toml": STEPPE}).names
    assert [(name.slug, name.kind, name.region, dict(name.spellings)) for name in names] == [
        ("khan", "person", None, {"ru": ("Хан",), "en": ("The Khan",)})]


def test_a_spelling_of_a_built_in_name_is_a_mistake_of_the_instance() -> None:
    own = '[[names]]\nslug = "khan"\nkind = "person"\nen = ["Town"]\n'
    base = {"gazetteer/steppe.toml": STEPPE + '[[names]]\nslug = "town"\nkind = "place"\nen = ["Town"]\n'}
    assert [(mistake.path, mistake.line) for mistake in find_mistakes({NAMES_DOC: own}, base)] == [(NAMES_DOC, 4)]


@pytest.mark.parametrize(("text", "line", "key", "said"), [
    (STEPPE.replace("person", "horse"), 6, "names.0.kind", "'person', 'place' or 'body'"),
    (STEPPE.replace("region =", "regoin ="), 7, "names.0.regoin", "pattern"),
    (STEPPE.replace('["Khan"]', '"Khan"'), 8, "names.0.en", "tuple"),
    (STEPPE.replace('en = ["Khan"]', "en = []"), 4, "names.0", "has no spelling"),
    (STEPPE.replace('region = "Steppe"', 'region = "Step"'), 7, "names.0.region", "unknown region 'Step'"),
    (STEPPE + '[[names]]\nslug = "khan"\nkind = "place"\nen = ["Town"]\n', 10, "names.1.slug", "stands twice"),
    (STEPPE + '[[names]]\nslug = "cook"\nkind = "person"\nen = ["Ali", "KHAN"]\n', 12, "names.1.en.1",
     "'KHAN' is a spelling of 'khan' too"),
])
def test_a_mistake_in_a_name_is_told_with_its_line(text: str, line: int, key: str, said: str) -> None:
    mistakes = find_mistakes({NAMES_DOC: text})
    assert [(error.line, error.key) for error in mistakes][-1] == (line, key)
    assert any(said in str(mistake) for mistake in mistakes)
