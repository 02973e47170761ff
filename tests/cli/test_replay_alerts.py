"""`digest replay --alerts`: what rules would have told; a feed's old items are never news."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from digest.cli import cli

BEGIN = datetime(2026, 2, 17, 6, tzinfo=UTC)
RULES = """
[[alerts]]
name = "gas"
query = "gas"
story = "develops"
[[alerts]]
name = "dear gas"
query = "SENT(gas AND prices)"
"""


def document(*entries: tuple[str, str, datetime]) -> str:
    items = "".join(f"<item><title>{title}</title><description>{text}</description><guid>{title}</guid>"
                    f"<link>https://post.example/{number}</link><pubDate>{format_datetime(at)}</pubDate></item>"
                    for number, (title, text, at) in enumerate(entries))
    return f'<rss version="2.0"><channel><title>Post</title>{items}</channel></rss>'


def archive(folder: Path, *polls: tuple[datetime, str]) -> Path:
    (folder / "post").mkdir(parents=True)
    lines = ["polled_at_utc\toutlet\tfile\titems"]
    for at, text in polls:
        name = f"post/{at:%Y%m%dT%H%M%SZ}.xml.gz"
        (folder / name).write_bytes(gzip.compress(text.encode()))
        lines.append(f"{at:%Y-%m-%dT%H:%M:%SZ}\tpost\t{name}\t1")
    (folder / "manifest.tsv").write_text("\n".join(lines) + "\n")
    return folder


def replayed(tmp_path: Path, *polls: tuple[datetime, str]) -> list[dict[str, Any]]:
    (tmp_path / "rules.toml").write_text(RULES)
    result = CliRunner().invoke(cli, [
        "--instance", str(tmp_path), "replay", str(archive(tmp_path / "archive", *polls)), "--alerts",
        str(tmp_path / "rules.toml"), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    lines = (tmp_path / "out" / "alerts.jsonl").read_text().splitlines()
    assert f"{len(lines)} alerts" in result.output
    return [json.loads(line) for line in lines]


def test_a_new_feed_with_two_hundred_old_items_tells_none_of_them(tmp_path: Path) -> None:
    old = [(f"Gas field {number} opens", "Gas.", BEGIN - timedelta(days=2, minutes=number)) for number in range(200)]
    new = ("Gas prices rise", "The gas is dear.", BEGIN + timedelta(hours=2))
    found = replayed(tmp_path, (BEGIN, document(*old)), (BEGIN + timedelta(hours=3), document(new, *old)))
    assert [(line["rule"], line["why"], line["version"]) for line in found] == [
        ("gas", ["first"], 1), ("dear gas", ["first"], 1)]
    assert {line["sentence"] for line in found} == {"The gas is dear.", "Gas prices rise"}
    assert all(line["at"] >= (BEGIN + timedelta(hours=3)).isoformat() for line in found)
