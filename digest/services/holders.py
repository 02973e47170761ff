"""Who is still sending: lock files, one for each holder of claims, in one folder of the instance.

The kernel takes a lock from a process that ends, however it ends. So on one machine it is known at once what a killed
process has left; of holders elsewhere nothing is known here, and their leases decide.
"""

import os
import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # a system without it: the leases decide
    fcntl = None  # type: ignore[assignment]

LEFT_SECONDS = 3600.0
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


class Holders:
    """The lock files in `folder`; without a folder nothing is ever known."""

    def __init__(self, folder: Path | None = None):
        self._folder = folder if fcntl is not None else None

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """Keeps the lock of `name`, which nobody used before, while the context is open.

        A folder that cannot be written is no error: the leases decide then.
        """
        descriptor = self._take(name)
        try:
            yield
        finally:
            if descriptor is not None:
                with suppress(OSError):
                    self._path(name).unlink()
                os.close(descriptor)

    def judged(self, names: Collection[str]) -> tuple[set[str], set[str]]:
        """Those of `names` that have ended, and those that are alive; of all others nothing is known."""
        ended: set[str] = set()
        alive: set[str] = set()
        for name in names if self._folder is not None else ():
            free = _is_free(self._path(name))
            if free is not None:
                (ended if free else alive).add(name)
        return ended, alive

    def forget(self, names: Collection[str]) -> None:
        """Removes the files of those that have ended, once what they held is settled; and any left for an hour."""
        if self._folder is None:
            return
        left = {path for path in self._folder.glob("*.lock") if _age_seconds(path) > LEFT_SECONDS and _is_free(path)}
        for path in left | {self._path(name) for name in names}:
            with suppress(OSError):
                path.unlink()

    def _take(self, name: str) -> int | None:
        """The open and locked file of `name`; it appears under its name when it is locked."""
        if self._folder is None:
            return None
        path = self._path(name)
        partial = path.with_suffix(".new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            partial.rename(path)
        except OSError:
            os.close(descriptor)
            return None
        return descriptor

    def _path(self, name: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{_UNSAFE.sub('_', name)}.lock"


def _age_seconds(path: Path) -> float:
    """Seconds since the file was made; 0 where it is gone."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


def _is_free(path: Path) -> bool | None:
    """Whether nobody holds the file's lock; None where there is no such file, or it cannot be known."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    else:
        return True
    finally:
        os.close(descriptor)
