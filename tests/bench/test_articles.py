"""The bench of article text finds the text of every layout that has one, and says what it gains."""

import re
from pathlib import Path

import pytest

from bench import articles

RSS = """<rss version="2.0"><channel><title>Post</title><link>https://post.example/</link>
<item><title>Dam holds</title><guid>1</guid><link>https://post.example/1</link></item></channel></rss>"""


def test_pages_give_more_words_than_feeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "post.xml").write_text(RSS)
    articles.main([str(tmp_path), "--items", "1", "--kilobytes", "20", "--rounds", "1"])
    out = capsys.readouterr().out
    before, after = (int(number) for number in re.findall(r"words of an item: mean (\d+)", out))
    assert after > 2 * before
    assert "12 text" in out and "layouts whose text was not found: none" in out
    assert "1 recorded items: median 0 words; 1 (100%)" in out


def test_a_dressed_page_is_as_heavy_as_asked_for() -> None:
    sizes = [len(page.body(0)) / 1024 for page in articles.pages(150)]
    assert 100 < min(sizes) and max(sizes) < 200
