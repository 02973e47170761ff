"""Makes a new instance: writes its documents, adds its first reader."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from digest.documents import Configuration, Gazetteer, read_configuration
from digest.errors import ConfigError
from digest.pipeline.discover import slug_of, slug_of_host
from digest.pipeline.source_documents import with_feeds
from digest.resources import packaged_text
from digest.services import config, subscribers
from digest.services.addresses import normalise_address
from digest.services.discovery import FoundFeed
from digest.settings import Instance

FEW_SOURCES = 5  # with fewer, caps would leave an edition nearly empty
NEWSLETTER = """\
# A newsletter. Its address /<slug>/ is the name of this file. Change what you like: every command reads it anew, and
# `digest check` says what is wrong.

name = <name>
tagline = <tagline>

# The lead and the sections come from here, "More ..." from the region it lies in.
region = <region>
# Time zone of its dates, its send time and the times shown.
zone = <zone>
send_time = <send_time>
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

# Of the masthead, headings and links.
language = <language>
# Languages whose copy may be shown.
read = <read>

# Feeds (config/sources/) of these regions and of the regions inside them.
regions = <regions>
# And all feeds of these sources.
sources = []

# Most stories of the region that no topic claims, and of the region around it.
[sections]
latest = 12
more = 6

# Most stories of one edition led by one source, by one family of sources; 0 is no cap.
[caps]
source = <source_cap>
family = <family_cap>

# Topics are sections with a query of words, "phrases", AND, OR, NOT and brackets. Take the # away to begin:
#
# [[topics]]
# slug = "politics"
# title = "Politics"
# query = 'parliament OR government OR election NOT football'
# weight = 1.0               # points that a match adds to a story's score
# limit = 4                  # most stories in the section
"""
REGIONS_HEAD = """\
# Names that say an item is of a region, in any language: cities, provinces, adjectives. The region's own name counts
# by itself.

"""


@dataclass(frozen=True, slots=True)
class NewInstance:
    """What the operator wants: one newsletter on one region from some feeds."""

    name: str
    region: str
    parent: str | None
    zone: str
    language: str
    send_time: str  # "07:00"
    feeds: tuple[FoundFeed, ...]

    @property
    def slug(self) -> str:
        """Name of its files and of its page."""
        return slug_of(self.region) or slug_of(self.name) or "newsletter"


def is_taken(instance: Instance) -> bool:
    """Whether the folder has a configuration already."""
    return (instance.config / "digest.toml").exists() or bool(config.read_files(instance))


def documents_of(new: NewInstance, gazetteer: Gazetteer) -> dict[str, str]:
    """The documents by path below config/; a gazetteer document only where the region is not known as wanted."""
    unique = {feed.url: feed for feed in new.feeds}
    documents = {
        f"newsletters/{new.slug}.toml": _newsletter(new),
        **with_feeds({}, (feed.of(slug_of_host(feed.url), new.region) for feed in unique.values())),
    }
    if new.region not in gazetteer.regions or (new.parent or None) != gazetteer.parent(new.region):
        documents[f"gazetteer/{new.slug}.toml"] = _regions(new, gazetteer)
    return documents


def create(
    engine: Engine, instance: Instance, new: NewInstance, readers: Sequence[str], now: datetime
) -> Configuration:
    """Writes digest.toml and the documents, imports them and subscribes the readers. All is checked before.

    Raises ConfigError where the folder has a configuration or an answer is wrong, AddressRefused for a reader.
    """
    if is_taken(instance):
        raise ConfigError(str(instance.config), "has a configuration already",
                          hint="name another folder, or edit the documents there and run `digest check`")
    for reader in readers:
        normalise_address(reader)
    base = config.packaged_gazetteer()
    documents = documents_of(new, read_configuration({}, base).gazetteer)
    read_configuration(documents, base)
    config.write_files(instance, {**documents, "digest.toml": packaged_text("config/digest.toml")})
    configuration = config.sync(engine, instance, now, author="init")
    with engine.begin() as conn:
        for reader in readers:
            subscribers.subscribe(conn, new.slug, reader, "operator", now)
    return configuration


def _quoted(value: str) -> str:
    """A TOML basic string."""
    return json.dumps(value, ensure_ascii=False)


def _listed(values: Sequence[str]) -> str:
    return "[" + ", ".join(_quoted(value) for value in values) + "]"


def _newsletter(new: NewInstance) -> str:
    few = len({slug_of_host(feed.url) for feed in new.feeds}) < FEW_SOURCES
    languages = tuple(dict.fromkeys([new.language, *(feed.language for feed in new.feeds)]))
    fill: Mapping[str, str] = {
        "slug": new.slug,
        "name": _quoted(new.name),
        "tagline": _quoted(f"The day's news from {new.region}."),
        "region": _quoted(new.region),
        "zone": _quoted(new.zone),
        "send_time": _quoted(new.send_time),
        "language": _quoted(new.language),
        "read": _listed(languages),
        "regions": _listed([new.region]),
        "source_cap": "0" if few else "3",
        "family_cap": "0" if few else "4",
    }
    return _filled(NEWSLETTER, fill)


def _regions(new: NewInstance, gazetteer: Gazetteer) -> str:
    known = gazetteer.regions.get(new.region)
    places = known.places if known else ()
    text = REGIONS_HEAD + _region(new.region, new.parent, places)
    if new.parent and new.parent not in gazetteer.regions:
        text += "\n" + _region(new.parent, None, ())
    return text


def _region(name: str, parent: str | None, places: Sequence[str]) -> str:
    lines = ["[[regions]]", f"name = {_quoted(name)}"]
    if parent:
        lines.append(f"parent = {_quoted(parent)}")
    return "\n".join([*lines, f"places = {_listed(places)}", ""])


def _filled(template: str, fill: Mapping[str, str]) -> str:
    return re.sub(r"<([a-z_]+)>", lambda mark: fill[mark[1]], template)
