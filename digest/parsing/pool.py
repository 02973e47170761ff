"""Who does which document: a few worker processes, each with one document in work and a few waiting in its socket."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any

from digest.errors import ParseError
from digest.model import Access, Feed
from digest.parsing.serving import Failure
from digest.parsing.worker import Worker
from digest.pipeline.article import Article
from digest.pipeline.parse import ParsedFeed
from digest.pipeline.reading import ReadFeed

JOBS_AT_A_TIME = 4  # of a worker: the one that it does, and the next ones, so that it need not wait for us
TRIES = 5  # of a document whose worker is lost over another


class ParserPool:
    """Up to `workers` processes that parse one document at a time, each killed after `timeout_seconds`.

    Workers start when they are first needed and are renewed after 500 documents. Belongs to one event loop.
    Does not fetch and does not interpret.
    """

    def __init__(self, workers: int, timeout_seconds: float):
        self._most, self._timeout_seconds = workers, timeout_seconds
        self._taking: list[Worker] = []  # those that take further documents
        self._all: set[Worker] = set()
        self._places = asyncio.Semaphore(workers * JOBS_AT_A_TIME)

    async def parse(self, body: bytes, content_type: str | None, url: str) -> ParsedFeed:
        """What `parse_feed` returns or raises; also raises ParseError parse_timeout and parse_crash."""
        result: ParsedFeed = await self._run(url, "parse", body, content_type, url)
        return result

    async def read(self, body: bytes, content_type: str | None, url: str, feed: Feed, now: datetime) -> ReadFeed:
        """What `read_feed` returns or raises; also raises ParseError parse_timeout and parse_crash.

        How the feed is asked for is its server's business alone, and does not go to the workers.
        """
        result: ReadFeed = await self._run(url, "read", body, content_type, url, replace(feed, access=Access()), now)
        return result

    async def article(self, body: bytes, content_type: str | None, url: str, title: str, language: str) -> Article:
        """What `read_article` returns; raises ParseError parse_timeout, parse_crash and malformed."""
        result: Article = await self._run(url, "article", body, content_type, url, title, language)
        return result

    async def close(self) -> None:
        """Ends all workers; a later `parse` starts new ones."""
        while self._all:
            self._end(next(iter(self._all)))

    async def _run(self, url: str, task: str, *arguments: Any) -> Any:
        """What a task gives in a worker that can be killed."""
        async with self._places:
            for _ in range(TRIES):
                result = await self._ask(self._least_busy(), task, arguments)
                if result is not None:
                    break
            else:
                result = Failure("parse_crash", "the parser was lost over other documents")
        if isinstance(result, Failure):
            raise ParseError(url, result.kind, result.message)
        return result

    def _least_busy(self) -> Worker:
        idle = next((worker for worker in self._taking if not worker.jobs), None)
        if not idle and len(self._taking) < self._most:
            idle = Worker()
            self._taking.append(idle)
            self._all.add(idle)
        return idle or min(self._taking, key=lambda worker: worker.jobs)

    async def _ask(self, worker: Worker, task: str, arguments: tuple[Any, ...]) -> Any:
        """What the task gives; None where the worker was lost over another."""
        worker.jobs += 1
        try:
            result = await worker.run((task, arguments), self._timeout_seconds)
        except BaseException:  # cancellation too: the worker may be in the middle of a document
            self._end(worker)
            raise
        finally:
            worker.jobs -= 1
        if not worker.takes_more and worker in self._taking:
            self._taking.remove(worker)
        if (not worker.takes_more and not worker.jobs) or worker.is_lost:
            self._end(worker)
        return result

    def _end(self, worker: Worker) -> None:
        self._all.discard(worker)
        if worker in self._taking:
            self._taking.remove(worker)
        worker.kill()
