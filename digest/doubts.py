"""Doubts about a configuration: what is allowed but hardly meant. Pure."""

from digest.documents import Configuration, Newsletter
from digest.locale import LANGUAGES
from digest.text.taglines import cadence_doubt, find_typos


def find_doubts(configuration: Configuration) -> list[str]:
    """What is allowed but hardly meant, one sentence each."""
    doubts: list[str] = []
    named = {feed.region for feed in configuration.feeds}
    for newsletter in configuration.newsletters.values():
        doubts += [f"newsletters/{newsletter.slug}.toml: {doubt}" for doubt in _doubts_of(newsletter)]
        if not configuration.feeds_of(newsletter):
            doubts.append(f"newsletters/{newsletter.slug}.toml: no feed of config/sources/ belongs to it")
        for region in newsletter.regions:
            if not any(name and configuration.gazetteer.inside(name, region) for name in named):
                doubts.append(f"newsletters/{newsletter.slug}.toml: regions: no feed is of {region!r}")
    return doubts


def _doubts_of(newsletter: Newsletter) -> list[str]:
    lines = [("tagline", newsletter.tagline, len(newsletter.days))]
    if newsletter.weekly:
        lines.append(("weekly.tagline", newsletter.weekly.tagline, 1))
    doubts = []
    for key, line, days in lines:
        cadence = cadence_doubt(line, days)
        doubts += [f"{key}: {doubt}" for doubt in ([cadence] if cadence else []) + find_typos(line)]
    if newsletter.count and (missing := set(newsletter.read) - set(newsletter.count)):
        doubts.append(f"count: lacks {', '.join(sorted(missing))}, which read lists")
    if newsletter.language not in LANGUAGES:
        doubts.append(f"language: headings and links are not translated into {newsletter.language!r}, and stay English "
                      f"(there are {', '.join(LANGUAGES)})")
    return doubts
