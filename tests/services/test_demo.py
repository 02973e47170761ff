"""The demo's documents: marks, the feed server, the instance."""

import http.client
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from digest.errors import ConfigError
from digest.services.demo import Served, expand, feed_documents, prepare, serve_feeds

ANCHOR = datetime(2026, 3, 10, 9, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(("mark", "text"), [
    ("{{key}}", "20260310"),
    ("{{day -0d}}", "2026-03-10"),
    ("{{day -2d}}", "2026-03-08"),
    ("{{rfc822 -3h}}", "Tue, 10 Mar 2026 06:30:15 GMT"),
    ("{{rfc822 -3h45m +0500}}", "Tue, 10 Mar 2026 10:45:15 +0500"),
    ("{{rfc822 -1d1h +05}}", "Mon, 09 Mar 2026 13:30:15 +05"),
    ("{{rfc822 -0h10m ALMT}}", "Tue, 10 Mar 2026 14:20:15 ALMT"),
    ("{{iso -26h}}", "2026-03-09T07:30:15Z"),
    ("{{iso -0h1m +05:00}}", "2026-03-10T14:29:15+05:00"),
])
def test_a_mark_becomes_a_date_before_the_anchor(mark: str, text: str) -> None:
    assert expand(f"<a>{mark}</a>".encode(), ANCHOR) == f"<a>{text}</a>".encode()


@pytest.mark.parametrize("mark", [
    "{{}}", "{{keys}}", "{{iso}}", "{{iso 3h}}", "{{iso -}}", "{{iso -3w}}", "{{day -1d +0500}}", "{{rfc822 -3h MSK}}",
    "{{rfc822 -3h +0500 x}}", "{{iso -3h",
])
def test_an_unknown_mark_is_an_error_with_its_line(mark: str) -> None:
    with pytest.raises(ConfigError) as caught:
        expand(f"<a>\n{mark}</a>".encode(), ANCHOR, "feeds/x.rss")
    assert (caught.value.path, caught.value.line) == ("feeds/x.rss", 2)


def test_documents_of_one_day_have_the_same_bytes_and_another_day_other_addresses() -> None:
    today, again, tomorrow = (feed_documents(at) for at in (ANCHOR, ANCHOR, ANCHOR + timedelta(days=1)))
    assert today == again
    links = {url: set(re.findall(rb"https?://[^<\"]*2026031\d[^<\"]*", d.body)) for url, d in today.items()}
    later = {url: set(re.findall(rb"https?://[^<\"]*2026031\d[^<\"]*", d.body)) for url, d in tomorrow.items()}
    assert sum(map(len, links.values())) > 200
    assert not any(links[url] & later[url] for url in links)


def test_documents_hold_no_mark_any_more() -> None:
    assert [url for url, d in feed_documents(ANCHOR).items() if b"{{" in d.body] == []


def ask(port: int, url: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", parts.path, headers={"Host": parts.netloc, "Connection": "close", **(headers or {})})
    response = connection.getresponse()
    response.text = response.read()  # type: ignore[attr-defined]
    connection.close()
    return response


def test_the_server_answers_by_host_and_path() -> None:
    url = "http://a.example/rss"
    with serve_feeds({url: Served(b"<rss/>", "application/rss+xml", '"1"', ANCHOR)}) as port:
        first = ask(port, url)
        assert (first.status, first.text, first.headers["Content-Type"]) == (200, b"<rss/>", "application/rss+xml")
        assert first.headers["Last-Modified"] == "Tue, 10 Mar 2026 09:30:15 GMT"
        again = ask(port, url, {"If-None-Match": first.headers["ETag"]})
        assert (again.status, again.text) == (304, b"")
        assert ask(port, "http://b.example/rss").status == 404
        assert ask(port, "http://a.example/atom").status == 404


def test_a_run_keeps_the_anchor_for_its_day_and_the_next_day_begins_afresh(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    assert prepare(root, ANCHOR) == ANCHOR
    (root / "var").mkdir()
    (root / "var" / "digest.sqlite3").write_bytes(b"x")
    (root / "notes.txt").write_text("mine")
    assert prepare(root, ANCHOR + timedelta(hours=5)) == ANCHOR
    assert (root / "var" / "digest.sqlite3").exists()
    tomorrow = ANCHOR + timedelta(days=1)
    assert prepare(root, tomorrow) == tomorrow
    assert not (root / "var").exists()
    assert (root / "notes.txt").read_text() == "mine"


def test_the_instance_takes_the_configuration_of_the_package(tmp_path: Path) -> None:
    prepare(tmp_path, ANCHOR)
    path = tmp_path / "config" / "sources" / "demo.toml"
    original = path.read_text()
    path.write_text("changed")
    prepare(tmp_path, ANCHOR)
    assert path.read_text() == original
    assert (tmp_path / "config" / "newsletters" / "kazakhstan.toml").exists()
    assert (tmp_path / "config" / "digest.toml").exists()
