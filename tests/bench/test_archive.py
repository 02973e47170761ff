"""The bench of searches builds the same archive every time and asks queries of each kind."""

import re
from pathlib import Path

import pytest

from bench import archive


def test_it_asks_each_kind_of_query(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path / 'archive.sqlite3'}"
    arguments = ["--items", "120", "--fewest", "1", "--texts", str(tmp_path / "none.jsonl"), "--database", url]
    archive.main(arguments)
    first = capsys.readouterr().out.splitlines()
    archive.main(arguments)
    again = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"120 items: stored in .* s CPU, indexed in .* s, \d+ microseconds an item", first[0])
    assert again[0] == "120 items, built by an earlier run"
    kinds = [line.split()[0] for line in first[1:]]
    assert kinds == [kind for kind in ("boolean", "phrase", "NEAR", "prefix") for _ in ("searched", "tried")]
    found = [[line.partition(":")[0] for line in lines[1:]] for lines in (first, again)]
    assert found[0] == found[1] and all(
        re.search(r"\d+ queries with \d+ to \d+ hits$|  tried as alert rules$", line) for line in found[0])
