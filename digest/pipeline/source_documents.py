"""Edits documents of config/sources/: a feed in, a feed out, with every comment kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import tomlkit
from tomlkit import TOMLDocument
from tomlkit.items import AoT, Array

from digest.pipeline.discover import slug_of

HEAD = """\
# Publishers and their feeds. `family` names a common owner: its sources count once in a story's coverage. `body` says
# how much of an item readers may be shown: headline, excerpt (the default) or full.

"""


@dataclass(frozen=True, slots=True)
class NewFeed:
    """A feed to be added. `source` is the slug of its publisher, who is made as `name` where the slug is new."""

    url: str
    source: str
    name: str
    region: str | None = None
    language: str | None = None
    family: str | None = None  # of a new source; None: it stands alone


def with_feeds(texts: Mapping[str, str], feeds: Iterable[NewFeed]) -> dict[str, str]:
    """The documents that change when the feeds are added, by path. Every feed must be new.

    A feed of a known source joins it in its document; a new source goes into the document of its region
    ("sources/kazakhstan.toml"), which is made where there is none.
    """
    documents = _parsed(texts)
    changed: set[str] = set()
    for feed in feeds:
        path, source = _source(documents, feed.source)
        if source is None:
            path = f"sources/{slug_of(feed.region or '') or 'added'}.toml"
            documents.setdefault(path, tomlkit.parse(HEAD))
            source = _add_source(documents[path], feed)
        _add_feed(source, feed)
        changed.add(path)
    return {path: tomlkit.dumps(documents[path]) for path in sorted(changed)}


def without_feed(texts: Mapping[str, str], url: str) -> dict[str, str]:
    """The document that changes when the feed leaves its source, by path; {} where no document names it.

    The source stays, for newsletters may name it.
    """
    for path, document in _parsed(texts).items():
        for source in document.get("sources", []):
            feeds = source.get("feeds", [])
            for number, feed in enumerate(feeds):
                if feed.get("url") == url:
                    del feeds[number]
                    return {path: tomlkit.dumps(document)}
    return {}


def _parsed(texts: Mapping[str, str]) -> dict[str, TOMLDocument]:
    return {path: tomlkit.parse(text) for path, text in sorted(texts.items()) if path.startswith("sources/")}


def _source(documents: Mapping[str, TOMLDocument], slug: str) -> tuple[str, Any]:
    """Where a source stands, and the source; ("", None) for an unknown one."""
    for path, document in documents.items():
        for source in document.get("sources", []):
            if source.get("slug") == slug:
                return path, source
    return "", None


def _add_source(document: TOMLDocument, feed: NewFeed) -> Any:
    known = document.get("sources")
    if not isinstance(known, AoT):
        known = tomlkit.aot()
        document["sources"] = known
    source = tomlkit.table()
    source["slug"], source["name"] = feed.source, feed.name
    if feed.family and feed.family != feed.source:
        source["family"] = feed.family
    if len(known):
        known[-1].add(tomlkit.nl())
    known.append(source)
    return document["sources"][-1]


def _add_feed(source: Any, feed: NewFeed) -> None:
    values = {"url": feed.url, "region": feed.region, "language": feed.language}
    feeds = source.get("feeds")
    if isinstance(feeds, AoT):
        entry = tomlkit.table()
        entry.update({key: value for key, value in values.items() if value})
        feeds.append(entry)
        return
    if not isinstance(feeds, Array) or not len(feeds):
        source["feeds"] = tomlkit.parse("feeds = [\n]")["feeds"]
    pairs = ", ".join(f"{key} = {tomlkit.string(value).as_string()}" for key, value in values.items() if value)
    source["feeds"].add_line(tomlkit.parse(f"feed = {{ {pairs} }}")["feed"], indent="  ")
