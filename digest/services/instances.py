"""Makes a new instance: finds its feeds, writes its documents, adds its first reader."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Engine

from digest.documents import Configuration, Gazetteer, read_configuration
from digest.errors import ConfigError, FetchError, NotFound, ParseError
from digest.parsing import ParserPool
from digest.pipeline.discover import feed_links, likely_language, slug_of, slug_of_host, usual_addresses
from digest.pipeline.parse import ParsedFeed
from digest.ports import Fetcher, FetchRequest, FetchResponse
from digest.resources import packaged_text
from digest.services import config, subscribers
from digest.services.addresses import normalise_address
from digest.settings import Instance

MOST_CANDIDATES = 8  # addresses tried for one site
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
SOURCES_HEAD = """\
# Publishers and their feeds. `family` names a common owner: its sources count once in a story's coverage. `body` says
# how much of an item readers may be shown: headline, excerpt (the default) or full.
"""
REGIONS_HEAD = """\
# Names that say an item is of a region, in any language: cities, provinces, adjectives. The region's own name counts
# by itself.

"""


@dataclass(frozen=True, slots=True)
class FoundFeed:
    """A feed that answered, or one that is kept though it did not (`items` is None)."""

    url: str
    title: str
    language: str
    items: int | None


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


async def find_feed(fetcher: Fetcher, parser: ParserPool, address: str, language: str) -> FoundFeed:
    """The feed at an address, or the first one with items that the site at that address names.

    An address without a scheme is https. `language` is that of the newsletter. Raises FetchError where the
    address does not answer and NotFound where there is no feed.
    """
    url = address if "://" in address else f"https://{address}"
    response = await fetcher.fetch(FetchRequest(url))
    try:
        return _found(url, await _parsed(parser, response), language)
    except ParseError as error:
        if error.kind != "html_not_feed":
            raise NotFound("feed", url, hint=f"the document {error}") from error
    links = feed_links(response.body, response.url)
    empty: FoundFeed | None = None
    for candidate in (links or usual_addresses(response.url))[:MOST_CANDIDATES]:
        try:
            found = _found(candidate, await _parsed(parser, await fetcher.fetch(FetchRequest(candidate))), language)
        except (FetchError, ParseError):
            continue
        if found.items:
            return found
        empty = empty or found
    if empty is not None:
        return empty
    raise NotFound("feed", url, hint="the page names none; look for an RSS link on the site and give its address")


def kept_feed(address: str, language: str) -> FoundFeed:
    """A feed that does not answer now and is kept because the operator says so."""
    url = address if "://" in address else f"https://{address}"
    return FoundFeed(url, urlsplit(url).hostname or url, language, None)


def is_taken(instance: Instance) -> bool:
    """Whether the folder has a configuration already."""
    return (instance.config / "digest.toml").exists() or bool(config.read_files(instance))


def documents_of(new: NewInstance, gazetteer: Gazetteer) -> dict[str, str]:
    """The documents by path below config/; a gazetteer document only where the region is not known as wanted."""
    documents = {
        f"newsletters/{new.slug}.toml": _newsletter(new),
        f"sources/{new.slug}.toml": _sources(new),
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


async def _parsed(parser: ParserPool, response: FetchResponse) -> ParsedFeed:
    return await parser.parse(response.body, response.headers.get("content-type"), response.url)


def _found(url: str, parsed: ParsedFeed, language: str) -> FoundFeed:
    text = " ".join([parsed.title, *(entry.title or "" for entry in parsed.entries[:20])])
    title = " ".join(parsed.title.split())[:80] or urlsplit(url).hostname or url
    return FoundFeed(url, title, likely_language(parsed.language, text, language), len(parsed.entries))


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


def _sources(new: NewInstance) -> str:
    grouped: dict[str, list[FoundFeed]] = {}
    for feed in {feed.url: feed for feed in new.feeds}.values():
        grouped.setdefault(slug_of_host(feed.url), []).append(feed)
    parts = [SOURCES_HEAD]
    for slug, feeds in grouped.items():
        lines = [f'{{ url = {_quoted(feed.url)}, region = {_quoted(new.region)}, language = "{feed.language}" }},'
                 for feed in feeds]
        parts.append(f'[[sources]]\nslug = "{slug}"\nname = {_quoted(feeds[0].title)}\nfeeds = [\n  '
                     + "\n  ".join(lines) + "\n]\n")
    return "\n".join(parts)


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
