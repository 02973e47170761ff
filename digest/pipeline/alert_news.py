"""Names and figures beside the words that a rule matched, which no earlier item of the story had. Pure.

Beside means in one sentence with a word that matched. Names are those of the gazetteer in any language, and runs of
capitalised words in English prose; figures are numbers with a unit or noun, as in `development`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from digest.model import BodyPolicy, Item
from digest.pipeline.alert_matching import Match
from digest.pipeline.development import figures
from digest.pipeline.development import names as capitalised
from digest.query.match import paragraphs
from digest.text.names import Names
from digest.text.sentences import sentences


@dataclass(frozen=True, slots=True)
class News:
    """What stands beside the words: names and figures as they are written there."""

    names: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()


def news_beside(found: Match, before: Sequence[Item], names: Names) -> News:
    """What is new beside the matched words of an item, compared with earlier items of its story."""
    item = found.item
    texts = _beside(found)
    if not texts:
        return News()
    beside = replace(item, summary=" ".join(texts))
    mentions = [(mention.slug, text[mention.start:mention.end])
                for text in texts for mention in names.find(text, item.language)] if len(names) else []
    new_names = _unknown(mentions, before, names)
    if item.language == "en":  # elsewhere it would be shown in the wrong case
        new_names += [form for _, form in capitalised(beside, before)
                      if not any(form in known or known in form for _, known in mentions)]
    return News(tuple(dict.fromkeys(new_names)), tuple(dict.fromkeys(form for _, form in figures(beside, before))))


def _beside(found: Match) -> list[str]:
    """The sentences that hold a matched word; the title's words are a headline's, not prose, and tell of no names.

    Of a feed whose texts may not be shown nothing is told but the title.
    """
    text, title_end = found.text, len(found.item.title)
    if found.item.feed.body is BodyPolicy.HEADLINE:
        return []
    return [text.text[start:end] for start, end in sentences(text.text, text.language)
            if start >= title_end and any(start <= span.start < end for span in found.spans)]


def _unknown(mentions: Sequence[tuple[str, str]], before: Sequence[Item], names: Names) -> list[str]:
    """The names of the gazetteer that no earlier item had in any language, as they are written."""
    if not mentions:
        return []
    known = {mention.slug for item in before for mention in names.find("\n".join(paragraphs(item)), item.language)}
    return list({slug: written for slug, written in reversed(mentions) if slug not in known}.values())[::-1]
