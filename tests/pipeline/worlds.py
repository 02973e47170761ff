"""Small named worlds for the edition's stages: sources, items, stories and a newsletter to change a little."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from digest.documents import Gazetteer, Newsletter, Region
from digest.model import BodyPolicy, DateQuality, Feed, Item, Source, Story, short_id
from digest.pipeline.pool import EditionInputs

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

GAZETTEER = Gazetteer({
    region.name: region
    for region in (
        Region(name="Central Asia"),
        Region(name="Kazakhstan", parent="Central Asia", places=("Kazakh", "Almaty", "Astana", "Казахстан", "Алматы")),
        Region(name="Uzbekistan", parent="Central Asia", places=("Uzbek", "Tashkent", "Ташкент")),
        Region(name="Kyrgyzstan", parent="Central Asia", places=("Kyrgyz", "Bishkek", "Issyk Kul")),
        Region(name="Turkey", places=("Ankara",)),
    )
})


def newsletter(**changes: Any) -> Newsletter:
    """Kazakhstan News as the tests know it, with some keys changed."""
    values: dict[str, Any] = {
        "slug": "kazakhstan", "name": "Kazakhstan News", "tagline": "The day in the steppe, on the house.",
        "region": "Kazakhstan", "zone": "Asia/Almaty", "regions": ("Central Asia",),
    }
    return Newsletter.model_validate({**values, **changes})


def feed(source: str = "steppe-times", *, family: str | None = None, tier: float = 1.0,
         region: str | None = "Kazakhstan", body: BodyPolicy = BodyPolicy.EXCERPT) -> Feed:
    name = source.replace("-", " ").title()
    url = f"https://{source}.example/{(region or 'world').lower().replace(' ', '-')}.xml"
    return Feed(short_id(url), url, Source(source, name, family or source, tier), region, "en", body)


def item(title: str, source: str | Feed = "steppe-times", *, hours: float | None = 3, seen: float | None = None,
         **changes: Any) -> Item:
    """An item published `hours` before NOW (None: undated) and first seen `seen` hours before it."""
    own = feed(source) if isinstance(source, str) else source
    key = changes.pop("key", title)
    id = short_id(own.id, key)
    published = None if hours is None else NOW - hours * HOUR
    first_seen = NOW - (seen if seen is not None else hours if hours is not None else 1) * HOUR
    values: dict[str, Any] = {
        "id": id, "feed": own, "key": key, "url": f"https://{own.source.slug}.example/{id}",
        "canonical_url": f"{own.source.slug}.example/{id}", "title": title, "summary": "", "body": (), "agency": None,
        "place": None, "language": "en", "published_at": published, "published_offset_minutes": None,
        "date_quality": DateQuality.NONE if published is None else DateQuality.EXACT, "first_seen_at": first_seen,
    }
    return Item(**{**values, **changes})


def story(*items: Item, reprints: tuple[Item, ...] = ()) -> Story:
    ordered = tuple(sorted(items, key=lambda i: (i.first_seen_at, i.id)))
    return Story(ordered[0].id, ordered, frozenset(i.id for i in reprints))


def inputs(*stories: Story, **changes: Any) -> EditionInputs:
    """Inputs of the edition of 20 March 2023 with the given stories."""
    values: dict[str, Any] = {
        "newsletter": newsletter(), "gazetteer": GAZETTEER, "stories": stories, "since": NOW - 24 * HOUR, "cutoff": NOW,
        "date": date(2023, 3, 20), "items_seen": sum(len(s.items) for s in stories),
    }
    return EditionInputs(**{**values, **changes})
