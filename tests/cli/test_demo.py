"""`digest demo` in a process: the whole chain over HTTP on loopback, twice."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

OUTCOMES = {
    "Irtysh Bulletin": "undated", "Balkhash Chronicle": "stalled", "Saryarka Daily": "malformed",
    "Ordabasy Evening": "html_not_feed", "Mangystau Mirror": "http_404", "Steppe Courier": "ok",
}


ENVIRONMENT = {"PATH": "", "COLUMNS": "160", "PYTHONUTF8": "1", "DIGEST_SMTP__HOST": "mail.invalid",
               "DIGEST_DATABASE__URL": "postgresql://nowhere.invalid/real"}  # the demo is to leave both alone


def run_demo(folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "digest", "demo"], cwd=folder, capture_output=True, text=True, timeout=90,
        env=ENVIRONMENT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, float]:
    """The folder of one run, what it printed, and how many seconds it took."""
    folder = tmp_path_factory.mktemp("demo")
    start = time.monotonic()
    return folder, run_demo(folder), time.monotonic() - start


def mails(folder: Path) -> list[EmailMessage]:
    paths = sorted((folder / "var" / "demo" / "outbox").glob("*.eml"))
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]  # type: ignore[misc]


def test_it_says_what_came_of_every_feed(first: tuple[Path, str, float]) -> None:
    _, output, _ = first
    rows = {name: line for line in output.splitlines() for name in OUTCOMES if line.startswith(name)}
    assert {name: outcome for name, outcome in OUTCOMES.items() if outcome not in rows[name].split()} == {}
    assert "newest entry is 33 days old" in rows["Balkhash Chronicle"]


def test_it_takes_less_than_30_seconds_and_names_the_next_commands(first: tuple[Path, str, float]) -> None:
    _, output, seconds = first
    assert seconds < 30
    assert "digest serve --demo" in output
    assert "digest init" in output
    assert "Why it leads" in output


def test_it_mails_two_readers_and_an_analyst(first: tuple[Path, str, float]) -> None:
    sent = mails(first[0])
    assert sorted(mail["To"] for mail in sent) == [
        "aliya@readers.example", "analyst@desk.example", "timur@readers.example"]
    assert all("One-Click" in mail["List-Unsubscribe-Post"] for mail in sent)
    alert = next(mail for mail in sent if mail["To"] == "analyst@desk.example")
    assert alert["Subject"].startswith("Caspian railways")


def test_the_edition_has_a_lead_of_many_outlets_topics_and_six_more(first: tuple[Path, str, float]) -> None:
    root = first[0] / "var" / "demo"
    edition = json.loads((root / "edition.json").read_text(encoding="utf-8"))
    assert edition["lead"]["sources"] >= 4
    assert edition["lead"]["credit"] == "Silk Road Press Agency"
    sections = {section["kind"]: section for section in edition["sections"]}
    assert sum(section["kind"] == "topic" for section in edition["sections"]) >= 4
    assert sections["more"]["title"] == "More Central Asia News"
    assert len(sections["more"]["stories"]) == 6
    html, text = ((root / f"edition.{suffix}").read_text(encoding="utf-8") for suffix in ("html", "txt"))
    for form in (html, text):
        assert "Kazakhstan News" in form
        assert "%%" not in form
    eml = message_from_bytes((root / "edition.eml").read_bytes(), policy=policy.default)
    assert eml["Subject"] == edition["subject"]


def test_its_instance_works_as_any_other(first: tuple[Path, str, float]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "digest", "--instance", "var/demo", "preview", "--format", "json"], cwd=first[0],
        capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout)["name"] == "Kazakhstan News"


def test_a_second_run_sends_nothing_twice_and_says_so(first: tuple[Path, str, float]) -> None:
    folder, _, _ = first
    edition = (folder / "var" / "demo" / "edition.html").read_bytes()
    output = run_demo(folder)
    assert "Nothing was sent" in output
    assert "not_modified" in output
    assert len(mails(folder)) == 3
    assert (folder / "var" / "demo" / "edition.html").read_bytes() == edition


def test_serve_demo_shows_the_edition_even_where_no_demo_was_run(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "digest", "serve", "--demo", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          env=ENVIRONMENT) as process:
        try:
            assert process.stdout
            lines = (re.search(r"http://\S+/kazakhstan/", line) for line in process.stdout)
            page = next(found.group() for found in lines if found)
            with urllib.request.urlopen(page, timeout=10) as answer:
                assert "Saryarka" in answer.read().decode()
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
