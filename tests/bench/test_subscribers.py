"""The bench of many subscribers queues an edition for all kinds of readers, also for who was paused."""

import pytest

from bench import subscribers


def test_it_prints_what_queueing_takes(capsys: pytest.CaptureFixture[str]) -> None:
    subscribers.main(["--readers", "400"])
    out = capsys.readouterr().out
    assert "queue: 400 readers in" in out and "variants" in out and "MB at the end" in out
    assert " 0 with missed editions" not in out
