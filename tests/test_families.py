"""Whose a source is, and whose copy an item is: as the documents say, else as its site or its credit does."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete

from digest.app import open_app
from digest.documents import Configuration, read_configuration
from digest.model import Story
from digest.pipeline.bylines import AGENCIES
from digest.services.config import packaged_gazetteer
from digest.storage.config import mirror
from digest.storage.engine import read_only
from digest.storage.items import items_by_id, store
from digest.storage.schema import agencies
from tests.storage.worlds import NOON, an_item

SOURCES = """
[[sources]]
slug = "{slug}"
name = "Some Outlet"
{family}
feeds = [{{ url = "{url}" }}]
"""


def read(slug: str, url: str, family: str = "", more: str = "") -> Configuration:
    return read_configuration({"sources/a.toml": SOURCES.format(slug=slug, url=url, family=family) + more},
                              packaged_gazetteer())


@pytest.mark.parametrize(("url", "family"), [
    ("https://rus.azattyq.org/api/zgroqe_uoq", "rferl"),
    ("https://www.ozodi.org/api/zrqiteuuir", "rferl"),
    ("https://www.azattyk.org/api/zrqiteuuir", "rferl"),
    ("https://feeds.turkmenistannews.net/rss/929bcf2071e81801", "big-news-network"),
    ("https://feeds.thefijinews.net/rss/7b9fd5fd3be1c082", "big-news-network"),
    ("https://sputnik.kg/export/rss2/archive/index.xml", "rossiya-segodnya"),
    ("https://tj.sputniknews.ru/export/rss2/archive/index.xml", "rossiya-segodnya"),
    ("https://ria.ru/export/rss2/archive/index.xml", "rossiya-segodnya"),
    ("https://feeds.bbci.co.uk/news/rss.xml", "bbc"),
    ("http://www.tazabek.kg/rss/news.rss", "akipress"),
    ("https://www.inform.kz/rss/rus.xml", "kazinform"),
    ("https://notria.ru/feed", "outlet"),  # another domain that ends alike
    ("https://vlast.kz/feed/", "outlet"),
])
def test_a_source_belongs_to_the_owner_of_its_site(url: str, family: str) -> None:
    configuration = read("outlet", url)
    assert configuration.sources["outlet"].family == family
    assert [feed.source.family for feed in configuration.feeds] == [family]


def test_what_the_documents_say_wins() -> None:
    url = "https://rus.azattyq.org/api/1"
    assert read("outlet", url, 'family = "mine"').sources["outlet"].family == "mine"
    own = '[[families]]\nslug = "rferl"\nname = "Mine"\nsites = ["other.example"]\n'
    assert read("outlet", url, more=own).sources["outlet"].family == "outlet"
    assert read("outlet", "https://a.other.example/feed", more=own).sources["outlet"].family == "rferl"


def test_every_agency_of_the_families_is_one_that_credits_name() -> None:
    known = read("outlet", "https://a.example/feed").agencies
    assert known.keys() <= set(AGENCIES.values())
    assert len(known) > 40
    assert known["ТАСС"] == known["TASS"] == "tass"


def test_a_copy_of_an_agency_counts_for_the_agency(engine: Engine) -> None:
    outlets = "".join(SOURCES.format(slug=slug, url=f"https://{slug}.example/feed", family="") for slug in "abc")
    configuration = read_configuration({"sources/a.toml": outlets}, packaged_gazetteer())
    credits = ("ТАСС", "TASS", None)
    items = [an_item(feed, "1", agency=agency) for feed, agency in zip(configuration.feeds, credits, strict=True)]
    with engine.begin() as conn:
        mirror(conn, configuration, NOON)
        for item in items:
            store(conn, item.feed, [item], NOON)
        stored = items_by_id(conn, [item.id for item in items])
    told = tuple(stored[item.id] for item in items)
    assert [item.feed.source.family for item in told] == ["tass", "tass", "c"]
    assert [item.feed.source.slug for item in told] == ["a", "b", "c"]
    assert Story(items[0].id, told).families == {"tass", "c"}
    assert replace(told[2], first_seen_at=NOON) == items[2]


def test_an_upgrade_brings_its_families_along(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    with open_app(str(tmp_path)) as app, app.engine.begin() as conn:
        conn.execute(delete(agencies))
    with open_app(str(tmp_path)) as app, read_only(app.engine) as conn:
        assert len(conn.execute(agencies.select()).all()) == len(app.configuration.agencies)
