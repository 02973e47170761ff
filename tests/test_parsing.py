import asyncio

import pytest

from digest.errors import ParseError
from digest.parsing import ParserPool

URL = "https://steppe.example/feed"
FEED = b'<rss version="2.0"><channel><title>Steppe Post</title><item><title>a</title></item></channel></rss>'
# feedparser needs minutes for an element with a hundred thousand attributes
HOSTILE = b'<rss version="2.0"><channel ' + b" ".join(b'a%d="1"' % n for n in range(100_000)) + b"></channel></rss>"


def test_a_hostile_document_is_killed_and_the_next_is_parsed() -> None:
    async def run() -> None:
        pool = ParserPool(workers=1, timeout_seconds=1.0)
        try:
            assert (await pool.parse(FEED, None, URL)).title == "Steppe Post"
            with pytest.raises(ParseError) as caught:
                await pool.parse(HOSTILE, None, URL)
            assert caught.value.kind == "parse_timeout"
            documents = await asyncio.gather(*(pool.parse(FEED, None, URL) for _ in range(5)))
            assert {document.title for document in documents} == {"Steppe Post"}
        finally:
            await pool.close()

    asyncio.run(run())


def test_what_is_no_feed_is_named_across_processes() -> None:
    async def run() -> ParseError:
        pool = ParserPool(workers=2, timeout_seconds=10)
        try:
            with pytest.raises(ParseError) as caught:
                await pool.parse(b"<!doctype html><html></html>", "text/html", URL)
            return caught.value
        finally:
            await pool.close()

    error = asyncio.run(run())
    assert (error.kind, str(error)) == ("html_not_feed", f"{URL}: answered a web page instead of a feed")
