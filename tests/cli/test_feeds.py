"""`digest poll` as a process, against outlets on loopback."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

RSS = b"""<rss version="2.0"><channel><title>Steppe Post</title>
<item><title>Dam holds after a night of rain</title><link>https://steppe.example/1</link><guid>1</guid></item>
</channel></rss>"""


DATED = RSS.replace(b"https://steppe.example/1", b"/dam").replace(b"</item>", b"<pubDate>%b</pubDate></item>")
PAGE = b"<html><body><h1>Dam holds after rain</h1><p>%b</p></body></html>" % (b"The dam of Shardara holds. " * 20)


class Outlets(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = {"/steppe": RSS, "/hill": b"<html><body>Moved</body></html>", "/dam": PAGE,
                "/fresh": DATED % format_datetime(datetime.now(UTC)).encode()}.get(self.path)
        self.send_response(200 if body else 404)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Path]:
    """An instance with a good outlet, a missing one, one that answers a web page, and one of another newsletter."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Outlets)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    write(tmp_path / "config/digest.toml", '[polling]\nallow = ["127.0.0.0/8"]\n')
    for slug, names in (("steppe-news", ("steppe", "lake", "hill")), ("sea-news", ("sea",))):
        write(tmp_path / f"config/newsletters/{slug}.toml",
              f'name = "{slug}"\nregion = "{slug}"\nsources = {json.dumps(names)}\n')
    write(tmp_path / "config/sources/outlets.toml", "".join(
        f'[[sources]]\nslug = "{name}"\nname = "{name.title()} Post"\n[[sources.feeds]]\nurl = "{base}/{name}"\n'
        for name in ("steppe", "lake", "hill", "sea")))
    yield tmp_path
    server.shutdown()
    server.server_close()


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def digest(instance: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "digest", "--instance", str(instance), *arguments],
                          capture_output=True, text=True, timeout=60, env={"COLUMNS": "200", "PATH": "/usr/bin:/bin"})


def test_each_feed_has_its_named_outcome(instance: Path) -> None:
    first = digest(instance, "poll", "steppe-news")
    assert first.returncode == 0, first.stderr
    rows = {line.split()[0]: line for line in first.stdout.splitlines() if " Post " in line}
    assert set(rows) == {"Steppe", "Lake", "Hill"}
    assert "undated" in rows["Steppe"]
    assert "http_404" in rows["Lake"]
    assert "html_not_feed" in rows["Hill"]
    assert "3 of 3 feeds polled, 2 failed, 1 new items" in first.stdout

    second = digest(instance, "poll")
    assert "1 of 4 feeds polled" in second.stdout
    assert "3 not due yet" in second.stdout
    assert "4 of 4 feeds polled" in digest(instance, "poll", "--all").stdout


def test_an_unknown_newsletter_is_said_with_those_that_exist(instance: Path) -> None:
    answer = digest(instance, "poll", "moon-news")
    assert answer.returncode == 1
    assert "no newsletter 'moon-news'; known: sea-news, steppe-news" in answer.stderr


def test_the_feeds_are_listed_paused_and_shown_with_their_polls(instance: Path) -> None:
    listed = digest(instance, "feeds", "list", "steppe-news")
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.count("new ") >= 3 and "3 feeds: 3 new." in listed.stdout
    assert digest(instance, "feeds", "pause", "hill", "--note", "moves house").stdout == "Feeds paused: 1.\n"
    for _ in range(3):
        assert "3 of 4 feeds polled" in digest(instance, "poll", "--all").stdout
    health = digest(instance, "feeds", "health").stdout
    assert "Lake Post" in health and "failing" in health and "http_404 3 times in a row, never read" in health
    assert "4 feeds: 1 healthy, 2 failing, 1 paused." in health and "Hill" not in health
    shown = digest(instance, "feeds", "show", "steppe").stdout
    assert "usual time between items: not known" in shown
    assert len([line for line in shown.splitlines() if " undated " in line]) == 3
    assert digest(instance, "feeds", "resume", "hill").stdout == "Feeds resumed: 1.\n"
    assert "html_not_feed" in digest(instance, "poll").stdout


def test_what_became_of_pages_is_counted(instance: Path) -> None:
    sources = instance / "config/sources/outlets.toml"
    sources.write_text(sources.read_text().replace("/steppe", "/fresh"))
    assert "Pages of new items: 1 text." in digest(instance, "poll").stdout
    shown = digest(instance, "feeds", "show", "steppe").stdout
    assert "article text: short" in shown and "pages of items in 7 d: 1 text" in shown
    assert re.search(r"text, \d+ words", shown)
    assert "Pages of items in 7 d: 1 text." in digest(instance, "feeds", "health").stdout


def test_an_unknown_feed_is_said_with_what_is_near(instance: Path) -> None:
    answer = digest(instance, "feeds", "show", "step")
    assert answer.returncode == 1 and "known: steppe" in answer.stderr
