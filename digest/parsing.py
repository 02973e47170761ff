"""Feed parsing in worker processes that can be killed: a hostile document costs seconds, not the service."""

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

from digest.errors import ParseError
from digest.model import Access, Feed
from digest.pipeline.article import Article, read_article
from digest.pipeline.parse import ParsedFeed, parse_feed
from digest.pipeline.reading import ReadFeed, read_feed

START_SECONDS = 60.0  # for a worker to import the parser
DOCUMENTS_PER_WORKER = 500
COLLECT_AFTER = 50_000  # new values, before a worker looks for unused ones
MEMORY_BYTES = 1024**3  # address space of a worker, where the system can limit it


TASKS: dict[str, Callable[..., Any]] = {  # what workers know to do
    "parse": parse_feed, "read": read_feed, "article": read_article}


@dataclass(frozen=True, slots=True)
class _Failure:
    """A ParseError on its way between processes."""

    kind: str
    message: str


class ParserPool:
    """Up to `workers` processes that parse one document at a time, each killed after `timeout_seconds`.

    Workers start when they are first needed and are renewed after 500 documents. Belongs to one event loop.
    Does not fetch and does not interpret.
    """

    def __init__(self, workers: int, timeout_seconds: float):
        self._timeout_seconds = timeout_seconds
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._places = asyncio.Semaphore(workers)

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

    async def _run(self, url: str, task: str, *arguments: Any) -> Any:
        """What a task gives in a worker that can be killed."""
        async with self._places:
            worker = self._idle.pop() if self._idle else _Worker()
            self._all.add(worker)
            try:
                result = await asyncio.to_thread(worker.run, (task, arguments), self._timeout_seconds)
            except BaseException:  # cancellation too: the worker may be in the middle of a document
                self._discard(worker)
                raise
            if worker.is_usable:
                self._idle.append(worker)
            else:
                self._discard(worker)
        if isinstance(result, _Failure):
            raise ParseError(url, result.kind, result.message)
        return result

    async def close(self) -> None:
        """Ends all workers; a later `parse` starts new ones."""
        for worker in list(self._all):
            self._discard(worker)
        self._idle.clear()

    def _discard(self, worker: "_Worker") -> None:
        self._all.discard(worker)
        worker.kill()


class _Worker:
    """One process. `run` returns what its task gives, or a _Failure."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True, name="digest-parser")
        self._process.start()
        theirs.close()
        self._started = False
        self._documents = 0
        self._dead = False

    @property
    def is_usable(self) -> bool:
        return not self._dead and self._documents < DOCUMENTS_PER_WORKER

    def run(self, job: tuple[str, tuple[Any, ...]], timeout_seconds: float) -> Any:
        try:
            if not self._started and not self._receive(START_SECONDS):
                return self._lost("parse_crash", "the parser did not start")
            self._started = True
            self._documents += 1
            self._pipe.send(job)
            answer = self._receive(timeout_seconds)
        except (EOFError, OSError):
            return self._lost("parse_crash", "the parser died on the document")
        if answer is None:
            return self._lost("parse_timeout", f"parsing took longer than {timeout_seconds:g} s")
        return answer

    def kill(self) -> None:
        self._dead = True
        self._process.kill()
        self._process.join()
        self._process.close()
        self._pipe.close()

    def _receive(self, seconds: float) -> Any:
        return self._pipe.recv() if self._pipe.poll(seconds) else None

    def _lost(self, kind: str, message: str) -> "_Failure":
        self._dead = True
        return _Failure(kind, message)


def _serve(pipe: Connection) -> None:
    """The life of a worker: parse documents until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # else the model of languages takes address space by the core
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # what it finds wrong with a page is an outcome
    _limit_memory()
    gc.freeze()  # what was imported stays; and a document makes many values that live as long as it does
    gc.set_threshold(COLLECT_AFTER)
    pipe.send("ready")
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            pipe.send(_done(*pipe.recv()))


def _done(task: str, arguments: tuple[Any, ...]) -> Any:
    try:
        return TASKS[task](*arguments)
    except ParseError as error:
        return _Failure(error.kind, str(error).removeprefix(f"{error.url}: "))
    except MemoryError:
        return _Failure("parse_crash", "parsing takes too much memory")
    except Exception as error:  # whatever a hostile document sets off, it is an outcome of this feed alone
        return _Failure("malformed", f"{type(error).__name__}: {error}"[:300])


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
