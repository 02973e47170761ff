"""Regions of recorded items against the judgement of a reader (tests/data/region-labels.tsv says how it was made)."""

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.documents import Configuration, read_configuration
from digest.model import Feed, Item, Source, short_id
from digest.pipeline.normalise import normalise_document
from digest.pipeline.parse import parse_feed
from digest.pipeline.region import Places
from digest.resources import packaged_config_dir

LABELS = Path(__file__).parent.parent / "data" / "region-labels.tsv"
AT = datetime(2026, 9, 1, tzinfo=UTC)
REGIONS = {"ca-kz": "Kazakhstan", "ca-kg": "Kyrgyzstan", "ca-uz": "Uzbekistan", "ca-ca": "Central Asia",
           "ca-az": "Caucasus"}
ELSEWHERE = "World"  # of outlets that the shipped sources do not know


@dataclass(frozen=True, slots=True)
class Judged:
    """An item, what the reader said of it ("in", "parent" or "neither"), and what the product says."""

    item: Item
    label: str
    region: str
    found: str


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    root = packaged_config_dir()
    return read_configuration({path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
                               for folder in ("newsletters", "sources", "gazetteer")
                               for path in (root / folder).glob("*.toml")})


@pytest.fixture(scope="module")
def judged(data_dir: Path, configuration: Configuration) -> list[Judged]:
    return list(_judge(data_dir, configuration))


def _judge(data_dir: Path, configuration: Configuration) -> Iterator[Judged]:
    places = Places(configuration.gazetteer)
    with LABELS.open(encoding="utf-8") as file:
        rows = list(csv.DictReader((line for line in file if not line.startswith("#")), delimiter="\t"))
    items: dict[str, Item] = {}
    for name in dict.fromkeys(row["document"] for row in rows):
        items |= {item.id: item for item in _items(data_dir, name, configuration)}
    for row in rows:
        item = items[row["item"]]
        newsletter = "Kazakhstan" if row["document"].startswith("feeds/ca-") else "New Zealand"
        region = places.item_region(item, newsletter)
        yield Judged(item, row["label"], region, _said(region, newsletter, configuration))


def _said(region: str, wanted: str, configuration: Configuration) -> str:
    gazetteer = configuration.gazetteer
    parent = gazetteer.parent(wanted)
    assert parent is not None
    return "in" if gazetteer.inside(region, wanted) else "parent" if gazetteer.inside(region, parent) else "neither"


def _items(data_dir: Path, name: str, configuration: Configuration) -> list[Item]:
    path = data_dir / name
    if name.startswith("feeds/"):
        url, region = f"https://{path.name.lower()}.example/feed", REGIONS[path.name[:5]]
    else:
        url, region = f"archive://{path.parent.name}", _region_of(path.parent.name, configuration)
    body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    feed = Feed(short_id(url), url, Source("outlet", "Outlet", "outlet"), region=region)
    return normalise_document(parse_feed(body, None, url), feed, now=AT)


def _region_of(outlet: str, configuration: Configuration) -> str:
    return next((feed.region for feed in configuration.feeds if feed.source.slug == outlet and feed.region), ELSEWHERE)


def test_enough_items_are_labelled(judged: list[Judged]) -> None:
    assert len(judged) >= 300
    assert min(Counter(one.label for one in judged).values()) >= 60


def test_regions_are_precise_and_found(judged: list[Judged]) -> None:
    for wanted in (("in", "parent"), ("in",)):
        claimed = [one for one in judged if one.found in wanted]
        meant = [one for one in judged if one.label in wanted]
        right = [one for one in claimed if one.found == one.label]
        wrong = [(one.label, one.found, one.region, one.item.title) for one in judged if one.found != one.label]
        assert len(right) / len(claimed) >= 0.90, wrong
        assert len(right) / len(meant) >= 0.85, wrong
