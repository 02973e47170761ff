"""The life of a parser process: it does one task after the other until its channel is closed."""

import gc
import logging
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from digest.errors import ParseError
from digest.parsing.messages import packed, read
from digest.pipeline.article import read_article
from digest.pipeline.parse import parse_feed
from digest.pipeline.reading import read_feed
from digest.text.languages import load_model

COLLECT_AFTER = 50_000  # new values, before a worker looks for unused ones
MEMORY_BYTES = 1024**3  # address space of a worker, where the system can limit it

READY = "ready"  # what a worker says first
TASKS: dict[str, Callable[..., Any]] = {  # what workers know to do
    "parse": parse_feed, "read": read_feed, "article": read_article}


@dataclass(frozen=True, slots=True)
class Failure:
    """A ParseError on its way between processes."""

    kind: str
    message: str


def prepare() -> None:
    """Loads what every worker needs: the model of languages takes longer than a document may."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # else the model takes address space by the core
    load_model()
    gc.collect()
    gc.freeze()  # what is loaded stays, and is shared with whoever is forked


def serve(channel: socket.socket) -> None:
    """Does what comes by `channel` until its other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # what it finds wrong with a page is an outcome
    _limit_memory()
    prepare()
    gc.set_threshold(COLLECT_AFTER)  # a document makes many values that live as long as it does
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        jobs = channel.makefile("rb")
        channel.sendall(packed(READY))
        while True:
            channel.sendall(packed(_done(*read(jobs))))


def _done(task: str, arguments: tuple[Any, ...]) -> Any:
    try:
        return TASKS[task](*arguments)
    except ParseError as error:
        return Failure(error.kind, str(error).removeprefix(f"{error.url}: "))
    except MemoryError:
        return Failure("parse_crash", "parsing takes too much memory")
    except Exception as error:  # whatever a hostile document sets off, it is an outcome of this feed alone
        return Failure("malformed", f"{type(error).__name__}: {error}"[:300])


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
