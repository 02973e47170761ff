"""Postfix's smtp-sink as a judge: a mail server on loopback that writes down what it took, and misbehaves on demand."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import TracebackType

NOBODY = "nobody"  # smtp-sink refuses to work as root
SYSTEM = "/usr/sbin"
RECIPIENT = b"\nX-Rcpt-Args: <"
MINUTE_DIGITS = len("202303200200")
QUIET_SECONDS = 0.5


def program(name: str) -> str:
    """The path of one of Postfix's test programs. Raises FileNotFoundError where it is not installed."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SYSTEM}")
    if found is None:
        raise FileNotFoundError(f"{name} is not installed: tools/need.sh postfix")
    return found


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class SmtpSink:
    """smtp-sink with `options` on 127.0.0.1, as a context. With `dumps` it writes down each mail while it is open.

    A mail stands in the dumps when its final dot has come, whether or not the answer was heard.
    """

    def __init__(self, *options: str, dumps: bool = False, port: int | None = None):
        self.port = port or free_port()
        self._options = options
        self._dumps = Path(tempfile.mkdtemp(prefix="smtp-sink-")) if dumps else None
        self._process: subprocess.Popen[bytes] | None = None
        self._read: dict[Path, int] = {}  # bytes of each dump that were counted
        self._counted = 0

    def __enter__(self) -> "SmtpSink":
        command = [program("smtp-sink"), *self._options]
        if os.geteuid() == 0:
            command += ["-u", NOBODY]
        if self._dumps is not None:
            self._dumps.chmod(0o777)  # smtp-sink is not root
            command += ["-D", f"{self._dumps}/mails.%Y%m%d%H%M"]
        self._process = subprocess.Popen([*command, f"127.0.0.1:{self.port}", "200"])
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                if self._process.poll() is not None:
                    raise RuntimeError("smtp-sink does not start") from None
                time.sleep(0.02)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
                 ) -> None:
        self.stop()
        if self._dumps is not None:
            shutil.rmtree(self._dumps, ignore_errors=True)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """Ends it; connections are cut."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def accepted(self) -> int:
        """How many mails stand in the dumps now."""
        for path in self._files():
            start = max(self._read.get(path, 0) - len(RECIPIENT) + 1, 0)
            with path.open("rb") as file:
                file.seek(start)
                text = file.read()
            self._counted += text.count(RECIPIENT)
            self._read[path] = start + len(text)
        return self._counted

    def settled(self, quiet_seconds: float = QUIET_SECONDS) -> int:
        """How many mails stand in the dumps when no more come for a while."""
        count, since = self.accepted(), time.monotonic()
        while time.monotonic() - since < quiet_seconds:
            time.sleep(0.02)
            if self.accepted() != count:
                count, since = self.accepted(), time.monotonic()
        return count

    def recipients(self) -> Counter[str]:
        """How many mails each address got."""
        found: Counter[str] = Counter()
        for path in self._files():
            with path.open("rb") as file:
                for line in file:
                    if line.startswith(RECIPIENT[1:]):
                        found[line[len(RECIPIENT) - 1:].partition(b">")[0].decode()] += 1
        return found

    def _files(self) -> list[Path]:
        """Those of whole mails: one for each minute. A mail that is still coming has a file of its own."""
        minutes = "mails." + "[0-9]" * MINUTE_DIGITS
        return sorted(self._dumps.glob(minutes)) if self._dumps is not None else []
