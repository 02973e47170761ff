"""All hostile outlets at once: each ends within its limit under its name, and the poller goes on within its memory."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance import hostile_outlets
from tests.acceptance.hostile_process import SETTINGS

SCRIPT = Path(__file__).with_name("hostile_process.py")
ROOT = Path(__file__).resolve().parents[2]
EXPECTED = {name: ends for hosts in (hostile_outlets.PLAIN, hostile_outlets.SECURE)
            for name, (_, ends) in hosts.items()} | {"plain-tls": {"tls", "connect", "timeout"}, "closed": {"connect"}}
MEMORY_KB = 300 * 1024
SLACK_SECONDS = 6.0  # the machine is busy with other tests


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one poll of all outlets in a process of its own says."""
    folder = tmp_path_factory.mktemp("hostile")
    with hostile_outlets.serving(folder) as outlets:
        secure = {*hostile_outlets.SECURE, "plain-tls"}
        job = {"database": f"sqlite:///{folder}/digest.sqlite3", "resolve": {**outlets.resolve, "closed.example": (
                   "127.0.0.1", 1)},
               "feeds": {name: f"http{'s' if name in secure else ''}://{name}.example/feed" for name in EXPECTED}}
        (folder / "job.json").write_text(json.dumps(job))
        done = subprocess.run(
            [sys.executable, str(SCRIPT), str(folder / "job.json")], capture_output=True, text=True, timeout=100,
            env={**os.environ, "SSL_CERT_FILE": str(outlets.authority), "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", EXPECTED)
def test_each_ends_under_its_name_and_within_its_limit(polled: dict[str, Any], name: str) -> None:
    outcome, detail = polled["outcomes"][name]
    assert outcome in EXPECTED[name], detail
    limit = SETTINGS.timeout_seconds + SETTINGS.parse_timeout_seconds + SLACK_SECONDS
    assert polled["milliseconds"][name] < 1000 * limit


def test_memory_stays_bounded(polled: dict[str, Any]) -> None:
    assert polled["worker_kb"] > 0
    assert polled["own_kb"] + polled["worker_kb"] < MEMORY_KB, (polled["own_kb"], polled["worker_kb"])
