"""`digest serve` as a process: it says where it listens, answers, and ends cleanly on SIGTERM."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

NEWSLETTER = 'name = "Quiet News"\nregion = "Nowhere"\nsources = ["wire"]\n'
# The address guard refuses loopback, so the feed fails at once and nothing leaves this machine.
SOURCES = '[[sources]]\nslug = "wire"\nname = "Wire"\n[[sources.feeds]]\nurl = "http://127.0.0.1:9/rss"\n'


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    for name, text in (("newsletters/quiet.toml", NEWSLETTER), ("sources/all.toml", SOURCES)):
        path = tmp_path / "config" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return tmp_path


@pytest.fixture
def served(instance: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """The process, its address and all that it printed at its start."""
    process = subprocess.Popen([sys.executable, "-m", "digest", "--instance", str(instance), "serve", "--port", "0"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Stop with"):
            break
    printed = "".join(lines)
    found = re.search(r"http://127\.0\.0\.1:\d+", printed)
    assert found, printed + (process.stderr.read() if process.stderr else "")
    yield process, found.group(), printed
    process.kill()
    process.communicate()


def test_it_serves_until_sigterm_and_ends_with_0(served: tuple[subprocess.Popen[str], str, str]) -> None:
    process, base, printed = served
    token = re.search(r"\?token=(\S+)", printed)
    assert token and "Quiet News" in printed
    assert wait_for(f"{base}/healthz").json()["status"] == "ok"
    assert "No edition yet" in httpx.get(f"{base}/quiet/").text
    assert "Quiet News" in httpx.get(f"{base}/preview").text
    forwarded = {"X-Forwarded-For": "192.0.2.7"}
    assert httpx.get(f"{base}/preview", headers=forwarded).status_code == 403
    assert httpx.get(f"{base}/preview", headers=forwarded, params={"token": token.group(1)}).status_code == 200
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


def test_a_port_in_use_is_said(served: tuple[subprocess.Popen[str], str, str], instance: Path) -> None:
    port = served[1].rpartition(":")[2]
    second = subprocess.run([sys.executable, "-m", "digest", "--instance", str(instance), "serve", "--port", port],
                            capture_output=True, text=True, timeout=30)
    assert second.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in second.stderr and "--port" in second.stderr


def wait_for(url: str) -> httpx.Response:
    """The first answer that is not 503, within ten seconds."""
    for _ in range(100):
        answer = httpx.get(url)
        if answer.status_code != 503:
            return answer
        time.sleep(0.1)
    return answer
