import asyncio
import os
import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from digest.errors import ParseError
from digest.model import Feed, Source, short_id
from digest.parsing import ParserPool

URL = "https://steppe.example/feed"
STEPPE = Feed(short_id(URL), URL, Source("steppe", "Steppe Post", "steppe"))
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
LIMIT = 5.0  # seconds for a document
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


def test_documents_that_wait_behind_a_hostile_one_are_parsed_all_the_same() -> None:
    async def run() -> list[object]:
        pool = ParserPool(workers=1, timeout_seconds=1.0)
        try:
            return await asyncio.gather(*(pool.parse(body, None, URL) for body in (HOSTILE, FEED, FEED, HOSTILE, FEED)),
                                        return_exceptions=True)
        finally:
            await pool.close()

    found = asyncio.run(run())
    names = [one.kind if isinstance(one, ParseError) else getattr(one, "title", one) for one in found]
    assert names == ["parse_timeout", "Steppe Post", "Steppe Post", "parse_timeout", "Steppe Post"]


def test_a_job_that_cannot_be_sent_holds_up_no_other() -> None:
    async def run() -> list[object]:
        pool = ParserPool(workers=1, timeout_seconds=10)
        unsendable: Any = threading.Lock()
        try:
            return await asyncio.gather(*(pool.parse(body, None, URL) for body in (FEED, unsendable, FEED, FEED)),
                                        return_exceptions=True)
        finally:
            await pool.close()

    found = asyncio.run(run())
    assert [getattr(one, "title", type(one)) for one in found] == ["Steppe Post", TypeError, *2 * ["Steppe Post"]]


def test_a_parser_that_cannot_start_is_an_outcome() -> None:
    """Here it may have no more files open; a system may have no room for processes or sockets."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def run() -> str:
        pool = ParserPool(workers=1, timeout_seconds=10)
        free = os.open(os.devnull, os.O_RDONLY)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
        try:
            await pool.parse(FEED, None, URL)
        except ParseError as error:
            return f"{error.kind}: {error}"
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            await pool.close()
        return "parsed"

    assert asyncio.run(run()) == f"parse_crash: {URL}: the parser did not start"


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


@pytest.mark.parametrize(("body", "kinds"), [
    (HOSTILE, {"parse_timeout"}),
    (b'<rss version="2.0"><channel>' + b"<item><title>a</title><author>" + b"a@" * 32_000 + b"</author></item>"
     b"</channel></rss>", {"read"}),
    (b'<rss version="2.0"><channel>' + b"<b>" * 500_000, {"malformed", "parse_timeout"}),
    (b'<rss version="2.0"><channel><item><description>' + b"<b>" * 500_000 + b"</description></item></channel></rss>",
     {"read", "malformed", "parse_timeout"}),
    (b'<!DOCTYPE x [<!ENTITY a "b">]>' + FEED, {"malformed"}),
], ids=["100k attributes", "64 KB author", "500k unclosed tags", "500k unclosed tags in a text", "entities"])
def test_each_hostile_document_ends_within_the_limit_under_its_name(body: bytes, kinds: set[str]) -> None:
    async def run() -> tuple[str, float]:
        pool = ParserPool(workers=1, timeout_seconds=LIMIT)
        try:
            await pool.read(FEED, None, URL, STEPPE, NOW)
            started = time.perf_counter()
            try:
                await pool.read(body, None, URL, STEPPE, NOW)
            except ParseError as error:
                return error.kind, time.perf_counter() - started
            return "read", time.perf_counter() - started
        finally:
            await pool.close()

    kind, seconds = asyncio.run(run())
    assert kind in kinds
    assert seconds < LIMIT + 2


def test_a_worker_has_room_for_the_model_of_languages() -> None:
    uzbek = ("Toshkentda yangi metro bekati ochildi", "Prezident viloyat hokimlari bilan yigʻilish oʻtkazdi")
    items = "".join(f"<item><title>{title}</title><link>https://steppe.example/{n}</link></item>"
                    for n, title in enumerate(uzbek))

    async def run() -> list[str]:
        pool = ParserPool(workers=1, timeout_seconds=20)
        try:
            body = f'<rss version="2.0"><channel><language>en</language>{items}</channel></rss>'.encode()
            return [item.language for item in (await pool.read(body, None, URL, STEPPE, NOW)).items]
        finally:
            await pool.close()

    assert asyncio.run(run()) == ["uz", "uz"]
