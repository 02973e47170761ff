"""The shipped config/: every setting is there with its default, and every document is right and has no doubts."""

import re
import tomllib
from typing import Any

import pytest
from pydantic import SecretStr

from digest.documents import Configuration, find_mistakes, read_configuration
from digest.doubts import find_doubts
from digest.pipeline.region import Places
from digest.resources import packaged_config_dir
from digest.services.config import packaged_gazetteer, read_files
from digest.settings import Instance, Settings

CONFIG = packaged_config_dir()


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return read_configuration(read_files(Instance(CONFIG.parent)), packaged_gazetteer())


def plain(value: Any) -> Any:
    """A default as TOML has it."""
    if isinstance(value, tuple):
        return list(value)
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def test_digest_toml_holds_every_setting_commented_out_with_its_default() -> None:
    text = (CONFIG / "digest.toml").read_text(encoding="utf-8")
    assert all(table == {} for table in tomllib.loads(text).values())
    written = tomllib.loads(re.sub(r"^# (?=[a-z_]+ = )", "", text, flags=re.MULTILINE))
    defaults = {
        section: {name: plain(value) for name, value in getattr(Settings.model_construct(), section)}
        for section in Settings.model_fields
    }
    assert written == defaults


def test_every_setting_has_a_comment_above_it() -> None:
    lines = (CONFIG / "digest.toml").read_text(encoding="utf-8").splitlines()
    settings = [number for number, line in enumerate(lines) if re.match(r"# [a-z_]+ = ", line)]
    bare = [lines[n] for n in settings if n - 1 in settings or not lines[n - 1].startswith("# ")]
    assert bare == []


def test_shipped_documents_have_no_mistakes_and_no_doubts(configuration: Configuration) -> None:
    assert find_mistakes(read_files(Instance(CONFIG.parent)), packaged_gazetteer()) == []
    assert find_doubts(configuration) == []


def test_shipped_feeds_are_fetched_over_http_from_known_regions(configuration: Configuration) -> None:
    assert all(feed.url.startswith(("http://", "https://")) for feed in configuration.feeds)
    assert {feed.region for feed in configuration.feeds} <= configuration.gazetteer.regions.keys()
    assert all(feed.language for feed in configuration.feeds)


def test_every_region_lies_in_a_known_one(configuration: Configuration) -> None:
    gazetteer = configuration.gazetteer
    assert [name for name in gazetteer.regions if not gazetteer.inside(name, "World")] == []


@pytest.mark.parametrize(("slug", "parent", "feeds"), [
    ("kazakhstan", "Central Asia", {"Kazakhstan", "Kyrgyzstan", "Uzbekistan", "Central Asia"}),
    ("new-zealand", "Oceania", {"New Zealand", "Australia", "Pacific Islands"}),
])
def test_a_newsletter_has_feeds_of_its_region_and_of_the_parent(
    configuration: Configuration, slug: str, parent: str, feeds: set[str]
) -> None:
    newsletter = configuration.newsletters[slug]
    assert configuration.gazetteer.parent(newsletter.region) == parent
    assert feeds <= {feed.region for feed in configuration.feeds_of(newsletter)}


@pytest.mark.parametrize(("language", "text", "region"), [
    ("en", "Kazakh parliament passes a budget", "Kazakhstan"),
    ("en", "Court rules in Almaty", "Kazakhstan"),
    ("ru", "Казахстанская нефть дорожает", "Kazakhstan"),
    ("ru", "Жители Алматы просят тепла", "Kazakhstan"),
    ("ru", "Саммит прошёл в Астане", "Kazakhstan"),
    ("ru", "Гостей ждут в Бишкеке", "Kyrgyzstan"),
    ("ru", "Самолёт сел в Ташкенте", "Uzbekistan"),
    ("kk", "Қазақстанда жаңа заң қабылданды", "Kazakhstan"),
    ("kk", "Алматыда жер сілкінді", "Kazakhstan"),
    ("uz", "Toshkentda yangi metro ochildi", "Uzbekistan"),
    ("tg", "Дар Душанбе боғи нав", "Tajikistan"),
    ("en", "Turkmen gas flows again", "Turkmenistan"),
    ("en", "Storm nears Auckland", "New Zealand"),
    ("en", "Tokyo shaken by quake", "Japan"),
    ("ru", "Помощь для многодетных семей", None),
    ("en", "Tell us about your family", None),
    ("en", "World Bank lends again", None),
])
def test_place_names_say_their_region(
    configuration: Configuration, language: str, text: str, region: str | None
) -> None:
    mentions = Places(configuration.gazetteer).mentions(text, language)
    assert {mention.region for mention in mentions} == ({region} if region else set())
