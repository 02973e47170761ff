"""The bench of polling runs beside its peer and its floor, and reads what it serves."""

from pathlib import Path

import pytest

from bench import ingest, poll

RSS = """<rss version="2.0"><channel><title>Post {0}</title><link>https://post.example/</link>
<item><title>Dam {0} holds</title><guid>{0}</guid><link>https://post.example/{0}</link></item></channel></rss>"""


def test_it_reads_what_it_serves_and_prints_the_ratio(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(ingest.WARM + 3):
        (tmp_path / f"{number}.xml").write_text(RSS.format(number))
    ingest.main([str(tmp_path), "--rounds", "1"])
    out = capsys.readouterr().out
    rows = {line[:28].strip(): line for line in out.splitlines() if "feeds/s" in line}
    assert {"bare fetching", "ours", "ours, answers of 304", "ours, equal documents"} <= set(rows)
    assert rows["ours"].endswith("3 read") and rows["ours, answers of 304"].endswith("0 read")
    assert "as fast as reader" in out or "reader is not installed" in out


def test_polling_many_feeds_is_polite(capsys: pytest.CaptureFixture[str]) -> None:
    poll.main(["--feeds", "9", "--publishers", "3", "--delay", "0.01", "--gap", "0"])
    out = capsys.readouterr().out
    assert "9 ok" in out and "9 not_modified" in out
    assert "18 requests, 9 answered 304; most at one time to one publisher: 1" in out
