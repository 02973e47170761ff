"""Finds the feed at an address that somebody typed: a feed's own, or a site's."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from digest.errors import FetchError, NotFound, ParseError
from digest.parsing import ParserPool
from digest.pipeline.discover import feed_links, likely_language, usual_addresses
from digest.pipeline.parse import ParsedFeed
from digest.pipeline.source_documents import NewFeed
from digest.ports import Fetcher, FetchRequest, FetchResponse

MOST_CANDIDATES = 8  # addresses tried for one site


@dataclass(frozen=True, slots=True)
class FoundFeed:
    """A feed that answered, or one that is kept though it did not (`items` is None).

    `document` is what it holds, for a closer look; None where it was not seen.
    """

    url: str
    title: str
    language: str
    items: int | None
    document: ParsedFeed | None = field(default=None, compare=False, repr=False)

    def of(self, source: str, region: str | None, *, name: str | None = None, family: str | None = None) -> NewFeed:
        """The feed as an entry of a source, which is called as the feed is where it is new and no name is given."""
        return NewFeed(self.url, source, name or self.title, region, self.language, family)


async def find_feed(fetcher: Fetcher, parser: ParserPool, address: str, language: str) -> FoundFeed:
    """The feed at an address, or the first one with items that the site at that address names.

    An address without a scheme is https. `language` is that of the newsletter. Raises FetchError where the
    address does not answer and NotFound where there is no feed.
    """
    url = absolute(address)
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
    url = absolute(address)
    return FoundFeed(url, urlsplit(url).hostname or url, language, None)


def absolute(address: str) -> str:
    """The address, as https where it has no scheme."""
    return address if "://" in address else f"https://{address}"


async def _parsed(parser: ParserPool, response: FetchResponse) -> ParsedFeed:
    return await parser.parse(response.body, response.headers.get("content-type"), response.url)


def _found(url: str, parsed: ParsedFeed, language: str) -> FoundFeed:
    text = " ".join([parsed.title, *(entry.title or "" for entry in parsed.entries[:20])])
    title = " ".join(parsed.title.split())[:80] or urlsplit(url).hostname or url
    return FoundFeed(url, title, likely_language(parsed.language, text, language), len(parsed.entries), parsed)
