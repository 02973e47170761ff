"""A parser process, seen from the service."""

import multiprocessing
import os
import threading
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any

import structlog

from digest.parsing.serving import Failure, serve

START_SECONDS = 60.0  # for a worker to import the parser and load what it needs
DOCUMENTS_PER_WORKER = 500

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

    Several threads may run jobs: they are done in the order in which they came. The process starts with the first.
    """

    def __init__(self) -> None:
        self.jobs = 0  # that are not done yet; counted by the pool
        self.is_lost = False
        self._documents = 0
        self._sending = threading.Lock()
        self._last = threading.Event()  # set once the job that came last is done
        self._last.set()
        self._process: BaseProcess | None = None
        self._pipe: Connection

    @property
    def takes_more(self) -> bool:
        return not self.is_lost and self._documents < DOCUMENTS_PER_WORKER

    def run(self, job: tuple[str, tuple[Any, ...]], timeout_seconds: float) -> Any:
        """None where the process was lost over another job, so that this one was not done.

        `timeout_seconds` count from when the job before is done.
        """
        own = threading.Event()
        with self._sending:
            before, self._last = self._last, own
            try:
                failure = self._send(job)
            except BaseException:  # what was not sent has no answer
                self._last = before
                raise
        before.wait()
        try:
            return failure or (None if self.is_lost else self._answer(timeout_seconds))
        finally:
            own.set()

    def kill(self) -> None:
        """Ends the process. Its pipe closes with the last thread that uses it."""
        self.is_lost = True
        if self._process:
            self._process.kill()
            self._process.join()

    def _send(self, job: tuple[str, tuple[Any, ...]]) -> Failure | None:
        self._documents += 1
        if not self._process and not self._start():
            self.is_lost = True
            return Failure("parse_crash", "the parser did not start")
        try:
            self._pipe.send(job)
        except OSError:  # it died over the job before, or idle
            self.is_lost = True
        return None

    def _start(self) -> bool:
        try:
            self._pipe, theirs = _CONTEXT.Pipe()
            process = _CONTEXT.Process(  # type: ignore[attr-defined]
                target=serve, args=(theirs,), daemon=True, name="digest-parser")
            _ensure_server()
            process.start()
            self._process = process
            theirs.close()
            return self._pipe.poll(START_SECONDS) and self._pipe.recv() == "ready"
        except (EOFError, OSError) as error:
            log.warning("a parser did not start", reason=f"{type(error).__name__}: {error}")
            return False

    def _answer(self, timeout_seconds: float) -> Any:
        try:
            if self._pipe.poll(timeout_seconds):
                return self._pipe.recv()
        except (EOFError, OSError):
            if self.is_lost:  # it was ended for the sake of another job
                return None
            self.is_lost = True
            return Failure("parse_crash", "the parser died on the document")
        self.is_lost = True
        return Failure("parse_timeout", f"parsing took longer than {timeout_seconds:g} s")
