"""The bench of one mail makes mails of the asked size and prints each way's cost."""

import pytest

from bench import message


@pytest.mark.parametrize("script", list(message.WORDS))
def test_it_prints_every_way_beside_its_floor(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    message.measure(script, 43, 5)
    out = capsys.readouterr().out
    size = int(out.partition(" bytes")[0].rpartition(", ")[2].replace(",", ""))
    assert 35_000 < size < 52_000
    assert out.count(" ms\n") == 7 and "x its floors" in out
