"""Atom (RFC 4287) of what one alert rule told, newest first. Pure."""

from collections.abc import Sequence
from xml.etree import ElementTree

from digest.alert_rules import AlertRule
from digest.locale import translator
from digest.pipeline.alerts import Hit, why_in_words
from digest.pipeline.syndication import ATOM, ATOM_TYPE, NEVER, add, instant, xml_text


def atom(rule: AlertRule, hits: Sequence[Hit], *, address: str, base: str, site_name: str, language: str) -> str:
    """The feed of a rule at `address`; `base` is what ids and links to our pages begin with.

    Equal arguments give equal text. The id of an entry is that of its alert, wherever the feed moves.
    """
    words = translator(language)
    feed = ElementTree.Element("feed", {"xmlns": ATOM, "xml:lang": language})
    add(feed, "id", f"{base}/alerts/{rule.id}")
    add(feed, "title", f"{rule.name} · {site_name}")
    add(feed, "subtitle", rule.query)
    add(feed, "updated", instant(max((hit.alert.release_at for hit in hits), default=NEVER)))
    ElementTree.SubElement(add(feed, "author", ""), "name").text = xml_text(site_name)
    add(feed, "link", "", rel="self", type=ATOM_TYPE, href=address)
    for hit in hits:
        entry = add(feed, "entry", "")
        add(entry, "id", f"{base}/alerts/{rule.id}/{hit.alert.id}")
        add(entry, "title", hit.item.title)
        add(entry, "updated", instant(hit.alert.release_at))
        add(entry, "published", instant(hit.alert.at))
        ElementTree.SubElement(add(entry, "author", ""), "name").text = xml_text(hit.item.feed.source.name)
        add(entry, "link", "", rel="alternate", href=hit.item.url or f"{base}/stories/{hit.story_id}")
        add(entry, "link", "", rel="related", href=f"{base}/stories/{hit.story_id}")
        why = "; ".join(why_in_words(trigger, words) for trigger in hit.alert.why)
        add(entry, "summary", f"{hit.alert.sentence}\n{rule.name} (v{hit.alert.version}): {why}")
    ElementTree.indent(feed)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(feed, encoding="unicode") + "\n"
