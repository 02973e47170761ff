"""`digest feeds add|test|remove|import|export` as the real command, against pages on loopback."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.sites import serving

ITEM = ("<item><title>Bread is dear, part {0}</title><link>https://h.example/{0}</link>"
        "<pubDate>Mon, 02 Mar 2026 {0:02}:00:00 GMT</pubDate></item>")
FEED = ('<rss version="2.0"><channel><title>The Herald</title>' + "".join(map(ITEM.format, range(1, 8)))
        + "</channel></rss>")
PAGES = {"/rss": FEED, "/": '<html><link rel="alternate" type="application/rss+xml" href="/rss"></html>'}


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with serving(PAGES) as address:
        yield address


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    documents = {
        "digest.toml": '[polling]\nallow = ["127.0.0.0/8"]\n',
        "newsletters/steppe.toml": 'name = "Steppe News"\nregion = "Steppe"\nregions = ["Steppe"]\n',
    }
    for name, text in documents.items():
        path = tmp_path / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def feeds(instance: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "digest", "--instance", str(instance), "feeds", *arguments], text=True,
                          capture_output=True, env={**os.environ, "COLUMNS": "200"}, check=False)


def test_a_site_is_added_looked_at_and_taken_out(instance: Path, site: str) -> None:
    added = feeds(instance, "add", site)
    assert added.returncode == 0, added.stderr
    for expected in ("The Herald", "7 items, about 24.0 a day", "Dates: all exact", "Languages: en 7", "added: 1"):
        assert expected in added.stdout
    assert added.stdout.count("Bread is dear") == 5
    document = (instance / "config/sources/steppe.toml").read_text()
    assert f'{{ url = "{site}/rss", region = "Steppe", language = "en" }}' in document
    assert "known before: 1" in feeds(instance, "add", site).stdout
    assert feeds(instance, "remove", f"{site}/rss").returncode == 0
    assert site not in (instance / "config/sources/steppe.toml").read_text()


def test_testing_a_feed_stores_nothing(instance: Path, site: str) -> None:
    assert "The Herald" in feeds(instance, "test", f"{site}/rss").stdout
    assert not (instance / "config/sources").exists()


def test_a_feed_that_does_not_answer_is_kept_only_when_told(instance: Path, site: str) -> None:
    refused = feeds(instance, "add", f"{site}/gone")
    assert refused.returncode == 1
    assert "404" in refused.stderr
    kept = feeds(instance, "add", f"{site}/gone", "--force")
    assert "does not answer" in kept.stdout
    assert f"{site}/gone" in (instance / "config/sources/steppe.toml").read_text()


def test_a_broken_list_is_imported_with_a_report_and_exported(instance: Path, tmp_path: Path) -> None:
    opml = tmp_path / "list.opml"
    opml.write_text('<opml><head><title>R&D</title></head><body>\n'
                    '<outline text="A & B" xmlUrl="https://a.example/rss"/>\n<outline type="rss" text="Nothing"/>\n'
                    '<outline text="C" xmlUrl="https://c.example/rss"/></body></opml>', encoding="utf-8")
    dry = feeds(instance, "import", str(opml), "--dry-run")
    assert "Feeds to add: 2, known: 0." in dry.stdout
    assert not (instance / "config/sources").exists()
    done = feeds(instance, "import", str(opml))
    assert "not well-formed XML" in done.stdout
    assert "line 3: Nothing names no address of a feed (xmlUrl)" in done.stdout
    assert "Feeds added: 2, known before: 0." in done.stdout
    listed = feeds(instance, "export").stdout
    assert listed.count('type="rss"') == 2
    assert 'text="A &amp; B"' in listed


def test_a_region_that_cannot_be_guessed_must_be_said(instance: Path, tmp_path: Path) -> None:
    (instance / "config/newsletters/sea.toml").write_text('name = "Sea News"\nregion = "Sea"\nregions = ["Sea"]\n')
    opml = tmp_path / "list.opml"
    opml.write_text('<opml><body><outline text="A" xmlUrl="https://a.example/rss"/></body></opml>')
    refused = feeds(instance, "import", str(opml))
    assert refused.returncode == 2
    assert "--region" in refused.stderr and "Sea, Steppe" in refused.stderr
