"""Did you mean: what was likely meant by a field, name or condition that does not exist."""

from collections.abc import Iterable
from difflib import get_close_matches

from digest.query.tree import FIELDS, MEASURES

LONGEST = 40  # letters of a word that is compared with others
# As other search boxes call our fields.
_ELSEWHERE = {
    "site": "url", "inurl": "url", "link": "url", "domain": "url", "host": "url", "intitle": "title",
    "headline": "title", "head": "title", "lede": "summary", "ingress": "summary", "description": "summary",
    "body": "text", "intext": "text", "content": "text", "outlet": "source", "publisher": "source", "media": "source",
    "feed": "source", "owner": "family", "network": "family", "language": "lang", "country": "region", "geo": "region",
    "section": "topic", "category": "topic", "tag": "topic", "byline": "author", "by": "author", "agency": "author",
    "location": "place", "dateline": "place", "city": "place",
}
QUOTE_IT = "put it in quotation marks to search for the words"


def suggested_field(name: str) -> str:
    """What to write instead of a field that does not exist."""
    if name.casefold() in {"http", "https"}:
        return "for an address write url:example.org"
    folded = name.casefold()
    near = closest(folded, (*FIELDS, *_ELSEWHERE)) or ""
    meant = _ELSEWHERE.get(near, near)
    return f"did you mean {meant}: ? Otherwise {QUOTE_IT}" if meant else QUOTE_IT


def suggested_name(slug: str, known: Iterable[str]) -> str:
    """What to write instead of a name that the gazetteer lacks."""
    first = slug[:1]
    meant = closest(slug, [name for name in known if name[:1] == first or slug in name])
    return f"did you mean @{meant} ?" if meant else "names are defined in config/gazetteer/"


def suggested_measure(chunk: str) -> str:
    """What to write instead of a condition that does not exist; "" where nothing is near."""
    letters = "".join(filter(str.isalpha, chunk[:LONGEST])).casefold()
    meant = closest(letters.removesuffix("x"), MEASURES)
    return f"did you mean {meant}>{'3x' if meant == 'rate' else '=3'} ?" if meant else ""


def closest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that is spelled most alike; None where none is."""
    found = get_close_matches(word[:LONGEST], list(known), n=1, cutoff=0.7)
    return found[0] if found else None
