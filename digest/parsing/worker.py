"""A parser process, seen from the service."""

import asyncio
import multiprocessing
import os
import socket
import threading
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any

import structlog

from digest.parsing.messages import packed, receive
from digest.parsing.serving import READY, Failure, serve

START_SECONDS = 60.0  # for a worker to import the parser and load what it needs
DOCUMENTS_PER_WORKER = 500
BUFFER = 1024 * 1024  # bytes of answers that wait to be read

log = structlog.get_logger(__name__)


def _context() -> BaseContext:
    """Workers are forked from a small server that has loaded all they need; where that is impossible, each loads it."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["digest.parsing.preload"])
    return context


_CONTEXT = _context()
_STARTING = threading.Lock()
_SAFE_PATH = "PYTHONSAFEPATH"  # keeps Python from looking for modules in the current folder first


def _ensure_server() -> None:
    """Starts the server that workers are forked from, if it does not run."""
    if _CONTEXT.get_start_method() != "forkserver":
        return
    from multiprocessing import forkserver
    with _STARTING:
        before = os.environ.get(_SAFE_PATH)
        os.environ[_SAFE_PATH] = "1"
        try:
            forkserver.ensure_running()
        finally:
            os.environ.pop(_SAFE_PATH)
            os.environ.update({_SAFE_PATH: before} if before else {})


class Worker:
    """One process. `run` returns what its task gives, or a Failure.

    Several jobs may run at a time: they are done in the order in which they came. The process starts with the first.
    Belongs to one event loop.
    """

    def __init__(self) -> None:
        self.jobs = 0  # that are not done yet; counted by the pool
        self.is_lost = False
        self._documents = 0
        self._sending = asyncio.Lock()
        self._last = asyncio.Event()  # set once the job that came last is done
        self._last.set()
        self._process: BaseProcess | None = None
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None

    @property
    def takes_more(self) -> bool:
        return not self.is_lost and self._documents < DOCUMENTS_PER_WORKER

    async def run(self, job: tuple[str, tuple[Any, ...]], timeout_seconds: float) -> Any:
        """None where the process was lost over another job, so that this one was not done.

        `timeout_seconds` count from when the job before is done. One that is cancelled leaves a worker that must be
        killed.
        """
        own = asyncio.Event()
        async with self._sending:
            before, self._last = self._last, own
            try:
                failure = await self._send(job)
            except BaseException:  # what was not sent has no answer
                self._last = before
                raise
        try:
            await before.wait()
            return failure or (None if self.is_lost else await self._answer(timeout_seconds))
        finally:
            own.set()

    def kill(self) -> None:
        """Ends the process."""
        self.is_lost = True
        if self._process:
            self._process.kill()
            self._process.join()
        if self._writer:
            self._writer.transport.abort()

    async def _send(self, job: tuple[str, tuple[Any, ...]]) -> Failure | None:
        self._documents += 1
        message = packed(job)
        if not self._writer and not self.is_lost and not await self._start():
            self.is_lost = True
            return Failure("parse_crash", "the parser did not start")
        if self._writer and not self.is_lost:
            try:
                self._writer.write(message)
                await self._writer.drain()
            except OSError:  # it died over the job before, or idle
                self.is_lost = True
        return None

    async def _start(self) -> bool:
        try:
            ours = await asyncio.to_thread(self._fork)
            self._reader, self._writer = await asyncio.open_connection(sock=ours, limit=BUFFER)
            async with asyncio.timeout(START_SECONDS):
                return bool(await receive(self._reader) == READY)
        except (EOFError, OSError) as error:
            log.warning("a parser did not start", reason=f"{type(error).__name__}: {error}")
            return False

    def _fork(self) -> socket.socket:
        """Starts the process; our end of the socket to it. Raises EOFError and OSError."""
        ours, theirs = socket.socketpair()
        try:
            process = _CONTEXT.Process(  # type: ignore[attr-defined]
                target=serve, args=(theirs,), daemon=True, name="digest-parser")
            _ensure_server()
            process.start()
            self._process = process
            if self.is_lost:  # nobody waits for it any more
                self.kill()
                raise EOFError
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return ours

    async def _answer(self, timeout_seconds: float) -> Any:
        try:
            async with asyncio.timeout(timeout_seconds):
                return await receive(self._reader)
        except TimeoutError:
            self.is_lost = True
            return Failure("parse_timeout", f"parsing took longer than {timeout_seconds:g} s")
        except (EOFError, OSError):
            if self.is_lost:  # it was ended for the sake of another job
                return None
            self.is_lost = True
            return Failure("parse_crash", "the parser died on the document")
