"""The bench of many subscribers imports a file and queues an edition for all kinds of readers."""

import pytest

from bench import subscribers


def test_it_prints_what_importing_and_queueing_take(capsys: pytest.CaptureFixture[str]) -> None:
    subscribers.main(["--readers", "400"])
    out = capsys.readouterr().out
    assert "import: 400 rows in" in out and " added" in out and " refused" in out
    assert "queue: 400 readers in" in out and "variants" in out and "MB at the end" in out
    assert " 0 with missed editions" not in out
