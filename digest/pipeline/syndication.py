"""Atom (RFC 4287) and JSON Feed 1.1 of a newsletter's editions.

Pure. An entry lists an edition's headlines with credit, link and the excerpt that the mail showed; full text of the
lead alone, and only where its feed's body policy allowed it, as on the page.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree

from markupsafe import Markup

from digest.model import Block
from digest.pipeline.view import EditionView, StoryView

ATOM = "http://www.w3.org/2005/Atom"
ATOM_TYPE = "application/atom+xml"
JSON_TYPE = "application/feed+json"
JSON_FEED = "https://jsonfeed.org/version/1.1"
SUMMARY_HEADLINES = 5
NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # `updated` of a feed without entries
_HEADED = (Markup("<p>{}</p>"), Markup("<h3>{}</h3>"))  # a paragraph of a story's text, a subhead
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Published:
    """An edition in the archive, and when it was built."""

    view: EditionView
    updated: datetime


@dataclass(frozen=True, slots=True)
class Channel:
    """A newsletter as its feeds name it.

    `base` is the address that ids begin with: it must stay. `link` makes a link of an address below the site.
    """

    slug: str
    name: str
    tagline: str
    language: str
    base: str
    link: Callable[[str], str]

    @property
    def home(self) -> str:
        return f"{self.base}/{self.slug}/"


def atom(channel: Channel, editions: Sequence[Published]) -> str:
    """An Atom document with one entry an edition, newest first. Equal arguments give equal text."""
    feed = ElementTree.Element("feed", {"xmlns": ATOM, "xml:lang": channel.language})
    add(feed, "id", channel.home)
    add(feed, "title", channel.name)
    if channel.tagline:
        add(feed, "subtitle", channel.tagline)
    add(feed, "updated", instant(max((edition.updated for edition in editions), default=NEVER)))
    ElementTree.SubElement(add(feed, "author", ""), "name").text = xml_text(channel.name)
    add(feed, "link", "", rel="self", type=ATOM_TYPE, href=channel.link(f"/{channel.slug}/feed.atom"))
    add(feed, "link", "", rel="alternate", type="text/html", href=channel.link(f"/{channel.slug}/"))
    for edition in editions:
        _add_entry(feed, channel, edition)
    ElementTree.indent(feed)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(feed, encoding="unicode") + "\n"


def json_feed(channel: Channel, editions: Sequence[Published]) -> str:
    """The same as JSON Feed 1.1."""
    items = [{
        "id": channel.base + edition.view.path, "url": channel.link(edition.view.path), "title": edition.view.subject,
        "summary": summary(edition.view), "content_html": content(edition.view),
        "date_published": instant(edition.updated), "date_modified": instant(edition.updated),
        "language": edition.view.language,
    } for edition in editions]
    document = {
        "version": JSON_FEED, "title": channel.name, "home_page_url": channel.link(f"/{channel.slug}/"),
        "feed_url": channel.link(f"/{channel.slug}/feed.json"), "language": channel.language,
        **({"description": channel.tagline} if channel.tagline else {}), "items": items,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def summary(view: EditionView) -> str:
    """The first headlines of an edition, as one line of text."""
    stories = _shown(view)
    more = ["…"] if len(stories) > SUMMARY_HEADLINES else []
    return " · ".join([*(story.headline for story in stories[:SUMMARY_HEADLINES]), *more]) or (view.empty_reason or "")


def content(view: EditionView) -> str:
    """The stories of the mail as HTML: sections with headlines, credits and excerpts."""
    parts = [_lead(view.lead)] if view.lead else []
    for section in view.sections:
        items = Markup("").join(Markup("<li>{}</li>").format(_line(story)) for story in section.stories)
        parts.append(Markup("<h2>{}</h2><ul>{}</ul>").format(section.title, items))
    return str(Markup("").join(parts))


def _lead(story: StoryView) -> Markup:
    blocks = story.body or ((Block("p", story.excerpt),) if story.excerpt else ())
    texts = Markup("").join(_HEADED[block.kind == "h2"].format(block.text) for block in blocks)
    return Markup("<h2>{}</h2><p>{}</p>{}").format(_link(story), _credit(story), texts)


def _line(story: StoryView) -> Markup:
    text = Markup("<br>{}").format(story.excerpt) if story.excerpt else Markup("")
    return Markup("{} ({}){}").format(_link(story), _credit(story), text)


def _link(story: StoryView) -> Markup:
    if not story.url:
        return Markup.escape(story.headline)
    return Markup('<a href="{}">{}</a>').format(story.url, story.headline)


def _credit(story: StoryView) -> str:
    return f"{story.credit}, {story.via}" if story.via else story.credit


def _shown(view: EditionView) -> list[StoryView]:
    lead = [view.lead] if view.lead else []
    return [*lead, *(story for section in view.sections for story in section.stories)]


def _add_entry(feed: ElementTree.Element, channel: Channel, edition: Published) -> None:
    view = edition.view
    entry = add(feed, "entry", "", **{"xml:lang": view.language})
    add(entry, "id", channel.base + view.path)
    add(entry, "title", view.subject)
    add(entry, "updated", instant(edition.updated))
    add(entry, "published", instant(edition.updated))
    add(entry, "link", "", rel="alternate", type="text/html", href=channel.link(view.path))
    add(entry, "summary", summary(view))
    add(entry, "content", content(view), type="html")


def add(parent: ElementTree.Element, name: str, text: str, **attributes: str) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, name, {key: xml_text(value) for key, value in attributes.items()})
    element.text = xml_text(text) or None
    return element


def xml_text(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return _NOT_XML.sub("", text)


def instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
